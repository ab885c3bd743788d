//! What tills are told of what they did offline.

use super::{DAY, Model};

/// What a till did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    Enrol { customer: u64 },
    Earn { order: u64, customer: u64 },
    Redeem { customer: u64 },
    Lost,
}

/// What became of it: `done`, `waiting` or `refused`, why, and what its order earned.
pub type Answer = (&'static str, &'static str, Option<i64>);

/// What was acted upon of one till, by number, from 1: its act, and who it was about.
#[derive(Debug, Clone, Default)]
pub struct Till(Vec<(Operation, Option<usize>, Answer)>);

impl Model {
    /// A till tells what it did under a number, and when: each is acted upon once, in order.
    pub fn take(&mut self, sequence: usize, operation: &Operation, at: i64) -> Answer {
        let taken = self.till.0.len();
        if sequence > taken + 1 {
            return ("refused", "missing", None);
        }
        if sequence == taken + 1 {
            let (member, answer) = self.act(operation, at);
            self.till.0.push((operation.clone(), member, answer));
            return answer;
        }
        let (known, member, answer) = self.till.0[sequence - 1].clone();
        if known != *operation {
            return ("refused", "sequence_reused", None);
        }
        match (known, member, answer.0) {
            // Orders are not done with as long as the shop has not told of them.
            (Operation::Earn { order, .. }, Some(member), "waiting") => {
                let answer = self.earned(order, member, at);
                self.till.0[sequence - 1].2 = answer;
                answer
            }
            _ => answer,
        }
    }

    fn act(&mut self, operation: &Operation, at: i64) -> (Option<usize>, Answer) {
        if self.now - at > 30 * DAY {
            return (None, ("refused", "stale", None));
        }
        match *operation {
            Operation::Lost => (None, ("done", "lost", None)),
            Operation::Redeem { .. } => (None, ("refused", "offline", None)),
            Operation::Enrol { customer } => (Some(self.member_of(customer)), ("done", "enrolled", None)),
            Operation::Earn { order, customer } => {
                let member = self.member_of(customer);
                (Some(member), self.earned(order, member, at))
            }
        }
    }

    /// The shop has a week to tell of an order.
    fn earned(&self, order: u64, member: usize, at: i64) -> Answer {
        let order = self.orders.iter().find(|known| known.id == order && known.is_told());
        match order {
            None if self.now - at > 7 * DAY => ("refused", "order_unknown", None),
            None => ("waiting", "order_awaited", None),
            Some(order) if order.member.is_none() => ("refused", "no_customer", None),
            Some(order) if order.member != Some(member) => ("refused", "other_customer", None),
            Some(order) => {
                let points = order.tally.pending + order.tally.posted;
                ("done", if points > 0 { "earned" } else { "nothing_earned" }, Some(points))
            }
        }
    }
}

impl Till {
    /// Who was about one customer is about the one whom they became.
    pub fn merge(&mut self, from: usize, into: usize) {
        for (_, member, _) in self.0.iter_mut().filter(|(_, member, _)| *member == Some(from)) {
            *member = Some(into);
        }
    }
}
