//! Orders and what happens to them: payment, cancellation, refunds.

mod edit;
pub(crate) mod payload;
mod place;
mod refund;

use jiff::Timestamp;
use serde::Serialize;

use crate::cart::Attribute;
use crate::catalog::Customer;
use crate::checkout::{AppliedDiscount, BasketLine, QuoteShipping};
use crate::ids::gid;
use crate::money::{Currency, MoneySet};

pub use edit::OrderEdit;
pub use refund::{RefundError, RefundRequest, ShippingRefund};

/// An order.
#[derive(Debug, Clone, Serialize)]
pub struct Order {
    /// Its number in ids.
    pub id: u64,
    /// Its number for people, from 1001.
    pub number: u32,
    /// Its token.
    pub token: String,
    /// The token of the cart it came from.
    pub cart_token: String,
    /// The token of the checkout it came from.
    pub checkout_token: String,
    /// Who placed it, as they were then.
    pub customer: Option<Customer>,
    /// `web` or `pos`.
    pub source_name: &'static str,
    /// The location, at POS.
    pub location: Option<u64>,
    /// Placed while testing payments.
    pub test: bool,
    /// What was paid in.
    pub presentment_currency: Currency,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// How it is shipped.
    pub shipping: Option<OrderShipping>,
    /// What was taken off.
    pub discounts: Vec<AppliedDiscount>,
    /// The cart's attributes.
    pub note_attributes: Vec<Attribute>,
    /// Labels.
    pub tags: Vec<String>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// What was paid: less than the total when an edit added something since.
    pub paid: MoneySet,
    /// When all of it was sent off.
    pub fulfilled_at: Option<Timestamp>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Why.
    pub cancel_reason: Option<String>,
    /// What was given back, oldest first.
    pub refunds: Vec<Refund>,
    /// Tax contained in prices, basis points.
    pub tax_included_bp: u32,
}

/// A line of an order.
#[derive(Debug, Clone, Serialize)]
pub struct OrderLine {
    /// Its number.
    pub id: u64,
    /// What it is.
    pub item: BasketLine,
    /// What was taken off.
    pub allocations: Vec<crate::checkout::Allocation>,
    /// How many were given back.
    pub refunded: u32,
    /// How many an edit took off.
    pub taken_off: u32,
    /// It is a tip: no product, and nothing is shipped.
    pub tip: bool,
}

/// The shipping of an order.
#[derive(Debug, Clone, Serialize)]
pub struct OrderShipping {
    /// Its number.
    pub id: u64,
    /// What was chosen and what was taken off.
    pub quote: QuoteShipping,
    /// What was given back.
    pub refunded: MoneySet,
}

/// Something given back.
#[derive(Debug, Clone, Serialize)]
pub struct Refund {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Why, for people.
    pub note: Option<String>,
    /// Which units.
    pub lines: Vec<RefundedLine>,
    /// Shipping given back.
    pub shipping: MoneySet,
    /// The numbers of its shipping line and of the order adjustment that says the same.
    pub shipping_ids: [u64; 2],
    /// By how much more was given back than that, or less.
    pub difference: MoneySet,
    /// The number of the order adjustment that says so.
    pub difference_id: u64,
    /// The number of its payment transaction; `None` when nothing had been paid.
    pub transaction: Option<u64>,
    /// It was given as store credit.
    pub to_store_credit: bool,
}

impl Refund {
    /// What was given back.
    pub fn total(&self) -> MoneySet {
        self.lines.iter().map(|line| line.subtotal).sum::<MoneySet>() + self.shipping + self.difference
    }
}

/// Units of a line given back.
#[derive(Debug, Clone, Serialize)]
pub struct RefundedLine {
    /// Its number.
    pub id: u64,
    /// The order line's number.
    pub line: u64,
    /// How many.
    pub quantity: u32,
    /// What was paid for them.
    pub subtotal: MoneySet,
}

/// When an order is paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Payment {
    /// While it is placed: `orders/create` and `orders/paid` follow each other.
    #[default]
    Immediate,
    /// Later, or never.
    Later,
}

