//! `discountAutomaticAppCreate`: a Function is put to work.

use apollo_compiler::resolvers::{FieldError, ResolveInfo, ResolvedValue};
use jiff::Timestamp;
use serde::Deserialize;

use super::discounts::Payload;
use super::execute::Context;
use super::objects::UserError;
use crate::checkout::ACTIVE_FUNCTIONS;
use crate::discounts::{CombinesWith, DiscountClass, DiscountNode};
use crate::metafields::resolve_namespace;
use crate::state::State;

/// Longer titles are refused.
const LONGEST_TITLE: usize = 255;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    pub title: Option<String>,
    pub function_handle: Option<String>,
    pub discount_classes: Option<Vec<DiscountClass>>,
    pub combines_with: Option<CombinesWith>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    #[serde(default)]
    pub metafields: Vec<MetafieldInput>,
}

#[derive(Deserialize)]
pub(super) struct MetafieldInput {
    namespace: Option<String>,
    key: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    value: Option<String>,
}

impl Input {
    /// The argument of the mutation.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(info: &ResolveInfo<'_>) -> Result<Self, FieldError> {
        let argument = info.arguments().get("automaticAppDiscount").cloned().unwrap_or_default();
        let input = serde_json::to_value(argument).and_then(serde_json::from_value::<Input>);
        input.map_err(|error| FieldError { message: format!("Invalid input: {error}") })
    }
}

pub(super) fn resolve<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let input = Input::of(info)?;
    let now = context.shop.clock().now();
    let app_id = context.shop.facts().settings.app.id;
    let created = create(&mut context.shop.state(), input, now, app_id);
    let (node, errors) = match created {
        Ok(node) => (Some(node), Vec::new()),
        Err(error) => (None, vec![error]),
    };
    let type_name = "DiscountAutomaticAppCreatePayload";
    Ok(ResolvedValue::object(Payload { type_name, node, errors, now }))
}

/// What is wrong with a field of the input.
pub(super) fn wrong(field: &str, code: &'static str, message: String) -> UserError {
    UserError {
        type_name: "DiscountUserError",
        field: vec!["automaticAppDiscount".into(), field.into()],
        message,
        code: Some(code),
    }
}

/// Whether a discount may be as it is to be; one that changes is not in its own way.
///
/// # Errors
/// What Shopify says otherwise.
pub(super) fn check(
    state: &State,
    node: &DiscountNode,
    itself: Option<u64>,
    now: Timestamp,
) -> Result<(), UserError> {
    let mut others = state.discounts.iter().filter(|other| Some(other.id) != itself);
    if node.title.chars().count() > LONGEST_TITLE {
        let message = format!("Title is too long (maximum is {LONGEST_TITLE} characters)");
        return Err(wrong("title", "TOO_LONG", message));
    }
    if others.any(|other| other.title == node.title) {
        return Err(wrong("title", "TAKEN", "Title must be unique for automatic discount".into()));
    }
    if !state.functions.iter().any(|function| function.handle == node.function_handle) {
        let handle = &node.function_handle;
        let message = format!("Function {handle} not found. Ensure that it is released in the current app.");
        return Err(wrong("functionHandle", "INVALID", message));
    }
    if node.classes.is_empty() {
        return Err(wrong("discountClasses", "BLANK", "Discount classes can't be blank".into()));
    }
    if node.ends_at.is_some_and(|end| end <= node.starts_at) {
        let message = "Ends at needs to be after starts_at".into();
        return Err(wrong("endsAt", "END_DATE_BEFORE_START_DATE", message));
    }
    let active = state.discounts.iter().filter(|other| Some(other.id) != itself && other.is_active(now));
    if node.is_active(now) && active.count() >= ACTIVE_FUNCTIONS {
        let message = format!("The maximum number of active app discounts is {ACTIVE_FUNCTIONS}");
        return Err(wrong("functionHandle", "MAX_APP_DISCOUNTS", message));
    }
    Ok(())
}

fn create(state: &mut State, input: Input, now: Timestamp, app_id: u64) -> Result<DiscountNode, UserError> {
    let title = input.title.filter(|title| !title.trim().is_empty());
    let title = title.ok_or_else(|| wrong("title", "BLANK", "Title can't be blank".into()))?;
    let handle = input.function_handle.ok_or_else(|| {
        let message = "Function id or function handle can't be blank".into();
        wrong("functionHandle", "MISSING_FUNCTION_IDENTIFIER", message)
    })?;
    let starts_at =
        input.starts_at.ok_or_else(|| wrong("startsAt", "BLANK", "Starts at can't be blank".into()))?;
    let mut node = DiscountNode {
        id: 0,
        title,
        function_handle: handle,
        classes: input.discount_classes.unwrap_or_default(),
        combines_with: input.combines_with.unwrap_or(CombinesWith::NONE),
        created_at: now,
        starts_at,
        ends_at: input.ends_at,
    };
    check(state, &node, None, now)?;
    let mut metafields = Vec::new();
    for (at, metafield) in input.metafields.into_iter().enumerate() {
        match (metafield.key, metafield.kind, metafield.value) {
            (Some(key), Some(kind), Some(value)) => {
                let namespace = resolve_namespace(metafield.namespace.as_deref(), app_id);
                metafields.push((namespace, key, kind, value));
            }
            _ => {
                let message = format!("Metafield {at} needs a key, a type and a value");
                return Err(wrong("metafields", "BLANK", message));
            }
        }
    }
    node.id = state.ids.id();
    for (namespace, key, kind, value) in metafields {
        let id = state.ids.id();
        state.metafields.set((node.gid(), namespace, key), &kind, &value, now, id);
    }
    state.discounts.push(node.clone());
    Ok(node)
}
