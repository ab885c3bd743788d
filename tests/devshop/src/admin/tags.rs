//! `tagsAdd` and `tagsRemove`: labels on orders and customers.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;

use super::execute::Context;
use super::objects::{UserError, text, user_errors};
use crate::ids::parse_gid;

pub(super) fn add<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let new = given(info);
    change(context, info, "TagsAddPayload", |tags| {
        for tag in new {
            if !tags.iter().any(|known| known.eq_ignore_ascii_case(&tag)) {
                tags.push(tag);
            }
        }
    })
}

pub(super) fn remove<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let gone = given(info);
    change(context, info, "TagsRemovePayload", |tags| {
        tags.retain(|known| !gone.iter().any(|tag| known.eq_ignore_ascii_case(tag)));
    })
}

/// The tags of the call. Each entry may itself be a list with commas.
fn given(info: &ResolveInfo<'_>) -> Vec<String> {
    let given = info.arguments().get("tags").and_then(JsonValue::as_array).into_iter().flatten();
    let given = given.filter_map(JsonValue::as_str).flat_map(|entry| entry.split(','));
    given.map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect()
}

fn change<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
    type_name: &'static str,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<ResolvedValue<'a>, FieldError> {
    let id = text(info, "id").unwrap_or_default().to_owned();
    let found = on_tags(context, &id, change);
    let mut errors = Vec::new();
    if !found {
        errors.push(UserError {
            type_name: "UserError",
            field: vec!["id".into()],
            message: format!("{} does not exist", parse_gid(&id).map_or("Resource", |(kind, _)| kind)),
            code: None,
        });
    }
    Ok(ResolvedValue::object(Payload { context, type_name, id: found.then_some(id), errors }))
}

/// Changes the tags of what has this id; false when there is nothing with it.
fn on_tags(context: &Context<'_>, id: &str, change: impl FnOnce(&mut Vec<String>)) -> bool {
    let now = context.shop.clock().now();
    let mut state = context.shop.state();
    let (mut changed_order, mut changed_customer) = (None, None);
    let tags = match parse_gid(id) {
        Some(("Customer", number)) => state.customers.get_mut(&number).map(|customer| {
            customer.updated_at = now;
            changed_customer = Some(number);
            &mut customer.tags
        }),
        Some(("Order", number)) => state.orders.get_mut(&number).map(|order| {
            order.updated_at = now;
            changed_order = Some(number);
            &mut order.tags
        }),
        _ => None,
    };
    let Some(tags) = tags else { return false };
    let before = tags.clone();
    change(tags);
    if let Some(customer) = changed_customer {
        context.shop.tell_of_tags(customer, &before, tags);
    }
    if let Some(order) = changed_order.and_then(|number| state.orders.get(&number)) {
        context.shop.announce_order(order, &["orders/updated"]);
    }
    true
}

struct Payload<'s> {
    context: &'s Context<'s>,
    type_name: &'static str,
    id: Option<String>,
    errors: Vec<UserError>,
}

impl ObjectValue for Payload<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match (info.field_name(), &self.id) {
            ("node", Some(id)) => self.context.node(id),
            ("node", None) => Ok(ResolvedValue::null()),
            ("userErrors", _) => Ok(user_errors(&self.errors)),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
