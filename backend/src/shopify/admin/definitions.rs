//! The definition of the orders' metafield that carries the mark of a redemption.

use graphql_client::GraphQLQuery;

use super::discounts::user_errors;
use super::operations::text;
use super::queries::{
    self, redemption_definition, redemption_definition_create, redemption_definition_update,
};
use super::{Admin, AdminError, UserError};

/// A definition of a metafield, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its global id.
    pub id: String,
    /// Whether an order takes over what its cart has under the same name.
    pub copies_from_cart: bool,
}

impl Admin {
    /// The definition of the orders' `$app.redemption`, if there is one.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn redemption_definition(&self) -> Result<Option<Definition>, AdminError> {
        let body = queries::RedemptionDefinition::build_query(redemption_definition::Variables {});
        let data: redemption_definition::ResponseData = self.call(&body).await?;
        Ok(data.metafield_definition.map(|found| Definition {
            id: found.id,
            copies_from_cart: found.capabilities.cart_to_order_copyable.enabled,
        }))
    }

    /// Makes it. Says what Shopify has against it; another of the same name is `TAKEN`.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn create_redemption_definition(&self) -> Result<Vec<UserError>, AdminError> {
        let body =
            queries::RedemptionDefinitionCreate::build_query(redemption_definition_create::Variables {});
        let data: redemption_definition_create::ResponseData = self.call(&body).await?;
        let payload = data.metafield_definition_create;
        let payload = payload.ok_or_else(|| AdminError::Operation("no definition was made".into()))?;
        Ok(user_errors!(payload.user_errors))
    }

    /// Lets orders take over what their cart carries. Says what Shopify has against it.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn let_orders_copy_redemptions(&self) -> Result<Vec<UserError>, AdminError> {
        let body =
            queries::RedemptionDefinitionUpdate::build_query(redemption_definition_update::Variables {});
        let data: redemption_definition_update::ResponseData = self.call(&body).await?;
        let payload = data.metafield_definition_update;
        let payload = payload.ok_or_else(|| AdminError::Operation("no definition was changed".into()))?;
        Ok(user_errors!(payload.user_errors))
    }
}
