//! Referrals: a member, the *advocate*, sends somebody, the *friend*, whose first order gives points to both.
//!
//! What was promised when the friend was sent is kept. What it gives follows from the friend's first order alone, as it
//! stands now: with the order it waits, is given, and is taken back.

mod code;

use alloc::string::String;

pub use self::code::{Code, NoCode};
use crate::{
    LIMIT,
    limit::Limit,
    order::{Earned, Standing},
    points::Points,
};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// What a program gives for referrals.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Referrals {
    /// What advocates get for a friend's first order.
    pub advocate: Points,
    /// What friends get for it.
    pub friend: Points,
    /// What must have been paid for what is left of that order, in minor units of the shop's currency.
    #[cfg_attr(feature = "serde", serde(default))]
    pub min: i64,
    /// Within how many days of being sent it must be placed.
    #[cfg_attr(feature = "serde", serde(default = "days"))]
    pub days: u16,
    /// How many days the points wait after it: longer than a return takes, or they may be spent before it.
    #[cfg_attr(feature = "serde", serde(default = "wait_days"))]
    pub wait_days: u16,
    /// How many friends an advocate may send; null for any number.
    #[cfg_attr(feature = "serde", serde(default = "limit"))]
    pub limit: Option<Limit>,
    /// From how many friends of an advocate in a day on staff look at each.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub review_from: Option<u32>,
    /// The page of the store that links lead to.
    #[cfg_attr(feature = "serde", serde(default = "landing"))]
    pub landing: String,
}

#[cfg(feature = "serde")]
fn days() -> u16 {
    30
}

/// As long as most shops take things back.
#[cfg(feature = "serde")]
fn wait_days() -> u16 {
    14
}

/// As many as somebody knows who does not make them up.
#[cfg(feature = "serde")]
#[allow(clippy::unnecessary_wraps, reason = "the setting's own type")]
fn limit() -> Option<Limit> {
    Some(Limit { most: 10, per: crate::limit::Period::Month })
}

#[cfg(feature = "serde")]
fn landing() -> String {
    "/".into()
}

/// Why a merchant's referrals are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferralError {
    /// Less than nothing, more than one referral may give, or nothing for either.
    #[error("a referral gives each of both 0 to 1,000,000 points, and not nothing to both")]
    Points,
    /// Less than nothing, or more than amounts may be.
    #[error("a friend's first order comes to 0 to 9,007,199,254,740,991 minor units")]
    Min,
    /// No day to order in, or more than a year for that or to wait.
    #[error("a friend has 1 to 365 days for the first order, after which points wait 0 to 365 days")]
    Days,
    /// A limit, or a number to look from, that admits nobody.
    #[error("an advocate sends 1 to 1,000,000 friends")]
    Limit,
    /// No path of the store.
    #[error(
        "links lead to a path of the store, such as /pages/friends, of at most 200 letters, digits and -._~/"
    )]
    Landing,
}

impl ReferralError {
    /// Its name for programs; it does not change.
    pub fn code(self) -> &'static str {
        match self {
            ReferralError::Points => "referral_points",
            ReferralError::Min => "referral_min",
            ReferralError::Days => "referral_days",
            ReferralError::Limit => "referral_limit",
            ReferralError::Landing => "referral_landing",
        }
    }
}

impl Referrals {
    /// What is wrong with them, each with the setting that it is about.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (&'static str, ReferralError)> {
        let is_sound = |points: Points| (0..=1_000_000).contains(&points.get());
        let gives = self.advocate.is_positive() || self.friend.is_positive();
        let is_path = |sign: char| sign.is_ascii_alphanumeric() || "-._~/".contains(sign);
        // Two slashes would begin another host's address.
        let is_landing = self.landing.starts_with('/') && !self.landing.starts_with("//");
        let is_landing = is_landing && self.landing.len() <= 200 && self.landing.chars().all(is_path);
        [
            ("advocate", !is_sound(self.advocate) || !gives, ReferralError::Points),
            ("friend", !is_sound(self.friend), ReferralError::Points),
            ("min", !(0..=LIMIT).contains(&self.min), ReferralError::Min),
            ("days", !(1..=365).contains(&self.days), ReferralError::Days),
            ("wait_days", self.wait_days > 365, ReferralError::Days),
            ("limit", self.limit.is_some_and(|limit| !limit.is_sound()), ReferralError::Limit),
            ("review_from", self.review_from == Some(0), ReferralError::Limit),
            ("landing", !is_landing, ReferralError::Landing),
        ]
        .into_iter()
        .filter_map(|(field, is_wrong, error)| is_wrong.then_some((field, error)))
    }

    /// What is promised to a friend who is sent at this time, in microseconds since 1970 (UTC), and to their advocate.
    pub fn promise(&self, sent_at: i64) -> Promise {
        let until = sent_at.saturating_add(i64::from(self.days) * DAY);
        let Referrals { advocate, friend, min, wait_days, .. } = *self;
        Promise { advocate, friend, min, wait_days, sent_at, until }
    }
}

