//! Automatic discounts that a Function decides, and the Functions that the app has deployed.

use graphql_client::{GraphQLQuery, QueryBody};
use serde::Serialize;

use super::operations::text;
use super::queries::{self, app_discount, app_discounts, program_metafields, shopify_functions};
use super::{Admin, AdminError, CompareDigest, MetafieldWrite, UserError};

/// The pages of an answer must end somewhere: more than any shop has of what is listed here.
pub(super) const MOST_PAGES: usize = 20;

/// A Function that the app has deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopifyFunction {
    /// Shopify's id of it.
    pub id: String,
    /// Its name in the app.
    pub handle: String,
}

/// A discount's classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DiscountClass {
    /// It may take something off the subtotal.
    Order,
    /// It may take something off lines.
    Product,
    /// It may take something off the delivery.
    Shipping,
}

impl DiscountClass {
    /// As the schema writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            DiscountClass::Order => "ORDER",
            DiscountClass::Product => "PRODUCT",
            DiscountClass::Shipping => "SHIPPING",
        }
    }
}

/// An automatic discount that a Function decides, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppDiscount {
    /// Its global id.
    pub id: String,
    /// Which Function decides.
    pub function_id: String,
    /// Which of ours it is, as we noted on it.
    pub kind: Option<String>,
    /// The perks that it gives, as we noted on it.
    pub perks: Option<String>,
    /// The variables of its Function's input query, as we noted on it.
    pub variables: Option<String>,
    /// What shoppers and the merchant see.
    pub title: String,
    /// `ACTIVE`, `SCHEDULED` or `EXPIRED`.
    pub status: String,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// What it may discount, sorted, as the schema writes it.
    pub classes: Vec<String>,
    /// Whether it may meet discounts of all three classes in one cart.
    pub combines_with_all: bool,
}

/// What we note on a discount, in the app's own namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Which of ours it is.
    Kind(&'static str),
    /// The perks that it gives, as JSON: by them its Function knows it.
    Perks(String),
    /// The variables of its Function's input query, as JSON.
    Variables(String),
}

impl Note {
    /// The metafield's key.
    pub const fn key(&self) -> &'static str {
        match self {
            Note::Kind(_) => "kind",
            Note::Perks(_) => "perks",
            Note::Variables(_) => "variables",
        }
    }

    fn metafield(&self) -> Metafield<'_> {
        let (r#type, value) = match self {
            Note::Kind(kind) => ("single_line_text_field", *kind),
            Note::Perks(json) | Note::Variables(json) => ("json", json.as_str()),
        };
        Metafield { namespace: "$app", key: self.key(), r#type, value }
    }
}

/// A discount to be made, or how it is to be again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscountWrite<'a> {
    /// What shoppers and the merchant see.
    pub title: &'a str,
    /// What it may discount.
    pub classes: &'a [DiscountClass],
}

/// What is published of a program, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishedProgram {
    /// For Functions.
    pub program: Option<String>,
    /// For widgets.
    pub program_ui: Option<String>,
}

/// The generated inputs would send null for what is not given, and to Shopify null is a value.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Variables<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    automatic_app_discount: Input<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Input<'a> {
    title: &'a str,
    discount_classes: &'a [DiscountClass],
    combines_with: CombinesWith,
    #[serde(flatten)]
    new: Option<New<'a>>,
}

/// What only a new discount needs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct New<'a> {
    function_handle: &'a str,
    starts_at: &'a str,
    metafields: Vec<Metafield<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CombinesWith {
    order_discounts: bool,
    product_discounts: bool,
    shipping_discounts: bool,
}

#[derive(Serialize)]
struct Metafield<'a> {
    namespace: &'static str,
    key: &'static str,
    r#type: &'static str,
    value: &'a str,
}

impl<'a> Input<'a> {
    fn of(write: &DiscountWrite<'a>, new: Option<New<'a>>) -> Self {
        let all = CombinesWith { order_discounts: true, product_discounts: true, shipping_discounts: true };
        Input { title: write.title, discount_classes: write.classes, combines_with: all, new }
    }
}

macro_rules! app_discount {
    ($module:ident, $node:expr) => {{
        let node: $module::Node = $node;
        match node.discount {
            $module::NodeDiscount::DiscountAutomaticApp(discount) => {
                let combines = discount.combines_with;
                let mut classes: Vec<String> = discount.discount_classes.iter().map(text).collect();
                classes.sort_unstable();
                Some(AppDiscount {
                    id: discount.discount_id,
                    function_id: discount.app_discount_type.function_id,
                    kind: node.kind.map(|metafield| metafield.value),
                    perks: node.perks.map(|metafield| metafield.value),
                    variables: node.variables.map(|metafield| metafield.value),
                    title: discount.title,
                    status: text(&discount.status),
                    created_at: discount.created_at,
                    classes,
                    combines_with_all: combines.order_discounts
                        && combines.product_discounts
                        && combines.shipping_discounts,
                })
            }
            _ => None,
        }
    }};
}

