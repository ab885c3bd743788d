//! What members get for occasions, each once.

use super::Model;
use super::orders::Standing;
use super::tally::Tally;

/// What is booked for an occasion in a member's life.
#[derive(Debug, Clone)]
pub struct Bonus {
    pub occasion: Occasion,
    pub member: usize,
    /// Bonuses are numbered as they come.
    number: usize,
    /// The order that it is for.
    order: Option<u64>,
    occurred_at: i64,
    tally: Tally,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    SignUp,
    FirstOrder,
}

impl Model {
    /// The bonus for the first order belongs to the first that stands, of all of a member's orders.
    pub fn follow_orders(&mut self) {
        for member in 0..self.members.len() {
            let mut moved = false;
            for order in self.orders.iter_mut().filter(|order| order.member == Some(member)) {
                moved |= std::mem::take(&mut order.moved);
            }
            if moved {
                self.follow(member);
            }
        }
    }

    fn follow(&mut self, member: usize) {
        let first = self.first_order(member);
        let at = self
            .bonuses
            .iter()
            .position(|bonus| (bonus.occasion, bonus.member) == (Occasion::FirstOrder, member));
        let bonus = match (at, first) {
            (Some(at), _) => self.bonuses.remove(at),
            (None, Some((_, placed_at, gives))) if gives != (0, 0) => Bonus {
                occasion: Occasion::FirstOrder,
                member,
                number: self.number(),
                order: None,
                occurred_at: placed_at,
                tally: Tally::default(),
            },
            (None, _) => return,
        };
        self.belong_to(bonus, first);
    }

    /// The bonus is for that order from now on.
    fn belong_to(&mut self, mut bonus: Bonus, first: Option<(u64, i64, (i64, i64))>) {
        bonus.order = first.map(|first| first.0);
        bonus.occurred_at = first.map_or(bonus.occurred_at, |first| first.1);
        let gives = first.map_or((0, 0), |first| first.2);
        self.expire(bonus.member);
        self.book(bonus.member, &mut bonus.tally, gives, bonus.occurred_at);
        self.bonuses.push(bonus);
    }

    /// The first order of a member of which anything is left that counts: its number, when it was placed, what it gives
    /// for being the first.
    fn first_order(&self, member: usize) -> Option<(u64, i64, (i64, i64))> {
        let theirs = self.orders.iter().filter(|order| order.member == Some(member));
        let standing = theirs.filter(|order| order.standing != Standing::Gone);
        let first = standing.min_by_key(|order| (order.placed_at(), order.id))?;
        let gives = match first.standing {
            Standing::Gone => (0, 0),
            Standing::Waits => (first.gives_first, 0),
            Standing::Stands => (0, first.gives_first),
        };
        Some((first.id, first.placed_at(), gives))
    }

    /// Customers have accounts at the shop.
    pub fn signed_up(&mut self, customers: &[u64]) {
        let Some(points) = self.rules.sign_up else { return };
        for customer in customers {
            let Some(member) = self.find_member(*customer) else { continue };
            if self.bonuses.iter().any(|bonus| (bonus.occasion, bonus.member) == (Occasion::SignUp, member)) {
                continue;
            }
            let mut bonus = Bonus {
                occasion: Occasion::SignUp,
                member,
                number: self.number(),
                order: None,
                occurred_at: self.now,
                tally: Tally::default(),
            };
            self.expire(member);
            self.book(member, &mut bonus.tally, (0, points), bonus.occurred_at);
            self.bonuses.push(bonus);
        }
    }

    /// What both of two members had was had once: the earlier stays, of first orders the one that is for the first.
    pub fn merge_bonuses(&mut self, from: usize, into: usize) {
        let first = self.first_order(into);
        for occasion in [Occasion::FirstOrder, Occasion::SignUp] {
            let is_theirs =
                |bonus: &Bonus| bonus.occasion == occasion && [from, into].contains(&bonus.member);
            let mut both: Vec<Bonus> =
                self.bonuses.iter().filter(|bonus| is_theirs(bonus)).cloned().collect();
            self.bonuses.retain(|bonus| !is_theirs(bonus));
            both.iter_mut().for_each(|bonus| bonus.member = into);
            both.sort_by_key(|bonus| {
                let is_first = occasion == Occasion::FirstOrder && bonus.order == first.map(|first| first.0);
                (!is_first, bonus.occurred_at, bonus.number)
            });
            let mut both = both.into_iter();
            let Some(stays) = both.next() else { continue };
            for mut other in both {
                self.book(into, &mut other.tally, (0, 0), other.occurred_at);
            }
            match occasion {
                Occasion::FirstOrder => self.belong_to(stays, first),
                Occasion::SignUp => self.bonuses.push(stays),
            }
        }
    }
}
