//! `metafieldDefinition`, `metafieldDefinitionCreate` and `metafieldDefinitionUpdate`, for orders' definitions in the app's
//! namespace.

use std::collections::btree_map::Entry;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde::Deserialize;

use super::execute::Context;
use super::objects::{UserError, user_errors};
use crate::definitions::Definition;
use crate::ids::gid;
use crate::metafields::resolve_namespace;

/// `metafieldDefinition`
///
/// # Errors
/// When it is not asked for by its identifier.
pub(super) fn one<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let wanted: Named = argument(info, "identifier")?;
    let key = wanted.key_of(context)?;
    let found = context.shop.state().order_definitions.get(&key).cloned();
    Ok(found.map_or_else(ResolvedValue::null, |found| context.object(Node { context, found })))
}

/// `metafieldDefinitionCreate`
///
/// # Errors
/// When the argument is none.
pub(super) fn create<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let wanted: Named = argument(info, "definition")?;
    let key = wanted.key_of(context)?;
    let mut state = context.shop.state();
    let id = state.ids.id();
    let (made, errors) = match state.order_definitions.entry(key) {
        Entry::Occupied(_) => {
            (None, vec![refusal(Action::Create, "key", "TAKEN", "Key is in use for Order metafields.")])
        }
        Entry::Vacant(free) => {
            let made = Definition { id, copies_from_cart: wanted.copies(), managed: false };
            (Some(free.insert(made).clone()), Vec::new())
        }
    };
    Ok(ResolvedValue::object(Payload { context, action: Action::Create, made, errors }))
}

/// `metafieldDefinitionUpdate`
///
/// # Errors
/// When the argument is none.
pub(super) fn update<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let wanted: Named = argument(info, "definition")?;
    let key = wanted.key_of(context)?;
    let mut state = context.shop.state();
    let (made, errors) = match state.order_definitions.get_mut(&key) {
        None => (None, vec![refusal(Action::Update, "key", "NOT_FOUND", "Definition not found.")]),
        Some(found) if found.managed => {
            let message = "This definition is managed by the app's configuration file.";
            (None, vec![refusal(Action::Update, "key", "APP_CONFIG_MANAGED", message)])
        }
        Some(found) => {
            found.copies_from_cart = wanted.copies();
            (Some(found.clone()), Vec::new())
        }
    };
    Ok(ResolvedValue::object(Payload { context, action: Action::Update, made, errors }))
}

/// What a definition is called, and what it is to do.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    owner_type: String,
    namespace: Option<String>,
    key: String,
    #[serde(default)]
    capabilities: Capabilities,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Capabilities {
    cart_to_order_copyable: Option<Capability>,
}

#[derive(Deserialize)]
struct Capability {
    enabled: bool,
}

impl Named {
    /// Namespace and key.
    fn key_of(&self, context: &Context<'_>) -> Result<(String, String), FieldError> {
        if self.owner_type != "ORDER" {
            let message = format!("The local shop knows no definitions of {}", self.owner_type);
            return Err(FieldError { message });
        }
        let app = context.shop.facts().settings.app.id;
        Ok((resolve_namespace(self.namespace.as_deref(), app), self.key.clone()))
    }

    fn copies(&self) -> bool {
        self.capabilities.cart_to_order_copyable.as_ref().is_some_and(|capability| capability.enabled)
    }
}

fn argument(info: &ResolveInfo<'_>, name: &str) -> Result<Named, FieldError> {
    let given = info.arguments().get(name).cloned().unwrap_or_default();
    let input = serde_json::to_value(given).and_then(serde_json::from_value);
    input.map_err(|error| FieldError { message: format!("Invalid input: {error}") })
}

#[derive(Clone, Copy)]
enum Action {
    Create,
    Update,
}

fn refusal(action: Action, field: &str, code: &'static str, message: &str) -> UserError {
    let type_name = match action {
        Action::Create => "MetafieldDefinitionCreateUserError",
        Action::Update => "MetafieldDefinitionUpdateUserError",
    };
    let field = vec!["definition".to_owned(), field.to_owned()];
    UserError { type_name, field, message: message.to_owned(), code: Some(code) }
}

struct Payload<'s> {
    context: &'s Context<'s>,
    action: Action,
    made: Option<Definition>,
    errors: Vec<UserError>,
}

impl ObjectValue for Payload<'_> {
    fn type_name(&self) -> &str {
        match self.action {
            Action::Create => "MetafieldDefinitionCreatePayload",
            Action::Update => "MetafieldDefinitionUpdatePayload",
        }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let context = self.context;
        match info.field_name() {
            "createdDefinition" | "updatedDefinition" => {
                let made = self.made.clone();
                Ok(ResolvedValue::nullable_object(made.map(|found| Node { context, found })))
            }
            "userErrors" => Ok(user_errors(&self.errors)),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct Node<'s> {
    context: &'s Context<'s>,
    found: Definition,
}

impl ObjectValue for Node<'_> {
    fn type_name(&self) -> &str {
        "MetafieldDefinition"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("MetafieldDefinition", self.found.id)),
            "capabilities" => self.context.object(CapabilitiesObject(self.found.copies_from_cart)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct CapabilitiesObject(bool);

impl ObjectValue for CapabilitiesObject {
    fn type_name(&self) -> &str {
        "MetafieldCapabilities"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "cartToOrderCopyable" => Ok(ResolvedValue::object(CopyableObject(self.0))),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct CopyableObject(bool);

impl ObjectValue for CopyableObject {
    fn type_name(&self) -> &str {
        "MetafieldCapabilityCartToOrderCopyable"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "enabled" => Ok(ResolvedValue::leaf(self.0)),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
