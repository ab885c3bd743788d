//! What changes about the shop itself, the app's plan in it, and what people ask about their data.

use serde_json::Value;

use super::{DevShop, ShopError};
use crate::ids::gid;
use crate::webhooks::payloads;

/// What a merchant changes about the shop; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ShopChange {
    /// The shop's name.
    pub name: Option<String>,
    /// IANA name of its time zone.
    pub time_zone: Option<String>,
    /// The language it speaks, such as `en`.
    pub locale: Option<String>,
}

impl DevShop {
    /// Changes the shop's settings.
    pub fn update_shop(&self, change: ShopChange) {
        let mut state = self.state();
        let about = &mut state.about;
        let ShopChange { name, time_zone, locale } = change;
        for (value, wanted) in
            [(&mut about.name, name), (&mut about.time_zone, time_zone), (&mut about.locale, locale)]
        {
            if let Some(wanted) = wanted {
                *value = wanted;
            }
        }
        self.tell("shop/update", payloads::shop(about, self.facts()));
    }

    /// The shop's subscription to a plan of the app gets a status, such as `ACTIVE` or `CANCELLED`. Returns the
    /// subscription's global id, the same each time.
    pub fn set_plan(&self, name: &str, handle: &str, status: &str) -> String {
        let now = self.clock().now();
        let mut state = self.state();
        let new = state.ids.id();
        let id = *state.plans.entry(name.to_owned()).or_insert(new);
        self.tell("app_subscriptions/update", payloads::plan(id, name, handle, status, now, self.facts()));
        gid("AppSubscription", id)
    }

    /// Says that a bulk operation ended: `query` or `mutation`, `completed`, `failed`, `canceled` or `expired`. Returns
    /// its global id.
    pub fn finish_bulk_operation(&self, kind: &str, status: &str, error: Option<&str>) -> String {
        let now = self.clock().now();
        let mut state = self.state();
        let id = state.ids.id();
        let payload = payloads::bulk_operation(id, kind, status, error, now, self.facts());
        self.tell("bulk_operations/finish", payload);
        gid("BulkOperation", id)
    }

    /// A customer wants to know what the app has about them and their orders.
    ///
    /// # Errors
    /// When there is no such customer.
    pub fn request_customer_data(&self, customer: u64) -> Result<(), ShopError> {
        self.ask_about(customer, "customers/data_request", "orders_requested")
    }

    /// A merchant erases what the app has about a customer and their orders. The customer stays: Shopify sends this
    /// some time after it has erased them itself.
    ///
    /// # Errors
    /// When there is no such customer.
    pub fn redact_customer(&self, customer: u64) -> Result<(), ShopError> {
        self.ask_about(customer, "customers/redact", "orders_to_redact")
    }

    /// Two days after an uninstall: everything about the shop goes.
    pub fn redact_shop(&self) {
        self.tell("shop/redact", payloads::shop_redact(self.facts()));
    }

    fn ask_about(&self, customer: u64, topic: &str, list: &str) -> Result<(), ShopError> {
        let mut state = self.state();
        let about = state.customers.get(&customer).cloned().ok_or(ShopError::NotFound("customer"))?;
        let theirs =
            |order: &&crate::orders::Order| order.customer.as_ref().is_some_and(|known| known.id == customer);
        let orders: Vec<u64> = state.orders.values().filter(theirs).map(|order| order.id).collect();
        let request = (topic == "customers/data_request").then(|| state.ids.id());
        self.tell(topic, payloads::privacy(&about, (list, &orders), request, self.facts()));
        Ok(())
    }

    /// Sends a webhook that no other one belongs to. May be called with the state locked.
    pub(crate) fn tell(&self, topic: &str, payload: Value) {
        let event = self.webhooks().new_event_id();
        self.webhooks().send(topic, payload, &event, self.clock().now());
    }
}
