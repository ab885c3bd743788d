//! What a merchant may set: drawn for a world that opens, and while it goes on.

use std::fmt;

use fastrand::Rng;
use jiff::ToSpan;

use super::shelves::{COLLECTIONS, TAGS};
use super::{Act, Kind, PRODUCTS, one};
use crate::model::bonuses::BirthdayBonus;
use crate::model::earn::{Campaign, Things};
use crate::model::referrals::{Per, Promise, Referring};
use crate::model::{Lifetime, Rules, TIERS};
use crate::world::{Outcome, World};

pub const KINDS: &[Kind] = &[(4, |rng| one(Set(change(rng))))];

/// The merchant sets other rules.
pub struct Set(pub Change);

/// Other rules. Factors are ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// So many points for a pound.
    Rate(i64),
    OrderCap(Option<i64>),
    DayCap(Option<i64>),
    /// What counts beside things at the price that is paid.
    Counts {
        before_discounts: bool,
        delivery: bool,
        gift_cards: bool,
        tips: bool,
    },
    /// A thing earns so many times as much, or all in a collection, or with a tag; as the others, where there is none.
    Things {
        of: usize,
        factor: Option<i64>,
    },
    /// Who has no account earns, too.
    Guests(bool),
    Tiers([i64; 2]),
    /// Begins so many hours from now, and is over so many later.
    Campaign {
        begins: i64,
        hours: i64,
        factor: i64,
        gold: bool,
    },
    Multiply(bool),
    /// Returns may take more than there is.
    Owing(bool),
    WaitDays(i64),
    UntilFulfilled(bool),
    Lifetime(Option<Lifetime>),
    HoldMinutes {
        life: i64,
        grace: i64,
    },
    SignUp(Option<i64>),
    FirstOrder(Option<i64>),
    Birthday(Option<BirthdayBonus>),
    Referring(Option<Referring>),
}

/// Other rules than those that stand.
pub fn change(rng: &mut Rng) -> Change {
    let maybe = |rng: &mut Rng, up_to: i64| rng.bool().then(|| rng.i64(1..up_to));
    let factor = |rng: &mut Rng| [0, 5_000, 10_000, 12_345, 20_000, 30_000][rng.usize(0..6)];
    match rng.u32(0..20) {
        0 => Change::Rate(rng.i64(0..6)),
        1 => Change::OrderCap(rng.bool().then(|| rng.i64(0..200))),
        2 => Change::DayCap(rng.bool().then(|| rng.i64(0..300))),
        3 => Change::Counts {
            before_discounts: rng.bool(),
            delivery: rng.bool(),
            gift_cards: rng.bool(),
            tips: rng.bool(),
        },
        4 => {
            let of = rng.usize(0..PRODUCTS + COLLECTIONS.len() + TAGS.len());
            Change::Things { of, factor: (rng.u32(0..3) > 0).then(|| factor(rng)) }
        }
        5 => Change::Tiers([factor(rng), factor(rng)]),
        6 => Change::Campaign {
            begins: rng.i64(0..24),
            hours: rng.i64(1..72),
            factor: factor(rng),
            gold: rng.bool(),
        },
        7 => Change::Multiply(rng.bool()),
        8 => Change::Owing(rng.bool()),
        9 => Change::WaitDays(rng.i64(0..4)),
        10 => Change::UntilFulfilled(rng.bool()),
        11 => Change::Lifetime(rng.bool().then(|| Lifetime { days: rng.i64(1..6), rolls: rng.bool() })),
        12 => Change::HoldMinutes { life: rng.i64(5..90), grace: rng.i64(5..60) },
        13 => Change::SignUp(maybe(rng, 100)),
        14 => Change::FirstOrder(maybe(rng, 100)),
        15 => Change::Guests(rng.bool()),
        16 => Change::Things {
            of: PRODUCTS + rng.usize(0..COLLECTIONS.len() + TAGS.len()),
            factor: Some(factor(rng)),
        },
        17 | 18 => Change::Referring((rng.u32(0..4) > 0).then(|| referring(rng))),
        _ => Change::Birthday(
            rng.bool().then(|| BirthdayBonus { points: rng.i64(1..100), ahead: rng.i64(1..3) }),
        ),
    }
}

/// Whom advocates may send, and what that gives.
pub fn referring(rng: &mut Rng) -> Referring {
    let promise = Promise {
        advocate: rng.i64(0..100),
        friend: rng.i64(1..100),
        min: if rng.bool() { rng.i64(1..5_000) } else { 0 },
        days: rng.i64(1..6),
        wait_days: rng.i64(0..4),
    };
    let most = (rng.u32(0..4) == 0).then(|| (rng.i64(1..4), if rng.bool() { Per::Day } else { Per::Ever }));
    Referring { promise, most, review_from: (rng.u32(0..4) == 0).then(|| rng.i64(1..4)) }
}

impl Rules {
    /// The merchant of a shop with these things sets something else.
    pub fn change(&mut self, change: Change, products: &[u64], now: i64) {
        match change {
            Change::Rate(points) => self.earn.points = points,
            Change::OrderCap(cap) => self.earn.order_cap = cap,
            Change::DayCap(cap) => self.earn.day_cap = cap,
            Change::Counts { before_discounts, delivery, gift_cards, tips } => {
                (self.earn.before_discounts, self.earn.delivery) = (before_discounts, delivery);
                (self.earn.gift_cards, self.earn.tips) = (gift_cards, tips);
            }
            Change::Things { of, factor } => {
                let of = things(of, products);
                self.earn.of_things.retain(|(known, _)| *known != of);
                self.earn.of_things.extend(factor.map(|factor| (of, factor)));
            }
            Change::Guests(earn) => self.earn.guests = earn,
            Change::Tiers(factors) => self.earn.of_tiers = TIERS.into_iter().zip(factors).collect(),
            Change::Campaign { begins, hours, factor, gold } => {
                let from = self.calendar.minute(now).saturating_add(begins.hours());
                let until = from.saturating_add(hours.hours());
                let campaign = Campaign { from, until, factor, tier: gold.then_some(TIERS[1]) };
                self.earn.campaign = Some(campaign).filter(|_| factor != 10_000);
            }
            Change::Multiply(multiply) => self.earn.multiply = multiply,
            Change::Owing(owing) => self.owing = owing,
            Change::WaitDays(days) => self.earn.wait_days = days,
            Change::UntilFulfilled(until) => self.earn.until_fulfilled = until,
            Change::Lifetime(lifetime) => self.lifetime = lifetime,
            Change::HoldMinutes { life, grace } => (self.life_minutes, self.grace_minutes) = (life, grace),
            Change::SignUp(points) => self.sign_up = points,
            Change::FirstOrder(points) => self.first_order = points,
            Change::Birthday(bonus) => self.birthday = bonus,
            Change::Referring(referring) => self.referring = referring,
        }
    }
}

/// The things of a number: each of the products, then collections, then tags.
fn things(of: usize, products: &[u64]) -> Things {
    match (products.get(of), of.checked_sub(products.len())) {
        (Some(product), _) => Things::Product(*product),
        (None, Some(at)) if at < COLLECTIONS.len() => Things::Collection(COLLECTIONS[at]),
        (None, at) => Things::Tag(TAGS[at.unwrap_or(0) % TAGS.len()].0),
    }
}

impl Act for Set {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        let now = world.now();
        let shop = world.here();
        shop.model.rules.change(self.0, &shop.products, now);
        shop.model.rules_set();
        world.set_rules().map(str::to_owned)
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the merchant sets {:?}", self.0)
    }
}
