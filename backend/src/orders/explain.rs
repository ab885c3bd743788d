//! Why an order earned what it earned: put together from what was kept of it and the settings it was priced by.

use loyalty::earning::Returned;
use loyalty::explain::{Explanation, Outcome};
use loyalty::order::Wait;
use loyalty::{Currency, Points};
use serde::Serialize;

use super::{Error, store};
use crate::db::{Read, Timestamp};
use crate::ids::{CustomerId, OrderId, ShopId};
use crate::{points, programs};

/// Why an order earned what it earned, or nothing.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// Shopify's number of the order.
    pub order: OrderId,
    /// Whose it is; none of a guest whom Shopify gives no number, or where that was erased.
    #[serde(skip)]
    pub customer: Option<CustomerId>,
    /// When it was placed (UTC).
    pub placed_at: Option<Timestamp>,
    /// Why nothing is booked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_booked: Option<NotBooked>,
    /// What is booked, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<BookedExplained>,
}

/// Why nothing is booked for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotBooked {
    /// It has no customer.
    NoCustomer,
    /// Only a refund of it was told of.
    OnlyRefunded,
    /// It was placed before the app was there, and counts only in what its customer has bought.
    BeforeApp,
}

/// What is booked for an order, and why.
#[derive(Debug, Clone, Serialize)]
pub struct BookedExplained {
    /// The version of the program that it earned under.
    pub program_version: i64,
    /// The currency of its amounts, ISO 4217.
    pub currency: Currency,
    /// The customer had no account then.
    pub guest: bool,
    /// The tier that the member belonged to, where tiers or campaigns multiply.
    pub tier: Option<String>,
    /// Cancelled, voided or expired: nothing of it stands.
    pub void: bool,
    /// What its points wait for.
    pub wait: Wait,
    /// When that comes to pass, where that is known and not over yet (UTC).
    pub ripe_at: Option<Timestamp>,
    /// Points that wait.
    pub pending: i64,
    /// Points that can be spent, or were.
    pub posted: i64,
    /// Points that should have been taken back, and were spent already.
    pub forgiven: i64,
    /// What came back of it, or was taken off.
    pub returned: Vec<Returned>,
    /// What it gives as the member's first order, and whether it is that; none where the program gave nothing for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_order: Option<FirstOrder>,
    /// Line by line.
    #[serde(flatten)]
    pub explanation: Explanation,
}

/// The bonus for the member's first order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FirstOrder {
    /// Points.
    pub points: Points,
    /// Whether this order has it; else an earlier one has, or nothing is left of this one.
    pub gave: bool,
}

impl Explained {
    /// Leaves out what the shop only planned at that time: shoppers are not told of campaigns that have not begun.
    pub fn hide_plans(&mut self) {
        for line in self.booked.iter_mut().flat_map(|booked| &mut booked.explanation.lines) {
            line.multipliers.retain(|multiplier| multiplier.outcome != Outcome::NotBegun);
        }
    }
}

/// Explains an order; none if nothing is known of it.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn explain(read: &mut Read, shop: ShopId, order: OrderId) -> Result<Option<Explained>, Error> {
    let Some(known) = store::find(read, shop, order).await? else { return Ok(None) };
    let mut explained = Explained {
        order,
        customer: known.customer,
        placed_at: known.placed_at,
        not_booked: None,
        booked: None,
    };
    let booking = points::orders::load(read, shop, &[order]).await?.remove(&order);
    let (Some(booking), Some(facts)) = (booking, &known.facts) else {
        explained.not_booked = Some(match &known.facts {
            Some(_) => NotBooked::NoCustomer,
            None if known.may_be_past() => NotBooked::BeforeApp,
            None => NotBooked::OnlyRefunded,
        });
        return Ok(Some(explained));
    };
    let program = programs::version(read, shop, booking.program_version).await?;
    let gone = known.gone(Some(&booking.earning));
    let lines = known.latest.as_ref().map(|latest| latest.lines.as_slice()).unwrap_or_default();
    let mut explanation = program.explain(lines, &booking.circumstances, &booking.earning, &gone);
    if facts.is_void() {
        nothing_stands(&mut explanation);
    }
    let first_order = if booking.first_order.is_positive() {
        let gave = points::bonuses::is_first(read, shop, &booking).await?;
        Some(FirstOrder { points: booking.first_order, gave })
    } else {
        None
    };
    explained.booked = Some(BookedExplained {
        program_version: booking.program_version,
        currency: program.currency,
        guest: booking.circumstances.guest,
        tier: booking.circumstances.tier.clone(),
        void: facts.is_void(),
        wait: program.earn.wait,
        ripe_at: booking.ripe_at(),
        pending: booking.tally.booked.pending.get(),
        posted: booking.tally.booked.posted.get(),
        forgiven: booking.tally.forgiven.get(),
        returned: gone,
        first_order,
        explanation,
    });
    Ok(Some(explained))
}

fn nothing_stands(explanation: &mut Explanation) {
    explanation.stands = Points::ZERO;
    explanation.lines.iter_mut().for_each(|line| line.stands = Points::ZERO);
}
