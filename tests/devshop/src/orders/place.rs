//! A quote becomes an order.

use jiff::Timestamp;

use super::{Order, OrderLine, OrderShipping, Payment, PlaceOptions};
use crate::cart::Channel;
use crate::checkout::{BasketLine, Quote};
use crate::metafields::MetafieldKey;
use crate::money::MoneySet;
use crate::state::{State, cart_owner};
use crate::switches::{CartToOrder, Switches};

impl State {
    /// Places the order a quote describes. The cart is gone afterwards.
    pub fn place(
        &mut self,
        quote: Quote,
        options: PlaceOptions,
        tip: MoneySet,
        app_namespace: &str,
        switches: Switches,
        now: Timestamp,
    ) -> &Order {
        self.order_count += 1;
        let id = self.ids.id();
        let total = quote.total() + tip;
        let cart = quote.cart;
        let (source_name, location) = match cart.channel {
            Channel::Online => ("web", None),
            Channel::Pos(location) => ("pos", Some(location)),
        };
        let buyer = cart.customer.or(options.guest);
        if let Some(customer) = buyer.and_then(|id| self.customers.get_mut(&id)) {
            customer.orders += 1;
            customer.spent += total.shop;
        }
        let mut lines: Vec<OrderLine> = quote
            .lines
            .into_iter()
            .map(|line| OrderLine {
                id: self.ids.id(),
                item: line.line,
                allocations: line.allocations,
                refunded: 0,
                taken_off: 0,
                tip: false,
            })
            .collect();
        if tip != MoneySet::default() {
            lines.push(OrderLine::tip(self.ids.id(), tip));
        }
        let order = Order {
            id,
            number: 1000 + self.order_count,
            token: self.ids.token(),
            customer: buyer.and_then(|id| self.customers.get(&id).cloned()),
            source_name,
            location,
            test: options.test,
            presentment_currency: cart.currency,
            lines,
            shipping: quote.shipping.map(|quote| OrderShipping {
                id: self.ids.id(),
                quote,
                refunded: Default::default(),
            }),
            discounts: quote.discounts,
            note_attributes: cart.attributes,
            tags: Vec::new(),
            created_at: now,
            updated_at: now,
            paid_at: (options.payment == Payment::Immediate).then_some(now),
            paid: if options.payment == Payment::Immediate { total } else { MoneySet::default() },
            fulfilled_at: None,
            cancelled_at: None,
            cancel_reason: None,
            refunds: Vec::new(),
            tax_included_bp: quote.tax_included_bp,
            cart_token: cart.token,
            checkout_token: cart.checkout_token,
        };
        if switches.cart_to_order == CartToOrder::Copied {
            self.copy_cart_metafields(&order, app_namespace, now);
        }
        self.carts.remove(&order.cart_token);
        self.orders.entry(id).or_insert(order)
    }

    /// What a cart-to-order copyable definition does.
    fn copy_cart_metafields(&mut self, order: &Order, app_namespace: &str, now: Timestamp) {
        let owner = cart_owner(&order.cart_token);
        let mut copies = Vec::new();
        for (namespace, key, versions) in self.metafields.of_owner(&owner) {
            let current = versions.last().and_then(|version| version.metafield.clone());
            let definition = self.order_definitions.get(&(namespace.to_owned(), key.to_owned()));
            let copied = definition.is_some_and(|definition| definition.copies_from_cart);
            if let (true, Some(metafield)) = (copied, current) {
                copies.push((key.to_owned(), metafield));
            }
        }
        for (key, metafield) in copies {
            let target: MetafieldKey = (order.gid(), app_namespace.to_owned(), key);
            let id = self.ids.id();
            self.metafields.set(target, &metafield.kind, &metafield.value, now, id);
        }
    }
}

impl OrderLine {
    fn tip(id: u64, amount: MoneySet) -> OrderLine {
        let item = BasketLine {
            gid: String::new(),
            variant: 0,
            product: 0,
            title: "Tip".into(),
            variant_title: "Default Title".into(),
            sku: String::new(),
            vendor: String::new(),
            quantity: 1,
            unit: amount,
            gross: amount,
            gift_card: false,
            requires_shipping: false,
            grams: 0,
            properties: Vec::new(),
        };
        OrderLine { id, item, allocations: Vec::new(), refunded: 0, taken_off: 0, tip: true }
    }
}
