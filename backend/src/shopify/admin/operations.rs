//! The operations of `graphql/`, except those on metafields.

use graphql_client::GraphQLQuery;

use super::queries::{self, order_redemption, shop_details, tags_add};
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

    /// Adds tags to an order; those it has stay. Empty means done.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn tags_add(&self, order: OrderId, tags: &[&str]) -> Result<Vec<UserError>, AdminError> {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        let body = queries::TagsAdd::build_query(tags_add::Variables { id: order.gid(), tags });
        let data: tags_add::ResponseData = self.call(&body).await?;
        let payload = data.tags_add.ok_or_else(|| AdminError::Operation("tagsAdd gave nothing".into()))?;
        Ok(payload
            .user_errors
            .into_iter()
            .map(|error| UserError {
                field: error.field.unwrap_or_default(),
                message: error.message,
                code: None,
            })
            .collect())
    }
}

/// The text of an enum of the schema.
pub(super) fn text<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
