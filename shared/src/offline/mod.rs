//! Tills without a connection: what they may do, how it is told, and what they may show meanwhile.
//!
//! A till numbers what it does from 1 on, keeps it in a [`Queue`], and tells it until the app has said what became of
//! it. Nothing is redeemed offline: nobody there knows which points are left, and a discount cannot be taken back from
//! who has left the shop. Points are earned by the order's webhook alone, so that what a till tells of an order books
//! nothing, and what it never tells is not lost.
//!
//! Times are in milliseconds (UTC) by the till's own clock, which may be wrong and may go back.

mod queue;

use alloc::string::String;

pub use queue::{Acknowledged, Known, Operation, Queue, Queued, Refused, Settled, Shown};

use crate::LIMIT;

const HOUR: i64 = 3_600_000;

/// After how many milliseconds an operation is not acted upon any more: tills forget theirs after a month, too.
pub const STALE_AFTER: i64 = 30 * 24 * HOUR;
/// How many milliseconds an order may take to become known after it was paid for at a till.
pub const KNOWN_WITHIN: i64 = 7 * 24 * HOUR;
/// After how many milliseconds a balance that a till remembers is old.
pub const OLD_AFTER: i64 = 24 * HOUR;
/// The last moment that dates are written for: the year 9999. A clock may say anything.
pub const LAST_MOMENT: i64 = 253_402_207_200_000;
/// How many operations are told at a time.
pub const AT_ONCE: usize = 100;
/// How many operations a till keeps: some hours of a busy one, and little of what it can store.
pub const MOST_QUEUED: usize = 1_000;
/// How long the name of a device is.
pub const LONGEST_DEVICE: usize = 64;

/// What a till can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
pub enum Act {
    /// A customer paid for an order, and was promised its points.
    Earn {
        /// Shopify's number of the order.
        order: i64,
        /// Shopify's number of the customer.
        customer: i64,
    },
    /// A customer joined the programme.
    Enrol {
        /// Shopify's number of the customer.
        customer: i64,
    },
    /// A reward was asked for, which no till should have taken.
    Redeem {
        /// Shopify's number of the customer.
        customer: i64,
        /// The reward's id.
        reward: String,
    },
    /// The till has lost what it did under this number.
    Lost,
}

impl Act {
    /// Its name for programs; it does not change.
    pub fn name(&self) -> &'static str {
        match self {
            Act::Earn { .. } => "earn",
            Act::Enrol { .. } => "enrol",
            Act::Redeem { .. } => "redeem",
            Act::Lost => "lost",
        }
    }

    /// Whose it is, if it is somebody's.
    pub fn customer(&self) -> Option<i64> {
        match self {
            Act::Earn { customer, .. } | Act::Enrol { customer } | Act::Redeem { customer, .. } => {
                Some(*customer)
            }
            Act::Lost => None,
        }
    }

    /// Whether the customer that it names may be one.
    pub fn names_a_customer(&self) -> bool {
        self.customer().is_none_or(|customer| customer > 0)
    }
}

/// Whether a device may call itself so.
pub fn is_device(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST_DEVICE).contains(&name.len()) && name.bytes().all(plain)
}

/// Whether an operation may have this number.
pub fn is_sequence(sequence: i64) -> bool {
    (1..=LIMIT).contains(&sequence)
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was acted upon.
    Done,
    /// It waits for something; it is looked at again when it is sent again.
    Waiting,
    /// It was not acted upon, and will not be.
    Refused,
}

impl State {
    /// All there are.
    pub const ALL: [State; 3] = [State::Done, State::Waiting, State::Refused];

