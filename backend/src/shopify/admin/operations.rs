//! The operations of `graphql/`, except those on metafields.

use graphql_client::GraphQLQuery;

use super::queries::{self, order_redemption, shop_details, tags_add, tags_remove};
use super::{Admin, AdminError, UserError};
use crate::ids::OrderId;

/// What a shop says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopDetails {
    /// Its global id, the owner of its metafields.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Its permanent domain.
    pub domain: String,
    /// The currency of its prices, ISO 4217.
    pub currency: String,
    /// Its time zone, IANA.
    pub time_zone: String,
}

impl Admin {
    /// What the shop says of itself.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn shop_details(&self) -> Result<ShopDetails, AdminError> {
        let body = queries::ShopDetails::build_query(shop_details::Variables);
        let data: shop_details::ResponseData = self.call(&body).await?;
        Ok(ShopDetails {
            id: data.shop.id,
            name: data.shop.name,
            domain: data.shop.myshopify_domain,
            currency: text(&data.shop.currency_code),
            time_zone: data.shop.iana_timezone,
        })
    }

    /// The redemption an order inherited from its cart as a metafield (JSON), if it did.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn order_redemption(&self, order: OrderId) -> Result<Option<String>, AdminError> {
        let body = queries::OrderRedemption::build_query(order_redemption::Variables { id: order.gid() });
        let data: order_redemption::ResponseData = self.call(&body).await?;
        Ok(data.order.and_then(|order| order.metafield).map(|metafield| metafield.value))
    }

    /// Adds tags to what has this global id, an order or a customer; those it has stay. Empty means done.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn tag(&self, id: &str, tags: &[String]) -> Result<Vec<UserError>, AdminError> {
        let variables = tags_add::Variables { id: id.to_owned(), tags: tags.to_vec() };
        let data: tags_add::ResponseData = self.call(&queries::TagsAdd::build_query(variables)).await?;
        let payload = data.tags_add.ok_or_else(|| AdminError::Operation("tagsAdd gave nothing".into()))?;
        Ok(payload.user_errors.into_iter().map(|error| refused(error.field, error.message)).collect())
    }

    /// Takes tags from what has this global id; those it has not are no matter. Empty means done.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn untag(&self, id: &str, tags: &[String]) -> Result<Vec<UserError>, AdminError> {
        let variables = tags_remove::Variables { id: id.to_owned(), tags: tags.to_vec() };
        let data: tags_remove::ResponseData = self.call(&queries::TagsRemove::build_query(variables)).await?;
        let payload =
            data.tags_remove.ok_or_else(|| AdminError::Operation("tagsRemove gave nothing".into()))?;
        Ok(payload.user_errors.into_iter().map(|error| refused(error.field, error.message)).collect())
    }
}

/// A user error without a code.
fn refused(field: Option<Vec<String>>, message: String) -> UserError {
    UserError { field: field.unwrap_or_default(), message, code: None }
}

/// The text of an enum of the schema.
pub(super) fn text<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
