//! Reading and writing metafields.

use graphql_client::{GraphQLQuery, QueryBody};
use serde::Serialize;

use super::operations::text;
use super::queries::{AccountMetafields, account_metafields, metafields_set};
use super::transport::Answer;
use super::{Admin, AdminError, UserError};
use crate::ids::CustomerId;

/// Shopify writes at most this many metafields at once, all or none.
pub const METAFIELDS_AT_ONCE: usize = 25;

/// One metafield to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetafieldWrite {
    /// The global id of what it belongs to, e.g. `gid://shopify/Customer/1`.
    pub owner_id: String,
    /// `$app` for the app's own.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// Its type, e.g. `json`.
    pub r#type: String,
    /// Its value.
    pub value: String,
    /// Which version this write replaces.
    #[serde(skip_serializing_if = "CompareDigest::is_any")]
    pub compare_digest: CompareDigest,
}

/// Which version of a metafield a write replaces. Absent, null and a digest mean three things to Shopify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompareDigest {
    /// Whatever is there.
    Any,
    /// Only if there is none.
    New,
    /// Only the version with this digest.
    Replaces(String),
}

impl CompareDigest {
    fn is_any(&self) -> bool {
        *self == CompareDigest::Any
    }
}

impl Serialize for CompareDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            CompareDigest::Any | CompareDigest::New => serializer.serialize_none(),
            CompareDigest::Replaces(digest) => serializer.serialize_str(digest),
        }
    }
}

/// What became of a write: either everything was written, or nothing and there are errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetafieldsSet {
    /// The new versions, in the order of the writes.
    pub written: Vec<WrittenMetafield>,
    /// Why nothing was written; [`UserError::index`] is the position in the writes.
    pub errors: Vec<UserError>,
}

/// A metafield as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenMetafield {
    /// Its namespace, `$app` written out.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// The digest of this version.
    pub compare_digest: String,
}

/// A customer's published account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountMetafield {
    /// Shopify has no such customer (any more).
    NoCustomer,
    /// Shopify does not say: it left out a part of its answer.
    Unknown,
    /// Nothing is published yet.
    Empty,
    /// This is published.
    Published {
        /// The JSON.
        value: String,
        /// The digest of this version.
        compare_digest: String,
    },
}

/// The generated variables cannot say all three of [`CompareDigest`].
#[derive(Serialize)]
struct Writes<'a> {
    metafields: &'a [MetafieldWrite],
}

impl Admin {
    /// Writes up to [`METAFIELDS_AT_ONCE`] metafields, all or none.
    ///
    /// A write with a digest that timed out and was tried again can come back as stale although it succeeded:
    /// read again, as for any stale one.
    ///
    /// # Errors
    /// See [`AdminError`]. What is wrong with the input is in [`MetafieldsSet::errors`].
    pub async fn metafields_set(&self, writes: &[MetafieldWrite]) -> Result<MetafieldsSet, AdminError> {
        let body = QueryBody {
            variables: Writes { metafields: writes },
            query: metafields_set::QUERY,
            operation_name: metafields_set::OPERATION_NAME,
        };
        let data: metafields_set::ResponseData = self.call(&body).await?;
        let Some(payload) = data.metafields_set else {
            return Err(AdminError::Operation("metafieldsSet gave nothing".into()));
        };
        let written = payload.metafields.unwrap_or_default().into_iter().map(|metafield| WrittenMetafield {
            namespace: metafield.namespace,
            key: metafield.key,
            compare_digest: metafield.compare_digest,
        });
        let errors = payload.user_errors.into_iter().map(|error| UserError {
            field: error.field.unwrap_or_default(),
            message: error.message,
            code: error.code.as_ref().map(text),
        });
        Ok(MetafieldsSet { written: written.collect(), errors: errors.collect() })
    }

    /// The published accounts of these customers (at most 250), in their order.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn account_metafields(
        &self,
        customers: &[CustomerId],
    ) -> Result<Vec<AccountMetafield>, AdminError> {
        use account_metafields::AccountMetafieldsNodes::Customer;

        let ids = customers.iter().map(|customer| customer.gid()).collect();
        let body = AccountMetafields::build_query(account_metafields::Variables { ids });
        let Answer { data, is_whole } =
            self.call_in_part::<_, account_metafields::ResponseData>(&body).await?;
        if data.nodes.len() != customers.len() {
            return Err(AdminError::Malformed("as many nodes as ids were expected".into()));
        }
        let accounts = data.nodes.into_iter().map(|node| match node {
            Some(Customer(customer)) => match customer.metafield {
                Some(metafield) => AccountMetafield::Published {
                    value: metafield.value,
                    compare_digest: metafield.compare_digest,
                },
                None => AccountMetafield::Empty,
            },
            None if !is_whole => AccountMetafield::Unknown,
            _ => AccountMetafield::NoCustomer,
        });
        Ok(accounts.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_absent_null_or_a_string() {
        let write = |compare_digest| {
            let write = MetafieldWrite {
                owner_id: "gid://shopify/Customer/1".into(),
                namespace: "$app".into(),
                key: "account".into(),
                r#type: "json".into(),
                value: "{}".into(),
                compare_digest,
            };
            serde_json::to_value(write).unwrap()
        };
        let any = write(CompareDigest::Any);
        assert_eq!(
            (any["ownerId"].as_str(), any["type"].as_str()),
            (Some("gid://shopify/Customer/1"), Some("json"))
        );
        assert!(any.get("compareDigest").is_none());
        assert!(write(CompareDigest::New)["compareDigest"].is_null());
        assert!(write(CompareDigest::New).get("compareDigest").is_some());
        assert_eq!(write(CompareDigest::Replaces("d".into()))["compareDigest"], "d");
    }

    #[test]
    fn a_user_error_knows_its_position() {
        let error = |field: &[&str]| UserError {
            field: field.iter().map(|&part| part.to_owned()).collect(),
            message: String::new(),
            code: Some("STALE_OBJECT".into()),
        };
        assert_eq!(error(&["metafields", "3", "compareDigest"]).index(), Some(3));
        assert_eq!(error(&["metafields"]).index(), None);
        assert!(error(&[]).is_stale());
    }
}
