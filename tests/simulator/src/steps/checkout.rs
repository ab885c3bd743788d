//! Carts and checkouts. The backend hears of what is bought by webhooks.

use std::fmt;

use devshop::{Currency, NewCart, Payment, PlaceOptions, Quote};
use fastrand::Rng;
use serde_json::json;

use super::{Act, CUSTOMERS, Kind, MANY, PRODUCTS, Touches, one};
use crate::world::{Outcome, Shop, World};

pub const KINDS: &[Kind] = &[
    (10, |rng| one(Buy::draw(rng))),
    (3, |rng| one(Open { who: rng.usize(0..CUSTOMERS), device: rng.usize(0..2), cart: Cart::draw(rng) })),
    (4, |rng| one(GoThrough { who: rng.usize(0..CUSTOMERS), device: rng.usize(0..2) })),
];

/// Things and how many of each, and how they are bought.
pub struct Cart {
    things: Vec<(usize, u32)>,
    /// Else in pounds.
    euros: bool,
    shop_pay: bool,
    /// The checkout marks the cart; else the theme does.
    marked_at_checkout: bool,
    /// Somebody else's mark stands where the theme would set one.
    with_a_strangers: bool,
    /// The customer came by this link, counted from the last that was handed on.
    link: Option<usize>,
}

/// A customer buys what is in the cart, at what it comes to now.
pub struct Buy {
    pub who: usize,
    pub device: usize,
    pub cart: Cart,
    pub paid: bool,
    /// In pennies.
    pub tip: i64,
}

/// A customer looks at the checkout, and leaves it open.
pub struct Open {
    pub who: usize,
    pub device: usize,
    pub cart: Cart,
}

/// Who left a checkout open goes through with it, as it was, whatever happened since.
pub struct GoThrough {
    pub who: usize,
    pub device: usize,
}

impl Cart {
    pub fn draw(rng: &mut Rng) -> Cart {
        let things = (0..rng.usize(1..4)).map(|_| (rng.usize(0..PRODUCTS), rng.u32(1..4))).collect();
        let (euros, shop_pay) = (rng.u32(0..6) == 0, rng.u32(0..6) == 0);
        let (marked_at_checkout, with_a_strangers) = (rng.u32(0..3) == 0, rng.u32(0..8) == 0);
        let link = (rng.u32(0..3) == 0).then(|| rng.usize(0..MANY));
        Cart { things, euros, shop_pay, marked_at_checkout, with_a_strangers, link }
    }
}

impl Buy {
    pub fn draw(rng: &mut Rng) -> Buy {
        let (who, device, cart) = (rng.usize(0..CUSTOMERS), rng.usize(0..2), Cart::draw(rng));
        let tip = if rng.u32(0..6) == 0 { rng.i64(1..500) } else { 0 };
        Buy { who, device, cart, paid: rng.u32(0..5) > 0, tip }
    }

    /// The same, by such a link, or by none.
    pub fn by_link(mut self, link: Option<usize>) -> Buy {
        self.cart.link = link;
        self
    }
}

