//! What happens in the shop: carts, checkouts, orders and what becomes of them. The backend hears of it by webhooks.

use devshop::{DevShop, NewCart, OrderEdit, Payment, PlaceOptions, Quote, RefundRequest, ShippingRefund};

use super::World;

impl World {
    /// A customer buys what is in the cart, at what it comes to now.
    pub(super) fn buy(&mut self, who: usize, device: usize, things: &[(usize, u32)], paid: bool) -> String {
        match self.quote(who, device, things) {
            Some(quote) => self.place(quote, paid),
            None => "there is no such cart".into(),
        }
    }

    pub(super) fn open_checkout(&mut self, who: usize, device: usize, things: &[(usize, u32)]) -> String {
        let at = (who % self.customers.len(), device);
        let Some(quote) = self.quote(who, device, things) else { return "there is no such cart".into() };
        let discount = quote.discounts.iter().map(|discount| discount.total.shop).sum::<i64>();
        self.checkouts.insert(at, quote);
        format!("{discount} off")
    }

    /// The order as the checkout showed it, whatever happened since.
    pub(super) fn go_through(&mut self, who: usize, device: usize) -> String {
        match self.checkouts.remove(&(who % self.customers.len(), device)) {
            Some(quote) => self.place(quote, true),
            None => "there is none".into(),
        }
    }

    fn quote(&mut self, who: usize, device: usize, things: &[(usize, u32)]) -> Option<Quote> {
        let who = who % self.customers.len();
        let cart = self.shop.new_cart(NewCart::of(self.customers[who])).ok()?.token;
        for (thing, units) in things {
            self.shop.add_to_cart(&cart, self.variants[thing % self.variants.len()], *units).ok()?;
        }
        let mark = self.marks.get(&(who, device)).map(String::as_str);
        self.shop.set_cart_attribute(&cart, "_loyalty", mark).ok()?;
        self.shop.quote(&cart).ok()
    }

    fn place(&mut self, quote: Quote, paid: bool) -> String {
        let payment = if paid { Payment::Immediate } else { Payment::Later };
        match self.shop.place_quoted(quote, PlaceOptions { payment, ..PlaceOptions::default() }) {
            Ok(order) => {
                self.orders.push(order.id);
                let discount = order.discounts.iter().map(|discount| discount.total.shop).sum::<i64>();
                format!("order {}, {discount} off", self.orders.len() - 1)
            }
            Err(error) => error.to_string(),
        }
    }

    pub(super) fn change_order(
        &mut self,
        order: usize,
        change: impl FnOnce(&DevShop, u64) -> bool,
    ) -> String {
        let Some(at) = order.checked_rem(self.orders.len()) else { return "there is none".into() };
        let changed = change(&self.shop, self.orders[at]);
        format!("order {at}{}", if changed { "" } else { ": it cannot be" })
    }

    pub(super) fn refund(&mut self, order: usize, line: usize, units: u32, delivery: bool) -> String {
        self.change_order(order, |shop, id| {
            let Some(order) = shop.order(id) else { return false };
            let line = &order.lines[line % order.lines.len()];
            let units = units.min(line.current_quantity());
            let shipping = if delivery { ShippingRefund::Full } else { ShippingRefund::None };
            shop.refund(id, &RefundRequest { lines: vec![(line.id, units)], shipping, note: None }).is_ok()
        })
    }

    pub(super) fn edit(&mut self, order: usize, line: usize, units: u32) -> String {
        self.change_order(order, |shop, id| {
            let Some(order) = shop.order(id) else { return false };
            let line = order.lines[line % order.lines.len()].id;
            shop.edit_order(id, &OrderEdit { quantities: vec![(line, units)], ..OrderEdit::default() })
                .is_ok()
        })
    }

    pub(super) fn add(&mut self, order: usize, thing: usize, units: u32) -> String {
        let variant = self.variants[thing % self.variants.len()];
        self.change_order(order, |shop, id| {
            let additions = vec![(variant, units)];
            shop.edit_order(id, &OrderEdit { additions, ..OrderEdit::default() }).is_ok()
        })
    }

    /// A customer goes, unless it is the last.
    pub(super) fn delete(&mut self, who: usize) -> String {
        let gone = self.customers[who % self.customers.len()];
        if self.customers.iter().all(|customer| *customer == gone) {
            return "it is the last".into();
        }
        self.customers.retain(|customer| *customer != gone);
        self.shop.delete_customer(gone);
        String::new()
    }

    pub(super) fn merge(&mut self, kept: usize, gone: usize) -> String {
        let count = self.customers.len();
        let (kept, gone) = (self.customers[kept % count], self.customers[gone % count]);
        if kept == gone || self.shop.merge_customers(kept, gone).is_err() {
            return "they are one".into();
        }
        for customer in self.customers.iter_mut().filter(|customer| **customer == gone) {
            *customer = kept;
        }
        String::new()
    }
}
