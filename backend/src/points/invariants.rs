//! What must always hold of the ledger, counted: each invariant with the number of places where it does not.

use super::bonuses;
use crate::db;
use crate::db::Read;
use crate::ids::ShopId;

crate::text_enum! {
    /// What the recount looks at.
    pub enum Invariant {
        /// An entry moves points from one account to others.
        PostingsSumToZero = "postings_sum_to_zero",
        /// An entry without postings is none.
        EntriesMoveSomething = "entries_move_something",
        /// Whatever moves points belongs to an entry.
        PostingsAndMovesHaveTheirEntry = "postings_and_moves_have_their_entry",
        /// What a member has is what was posted.
        BalancesAreTheirPostings = "balances_are_their_postings",
        /// What a member has to spend lies in lots, unless it is owed.
        AvailableIsOpenLotsLessDeficit = "available_is_open_lots_less_deficit",
        /// A lot holds between nothing and what was earned.
        LotsHoldNoMoreThanWasEarned = "lots_hold_no_more_than_was_earned",
        /// A lot holds what entries put into it and did not take out.
        LotsAreWhatEntriesMoved = "lots_are_what_entries_moved",
        /// Once a lot is over, it only expires.
        NothingIsSpentFromAnExpiredLot = "nothing_is_spent_from_an_expired_lot",
        /// What is held is what is pinned of lots.
        HeldIsWhatHoldsPin = "held_is_what_holds_pin",
        /// Nobody waits for less than nothing.
        PendingAndHeldAreNotNegative = "pending_and_held_are_not_negative",
    }
}

impl Invariant {
    const ALL: [Invariant; 10] = [
        Invariant::PostingsSumToZero,
        Invariant::EntriesMoveSomething,
        Invariant::PostingsAndMovesHaveTheirEntry,
        Invariant::BalancesAreTheirPostings,
        Invariant::AvailableIsOpenLotsLessDeficit,
        Invariant::LotsHoldNoMoreThanWasEarned,
        Invariant::LotsAreWhatEntriesMoved,
        Invariant::NothingIsSpentFromAnExpiredLot,
        Invariant::HeldIsWhatHoldsPin,
        Invariant::PendingAndHeldAreNotNegative,
    ];

    /// Whether it can be told of a past instant, without what was stored then.
    fn holds_at_any_time(self) -> bool {
        !matches!(
            self,
            Invariant::BalancesAreTheirPostings
                | Invariant::AvailableIsOpenLotsLessDeficit
                | Invariant::HeldIsWhatHoldsPin
        )
    }
}

/// The number of places where each invariant does not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([i64; Invariant::ALL.len()]);

impl Counts {
    /// One place more, if it does not hold there.
    pub(super) fn add(&mut self, invariant: Invariant, is_violated: bool) {
        self.0[invariant as usize] += i64::from(is_violated);
    }

    /// Each invariant with its number; of the past those that can be told of it.
    pub fn all(&self, is_past: bool) -> Vec<(&'static str, i64)> {
        let told = Invariant::ALL.iter().filter(|one| !is_past || one.holds_at_any_time());
        told.map(|one| (one.as_str(), self.0[*one as usize])).collect()
    }
}

/// Counts where what stands beside the entries does not fit: what was asked for has one entry, and the other way round.
///
/// # Errors
/// Any error of the database.
pub async fn beside(read: &mut Read, shop: ShopId) -> Result<Vec<(&'static str, i64)>, db::Error> {
    let (effects,): (i64,) = db!(
        read.one,
        "select count(*) from points_effects f where f.shop_id = $1 and not exists (
             select 1 from points_entries e where e.shop_id = f.shop_id and e.entry_id = f.entry_id
                 and e.kind = f.kind and e.source = f.source and e.source_id = f.source_id)",
        shop
    )?;
    // What the program gives by itself was asked for by nobody.
    let (unasked,): (i64,) = db!(
        read.one,
        "select count(*) from points_entries e
         where e.shop_id = $1 and e.kind in ('bonus', 'adjust') and e.source <> 'program' and not exists (
             select 1 from points_effects f where f.shop_id = e.shop_id and f.kind = e.kind
                 and f.source = e.source and f.source_id = e.source_id and f.entry_id = e.entry_id)",
        shop
    )?;
    let (twice,): (i64,) = db!(
        read.one,
        "select count(*) from (
             select b.occasion, coalesce(a.merged_into, a.member_id) from points_bonuses b
                 join points_accounts a on a.shop_id = b.shop_id and a.member_id = b.member_id
             where b.shop_id = $1 group by b.occasion, coalesce(a.merged_into, a.member_id) having count(*) > 1
         ) as twice",
        shop
    )?;
    let wrong_firsts = bonuses::count_wrong_firsts(read, shop).await?;
    Ok(vec![
        ("effects_are_booked_once", effects + unasked),
        ("a_bonus_is_had_once", twice),
        ("the_first_order_that_stands_gives_its_bonus", wrong_firsts),
    ])
}