impl Act for Buy {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        Ok(match shop.quote(self.who, self.device, &self.cart) {
            Some(quote) => shop.place(self.who, quote, self.paid, self.tip),
            None => "there is no such cart".into(),
        })
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Act for Open {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let at = (self.who % shop.customers.len(), self.device);
        let Some(quote) = shop.quote(self.who, self.device, &self.cart) else {
            return Ok("there is no such cart".into());
        };
        let discount = quote.discounts.iter().map(|discount| discount.total.shop).sum::<i64>();
        shop.checkouts.insert(at, quote);
        Ok(format!("{discount} off"))
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Act for GoThrough {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        Ok(match shop.checkouts.remove(&(self.who % shop.customers.len(), self.device)) {
            Some(quote) => shop.place(self.who, quote, true, 0),
            None => "there is none".into(),
        })
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Shop {
    fn quote(&mut self, who: usize, device: usize, cart: &Cart) -> Option<Quote> {
        let Cart { things, euros, shop_pay, marked_at_checkout, with_a_strangers, link } = cart;
        let who = who % self.customers.len();
        let currency = if *euros { "EUR".parse().ok()? } else { Currency::GBP };
        // Whoever is not signed in, Shopify knows by their address once they have bought.
        let customer = Some(self.customers[who]).filter(|customer| self.is_signed_in(*customer));
        let new = NewCart { customer, currency: Some(currency), shop_pay: *shop_pay, ..NewCart::default() };
        let cart = self.local.new_cart(new).ok()?.token;
        for (thing, units) in things {
            self.local.add_to_cart(&cart, self.variants[thing % self.variants.len()], *units).ok()?;
        }
        let mark = self.marks.get(&(who, device)).map(String::as_str);
        match mark.and_then(|mark| mark.split_once('.')).filter(|_| *marked_at_checkout) {
            Some((hold, attempt)) => {
                let mark = json!({"v": 1, "hold": hold, "attempt": attempt.parse::<u32>().ok()?});
                self.local.set_cart_metafield(&cart, "redemption", Some(&mark.to_string())).ok()?;
            }
            None => self.local.set_cart_attribute(&cart, "_loyalty", mark).ok()?,
        }
        let strangers = self.marks.iter().filter(|((whose, _), _)| *whose != who).min_by_key(|(at, _)| **at);
        if let Some((_, mark)) = strangers.filter(|_| *with_a_strangers) {
            self.local.set_cart_attribute(&cart, "_loyalty", Some(mark)).ok()?;
        }
        if let Some(code) = link.and_then(|link| self.handed_on(link)) {
            self.local.set_cart_attribute(&cart, "_loyalty_ref", Some(code)).ok()?;
        }
        self.local.quote(&cart).ok()
    }

    fn is_signed_in(&self, customer: u64) -> bool {
        let has_account = |known: devshop::Customer| known.state == "enabled";
        self.signed_in.contains(&customer) || self.local.customer(customer).is_some_and(has_account)
    }

    fn place(&mut self, who: usize, quote: Quote, paid: bool, tip: i64) -> String {
        let payment = if paid { Payment::Immediate } else { Payment::Later };
        let guest = Some(self.customers[who % self.customers.len()]);
        match self.local.place_quoted(quote, PlaceOptions { payment, tip, guest, ..PlaceOptions::default() })
        {
            Ok(order) => {
                self.orders.push(order.id);
                if self.is_out {
                    self.untold.insert(order.id);
                }
                let discount = order.discounts.iter().map(|discount| discount.total.shop).sum::<i64>();
                format!("order {}, {discount} off", self.orders.len() - 1)
            }
            Err(error) => error.to_string(),
        }
    }
}

impl fmt::Display for Cart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.things.iter().map(|(thing, units)| format!("{units} of thing {thing}"));
        let how = [
            (self.euros, " in euros"),
            (self.shop_pay, " by Shop Pay"),
            (self.marked_at_checkout, " marked at checkout"),
            (self.with_a_strangers, " with a stranger's mark"),
            (self.link.is_some(), " by a link"),
        ];
        let how: String = how.into_iter().filter(|(is_so, _)| *is_so).map(|(_, how)| how).collect();
        write!(f, "{}{how}", each.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Buy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Buy { who, device, cart, paid, tip } = self;
        let paid = if *paid { "" } else { ", to be paid later" };
        let tip = if *tip == 0 { String::new() } else { format!(", with a tip of {tip}") };
        write!(f, "customer {who} buys {cart} on device {device}{tip}{paid}")
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {} opens the checkout on device {} with {}", self.who, self.device, self.cart)
    }
}

impl fmt::Display for GoThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {} goes through with the checkout on device {}", self.who, self.device)
    }
}
