//! What is booked for one thing that gives points: an order, or an occasion.

use super::Model;

#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub pending: i64,
    pub posted: i64,
    /// What could not be taken back.
    pub forgiven: i64,
    /// The lots in which it lies.
    pub lots: Vec<usize>,
}

impl Model {
    /// Books the difference between what should be booked for a member and what is.
    pub fn book(&mut self, member: usize, tally: &mut Tally, target: (i64, i64), earned_at: i64) {
        let (pending, posted) = target;
        if (pending, posted) == (tally.pending, tally.posted) {
            return;
        }
        let (now, lot, rules) = (self.now, self.number(), &self.rules);
        let account = &mut self.members[member].account;
        account.pending += pending - tally.pending;
        let change = posted - tally.posted;
        if change > 0 {
            // What the member was let off before is not given twice.
            let let_off = change.min(tally.forgiven);
            tally.forgiven -= let_off;
            if change > let_off {
                account.add(lot, change - let_off, earned_at, rules.life(now));
                tally.lots.push(lot);
                account.was_active(|days| rules.over_in(days, now));
            }
        } else if change < 0 {
            let lapsed = account.take_lapsed(-change, &tally.lots);
            let wanted = -change - lapsed;
            // What a hold pins is the member's still.
            let taken = rules.takes(wanted, account.available + account.held);
            account.take(taken, &tally.lots);
            tally.forgiven += -change - taken;
        }
        tally.pending = pending;
        tally.posted = posted;
    }
}
