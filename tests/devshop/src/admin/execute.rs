//! The roots of the Admin API: what can be asked, what can be done.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use serde_json::{Value, json};

use super::objects::{self, CustomerObject, ShopObject};
use super::order::OrderObject;
use super::{
    bulk, customers, customizations, definitions, discount_create, discount_update, discounts,
    metafields_set, orders, payouts, products, refund, tags,
};
use crate::customizations::Customized;
use crate::ids::parse_gid;
use crate::shop::DevShop;

/// What message a field error has when the app may not see something.
const DENIED: &str = "Access denied";

/// One request under way.
pub(crate) struct Context<'s> {
    pub shop: &'s DevShop,
    hidden: BTreeSet<String>,
    /// Connections are whole, whatever page is asked for.
    pub in_bulk: bool,
    objects: Cell<u32>,
    /// Errors of list items: the executor itself would take the whole list away.
    item_errors: RefCell<Vec<Value>>,
}

impl<'s> Context<'s> {
    pub fn new(shop: &'s DevShop, hidden: BTreeSet<String>) -> Self {
        Self { shop, hidden, in_bulk: false, objects: Cell::new(0), item_errors: RefCell::default() }
    }

    /// The query of a bulk operation that a request starts.
    pub fn in_bulk(request: &Context<'s>) -> Self {
        Self { in_bulk: true, ..Self::new(request.shop, request.hidden.clone()) }
    }

    /// Whether the app may not see a thing, or a field (`Type.field`).
    pub fn hides(&self, what: &str) -> bool {
        self.hidden.contains(what)
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

    /// The things with these global ids; those the app may not see are null, each with its error.
    ///
    /// # Errors
    /// When an id is not one.
    fn nodes<'a>(&'a self, ids: &[&str], response_key: &str) -> Result<Vec<ResolvedValue<'a>>, FieldError> {
        let node = |(at, id): (usize, &&str)| {
            if !self.hidden.contains(*id) {
                return self.node(id);
            }
            let error = json!({"message": format!("{DENIED} for {id}."), "path": [response_key, at]});
            self.item_errors.borrow_mut().push(error);
            Ok(ResolvedValue::null())
        };
        ids.iter().enumerate().map(node).collect()
    }

    /// Adds the errors of list items to the reply, and the codes Shopify gives to errors of execution.
    pub fn finish(&self, body: &mut Value) {
        let mut errors = body["errors"].as_array().cloned().unwrap_or_default();
        errors.append(&mut self.item_errors.borrow_mut());
        for error in &mut errors {
            let denied = error["message"].as_str().is_some_and(|message| message.starts_with(DENIED));
            error["extensions"] =
                json!({"code": if denied { "ACCESS_DENIED" } else { "RESOURCE_NOT_FOUND" }});
        }
        if !errors.is_empty() {
            body["errors"] = json!(errors);
        }
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
        let order = state.orders.get(&number).filter(|_| kind == "Order").cloned();
        drop(state);
        Ok(match kind {
            "Customer" if exists => self.object(CustomerObject { context: self, id: number }),
            "Order" if exists => match order {
                Some(order) => self.object(OrderObject { context: self, order }),
                None => ResolvedValue::null(),
            },
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
            "bulkOperation" => Ok(bulk::one(self.0, id)),
            "bulkOperations" => bulk::list(self.0, info),
            "customers" => customers::resolve(self.0, info),
            "orders" => orders::resolve(self.0, info),
            "refund" => Ok(refund::resolve(self.0, id)),
            "metafieldDefinition" => definitions::one(self.0, info),
            "collection" => products::collection(self.0, id),
            "products" => products::products(self.0, info),
            "discountNode" => Ok(discounts::node(self.0, id)),
            "discountNodes" => discounts::nodes(self.0, info),
            "giftCards" => payouts::cards(self.0, info),
            "shopifyFunctions" => discounts::functions(self.0, info),
            "validations" => customizations::list(self.0, info, Customized::Checkout),
            "deliveryCustomizations" => customizations::list(self.0, info, Customized::Delivery),
            "nodes" => {
                let ids = info.arguments().get("ids").and_then(JsonValue::as_array).into_iter().flatten();
                let ids: Vec<&str> = ids.filter_map(JsonValue::as_str).collect();
                Ok(ResolvedValue::list(self.0.nodes(&ids, info.field_selections()[0].response_key())?))
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
            "bulkOperationRunQuery" => Ok(bulk::run_query(self.0, info)),
            "metafieldDefinitionCreate" => definitions::create(self.0, info),
            "metafieldDefinitionUpdate" => definitions::update(self.0, info),
            "metafieldsSet" => metafields_set::resolve(self.0, info),
            "storeCreditAccountCredit" => Ok(payouts::credit(self.0, info)),
            "giftCardCreate" => Ok(payouts::create_card(self.0, info)),
            "tagsAdd" => tags::add(self.0, info),
            "tagsRemove" => tags::remove(self.0, info),
            "discountAutomaticAppCreate" => discount_create::resolve(self.0, info),
            "discountAutomaticAppUpdate" => discount_update::resolve(self.0, info),
            "validationCreate" => customizations::create(self.0, info, Customized::Checkout),
            "deliveryCustomizationCreate" => customizations::create(self.0, info, Customized::Delivery),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
