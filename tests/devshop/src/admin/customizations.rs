//! Validations and delivery customizations: how they are listed and made.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde::Deserialize;

use super::discounts::FunctionObject;
use super::execute::Context;
use super::objects::{UserError, user_errors};
use super::order::{Page, PageInfo};
use crate::checkout::ACTIVE_FUNCTIONS;
use crate::customizations::{Customization, Customized};

/// `validations`, `deliveryCustomizations`
///
/// # Errors
/// When the page is none.
pub(super) fn list<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
    of: Customized,
) -> Result<ResolvedValue<'a>, FieldError> {
    let mut all = context.shop.state().customizations.clone();
    all.retain(|customization| customization.of == of);
    let page = Page::of(info, all.len())?;
    Ok(context.object(Connection { context, of, all, page }))
}

/// `validationCreate`, `deliveryCustomizationCreate`
///
/// # Errors
/// When the argument is none.
pub(super) fn create<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
    of: Customized,
) -> Result<ResolvedValue<'a>, FieldError> {
    let given = info.arguments().get(argument(of)).cloned().unwrap_or_default();
    let input = serde_json::to_value(given).and_then(serde_json::from_value::<Input>);
    let input = input.map_err(|error| FieldError { message: format!("Invalid input: {error}") })?;
    let (made, errors) = match make(context, input, of) {
        Ok(made) => (Some(made), Vec::new()),
        Err((field, code, message)) => {
            let field = vec![argument(of).to_owned(), field.to_owned()];
            (None, vec![UserError { type_name: error_type(of), field, message, code: Some(code) }])
        }
    };
    Ok(ResolvedValue::object(Payload { context, of, made, errors }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    title: Option<String>,
    function_handle: Option<String>,
    enable: Option<bool>,
    enabled: Option<bool>,
}

type Refusal = (&'static str, &'static str, String);

fn make(context: &Context<'_>, input: Input, of: Customized) -> Result<Customization, Refusal> {
    let enabled = input.enable.or(input.enabled).unwrap_or(false);
    let handle = input.function_handle.ok_or_else(|| {
        ("functionHandle", "MISSING_FUNCTION_IDENTIFIER", "A function identifier is required.".to_owned())
    })?;
    let created_at = context.shop.clock().now();
    let mut state = context.shop.state();
    let function = state.functions.iter().find(|function| function.handle == handle);
    let function = function
        .ok_or_else(|| ("functionHandle", "FUNCTION_NOT_FOUND", format!("Function {handle} not found.")))?;
    if function.target(of.target()).is_none() {
        let message = format!("Function {handle} has no target {}.", of.target());
        return Err(("functionHandle", "FUNCTION_DOES_NOT_IMPLEMENT", message));
    }
    let active = state.customizations.iter().filter(|one| one.of == of && one.enabled).count();
    if enabled && active >= ACTIVE_FUNCTIONS {
        let code = match of {
            Customized::Checkout => "MAX_VALIDATIONS_ACTIVATED",
            Customized::Delivery => "MAXIMUM_ACTIVE_DELIVERY_CUSTOMIZATIONS",
        };
        return Err(("enabled", code, format!("At most {ACTIVE_FUNCTIONS} can be active.")));
    }
    let id = state.ids.id();
    let title = input.title.unwrap_or_else(|| handle.clone());
    let made = Customization { id, of, title, function_handle: handle, enabled, created_at };
    state.customizations.push(made.clone());
    Ok(made)
}

fn argument(of: Customized) -> &'static str {
    match of {
        Customized::Checkout => "validation",
        Customized::Delivery => "deliveryCustomization",
    }
}

fn error_type(of: Customized) -> &'static str {
    match of {
        Customized::Checkout => "ValidationUserError",
        Customized::Delivery => "DeliveryCustomizationError",
    }
}

struct Connection<'s> {
    context: &'s Context<'s>,
    of: Customized,
    all: Vec<Customization>,
    page: Page,
}

impl ObjectValue for Connection<'_> {
    fn type_name(&self) -> &str {
        match self.of {
            Customized::Checkout => "ValidationConnection",
            Customized::Delivery => "DeliveryCustomizationConnection",
        }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let context = self.context;
        Ok(match info.field_name() {
            "nodes" => {
                let nodes = self.all[self.page.from..self.page.to].iter();
                ResolvedValue::list(nodes.map(|one| context.object(Node { context, one })))
            }
            "pageInfo" => context.object(PageInfo(self.page)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Node<'s> {
    context: &'s Context<'s>,
    one: &'s Customization,
}

impl ObjectValue for Node<'_> {
    fn type_name(&self) -> &str {
        self.one.of.type_name()
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(self.one.gid()),
            "title" => ResolvedValue::leaf(self.one.title.as_str()),
            "enabled" => ResolvedValue::leaf(self.one.enabled),
            "shopifyFunction" => self.context.object(FunctionObject(&self.one.function_handle)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Payload<'s> {
    context: &'s Context<'s>,
    of: Customized,
    made: Option<Customization>,
    errors: Vec<UserError>,
}

impl ObjectValue for Payload<'_> {
    fn type_name(&self) -> &str {
        match self.of {
            Customized::Checkout => "ValidationCreatePayload",
            Customized::Delivery => "DeliveryCustomizationCreatePayload",
        }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let context = self.context;
        match info.field_name() {
            name if name == argument(self.of) => {
                Ok(ResolvedValue::nullable_object(self.made.as_ref().map(|one| Node { context, one })))
            }
            "userErrors" => Ok(user_errors(&self.errors)),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
