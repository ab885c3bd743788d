//! Referrals: members, the *advocates*, send others, the *friends*, whose first order gives points to both.
//!
//! ```text
//! GET …/referral ─ a code, a link ─┐
//! POST …/referrals, an order's ────┴─ send ─ waiting ─┬─ follow, with the friend's orders ─ pending ─ completed
//!   attribute with the code                 │         └─ Lapse, every night ─ lapsed, completed
//!                                           └─ review ─ staff ─ waiting, or refused
//! ```
//!
//! What was promised when a friend was sent is kept, whatever the program says later. What it comes to is the fold of the
//! friend's orders, as their first that stands says ([`Promise`]): with it both wait for their points, have them and lose
//! them again. A friend is sent once, and only who has bought nothing yet is one.

mod api;
mod codes;
mod follow;
pub mod invariants;
mod jobs;
mod merge;
mod routes;
mod send;
mod store;

use loyalty::referral::{FirstOrder, Outcome, Promise};
use uuid::Uuid;

use crate::db::{self, Timestamp};
use crate::events::{Event, ReferralReversed};
use crate::ids::{MemberId, OrderId};
use crate::inbox::HandlerError;
use crate::points::bonuses::{First, Referred};
use crate::{points, programs};

pub use api::api;
pub use follow::{advocates, follow};
pub use jobs::{Lapse, lapse};
pub use merge::{leave, merge};
pub use routes::shopper;
pub use send::{Sent, by_orders};

crate::text_enum! {
    /// Where a referral stands.
    pub enum State {
        /// The friend may still order.
        Waiting = "waiting",
        /// The friend has ordered; the points wait as the order's do, and as long as was promised.
        Pending = "pending",
        /// Both have their points.
        Completed = "completed",
        /// The friend has not ordered in time, or not what was asked for.
        Lapsed = "lapsed",
        /// Staff are to look at it; it gives nothing before they have.
        Review = "review",
        /// It gives nothing.
        Refused = "refused",
    }
}

impl From<Outcome> for State {
    fn from(outcome: Outcome) -> State {
        match outcome {
            Outcome::Waiting => State::Waiting,
            Outcome::Pending => State::Pending,
            Outcome::Completed => State::Completed,
            Outcome::Lapsed => State::Lapsed,
        }
    }
}

crate::text_enum! {
    /// Why a referral is looked at, or was refused.
    pub enum Reason {
        /// The code is the friend's own.
        OwnCode = "own_code",
        /// The friend had bought something before.
        NotNew = "not_new",
        /// The friend had sent the advocate.
        Circular = "circular",
        /// The advocate has sent as many as the program lets them.
        LimitReached = "limit_reached",
        /// The advocate has sent many in a day.
        ManyFriends = "many_friends",
        /// Two customers became one, and one of them was sent before.
        Merged = "merged",
        /// The advocate or the friend was deleted or erased.
        Gone = "gone",
        /// Staff have said so.
        Staff = "staff",
    }
}

/// A friend whom an advocate sent.
#[derive(Debug, Clone)]
pub struct Referral {
    /// Its id.
    pub id: Uuid,
    /// Who sent.
    pub advocate: MemberId,
    /// Who was sent.
    pub friend: MemberId,
    /// Where it stands.
    pub state: State,
    /// Why it is looked at, or was refused.
    pub reason: Option<Reason>,
    /// What was promised.
    pub promise: Promise,
    /// The order that it is for now.
    pub order: Option<OrderId>,
    /// When time alone changes where it stands next (UTC).
    pub due_at: Option<Timestamp>,
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> HandlerError {
        match error {
            Error::Points(error) => error.into(),
            Error::Program(error) => error.into(),
            Error::Db(error) => error.into(),
            error => HandlerError::Failed(error.to_string()),
        }
    }
}

impl Referral {
    /// What it comes to at this time, in microseconds since 1970 (UTC), by the friend's first order, if it may come to
    /// anything.
    fn outcome(&self, first: Option<&First>, now: i64) -> Option<Outcome> {
        let may = !matches!(self.state, State::Review | State::Refused);
        may.then(|| self.promise.outcome(first.map(first_order), now))
    }

    /// When time alone changes that.
    fn due_at(&self, first: Option<&First>, outcome: Option<Outcome>) -> Option<Timestamp> {
        let due_at = self.promise.due_at(first.map(first_order), outcome?)?;
        Timestamp::from_microsecond(due_at).ok()
    }

    /// What it gives then; nothing without an outcome.
    fn gives(&self, outcome: Option<Outcome>, first: Option<&First>) -> Referred {
        let is_for = |outcome: &Outcome| matches!(outcome, Outcome::Pending | Outcome::Completed);
        let first = first.filter(|_| outcome.as_ref().is_some_and(is_for));
        let (advocate, friend) = outcome.map(|outcome| self.promise.gives(outcome)).unwrap_or_default();
        Referred {
            id: self.id,
            friend: Some(self.friend),
            advocate: self.advocate,
            order: first.map(|first| first.order),
            occurred_at: first.map_or(self.sent_at(), |first| first.placed_at),
            gives: [friend, advocate],
        }
    }

    /// What is to be told of it where it was completed before and is no more.
    fn reversed(&self, was: State) -> Option<Event> {
        let Referral { id, advocate, friend, .. } = *self;
        let is_reversed = was == State::Completed && self.state != State::Completed;
        is_reversed.then_some(Event::ReferralReversed(ReferralReversed { referral: id, advocate, friend }))
    }

    /// Nothing is given for it from now on.
    fn refuse(&mut self, reason: Reason) {
        (self.state, self.reason, self.due_at) = (State::Refused, Some(reason), None);
    }

    /// When the friend was sent (UTC).
    fn sent_at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.promise.sent_at).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Before when the friend is to order (UTC).
    fn until(&self) -> Timestamp {
        Timestamp::from_microsecond(self.promise.until).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// A first order as promises look at it.
fn first_order(first: &First) -> FirstOrder {
    FirstOrder { placed_at: first.placed_at.as_microsecond(), paid: first.paid, standing: first.standing }
}

/// What can go wrong with a referral.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program has none.
    #[error("the program has no referrals")]
    None,
    /// Nobody has this code.
    #[error("nobody has this code")]
    UnknownCode,
    /// There is no such referral.
    #[error("there is no such referral")]
    Unknown,
    /// The friend was sent by somebody else.
    #[error("somebody else has sent this customer")]
    AlreadyReferred,
    /// It gives nothing.
    #[error("this referral gives nothing: {}", .0.as_str())]
    Refused(Reason),
    /// There is nothing for staff to decide.
    #[error("the referral is not to be reviewed")]
    NotInReview,
    /// The program.
    #[error(transparent)]
    Program(#[from] programs::Error),
    /// The points.
    #[error(transparent)]
    Points(#[from] points::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}