/// What was promised for a friend's first order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// What the advocate gets.
    pub advocate: Points,
    /// What the friend gets.
    pub friend: Points,
    /// What must have been paid for what is left of the order, in minor units of the shop's currency.
    pub min: i64,
    /// How many days the points wait after it was placed.
    pub wait_days: u16,
    /// From when on it must be placed, in microseconds since 1970 (UTC).
    pub sent_at: i64,
    /// And before when.
    pub until: i64,
}

/// The first order of a friend that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstOrder {
    /// When it was placed, in microseconds since 1970 (UTC).
    pub placed_at: i64,
    /// What was paid for what is left of it, in minor units of the shop's currency.
    pub paid: i64,
    /// What becomes of its points.
    pub standing: Standing,
}

/// What a referral comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The friend may still order.
    Waiting,
    /// The friend has ordered; the points wait as the order's do, and as long as was said.
    Pending,
    /// Both have their points.
    Completed,
    /// The friend has not ordered in time, or not what was asked for.
    Lapsed,
}

impl Promise {
    /// As it would be if it had been made at this time.
    pub fn made_at(&self, sent_at: i64) -> Promise {
        let days = self.until.saturating_sub(self.sent_at);
        Promise { sent_at, until: sent_at.saturating_add(days), ..*self }
    }

    /// What the referral comes to at this time, by the friend's first order: the first of all, or the friend was no new one.
    pub fn outcome(&self, first: Option<FirstOrder>, now: i64) -> Outcome {
        let first = first.filter(|first| self.is_kept_by(first));
        match first.map(|first| first.standing) {
            Some(Standing::Waits) => Outcome::Pending,
            Some(Standing::Stands) if first.is_some_and(|first| now < self.waits_until(&first)) => {
                Outcome::Pending
            }
            Some(Standing::Stands) => Outcome::Completed,
            Some(Standing::Gone) | None if now < self.until => Outcome::Waiting,
            Some(Standing::Gone) | None => Outcome::Lapsed,
        }
    }

    /// When it comes to something else by time alone, where nothing else happens.
    pub fn due_at(&self, first: Option<FirstOrder>, outcome: Outcome) -> Option<i64> {
        match outcome {
            Outcome::Waiting => Some(self.until),
            Outcome::Pending => {
                let stands = first.filter(|first| first.standing == Standing::Stands);
                stands.map(|first| self.waits_until(&first))
            }
            Outcome::Completed | Outcome::Lapsed => None,
        }
    }

    /// Shopify's clock may be ahead of ours: where there are no days to wait for, nothing waits.
    fn waits_until(&self, first: &FirstOrder) -> i64 {
        match self.wait_days {
            0 => i64::MIN,
            days => first.placed_at.saturating_add(i64::from(days) * DAY),
        }
    }

    /// What the advocate and the friend have for it then.
    pub fn gives(&self, outcome: Outcome) -> (Earned, Earned) {
        let standing = match outcome {
            Outcome::Pending => Standing::Waits,
            Outcome::Completed => Standing::Stands,
            Outcome::Waiting | Outcome::Lapsed => Standing::Gone,
        };
        (standing.give(self.advocate), standing.give(self.friend))
    }

