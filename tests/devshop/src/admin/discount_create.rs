//! `discountAutomaticAppCreate`: a Function is put to work.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use jiff::Timestamp;
use serde::Deserialize;

use super::execute::Context;
use super::objects::{UserError, user_errors};
use crate::checkout::ACTIVE_FUNCTIONS;
use crate::clock::utc_text;
use crate::discounts::{CombinesWith, DiscountClass, DiscountNode};
use crate::metafields::resolve_namespace;
use crate::state::State;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    title: Option<String>,
    function_handle: Option<String>,
    discount_classes: Option<Vec<DiscountClass>>,
    combines_with: Option<CombinesWith>,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    #[serde(default)]
    metafields: Vec<MetafieldInput>,
}

#[derive(Deserialize)]
struct MetafieldInput {
    namespace: Option<String>,
    key: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    value: Option<String>,
}

pub(super) fn resolve<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let argument = info.arguments().get("automaticAppDiscount").cloned().unwrap_or_default();
    let input = serde_json::to_value(argument).and_then(serde_json::from_value::<Input>);
    let input = input.map_err(|error| FieldError { message: format!("Invalid input: {error}") })?;
    let now = context.shop.clock().now();
    let app_id = context.shop.facts().settings.app.id;
    let created = create(&mut context.shop.state(), input, now, app_id);
    let (node, errors) = match created {
        Ok(node) => (Some(node), Vec::new()),
        Err(error) => (None, vec![error]),
    };
    Ok(ResolvedValue::object(Payload { node, errors, now }))
}

fn create(state: &mut State, input: Input, now: Timestamp, app_id: u64) -> Result<DiscountNode, UserError> {
    let wrong = |field: &str, code: &'static str, message: String| UserError {
        type_name: "DiscountUserError",
        field: vec!["automaticAppDiscount".into(), field.into()],
        message,
        code: Some(code),
    };
    let title = input.title.filter(|title| !title.trim().is_empty());
    let title = title.ok_or_else(|| wrong("title", "BLANK", "Title can't be blank".into()))?;
    if state.discounts.iter().any(|discount| discount.title == title) {
        return Err(wrong("title", "TAKEN", "Title must be unique for automatic discount".into()));
    }
    let handle = input.function_handle.ok_or_else(|| {
        let message = "Function id or function handle can't be blank".into();
        wrong("functionHandle", "MISSING_FUNCTION_IDENTIFIER", message)
    })?;
    if !state.functions.iter().any(|function| function.handle == handle) {
        let message = format!("Function {handle} not found. Ensure that it is released in the current app.");
        return Err(wrong("functionHandle", "INVALID", message));
    }
    let classes = input.discount_classes.filter(|classes| !classes.is_empty());
    let classes =
        classes.ok_or_else(|| wrong("discountClasses", "BLANK", "Discount classes can't be blank".into()))?;
    let starts_at =
        input.starts_at.ok_or_else(|| wrong("startsAt", "BLANK", "Starts at can't be blank".into()))?;
    if input.ends_at.is_some_and(|end| end <= starts_at) {
        return Err(wrong(
            "endsAt",
            "END_DATE_BEFORE_START_DATE",
            "Ends at needs to be after starts_at".into(),
        ));
    }
    if state.discounts.iter().filter(|discount| discount.is_active(now)).count() >= ACTIVE_FUNCTIONS {
        let message = format!("The maximum number of active app discounts is {ACTIVE_FUNCTIONS}");
        return Err(wrong("functionHandle", "MAX_APP_DISCOUNTS", message));
    }
    let mut metafields = Vec::new();
    for (at, metafield) in input.metafields.into_iter().enumerate() {
        match (metafield.key, metafield.kind, metafield.value) {
            (Some(key), Some(kind), Some(value)) => {
                metafields.push((
                    resolve_namespace(metafield.namespace.as_deref(), app_id),
                    key,
                    kind,
                    value,
                ));
            }
            _ => {
                return Err(wrong(
                    "metafields",
                    "BLANK",
                    format!("Metafield {at} needs a key, a type and a value"),
                ));
            }
        }
    }

    let node = DiscountNode {
        id: state.ids.id(),
        title,
        function_handle: handle,
        classes,
        combines_with: input.combines_with.unwrap_or(CombinesWith::NONE),
        created_at: now,
        starts_at,
        ends_at: input.ends_at,
    };
    for (namespace, key, kind, value) in metafields {
        let id = state.ids.id();
        state.metafields.set((node.gid(), namespace, key), &kind, &value, now, id);
    }
    state.discounts.push(node.clone());
    Ok(node)
}

struct Payload {
    node: Option<DiscountNode>,
    errors: Vec<UserError>,
    now: Timestamp,
}

impl ObjectValue for Payload {
    fn type_name(&self) -> &str {
        "DiscountAutomaticAppCreatePayload"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "automaticAppDiscount" => Ok(ResolvedValue::nullable_object(
                self.node.as_ref().map(|node| Discount { node, now: self.now }),
            )),
            "userErrors" => Ok(user_errors(&self.errors)),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct Discount<'s> {
    node: &'s DiscountNode,
    now: Timestamp,
}

impl ObjectValue for Discount<'_> {
    fn type_name(&self) -> &str {
        "DiscountAutomaticApp"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let node = self.node;
        Ok(match info.field_name() {
            "discountId" => ResolvedValue::leaf(node.gid()),
            "title" => ResolvedValue::leaf(node.title.as_str()),
            "status" => ResolvedValue::leaf(match (node.is_active(self.now), node.starts_at > self.now) {
                (true, _) => "ACTIVE",
                (false, true) => "SCHEDULED",
                (false, false) => "EXPIRED",
            }),
            "discountClasses" => ResolvedValue::list(node.classes.iter().map(|class| {
                ResolvedValue::leaf(match class {
                    DiscountClass::Product => "PRODUCT",
                    DiscountClass::Order => "ORDER",
                    DiscountClass::Shipping => "SHIPPING",
                })
            })),
            "combinesWith" => ResolvedValue::object(Combines(node.combines_with)),
            "createdAt" => ResolvedValue::leaf(utc_text(node.created_at)),
            "startsAt" => ResolvedValue::leaf(utc_text(node.starts_at)),
            "endsAt" => {
                ResolvedValue::leaf(node.ends_at.map_or(JsonValue::Null, |at| JsonValue::from(utc_text(at))))
            }
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Combines(CombinesWith);

impl ObjectValue for Combines {
    fn type_name(&self) -> &str {
        "DiscountCombinesWith"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(ResolvedValue::leaf(match info.field_name() {
            "orderDiscounts" => self.0.order_discounts,
            "productDiscounts" => self.0.product_discounts,
            "shippingDiscounts" => self.0.shipping_discounts,
            _ => return Err(self.unknown_field_error(info)),
        }))
    }
}
