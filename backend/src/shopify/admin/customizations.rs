//! Functions at work that are no discounts: validations of the checkout, and customizations of delivery.

use graphql_client::GraphQLQuery;

use super::discounts::{MOST_PAGES, user_errors};
use super::operations::text;
use super::queries::{
    self, delivery_customization_create, delivery_customizations, validation_create, validations,
};
use super::{Admin, AdminError, UserError};

/// What a Function can customize.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Customizes {
    /// Whether a checkout goes on.
    Checkout,
    /// How delivery options look.
    Delivery,
}

/// A Function at work, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customization {
    /// Its global id.
    pub id: String,
    /// Which Function decides.
    pub function_id: String,
    /// Whether it runs.
    pub enabled: bool,
}

/// All pages of a list.
macro_rules! pages {
    ($admin:expr, $query:ident, $module:ident, $list:ident) => {{
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let body = queries::$query::build_query($module::Variables { after });
            let data: $module::ResponseData = $admin.call(&body).await?;
            found.extend(data.$list.nodes.into_iter().map(|one| Customization {
                id: one.id,
                function_id: one.shopify_function.id,
                enabled: one.enabled,
            }));
            let page = data.$list.page_info;
            after = page.end_cursor.filter(|_| page.has_next_page);
            if after.is_none() {
                break;
            }
        }
        found
    }};
}

/// The id of what a mutation made, or what Shopify has against it.
macro_rules! made {
    ($admin:expr, $query:ident, $module:ident, $payload:ident, $made:ident, $handle:expr, $title:expr) => {{
        let variables = $module::Variables { function_handle: $handle.to_owned(), title: $title.to_owned() };
        let body = queries::$query::build_query(variables);
        let data: $module::ResponseData = $admin.call_once(&body).await?;
        let payload = data
            .$payload
            .ok_or_else(|| AdminError::Operation(concat!(stringify!($payload), " gave nothing").into()))?;
        match payload.$made {
            Some(made) => Ok(made.id),
            None => Err(user_errors!(payload.user_errors)),
        }
    }};
}

impl Admin {
    /// Every validation, or every customization of delivery, of the shop; other apps' among them.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn customizations(&self, of: Customizes) -> Result<Vec<Customization>, AdminError> {
        Ok(match of {
            Customizes::Checkout => pages!(self, Validations, validations, validations),
            Customizes::Delivery => {
                pages!(self, DeliveryCustomizations, delivery_customizations, delivery_customizations)
            }
        })
    }

    /// Puts this Function to work, and says the id, or what Shopify has against it. It is sent once: who gets no answer must
    /// look whether it was made.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn create_customization(
        &self,
        of: Customizes,
        handle: &str,
        title: &str,
    ) -> Result<Result<String, Vec<UserError>>, AdminError> {
        Ok(match of {
            Customizes::Checkout => {
                made!(self, ValidationCreate, validation_create, validation_create, validation, handle, title)
            }
            Customizes::Delivery => made!(
                self,
                DeliveryCustomizationCreate,
                delivery_customization_create,
                delivery_customization_create,
                delivery_customization,
                handle,
                title
            ),
        })
    }
}
