//! What is booked for one thing that gives points, an order or an occasion: the difference between what should be and
//! what is.

use loyalty::Points;
use loyalty::order::Earned;
use loyalty::program::ReturnPolicy;
use sqlx::types::Json;
use uuid::Uuid;

use super::Error;
use super::account::{Lot, LotId};
use super::book::{Book, less};
use super::entry::{Kind, Ledger, Source};
use crate::db::Timestamp;
use crate::ids::MemberId;

/// What is booked for one thing.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// What is booked.
    pub booked: Earned,
    /// What could not be taken back, because the member had spent it, or it had expired.
    pub forgiven: Points,
    /// The lots of its points, as they were earned: what an edit adds is earned later.
    pub(super) lots: Vec<LotId>,
    /// How often something was booked.
    pub(super) revision: i64,
}

/// How the entries of a tally are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    /// What an entry does that gives points for good at once.
    pub gives: Kind,
    /// Where they come from.
    pub source: Source,
    /// What they are for.
    pub name: &'a str,
}

impl Tally {
    /// Its lots, as they are stored.
    pub(super) fn read_lots(newest: Option<LotId>, older: Option<Json<Vec<LotId>>>) -> Vec<LotId> {
        older.map(|older| older.0).unwrap_or_default().into_iter().chain(newest).collect()
    }

    /// The newest of its lots, and those before it, where there are any.
    pub(super) fn stored_lots(&self) -> (Option<LotId>, Option<Json<&[LotId]>>) {
        match self.lots.split_last() {
            None => (None, None),
            Some((newest, older)) => (Some(*newest), Some(Json(older)).filter(|older| !older.0.is_empty())),
        }
    }

    /// Whether nothing was ever booked.
    pub fn is_new(&self) -> bool {
        self.revision == 0
    }

    /// Books the difference between what should be booked and what is.
    ///
    /// # Errors
    /// When a balance would leave the range of points; the book is spoilt then and must not be saved.
    pub(super) fn settle(
        &mut self,
        book: &mut Book,
        (member, named): (MemberId, Named<'_>),
        target: Earned,
        policy: ReturnPolicy,
        earned_at: Timestamp,
    ) -> Result<(), Error> {
        self.revision += 1;
        let waiting = target.pending.minus(self.booked.pending)?;
        let (called_off, waits) = ((-waiting).or_zero(), waiting.or_zero());
        let posting = target.posted.minus(self.booked.posted)?;
        let (taken_back, mut gained) = ((-posting).or_zero(), posting.or_zero());
        // What the member was let off before is not given twice.
        let kept = gained.min(self.forgiven);
        self.forgiven = self.forgiven.minus(kept)?;
        gained = gained.minus(kept)?;

        let posted = called_off.min(gained);
        let (earned, voided) = (gained.minus(posted)?, called_off.minus(posted)?);
        let new_lot = || Lot::earned(LotId(Uuid::now_v7()), gained, earned_at, &book.calendar);
        let new_lot = gained.is_positive().then(new_lot);
        let account = book.account_mut(member)?;
        account.pending = account.pending.plus(waiting)?;
        let (mut in_post, mut in_earn) = (Vec::new(), Vec::new());
        if let Some(new_lot) = new_lot {
            let lot = new_lot.id;
            let kept = account.add_lot(new_lot)?;
            in_post.push((lot, kept.min(posted).get(), 0));
            in_earn.push((lot, kept.minus(kept.min(posted))?.get(), 0));
            self.lots.push(lot);
        }
        // What a hold pins is the member's still: without it, whoever holds before returning would keep both.
        let lapsed = account.take_lapsed(taken_back, &self.lots)?;
        let reversed = policy.takes(taken_back.minus(lapsed)?, account.available.plus(account.held)?);
        let taken = account.take(reversed, &self.lots)?;
        self.forgiven = self.forgiven.plus(taken_back.minus(reversed)?)?;

        for (kind, from, to, points, lots) in [
            (Kind::Wait, Ledger::Issued, Ledger::Pending, waits, Vec::new()),
            (Kind::Post, Ledger::Pending, Ledger::Available, posted, in_post),
            (named.gives, Ledger::Issued, Ledger::Available, earned, in_earn),
            (Kind::Void, Ledger::Pending, Ledger::Reversed, voided, Vec::new()),
            (Kind::Reverse, Ledger::Available, Ledger::Reversed, reversed, less(&taken)),
        ] {
            let source_id = format!("{}#{}", named.name, self.revision);
            let moves = vec![(from, -points.get()), (to, points.get())];
            book.write(member, kind, named.source, source_id, moves, lots)?;
        }
        self.booked = target;
        if gained.is_positive() { book.was_active(member) } else { Ok(()) }
    }
}
