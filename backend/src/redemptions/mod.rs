//! Redemptions: holds on points, and what orders used of them.
//!
//! A pick opens a hold; once the member's metafield shows it, it is live and the Function at checkout gives its
//! discount. The order captures what was really used and releases the rest; a hold that nobody uses closes: the
//! metafield is written without it, a grace passes for orders that were on their way, then its points are free.
//!
//! ```text
//! opening ─► live ─► closing ─► released
//!    └────────┴────────┴──────► captured
//! ```

pub mod api;
pub mod catalogue;
pub mod command;
pub mod desk;
pub mod invariants;
pub mod jobs;
pub mod lifecycle;
mod merge;
pub mod payouts;
pub mod routes;
pub mod stock;
mod store;

use loyalty::{HoldId, Mark, Terms};

use crate::db::{self, Timestamp};
use crate::ids::{MemberId, OrderId};
use crate::inbox::HandlerError;
use crate::{points, programs};

pub use desk::{Desk, OrderUse};
pub use merge::{let_go, merge};

crate::text_enum! {
    /// Where a hold stands.
    #[derive(Hash)]
    pub enum State {
        /// Its points are held; the metafield may not show it yet.
        Opening = "opening",
        /// The metafield shows it: checkouts give its discount.
        Live = "live",
        /// It is on its way out of the metafield, or waits for orders that were on their way.
        Closing = "closing",
        /// An order used it.
        Captured = "captured",
        /// Its points are free again.
        Released = "released",
    }
}

impl State {
    /// Whether its points are held.
    pub fn is_held(self) -> bool {
        matches!(self, State::Opening | State::Live | State::Closing)
    }
}

crate::text_enum! {
    /// Why a hold was released, or closes.
    #[derive(Hash)]
    pub enum Reason {
        /// The member picked something else.
        Replaced = "replaced",
        /// The member took it back.
        Cancelled = "cancelled",
        /// Its time ran out.
        Expired = "expired",
        /// The customer was deleted, or merged into one who holds something already.
        Gone = "gone",
    }
}

/// Points that are held for a reward, and what became of them.
#[derive(Debug, Clone)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// Whose points.
    pub member: MemberId,
    /// The reward that was picked.
    pub reward: String,
    /// Where it stands.
    pub state: State,
    /// The complete terms.
    pub terms: Terms,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it closes unless it is renewed; once it is cleared, when its points are free.
    pub expires_at: Timestamp,
    /// When the metafield was seen without it.
    pub cleared_at: Option<Timestamp>,
    /// When it was captured or released.
    pub ended_at: Option<Timestamp>,
    /// Why it was released, or closes.
    pub reason: Option<Reason>,
    /// The order that captured it, or that used it although it was released: it was on its way then.
    pub order: Option<OrderId>,
    /// The points that the order took.
    pub captured: Option<i64>,
    /// Whether it took one of the reward's stock.
    stocked: bool,
    changed: bool,
}

impl Hold {
    /// What a cart carries to use it. Every pick is a hold of its own, so its first attempt is its only one.
    pub fn mark(&self) -> Mark {
        Mark { hold: self.id, attempt: 1 }
    }

    fn close(&mut self, reason: Reason) {
        (self.state, self.reason, self.changed) = (State::Closing, Some(reason), true);
    }

    fn release(&mut self, reason: Reason, now: Timestamp) {
        self.reason.get_or_insert(reason);
        (self.state, self.ended_at, self.changed) = (State::Released, Some(now), true);
    }
}

/// What can go wrong with a redemption.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program has no such reward.
    #[error("there is no such reward")]
    UnknownReward,
    /// The reward cannot be had like this.
    #[error(transparent)]
    Pick(#[from] loyalty::reward::PickError),
    /// The member has no such payout.
    #[error("there is no such payout")]
    UnknownPayout,
    /// Another payout of this member is under way.
    #[error("another payout of this member is under way")]
    PayoutUnderWay,
    /// The id stands for a payout of something else.
    #[error("the id stands for another payout")]
    OtherPayout,
    /// The reward cannot be had, by this member or just now.
    #[error(transparent)]
    Refused(#[from] catalogue::Refusal),
    /// The member has no such redemption.
    #[error("there is no such redemption")]
    UnknownHold,
    /// The redemption was used by an order.
    #[error("the redemption was used by an order")]
    Captured,
    /// The points.
    #[error(transparent)]
    Points(#[from] points::Error),
    /// The program.
    #[error(transparent)]
    Program(#[from] programs::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
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
