//! A Function's input: its query executed field by field over the checkout, so that it sees what it selects and
//! nothing else.

mod cart;
mod customer;
mod merchandise;
mod plain;
mod shop;

use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{JsonMap, JsonValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Function, Target};
use crate::cart::Cart;
use crate::checkout::Basket;
use crate::customizations::Customization;
use crate::discounts::DiscountNode;
use crate::metafields::{Metafield, resolve_namespace};
use crate::money::{Currency, Rate};
use crate::state::State;
use crate::switches::Switches;
use plain::Plain;

/// Metafields larger than this, in bytes, are null to a Function.
pub const METAFIELD_BYTES: usize = 10_000;

/// All that a Function may ask about one checkout.
pub(crate) struct Scene<'s> {
    pub state: &'s State,
    pub cart: &'s Cart,
    pub basket: &'s Basket,
    /// Whose metafields the Function can be set up by.
    pub owner: Owner<'s>,
    pub switches: Switches,
    pub now: Timestamp,
    pub zone: &'s TimeZone,
    pub shop_currency: Currency,
    pub rate: Rate,
    pub app_id: u64,
}

/// What puts a Function to work.
#[derive(Clone, Copy)]
pub(crate) enum Owner<'s> {
    Discount(&'s DiscountNode),
    Customization(&'s Customization),
}

impl Owner<'_> {
    fn gid(self) -> String {
        match self {
            Self::Discount(node) => node.gid(),
            Self::Customization(customization) => customization.gid(),
        }
    }
}

/// Executes a target's input query.
///
/// # Errors
/// With the field errors, when the query asks for what this shop does not know.
pub(crate) fn execute(function: &Function, target: &Target, scene: &Scene<'_>) -> Result<JsonValue, String> {
    let mut variables = JsonMap::new();
    if let Some((namespace, key)) = &function.variables {
        let namespace = resolve_namespace(Some(namespace), scene.app_id);
        let metafield = scene.state.metafields.get(&scene.owner.gid(), &namespace, key);
        if let Some(JsonValue::Object(given)) = metafield.map(json_value) {
            variables = given;
        }
    }
    let response = Execution::new(&function.schema, &target.query)
        .raw_variable_values(&variables)
        .execute_sync(&Input(scene))
        .map_err(|error| error.message().to_string())?;
    match (response.data, response.errors.as_slice()) {
        (Some(data), []) => Ok(JsonValue::Object(data)),
        (_, errors) => Err(errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("; ")),
    }
}

/// The root of a Function's query.
struct Input<'s>(&'s Scene<'s>);

impl ObjectValue for Input<'_> {
    fn type_name(&self) -> &str {
        "Input"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let scene = self.0;
        Ok(match info.field_name() {
            "cart" => ResolvedValue::object(cart::CartView(scene)),
            "discount" if matches!(scene.owner, Owner::Discount(_)) => {
                ResolvedValue::object(DiscountView(scene))
            }
            // Whoever asks what a checkout comes to is in the middle of it.
            "buyerJourney" => {
                ResolvedValue::object(Plain::new("BuyerJourney").with("step", "CHECKOUT_INTERACTION"))
            }
            "shop" => ResolvedValue::object(shop::ShopView(scene)),
            "localization" => ResolvedValue::object(shop::Localization),
            "presentmentCurrencyRate" => ResolvedValue::leaf(scene.rate.decimal()),
            "enteredDiscountCodes" => ResolvedValue::list([]),
            "triggeringDiscountCode" | "fetchResult" => ResolvedValue::null(),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct DiscountView<'s>(&'s Scene<'s>);

impl ObjectValue for DiscountView<'_> {
    fn type_name(&self) -> &str {
        "Discount"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match (info.field_name(), self.0.owner) {
            ("discountClasses", Owner::Discount(discount)) => {
                let classes = serde_json::to_value(&discount.classes).unwrap_or_default();
                Ok(ResolvedValue::list(
                    classes.as_array().cloned().unwrap_or_default().into_iter().map(ResolvedValue::leaf),
                ))
            }
            ("metafield", owner) => Ok(self.0.metafield(&owner.gid(), info)),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

impl Scene<'_> {
    /// A metafield an Admin write made, as fresh as the switch says.
    fn metafield<'a>(&self, owner: &str, info: &ResolveInfo<'_>) -> ResolvedValue<'a> {
        self.metafield_lagging(owner, info, self.switches.metafield_freshness.lag())
    }

    fn metafield_lagging<'a>(
        &self,
        owner: &str,
        info: &ResolveInfo<'_>,
        lag: std::time::Duration,
    ) -> ResolvedValue<'a> {
        let namespace = resolve_namespace(text(info, "namespace"), self.app_id);
        let key = (owner.to_owned(), namespace, text(info, "key").unwrap_or_default().to_owned());
        let seen = self.state.metafields.get_stale(&key, self.now, lag);
        let seen = seen.filter(|metafield| metafield.value.len() <= METAFIELD_BYTES);
        ResolvedValue::nullable_object(seen.map(|metafield| {
            Plain::new("Metafield")
                .with("type", metafield.kind.as_str())
                .with("value", metafield.value.as_str())
                .with("jsonValue", json_value(metafield))
        }))
    }

    fn money<'a>(&self, minor: i64) -> ResolvedValue<'a> {
        let currency = self.cart.currency;
        ResolvedValue::object(money(minor, currency))
    }
}

fn money(minor: i64, currency: Currency) -> Plain {
    Plain::new("MoneyV2").with("amount", currency.decimal(minor)).with("currencyCode", currency.code())
}

/// A text argument, if given.
fn text<'i>(info: &'i ResolveInfo<'_>, name: &str) -> Option<&'i str> {
    info.arguments().get(name).and_then(JsonValue::as_str)
}

/// A list-of-texts argument.
fn texts<'i>(info: &'i ResolveInfo<'_>, name: &str) -> Vec<&'i str> {
    let list = info.arguments().get(name).and_then(JsonValue::as_array);
    list.into_iter().flatten().filter_map(JsonValue::as_str).collect()
}

/// A metafield's value as JSON: text types as a string, all others as what they are.
fn json_value(metafield: &Metafield) -> JsonValue {
    let is_text = metafield.kind.contains("text_field") || metafield.kind.starts_with("date");
    let parsed = if is_text { None } else { serde_json::from_str::<JsonValue>(&metafield.value).ok() };
    parsed.unwrap_or_else(|| JsonValue::from(metafield.value.as_str()))
}
