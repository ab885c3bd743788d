//! What becomes of orders. The backend hears of it by webhooks.

use std::fmt;

use devshop::{DevShop, OrderEdit, RefundRequest, ShippingRefund};

use super::{Act, Kind, MANY, PRODUCTS, Touches, one};
use crate::world::{Outcome, World};

pub const KINDS: &[Kind] = &[
    (2, |rng| one(Change { order: rng.usize(0..MANY), what: What::Pay })),
    (2, |rng| one(Change { order: rng.usize(0..MANY), what: What::SendOff })),
    (5, |rng| {
        let (line, units, delivery) = (rng.usize(0..3), rng.u32(1..3), rng.u32(0..4) == 0);
        let credit = rng.u32(0..4) == 0;
        let difference = if rng.u32(0..6) == 0 { rng.i64(-300..300) } else { 0 };
        let what = What::Refund { line, units, delivery, difference, credit };
        one(Change { order: rng.usize(0..MANY), what })
    }),
    (2, |rng| {
        let (difference, credit) = (rng.i64(1..3_000), rng.u32(0..4) == 0);
        let what = What::Refund { line: 0, units: 0, delivery: false, difference, credit };
        one(Change { order: rng.usize(0..MANY), what })
    }),
    (1, |rng| one(Change { order: rng.usize(0..MANY), what: What::Cancel })),
    (2, |rng| {
        let (line, units) = (rng.usize(0..3), rng.u32(0..4));
        one(Change { order: rng.usize(0..MANY), what: What::Edit { line, units } })
    }),
    (1, |rng| {
        let (thing, units) = (rng.usize(0..PRODUCTS), rng.u32(1..3));
        one(Change { order: rng.usize(0..MANY), what: What::Add { thing, units } })
    }),
];

/// Something becomes of an order.
struct Change {
    order: usize,
    what: What,
}

enum What {
    /// What was not paid is.
    Pay,
    SendOff,
    /// Units of a line come back; delivery, too; and money of no line, or less than those are worth. As store credit, or to
    /// where the payment came from.
    Refund {
        line: usize,
        units: u32,
        delivery: bool,
        difference: i64,
        credit: bool,
    },
    Cancel,
    /// A line gets another number of units.
    Edit {
        line: usize,
        units: u32,
    },
    /// Something is added.
    Add {
        thing: usize,
        units: u32,
    },
}

impl Act for Change {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let Some(at) = self.order.checked_rem(shop.orders.len()) else { return Ok("there is none".into()) };
        let changed = self.what.happen(&shop.local, shop.orders[at], &shop.variants);
        Ok(format!("order {at}{}", if changed.is_some() { "" } else { ": it cannot be" }))
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl What {
    /// None where the shop does not allow it.
    fn happen(&self, shop: &DevShop, id: u64, variants: &[u64]) -> Option<()> {
        let order = shop.order(id)?;
        let line_at = |line: &usize| &order.lines[line % order.lines.len()];
        match self {
            What::Pay => shop.pay(id).ok().map(|_| ()),
            What::SendOff => shop.fulfil_order(id).ok().map(|_| ()),
            What::Cancel => shop.cancel(id, "customer").ok().map(|_| ()),
            What::Refund { line, units, delivery, difference, credit } => {
                let line = line_at(line);
                let lines = vec![(line.id, (*units).min(line.current_quantity()))];
                let shipping = if *delivery { ShippingRefund::Full } else { ShippingRefund::None };
                let request = RefundRequest {
                    lines,
                    shipping,
                    difference: *difference,
                    to_store_credit: *credit,
                    ..RefundRequest::default()
                };
                shop.refund(id, &request).ok().map(|_| ())
            }
            What::Edit { line, units } => {
                let quantities = vec![(line_at(line).id, *units)];
                shop.edit_order(id, &OrderEdit { quantities, ..OrderEdit::default() }).ok().map(|_| ())
            }
            What::Add { thing, units } => {
                let additions = vec![(variants[thing % variants.len()], *units)];
                shop.edit_order(id, &OrderEdit { additions, ..OrderEdit::default() }).ok().map(|_| ())
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = self.order;
        match &self.what {
            What::Pay => write!(f, "order {order} is paid"),
            What::SendOff => write!(f, "order {order} is sent off"),
            What::Refund { line, units, delivery, difference, credit } => {
                let delivery = if *delivery { " and its delivery" } else { "" };
                let credit = if *credit { " to store credit" } else { "" };
                let difference = if *difference == 0 { String::new() } else { format!(", {difference:+}") };
                write!(
                    f,
                    "{units} of line {line} of order {order}{delivery}{difference} are refunded{credit}"
                )
            }
            What::Cancel => write!(f, "order {order} is cancelled"),
            What::Edit { line, units } => write!(f, "line {line} of order {order} is edited to {units}"),
            What::Add { thing, units } => write!(f, "{units} of thing {thing} are added to order {order}"),
        }
    }
}
