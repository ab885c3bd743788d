//! Checkout, orders, and what becomes of them.

use super::{DevShop, ShopError};
use crate::checkout::{Checkout, Quote};
use crate::ids::Ids;
use crate::money::MoneySet;
use crate::orders::{Order, OrderEdit, PlaceOptions, Refund, RefundRequest, payload};
use crate::state::State;

impl DevShop {
    /// What a cart comes to, with every Function run. Takes as long as the Functions take.
    ///
    /// # Errors
    /// When there is no such cart.
    pub fn quote(&self, token: &str) -> Result<Quote, ShopError> {
        let (now, switches) = (self.clock().now(), self.switches());
        let checkout = {
            let state = self.state();
            let cart = state.carts.get(token).ok_or(ShopError::NotFound("cart"))?;
            Checkout::prepare(self.facts(), &state, cart, switches, now)
        };
        Ok(checkout.settle(self.facts(), switches))
    }

    /// Places the order of a cart as it comes to now, and sends its webhooks.
    ///
    /// # Errors
    /// When there is no such cart or it is empty.
    pub fn place_order(&self, token: &str, options: PlaceOptions) -> Result<Order, ShopError> {
        self.place_quoted(self.quote(token)?, options)
    }

    /// Places the order of a quote as it was, whatever has happened since: what a checkout does that was shown its
    /// discount some time ago.
    ///
    /// # Errors
    /// When the cart has become an order already, or the quote is empty.
    pub fn place_quoted(&self, quote: Quote, options: PlaceOptions) -> Result<Order, ShopError> {
        if quote.lines.is_empty() {
            return Err(ShopError::EmptyCart);
        }
        if !quote.errors.is_empty() {
            return Err(ShopError::Blocked(quote.errors.join(" ")));
        }
        let (now, switches) = (self.clock().now(), self.switches());
        let namespace = self.namespace("$app");
        let facts = self.facts();
        let (shop, presentment) = (facts.settings.currency, quote.cart.currency);
        let tip = facts.rate(presentment).convert(options.tip, shop, presentment);
        let tip = MoneySet { shop: options.tip, presentment: tip };
        let mut state = self.state();
        if !state.carts.contains_key(&quote.cart.token) {
            return Err(ShopError::NotFound("cart"));
        }
        let order = state.place(quote, options, tip, &namespace, switches, now);
        let topics: &[&str] =
            if order.paid_at.is_some() { &["orders/create", "orders/paid"] } else { &["orders/create"] };
        self.announce_order(order, topics);
        Ok(order.clone())
    }

    /// All orders, oldest first.
    pub fn orders(&self) -> Vec<Order> {
        self.state().orders.values().cloned().collect()
    }

    /// An order.
    pub fn order(&self, id: u64) -> Option<Order> {
        self.state().orders.get(&id).cloned()
    }

    /// Takes the payment of an order that was not paid when it was placed, or of what an edit added.
    ///
    /// # Errors
    /// When there is no such order or it needs no payment.
    pub fn pay(&self, order: u64) -> Result<Order, ShopError> {
        let now = self.clock().now();
        self.change_order(order, &["orders/paid", "orders/updated"], |order, _| {
            match (order.paid_at, order.cancelled_at) {
                (Some(_), _) if order.outstanding() == MoneySet::default() => {
                    return Err(ShopError::Already("paid"));
                }
                (_, Some(_)) => return Err(ShopError::Already("cancelled")),
                _ => {}
            }
            order.paid_at.get_or_insert(now);
            order.paid = order.total_now();
            Ok(())
        })
        .map(|(order, ())| order)
    }

    /// Cancels an order and gives back all that was paid and is left. A refund sends its own webhook, before.
    ///
    /// # Errors
    /// When there is no such order or it is cancelled.
    pub fn cancel(&self, order: u64, reason: &str) -> Result<Order, ShopError> {
        let now = self.clock().now();
        let (order, _) =
            self.change_order(order, &["orders/cancelled", "orders/updated"], |order, ids| {
                if order.cancelled_at.is_some() {
                    return Err(ShopError::Already("cancelled"));
                }
                order.cancelled_at = Some(now);
                order.cancel_reason = Some(reason.to_owned());
                let refund = match order.paid_at {
                    Some(_) => order.refund(&order.everything_left(), ids, now).ok(),
                    None => None,
                };
                if let Some(refund) = &refund {
                    self.announce_refund(refund, order);
                }
                Ok(refund)
            })?;
        Ok(order)
    }

