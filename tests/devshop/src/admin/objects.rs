//! The things the Admin API returns.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;

use super::execute::Context;
use super::payouts;
use crate::clock::utc_text;
use crate::ids::gid;
use crate::metafields::{Metafield, resolve_namespace};
use crate::state::shop_gid;

/// A text argument, if given and not null.
pub(super) fn text<'i>(info: &'i ResolveInfo<'_>, name: &str) -> Option<&'i str> {
    info.arguments().get(name).and_then(JsonValue::as_str)
}

pub(super) fn texts<'a>(list: Vec<String>) -> ResolvedValue<'a> {
    ResolvedValue::list(list.into_iter().map(ResolvedValue::leaf))
}

pub(super) struct ShopObject<'s>(pub &'s Context<'s>);

impl ObjectValue for ShopObject<'_> {
    fn type_name(&self) -> &str {
        "Shop"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let settings = &self.0.shop.facts().settings;
        let about = || self.0.shop.state().about.clone();
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(shop_gid()),
            "name" => ResolvedValue::leaf(about().name),
            "myshopifyDomain" => ResolvedValue::leaf(settings.domain.as_str()),
            "currencyCode" => ResolvedValue::leaf(settings.currency.code()),
            "ianaTimezone" => ResolvedValue::leaf(about().time_zone),
            "metafield" => metafield(self.0, &shop_gid(), info),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

pub(super) struct CustomerObject<'s> {
    pub context: &'s Context<'s>,
    pub id: u64,
}

impl ObjectValue for CustomerObject<'_> {
    fn type_name(&self) -> &str {
        "Customer"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let id = gid("Customer", self.id);
        let state = self.context.shop.state();
        let customer = state.customers.get(&self.id);
        Ok(match (info.field_name(), customer) {
            ("id", _) => ResolvedValue::leaf(id),
            ("defaultEmailAddress", _) if self.context.hides(EMAIL) => {
                let message = "Access denied for defaultEmailAddress field.".to_owned();
                return Err(FieldError { message });
            }
            ("defaultEmailAddress", Some(customer)) if customer.email.is_empty() => ResolvedValue::null(),
            ("defaultEmailAddress", Some(customer)) => {
                self.context.object(EmailObject(customer.email.clone()))
            }
            ("state", Some(customer)) => ResolvedValue::leaf(customer.state.to_uppercase()),
            ("displayName", Some(customer)) => ResolvedValue::leaf(customer.display_name()),
            ("updatedAt", Some(customer)) => ResolvedValue::leaf(utc_text(customer.updated_at)),
            ("tags", Some(customer)) => texts(customer.tags.clone()),
            ("statistics", Some(customer)) => self.context.object(Statistics(customer.rfm_group.clone())),
            ("storeCreditAccounts", _) => {
                drop(state);
                payouts::accounts(self.context, self.id)
            }
            ("metafield", _) => {
                drop(state);
                metafield(self.context, &id, info)
            }
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Statistics(Option<String>);

impl ObjectValue for Statistics {
    fn type_name(&self) -> &str {
        "CustomerStatistics"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match (info.field_name(), &self.0) {
            ("rfmGroup", Some(group)) => Ok(ResolvedValue::leaf(group.as_str())),
            ("rfmGroup", None) => Ok(ResolvedValue::null()),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

/// What an app sees that was granted protected customer data.
const EMAIL: &str = "Customer.defaultEmailAddress";

struct EmailObject(String);

impl ObjectValue for EmailObject {
    fn type_name(&self) -> &str {
        "CustomerEmailAddress"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "emailAddress" => Ok(ResolvedValue::leaf(self.0.as_str())),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

/// `metafield(namespace:, key:)` of anything.
pub(super) fn metafield<'a>(
    context: &'a Context<'a>,
    owner: &str,
    info: &ResolveInfo<'_>,
) -> ResolvedValue<'a> {
    let namespace = resolve_namespace(text(info, "namespace"), context.shop.facts().settings.app.id);
    let key = text(info, "key").unwrap_or_default();
    let found = context.shop.state().metafields.get(owner, &namespace, key).cloned();
    match found {
        None => ResolvedValue::null(),
        Some(metafield) => {
            let (owner, key) = (owner.to_owned(), key.to_owned());
            context.object(MetafieldObject { context, owner, namespace, key, metafield })
        }
    }
}

pub(super) struct MetafieldObject<'s> {
    pub context: &'s Context<'s>,
    pub owner: String,
    pub namespace: String,
    pub key: String,
    pub metafield: Metafield,
}

impl ObjectValue for MetafieldObject<'_> {
    fn type_name(&self) -> &str {
        "Metafield"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let metafield = &self.metafield;
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("Metafield", metafield.id)),
            "namespace" => ResolvedValue::leaf(self.namespace.as_str()),
            "key" => ResolvedValue::leaf(self.key.as_str()),
            "type" => ResolvedValue::leaf(metafield.kind.as_str()),
            "value" => ResolvedValue::leaf(metafield.value.as_str()),
            "jsonValue" => {
                let parsed = serde_json::from_str::<JsonValue>(&metafield.value).ok();
                ResolvedValue::leaf(parsed.unwrap_or_else(|| JsonValue::from(metafield.value.as_str())))
            }
            "compareDigest" => ResolvedValue::leaf(metafield.compare_digest()),
            "sizeInBytes" => ResolvedValue::leaf(u32::try_from(metafield.value.len()).unwrap_or(u32::MAX)),
            "createdAt" => ResolvedValue::leaf(utc_text(metafield.created_at)),
            "updatedAt" => ResolvedValue::leaf(utc_text(metafield.updated_at)),
            "owner" => return self.context.node(&self.owner),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

/// One of a payload's `userErrors`.
#[derive(Debug, Clone)]
pub(super) struct UserError {
    pub type_name: &'static str,
    pub field: Vec<String>,
    pub message: String,
    pub code: Option<&'static str>,
}

impl ObjectValue for UserError {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "field" => texts(self.field.clone()),
            "message" => ResolvedValue::leaf(self.message.as_str()),
            "code" => ResolvedValue::leaf(self.code.map_or(JsonValue::Null, JsonValue::from)),
            "elementIndex" | "extraInfo" => ResolvedValue::null(),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

/// The list of a payload's `userErrors`.
pub(super) fn user_errors<'a>(errors: &'a [UserError]) -> ResolvedValue<'a> {
    ResolvedValue::list(errors.iter().cloned().map(ResolvedValue::object))
}