macro_rules! user_errors {
    ($errors:expr) => {
        $errors
            .into_iter()
            .map(|error| UserError {
                field: error.field.unwrap_or_default(),
                message: error.message,
                code: error.code.as_ref().map(text),
            })
            .collect::<Vec<_>>()
    };
}
pub(super) use user_errors;

impl MetafieldWrite {
    /// Notes something on a discount.
    pub fn note(discount: &str, note: &Note) -> Self {
        let Metafield { namespace, key, r#type, value } = note.metafield();
        MetafieldWrite {
            owner_id: discount.to_owned(),
            namespace: namespace.into(),
            key: key.into(),
            r#type: r#type.into(),
            value: value.to_owned(),
            compare_digest: CompareDigest::Any,
        }
    }
}

impl Admin {
    /// The Functions that the app has deployed to this shop.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn shopify_functions(&self) -> Result<Vec<ShopifyFunction>, AdminError> {
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let body = queries::ShopifyFunctions::build_query(shopify_functions::Variables { after });
            let data: shopify_functions::ResponseData = self.call(&body).await?;
            let page = data.shopify_functions;
            let one = |one: shopify_functions::ShopifyFunctionsShopifyFunctionsNodes| ShopifyFunction {
                id: one.id,
                handle: one.handle,
            };
            found.extend(page.nodes.into_iter().map(one));
            after = page.page_info.end_cursor.filter(|_| page.page_info.has_next_page);
            if after.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// The discount with this id; none if it was deleted.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn app_discount(&self, id: &str) -> Result<Option<AppDiscount>, AdminError> {
        let body = queries::AppDiscount::build_query(app_discount::Variables { id: id.to_owned() });
        let data: app_discount::ResponseData = self.call(&body).await?;
        Ok(data.discount_node.and_then(|node| app_discount!(app_discount, node)))
    }

    /// Every automatic discount of the shop that a Function decides, other apps' among them. One that was made just now
    /// may be missing.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn app_discounts(&self) -> Result<Vec<AppDiscount>, AdminError> {
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let body = queries::AppDiscounts::build_query(app_discounts::Variables { after });
            let data: app_discounts::ResponseData = self.call(&body).await?;
            let page = data.discount_nodes;
            found.extend(page.nodes.into_iter().filter_map(|node| app_discount!(app_discounts, node)));
            after = page.page_info.end_cursor.filter(|_| page.page_info.has_next_page);
            if after.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Makes a discount that this Function decides and that may meet every other, and says its id, or what Shopify has
    /// against it. It is sent once: who gets no answer must look whether it was made.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn create_app_discount(
        &self,
        function_handle: &str,
        write: &DiscountWrite<'_>,
        notes: &[Note],
        starts_at: &str,
    ) -> Result<Result<String, Vec<UserError>>, AdminError> {
        use super::queries::discount_automatic_app_create as operation;

        let metafields = notes.iter().map(Note::metafield).collect();
        let new = New { function_handle, starts_at, metafields };
        let body = QueryBody {
            variables: Variables { id: None, automatic_app_discount: Input::of(write, Some(new)) },
            query: operation::QUERY,
            operation_name: operation::OPERATION_NAME,
        };
        let data: operation::ResponseData = self.call_once(&body).await?;
        let payload = data
            .discount_automatic_app_create
            .ok_or_else(|| AdminError::Operation("discountAutomaticAppCreate gave nothing".into()))?;
        Ok(match payload.automatic_app_discount {
            Some(discount) => Ok(discount.discount_id),
            None => Err(user_errors!(payload.user_errors)),
        })
    }

    /// Puts a discount back as it should be; its dates stay. Empty means done.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn update_app_discount(
        &self,
        id: &str,
        write: &DiscountWrite<'_>,
    ) -> Result<Vec<UserError>, AdminError> {
        use super::queries::discount_automatic_app_update as operation;

        let body = QueryBody {
            variables: Variables { id: Some(id), automatic_app_discount: Input::of(write, None) },
            query: operation::QUERY,
            operation_name: operation::OPERATION_NAME,
        };
        let data: operation::ResponseData = self.call(&body).await?;
        let payload = data
            .discount_automatic_app_update
            .ok_or_else(|| AdminError::Operation("discountAutomaticAppUpdate gave nothing".into()))?;
        Ok(user_errors!(payload.user_errors))
    }

    /// What is published of the program.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn program_metafields(&self) -> Result<PublishedProgram, AdminError> {
        let body = queries::ProgramMetafields::build_query(program_metafields::Variables);
        let data: program_metafields::ResponseData = self.call(&body).await?;
        Ok(PublishedProgram {
            program: data.shop.program.map(|metafield| metafield.value),
            program_ui: data.shop.program_ui.map(|metafield| metafield.value),
        })
    }
}