    /// Deletes an order, if there is one.
    pub fn delete_order(&self, order: u64) {
        let mut state = self.state();
        if state.orders.remove(&order).is_some() {
            let event = self.webhooks().new_event_id();
            let payload = serde_json::json!({"id": order});
            self.webhooks().send("orders/delete", payload, &event, self.clock().now());
        }
    }

    /// Gives back units of lines and shipping.
    ///
    /// # Errors
    /// When there is no such order or not that much is left.
    pub fn refund(&self, order: u64, request: &RefundRequest) -> Result<Refund, ShopError> {
        let now = self.clock().now();
        let (order, refund) = self.change_order(order, &["orders/updated"], |order, ids| {
            let refund = order.refund(request, ids, now)?;
            self.announce_refund(&refund, order);
            Ok(refund)
        })?;
        if let (true, Some(customer)) = (refund.to_store_credit, &order.customer) {
            self.credit(customer.id, order.presentment_currency, refund.total().presentment);
        }
        Ok(refund)
    }

    /// Changes what an order is of. Prices are those of now, discounts stay as they were: Functions do not run again.
    ///
    /// # Errors
    /// When there is no such order, line or variant, the order is cancelled, or nothing would change; nothing has
    /// changed then.
    pub fn edit_order(&self, order: u64, edit: &OrderEdit) -> Result<Order, ShopError> {
        let now = self.clock().now();
        let mut state = self.state();
        let committed = state.edit_order(order, edit, self.facts(), now)?;
        let order = state.orders.get(&order).ok_or(ShopError::NotFound("order"))?;
        let (event, payload) =
            (self.webhooks().new_event_id(), payload::edited(&committed, order, self.facts()));
        self.webhooks().send("orders/edited", payload, &event, now);
        self.announce_order(order, &["orders/updated"]);
        Ok(order.clone())
    }

    /// Sends off all of an order.
    ///
    /// # Errors
    /// When there is no such order, or it is fulfilled or cancelled.
    pub fn fulfil_order(&self, order: u64) -> Result<Order, ShopError> {
        let now = self.clock().now();
        let (order, ()) =
            self.change_order(order, &["orders/fulfilled", "orders/updated"], |order, _| {
                match (order.fulfilled_at, order.cancelled_at) {
                    (Some(_), _) => Err(ShopError::Already("fulfilled")),
                    (_, Some(_)) => Err(ShopError::Already("cancelled")),
                    (None, None) => {
                        order.fulfilled_at = Some(now);
                        Ok(())
                    }
                }
            })?;
        Ok(order)
    }

    /// The payload `orders/*` would carry now.
    pub fn order_payload(&self, order: &Order) -> serde_json::Value {
        payload::order(order, self.facts())
    }

    fn change_order<T>(
        &self,
        id: u64,
        topics: &[&str],
        change: impl FnOnce(&mut Order, &mut Ids) -> Result<T, ShopError>,
    ) -> Result<(Order, T), ShopError> {
        let now = self.clock().now();
        let mut state = self.state();
        let State { orders, ids, .. } = &mut *state;
        let order = orders.get_mut(&id).ok_or(ShopError::NotFound("order"))?;
        let result = change(order, ids)?;
        order.updated_at = now;
        self.announce_order(order, topics);
        Ok((order.clone(), result))
    }

    /// Sends an order's webhooks of one action. Called with the state locked, so that they leave in the order things
    /// happened.
    pub(crate) fn announce_order(&self, order: &Order, topics: &[&str]) {
        let event = self.webhooks().new_event_id();
        for topic in topics {
            self.webhooks().send(topic, payload::order(order, self.facts()), &event, self.clock().now());
        }
    }

    fn announce_refund(&self, refund: &Refund, order: &Order) {
        let event = self.webhooks().new_event_id();
        let payload = payload::refund(refund, order, self.facts());
        self.webhooks().send("refunds/create", payload, &event, self.clock().now());
    }
}
