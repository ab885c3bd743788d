//! What members get for occasions, each once.

use jiff::ToSpan;
use jiff::civil::Date;

use super::Model;
use super::orders::{Order, Standing};
use super::tally::Tally;

/// What is booked for an occasion in a member's life.
#[derive(Debug, Clone)]
pub struct Bonus {
    pub occasion: Occasion,
    pub member: usize,
    /// The order that it is for.
    order: Option<u64>,
    occurred_at: i64,
    tally: Tally,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    SignUp,
    FirstOrder,
    /// Of this year.
    Birthday(i16),
    /// Somebody sent them.
    Referred,
    /// They sent somebody, by the referral of this number.
    Referral(usize),
}

/// The day of a member's birthday in a year, and when it was told first.
#[derive(Debug, Clone, Copy)]
pub struct Birthday {
    pub month: i8,
    pub day: i8,
    told_at: i64,
}

/// What birthdays give, and how many days ahead they must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BirthdayBonus {
    pub points: i64,
    pub ahead: i64,
}

impl Model {
    /// What members get for their first order belongs to the first that stands, of all of their orders; so does what they and
    /// whoever sent them get for that.
    pub fn follow_orders(&mut self) {
        let mut friends = Vec::new();
        for member in 0..self.members.len() {
            let (mut moved, mut counts) = (false, false);
            for order in self.orders.iter_mut().filter(|order| order.member == Some(member)) {
                moved |= std::mem::take(&mut order.moved);
                counts |= std::mem::take(&mut order.counts_otherwise);
            }
            if moved {
                self.follow(member);
            }
            if moved || counts {
                friends.push(member);
            }
        }
        self.follow_friends(&friends);
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
        let first = self.first_that_stands(member)?;
        let gives = match first.standing {
            Standing::Gone => (0, 0),
            Standing::Waits => (first.gives_first, 0),
            Standing::Stands => (0, first.gives_first),
        };
        Some((first.id, first.placed_at(), gives))
    }

    pub(super) fn first_that_stands(&self, member: usize) -> Option<&Order> {
        let theirs = self.orders.iter().filter(|order| order.member == Some(member));
        let standing = theirs.filter(|order| order.standing != Standing::Gone);
        standing.min_by_key(|order| (order.placed_at(), order.id))
    }

    /// What a member has for an occasion is this now, by that order.
    pub(super) fn give_for(
        &mut self,
        occasion: Occasion,
        member: usize,
        gives: (i64, i64),
        order: Option<u64>,
        occurred_at: i64,
    ) {
        let is_it = |bonus: &Bonus| (bonus.occasion, bonus.member) == (occasion, member);
        let mut bonus = match self.bonuses.iter().position(is_it) {
            Some(at) => self.bonuses.remove(at),
            None if gives == (0, 0) => return,
            None => Bonus { occasion, member, order: None, occurred_at, tally: Tally::default() },
        };
        if (bonus.order, bonus.tally.pending, bonus.tally.posted) != (order, gives.0, gives.1) {
            (bonus.order, bonus.occurred_at) = (order, occurred_at);
            self.expire(member);
            self.book(member, &mut bonus.tally, gives, occurred_at);
        }
        self.bonuses.push(bonus);
    }

    /// Customers have accounts at the shop.
    pub fn signed_up(&mut self, customers: &[u64]) {
        let Some(points) = self.rules.sign_up else { return };
        for customer in customers {
            // Who was deleted in the same batch has nothing of it.
            if let Some(member) = self.find_member(*customer).filter(|member| !self.members[*member].deleted)
            {
                self.give(member, Occasion::SignUp, points, self.now);
            }
        }
    }

    /// A customer tells their birthday.
    pub fn told_birthday(&mut self, customer: u64, month: i8, day: i8) {
        let (member, told_at) = (self.member_of(customer), self.now);
        let known = &mut self.members[member].birthday;
        if known.is_none_or(|known| (known.month, known.day) != (month, day)) {
            *known = Some(Birthday { month, day, told_at });
        }
    }

    /// Birthdays until today that nobody looked at yet, by what the merchant had set when their day began.
    pub fn celebrate(&mut self) {
        let today = self.rules.calendar.day(self.now);
        let mut day = self.celebrated.map_or(today, |last| last.saturating_add(1.day()));
        while day <= today {
            self.celebrate_on(day);
            self.celebrated = Some(day);
            day = day.saturating_add(1.day());
        }
    }

    fn celebrate_on(&mut self, day: Date) {
        let begins = self.rules.calendar.start(day);
        let set = self.set.iter().rev().find(|(set_at, _)| *set_at <= begins);
        let Some(rules) = set.map(|(_, rules)| rules.clone()) else { return };
        let Some(BirthdayBonus { points, ahead }) = rules.birthday else { return };
        let told_before = self.rules.calendar.start(day.saturating_sub((ahead - 1).days()));
        for member in 0..self.members.len() {
            let is_theirs = |theirs: Birthday| (theirs.month, theirs.day) == (day.month(), day.day());
            let birthday = self.members[member].birthday;
            if birthday.is_some_and(|theirs| is_theirs(theirs) && theirs.told_at < told_before) {
                let occasion = Occasion::Birthday(day.year());
                self.by(rules.clone(), |model| model.give(member, occasion, points, begins));
            }
        }
    }

    /// Gives a member what an occasion gives, once.
    fn give(&mut self, member: usize, occasion: Occasion, points: i64, occurred_at: i64) {
        if self.bonuses.iter().any(|bonus| (bonus.occasion, bonus.member) == (occasion, member)) {
            return;
        }
        let (order, mut tally) = (None, Tally::default());
        self.expire(member);
        self.book(member, &mut tally, (0, points), occurred_at);
        self.bonuses.push(Bonus { occasion, member, order, occurred_at, tally });
    }

    /// What both of two members had was had once: the earlier stays, of first orders the one that is for the first.
    pub fn merge_bonuses(&mut self, from: usize, into: usize) {
        let first = self.first_order(into);
        let theirs = self.bonuses.iter().filter(|bonus| [from, into].contains(&bonus.member));
        let mut occasions: Vec<Occasion> = theirs.map(|bonus| bonus.occasion).collect();
        occasions.sort_unstable();
        occasions.dedup();
        for occasion in occasions {
            let is_theirs =
                |bonus: &Bonus| bonus.occasion == occasion && [from, into].contains(&bonus.member);
            let mut both: Vec<Bonus> =
                self.bonuses.iter().filter(|bonus| is_theirs(bonus)).cloned().collect();
            self.bonuses.retain(|bonus| !is_theirs(bonus));
            both.sort_by_key(|bonus| {
                let is_first = occasion == Occasion::FirstOrder && bonus.order == first.map(|first| first.0);
                (!is_first, bonus.occurred_at, bonus.member != into)
            });
            both.iter_mut().for_each(|bonus| bonus.member = into);
            let mut both = both.into_iter();
            let Some(stays) = both.next() else { continue };
            for mut other in both {
                self.book(into, &mut other.tally, (0, 0), other.occurred_at);
            }
            match occasion {
                Occasion::FirstOrder => self.belong_to(stays, first),
                _ => self.bonuses.push(stays),
            }
        }
    }
}
