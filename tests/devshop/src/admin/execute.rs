//! The roots of the Admin API: what can be asked, what can be done.

use std::cell::Cell;
use std::collections::BTreeSet;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use serde_json::{Value, json};

use super::objects::{self, CustomerObject, OrderObject, ShopObject};
use super::{discount_create, metafields_set, tags_add};
use crate::ids::parse_gid;
use crate::shop::DevShop;

/// What message a field error has when the app may not see something.
const DENIED: &str = "Access denied";

/// One request under way.
pub(crate) struct Context<'s> {
    pub shop: &'s DevShop,
    hidden: BTreeSet<String>,
    objects: Cell<u32>,
}

impl<'s> Context<'s> {
    pub fn new(shop: &'s DevShop, hidden: BTreeSet<String>) -> Self {
        Self { shop, hidden, objects: Cell::new(0) }
    }

    /// How many objects were returned so far: what a query really costs.
    pub fn objects(&self) -> u32 {
        self.objects.get()
    }

    /// Counts an object on its way into the reply.
    pub fn object<'a>(&self, object: impl ObjectValue + 'a) -> ResolvedValue<'a> {
        self.objects.set(self.objects.get().saturating_add(1));
        ResolvedValue::object(object)
    }

    /// The thing with a global id; null when there is none.
    ///
    /// # Errors
    /// When the id is not one, or the app may not see the thing.
    pub fn node<'a>(&'a self, id: &str) -> Result<ResolvedValue<'a>, FieldError> {
        if self.hidden.contains(id) {
            return Err(FieldError { message: format!("{DENIED} for {id}.") });
        }
        let Some((kind, number)) = parse_gid(id) else {
            return Err(FieldError { message: format!("Invalid global id '{id}'") });
        };
        let state = self.shop.state();
        let exists = state.owner_exists(id);
        drop(state);
        Ok(match kind {
            "Customer" if exists => self.object(CustomerObject { context: self, id: number }),
            "Order" if exists => self.object(OrderObject { context: self, id: number }),
            "Shop" if exists => self.object(ShopObject(self)),
            _ => ResolvedValue::null(),
        })
    }
}

pub(crate) struct QueryRoot<'s>(pub &'s Context<'s>);

impl ObjectValue for QueryRoot<'_> {
    fn type_name(&self) -> &str {
        "QueryRoot"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let id = objects::text(info, "id").unwrap_or_default();
        match info.field_name() {
            "shop" => Ok(self.0.object(ShopObject(self.0))),
            "node" => self.0.node(id),
            "customer" if id.starts_with("gid://shopify/Customer/") => self.0.node(id),
            "order" if id.starts_with("gid://shopify/Order/") => self.0.node(id),
            "customer" | "order" => Err(FieldError { message: format!("Invalid id: {id}") }),
            "nodes" => {
                let ids = info.arguments().get("ids").and_then(JsonValue::as_array).into_iter().flatten();
                let nodes = ids.map(|id| self.0.node(id.as_str().unwrap_or_default()));
                Ok(ResolvedValue::List(Box::new(nodes)))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

pub(crate) struct Mutation<'s>(pub &'s Context<'s>);

impl ObjectValue for Mutation<'_> {
    fn type_name(&self) -> &str {
        "Mutation"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "metafieldsSet" => metafields_set::resolve(self.0, info),
            "tagsAdd" => tags_add::resolve(self.0, info),
            "discountAutomaticAppCreate" => discount_create::resolve(self.0, info),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

/// Adds the codes Shopify gives to errors of execution.
pub(crate) fn name_error_codes(body: &mut Value) {
    let errors = body.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten();
    for error in errors {
        let denied = error["message"].as_str().is_some_and(|message| message.starts_with(DENIED));
        error["extensions"] = json!({"code": if denied { "ACCESS_DENIED" } else { "RESOURCE_NOT_FOUND" }});
    }
}