/// How to place an order.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlaceOptions {
    /// When it is paid.
    pub payment: Payment,
    /// As a test of payments: real in every way but `test`.
    pub test: bool,
    /// What is given on top, in minor units of the shop's currency.
    pub tip: i64,
    /// Whom Shopify knows the buyer to be by their address, where nobody is signed in.
    pub guest: Option<u64>,
}

impl OrderLine {
    /// What was taken off.
    pub fn discount(&self) -> MoneySet {
        self.allocations.iter().map(|allocation| allocation.amount).sum()
    }

    /// What was charged.
    pub fn net(&self) -> MoneySet {
        self.item.gross - self.discount()
    }

    /// What was charged for the first `units` of it.
    pub fn net_of(&self, units: u32) -> MoneySet {
        self.net().portion(units.into(), self.item.quantity.into())
    }

    /// Units neither given back nor taken off.
    pub fn current_quantity(&self) -> u32 {
        self.item.quantity - self.refunded - self.taken_off
    }

    /// What was charged for the units that are left.
    pub fn kept(&self) -> MoneySet {
        self.net() - self.net_of(self.refunded + self.taken_off)
    }

    /// What was charged for the units that an edit took off.
    pub fn net_taken_off(&self) -> MoneySet {
        self.net_of(self.refunded + self.taken_off) - self.net_of(self.refunded)
    }
}

impl Order {
    /// Its global id.
    pub fn gid(&self) -> String {
        gid("Order", self.id)
    }

    /// Its name for people.
    pub fn name(&self) -> String {
        format!("#{}", self.number)
    }

    /// Lines before discounts.
    pub fn gross(&self) -> MoneySet {
        self.lines.iter().map(|line| line.item.gross).sum()
    }

    /// Lines after discounts.
    pub fn subtotal(&self) -> MoneySet {
        self.lines.iter().map(OrderLine::net).sum()
    }

    /// Shipping after discounts.
    pub fn shipping_net(&self) -> MoneySet {
        self.shipping.as_ref().map(|shipping| shipping.quote.net()).unwrap_or_default()
    }

    /// What makes the subtotal of the Admin API: what is sold, without gift cards and tips.
    pub fn goods(&self) -> impl Iterator<Item = &OrderLine> {
        self.lines.iter().filter(|line| !line.tip && !line.item.gift_card)
    }

    /// What was given on top.
    pub fn tips(&self) -> MoneySet {
        self.lines.iter().filter(|line| line.tip).map(OrderLine::net).sum()
    }

    /// Shipping without what was given back.
    pub fn shipping_now(&self) -> MoneySet {
        self.shipping_net() - self.shipping.as_ref().map(|shipping| shipping.refunded).unwrap_or_default()
    }

    /// What was charged in all.
    pub fn total(&self) -> MoneySet {
        self.subtotal() + self.shipping_net()
    }

    /// What was given back.
    pub fn refunded(&self) -> MoneySet {
        self.refunds.iter().map(Refund::total).sum()
    }

    /// What is to be charged in all, without what edits took off.
    pub fn total_now(&self) -> MoneySet {
        self.total() - self.lines.iter().map(OrderLine::net_taken_off).sum()
    }

    /// What is still to be paid.
    pub fn outstanding(&self) -> MoneySet {
        let (now, paid) = (self.total_now(), self.paid);
        if self.cancelled_at.is_some() || paid.presentment >= now.presentment {
            return MoneySet::default();
        }
        now - paid
    }

    /// `pending`, `partially_paid`, `paid`, `partially_refunded`, `refunded` or `voided`.
    pub fn financial_status(&self) -> &'static str {
        let refunded = self.refunded();
        match (self.paid_at, self.cancelled_at) {
            (None, None) => "pending",
            (None, Some(_)) => "voided",
            (Some(_), _) if self.outstanding() != MoneySet::default() => "partially_paid",
            (Some(_), _) if self.refunds.is_empty() => "paid",
            (Some(_), _) if refunded.presentment >= self.total_now().presentment => "refunded",
            (Some(_), _) => "partially_refunded",
        }
    }
}