    fn is_kept_by(&self, first: &FirstOrder) -> bool {
        (self.sent_at..self.until).contains(&first.placed_at) && first.paid >= self.min
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::limit::Period;

    fn points(points: i64) -> Points {
        Points::new(points).unwrap()
    }

    fn referrals() -> Referrals {
        Referrals {
            advocate: points(200),
            friend: points(100),
            min: 2_000,
            days: 30,
            wait_days: 0,
            limit: Some(Limit { most: 10, per: Period::Month }),
            review_from: Some(5),
            landing: "/pages/friends".into(),
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(referrals().faults().count(), 0);
        let landing = |landing: &str| Referrals { landing: landing.into(), ..referrals() };
        let nothing = Referrals { advocate: points(0), friend: points(0), ..referrals() };
        for (referrals, fault) in [
            (nothing, ("advocate", ReferralError::Points)),
            (Referrals { advocate: points(-1), ..referrals() }, ("advocate", ReferralError::Points)),
            (Referrals { friend: points(1_000_001), ..referrals() }, ("friend", ReferralError::Points)),
            (Referrals { min: -1, ..referrals() }, ("min", ReferralError::Min)),
            (Referrals { days: 0, ..referrals() }, ("days", ReferralError::Days)),
            (Referrals { days: 366, ..referrals() }, ("days", ReferralError::Days)),
            (Referrals { wait_days: 366, ..referrals() }, ("wait_days", ReferralError::Days)),
            (
                Referrals { limit: Some(Limit { most: 0, per: Period::Ever }), ..referrals() },
                ("limit", ReferralError::Limit),
            ),
            (Referrals { review_from: Some(0), ..referrals() }, ("review_from", ReferralError::Limit)),
            (landing(""), ("landing", ReferralError::Landing)),
            (landing("//elsewhere.example"), ("landing", ReferralError::Landing)),
            (landing("https://elsewhere.example/"), ("landing", ReferralError::Landing)),
            (landing("/a?b=c"), ("landing", ReferralError::Landing)),
            (landing(&"/".repeat(201)), ("landing", ReferralError::Landing)),
        ] {
            assert_eq!(referrals.faults().collect::<Vec<_>>(), [fault], "{referrals:?}");
        }
    }

    #[test]
    fn it_comes_to_what_the_first_order_says() {
        let promise = referrals().promise(1_000);
        let until = 1_000 + 30 * DAY;
        let first = |placed_at, paid, standing| Some(FirstOrder { placed_at, paid, standing });
        for (first, now, outcome) in [
            (None, until - 1, Outcome::Waiting),
            (None, until, Outcome::Lapsed),
            (first(1_000, 2_000, Standing::Waits), 2_000, Outcome::Pending),
            (first(until - 1, 2_000, Standing::Stands), until + DAY, Outcome::Completed),
            // Placed before they were sent, too late, or for too little.
            (first(999, 2_000, Standing::Stands), 2_000, Outcome::Waiting),
            (first(until, 2_000, Standing::Stands), until + DAY, Outcome::Lapsed),
            (first(1_000, 1_999, Standing::Stands), 2_000, Outcome::Waiting),
            (first(1_000, 2_000, Standing::Gone), 2_000, Outcome::Waiting),
        ] {
            assert_eq!(promise.outcome(first, now), outcome, "{first:?} {now}");
        }
    }

    #[test]
    fn points_wait_longer_than_a_return_takes() {
        let promise = Referrals { wait_days: 14, ..referrals() }.promise(1_000);
        let first = |standing| Some(FirstOrder { placed_at: 1_000, paid: 2_000, standing });
        let over = 1_000 + 14 * DAY;
        for (now, outcome, due_at) in
            [(over - 1, Outcome::Pending, Some(over)), (over, Outcome::Completed, None)]
        {
            assert_eq!(promise.outcome(first(Standing::Stands), now), outcome);
            assert_eq!(promise.due_at(first(Standing::Stands), outcome), due_at);
        }
        assert_eq!(promise.outcome(first(Standing::Waits), over), Outcome::Pending);
        assert_eq!(promise.due_at(first(Standing::Waits), Outcome::Pending), None, "the order is waited for");
        assert_eq!(promise.due_at(None, Outcome::Waiting), Some(promise.until));
    }

    #[test]
    fn it_gives_with_the_order_what_was_promised() {
        let promise = referrals().promise(0);
        let (nothing, zero) = (Earned::default(), Points::ZERO);
        for (outcome, gives) in [
            (Outcome::Waiting, (nothing, nothing)),
            (Outcome::Lapsed, (nothing, nothing)),
            (
                Outcome::Pending,
                (
                    Earned { pending: points(200), posted: zero },
                    Earned { pending: points(100), posted: zero },
                ),
            ),
            (
                Outcome::Completed,
                (
                    Earned { pending: zero, posted: points(200) },
                    Earned { pending: zero, posted: points(100) },
                ),
            ),
        ] {
            assert_eq!(promise.gives(outcome), gives, "{outcome:?}");
        }
    }
}
