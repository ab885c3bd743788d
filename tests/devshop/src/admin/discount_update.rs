//! `discountAutomaticAppUpdate`: what is given of a discount replaces what it was.

use apollo_compiler::resolvers::{FieldError, ResolveInfo, ResolvedValue};
use jiff::Timestamp;

use super::discount_create::{Input, wrong};
use super::discounts::Payload;
use super::execute::Context;
use super::objects::{UserError, text};
use crate::discounts::DiscountNode;
use crate::state::State;

pub(super) fn resolve<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let id = text(info, "id").unwrap_or_default();
    let input = Input::of(info)?;
    let now = context.shop.clock().now();
    let updated = update(&mut context.shop.state(), id, input, now);
    let (node, errors) = match updated {
        Ok(node) => (Some(node), Vec::new()),
        Err(error) => (None, vec![error]),
    };
    let type_name = "DiscountAutomaticAppUpdatePayload";
    Ok(ResolvedValue::object(Payload { type_name, node, errors, now }))
}

fn update(state: &mut State, id: &str, input: Input, now: Timestamp) -> Result<DiscountNode, UserError> {
    let at = state.discounts.iter().position(|node| node.gid() == id);
    let at = at.ok_or_else(|| UserError {
        type_name: "DiscountUserError",
        field: vec!["id".into()],
        message: "Discount does not exist".into(),
        code: Some("INVALID"),
    })?;
    if !input.metafields.is_empty() {
        return Err(wrong("metafields", "INVALID", "The local shop writes them with metafieldsSet".into()));
    }
    let mut node = state.discounts[at].clone();
    if let Some(title) = input.title {
        if title.trim().is_empty() {
            return Err(wrong("title", "BLANK", "Title can't be blank".into()));
        }
        node.title = title;
    }
    if let Some(handle) = input.function_handle.filter(|handle| *handle != node.function_handle) {
        return Err(wrong("functionHandle", "INVALID", format!("The discount is not one of {handle}")));
    }
    node.classes = input.discount_classes.unwrap_or(node.classes);
    node.combines_with = input.combines_with.unwrap_or(node.combines_with);
    node.starts_at = input.starts_at.unwrap_or(node.starts_at);
    node.ends_at = input.ends_at.or(node.ends_at);
    super::discount_create::check(state, &node, Some(node.id), now)?;
    state.discounts[at] = node.clone();
    Ok(node)
}
