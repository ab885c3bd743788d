//! The rules of LoyalNest.
//!
//! One crate decides what an order earns, what a reward is worth and what a redemption costs. The Function at
//! checkout, the pages that shoppers see and the ledger behind them all call it, so they cannot disagree.
//!
//! It is pure: whole numbers only, no input or output, no clock (time is a parameter), no floats. Points and
//! money stay within ±(2^53 − 1), so every surface, JavaScript included, represents them exactly; beyond that
//! is an error, never a wrap.
//!
//! Read it in this order: [`points`] and [`money`], the [`program`] a merchant sets, the [line](mod@line) of an order
//! and what of it counts, how orders earn ([`rule`]), with which [`multiplier`]s and [`boost`]s ([`price`]), what one has earned
//! ([`earning`]), keeps ([`order`]) and why ([`explain`]), until when ([`expiry`]), the [`redemption`] of points, which [`hold`] an
//! order used, the [`account`] that carries a member's balance to the checkout, and the [`offer`]s that widgets make of
//! it. Beside points stand [`tier`]s, how far a member is in them ([`progress`]) and [`campaign`]s, whose [`perks`] the checkout
//! gives, [`rfm`]: the segments of members by what they have bought, and what tills do [`offline`].
#![no_std]
#![warn(clippy::missing_errors_doc)]

extern crate alloc;

pub mod account;
pub mod action;
mod amounts;
pub mod birthday;
pub mod bonus;
pub mod boost;
pub mod campaign;
pub mod delivery;
pub mod earning;
pub mod expiry;
pub mod explain;
pub mod gate;
pub mod hold;
pub mod json;
pub mod limit;
pub mod line;
pub mod money;
pub mod multiplier;
pub mod offer;
pub mod offline;
pub mod order;
pub mod perks;
pub mod points;
pub mod price;
pub mod program;
pub mod progress;
#[cfg(feature = "serde")]
pub mod publish;
pub mod redemption;
pub mod referral;
pub mod reward;
pub mod rfm;
pub mod rule;
mod text;
pub mod tier;
mod wide;

pub use account::Account;
pub use action::Action;
pub use birthday::Birthday;
pub use bonus::Bonuses;
pub use campaign::{Campaign, LocalTime};
pub use expiry::Expiry;
pub use gate::Gate;
pub use hold::{HoldId, Mark};
pub use limit::{Limit, Period};
pub use money::{Currency, Money};
pub use offer::{Cart, CartLine, Offers};
pub use points::Points;
pub use program::{Program, ProgramUi};
pub use redemption::{Kind, Quote, Scope, Terms};
pub use referral::Referrals;
pub use reward::Reward;
pub use tier::{Perk, Tier};

/// The largest magnitude of points and of money: 2^53 − 1, the last whole number that a JavaScript number holds
/// exactly along with all below it.
pub const LIMIT: i64 = (1 << 53) - 1;

/// `a × b ÷ c` rounded down, computed without overflow. `None` when `c` is not above zero, as all that the rules divide by
/// is, or the result exceeds an `i64`.
pub(crate) fn mul_div_floor(a: i64, b: i64, c: i64) -> Option<i64> {
    wide::divided(i128::from(a) * i128::from(b), c)
}

/// `a ÷ b` rounded down; `None` when `b` is not above zero.
pub(crate) fn div_floor(a: i64, b: i64) -> Option<i64> {
    wide::divided(i128::from(a), b)
}

/// `a × b ÷ c` rounded up; see [`mul_div_floor`].
pub(crate) fn mul_div_ceil(a: i64, b: i64, c: i64) -> Option<i64> {
    let negated = mul_div_floor(a.checked_neg()?, b, c)?;
    negated.checked_neg()
}

/// Whether a setting is as it would be if nobody had set it: such ones are not written.
#[cfg(feature = "serde")]
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