    /// Its name for programs; it does not change.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Done => "done",
            State::Waiting => "waiting",
            State::Refused => "refused",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The order has earned its points.
    Earned,
    /// The order earned nothing: it came to nothing, or nothing of it counts.
    NothingEarned,
    /// The customer is a member.
    Enrolled,
    /// Passed over.
    Lost,
    /// Shopify has not told of the order yet.
    OrderAwaited,
    /// Shopify never told of the order.
    OrderUnknown,
    /// The order names another customer.
    OtherCustomer,
    /// The order names no customer.
    NoCustomer,
    /// Nothing is redeemed offline.
    Offline,
    /// It is too long ago.
    Stale,
    /// Operations before it have not come.
    Missing,
    /// Another operation had its number.
    SequenceReused,
}

impl Code {
    /// All there are.
    pub const ALL: [Code; 12] = [
        Code::Earned,
        Code::NothingEarned,
        Code::Enrolled,
        Code::Lost,
        Code::OrderAwaited,
        Code::OrderUnknown,
        Code::OtherCustomer,
        Code::NoCustomer,
        Code::Offline,
        Code::Stale,
        Code::Missing,
        Code::SequenceReused,
    ];

    /// Its name for programs; it does not change.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Earned => "earned",
            Code::NothingEarned => "nothing_earned",
            Code::Enrolled => "enrolled",
            Code::Lost => "lost",
            Code::OrderAwaited => "order_awaited",
            Code::OrderUnknown => "order_unknown",
            Code::OtherCustomer => "other_customer",
            Code::NoCustomer => "no_customer",
            Code::Offline => "offline",
            Code::Stale => "stale",
            Code::Missing => "missing",
            Code::SequenceReused => "sequence_reused",
        }
    }

    /// The code of this name.
    pub fn parse(name: &str) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// For a person at the till.
    pub fn words(self) -> &'static str {
        match self {
            Code::Earned => "The order has earned its points.",
            Code::NothingEarned => "The order has earned no points.",
            Code::Enrolled => "The customer is a member.",
            Code::Lost => "The operation was passed over.",
            Code::OrderAwaited => "The points come as soon as Shopify has told of the order.",
            Code::OrderUnknown => "Shopify has not told of this order for a week, so it has earned nothing.",
            Code::OtherCustomer => "The order belongs to another customer, who has its points.",
            Code::NoCustomer => "The order names no customer. Add the customer to the order in Shopify.",
            Code::Offline => "Rewards cannot be redeemed offline: nobody knows how many points are left.",
            Code::Stale => "This was more than 30 days ago and is not acted upon any more.",
            Code::Missing => "Operations before this one have not come yet. Send them first.",
            Code::SequenceReused => "Another operation of this device had this number.",
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(code));
        }
        assert_eq!(Code::ALL.map(Code::as_str).into_iter().collect::<BTreeSet<_>>().len(), Code::ALL.len());
        assert_eq!((State::parse("moon"), Code::parse("")), (None, None));
    }

    #[test]
    fn devices_and_numbers_have_their_bounds() {
        for name in ["t", "Till_7-b", &"d".repeat(64)] {
            assert!(is_device(name), "{name}");
        }
        for name in ["", "a b", "é", &"d".repeat(65)] {
            assert!(!is_device(name), "{name}");
        }
        assert!(is_sequence(1) && is_sequence(LIMIT));
        assert!(!is_sequence(0) && !is_sequence(LIMIT + 1) && !is_sequence(i64::MIN));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn an_act_is_written_like_this() {
        for (act, text) in [
            (Act::Earn { order: 1, customer: 2 }, r#"{"kind":"earn","order":1,"customer":2}"#),
            (Act::Enrol { customer: 2 }, r#"{"kind":"enrol","customer":2}"#),
            (
                Act::Redeem { customer: 2, reward: "five".into() },
                r#"{"kind":"redeem","customer":2,"reward":"five"}"#,
            ),
            (Act::Lost, r#"{"kind":"lost"}"#),
        ] {
            assert_eq!(serde_json::to_string(&act).unwrap(), text);
            assert_eq!(serde_json::from_str::<Act>(text).unwrap(), act);
        }
    }
}
