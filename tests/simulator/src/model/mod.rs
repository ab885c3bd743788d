//! The naive model: what every member must have, by what the backend was told so far.
//!
//! It is written from the papers (ARCHITECTURE.md), in vectors and loops, and shares no code with the product: no rule, no
//! type, no table. Where a computation could be clever it is done from the beginning. Points are `i64`, money is minor
//! units, times are microseconds since 1970.

pub mod account;
pub mod orders;
pub mod redemptions;
pub mod tills;
pub mod told;

use self::account::Account;
use self::orders::Order;
use self::redemptions::{Hold, Use};
use self::tills::Till;
use crate::plan::Change;

pub const MINUTE: i64 = 60_000_000;
pub const DAY: i64 = 24 * 60 * MINUTE;

/// What the merchant set.
#[derive(Debug, Clone)]
pub struct Rules {
    pub earn: Earn,
    /// Returns may take more than there is.
    pub owing: bool,
    pub life_minutes: i64,
    pub grace_minutes: i64,
    /// How many days points live; for ever, where there is none.
    pub lifetime: Option<i64>,
    pub grace_days: i64,
    /// What the discount that points buy is called.
    pub title: String,
}

/// How orders earn: so many points for so many minor units.
#[derive(Debug, Clone)]
pub struct Earn {
    pub points: i64,
    pub per: i64,
    pub cap: Option<i64>,
    pub until_fulfilled: bool,
    pub wait_days: i64,
}

impl Default for Earn {
    fn default() -> Earn {
        Earn { points: 1, per: 100, cap: None, until_fulfilled: false, wait_days: 0 }
    }
}

impl Rules {
    /// The merchant sets something else.
    pub fn change(&mut self, change: Change) {
        match change {
            Change::Rate(points) => self.earn.points = points,
            Change::Cap(cap) => self.earn.cap = cap,
            Change::Owing(owing) => self.owing = owing,
            Change::WaitDays(days) => self.earn.wait_days = days,
            Change::UntilFulfilled(until) => self.earn.until_fulfilled = until,
            Change::LifetimeDays(days) => self.lifetime = days,
            Change::HoldMinutes { life, grace } => (self.life_minutes, self.grace_minutes) = (life, grace),
        }
    }

    /// How many of the points that are wanted may be taken.
    pub fn takes(&self, wanted: i64, available: i64) -> i64 {
        if self.owing { wanted } else { wanted.min(available.max(0)) }
    }

    /// When points are gone that are earned now: the day itself does not count, the last one counts whole.
    pub fn gone_at(&self, now: i64) -> Option<i64> {
        self.lifetime.map(|days| (now / DAY + days + 1) * DAY)
    }

    /// Until when points live that come back although their time is over.
    pub fn grace_ends(&self, now: i64) -> i64 {
        (now / DAY + self.grace_days + 1) * DAY
    }
}

/// The shop as the backend must see it.
#[derive(Debug, Clone)]
pub struct Model {
    pub now: i64,
    pub rules: Rules,
    pub members: Vec<Member>,
    pub orders: Vec<Order>,
    pub holds: Vec<Hold>,
    pub uses: Vec<Use>,
    pub till: Till,
    lots: usize,
}

#[derive(Debug, Clone)]
pub struct Member {
    /// The customers who are this member.
    pub customers: Vec<u64>,
    pub account: Account,
}

impl Model {
    pub fn new(rules: Rules, now: i64) -> Model {
        let (members, orders, holds, uses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Model { now, rules, members, orders, holds, uses, till: Till::default(), lots: 0 }
    }

    /// The shop told of a customer.
    pub fn member_of(&mut self, customer: u64) -> usize {
        if let Some(member) = self.find_member(customer) {
            return member;
        }
        self.members.push(Member { customers: vec![customer], account: Account::default() });
        self.members.len() - 1
    }

    pub fn find_member(&self, customer: u64) -> Option<usize> {
        self.members.iter().position(|member| member.customers.contains(&customer))
    }

    /// Available, pending and held, of a customer.
    pub fn balance(&self, customer: u64) -> (i64, i64, i64) {
        let Some(member) = self.find_member(customer) else { return (0, 0, 0) };
        let mut account = self.members[member].account.clone();
        account.expire(self.now);
        (account.available, account.pending, account.held)
    }

    /// Staff give points, or take them. Says why not.
    pub fn adjust(&mut self, customer: u64, points: i64) -> Result<(), &'static str> {
        let Some(member) = self.find_member(customer) else { return Err("unknown_member") };
        let (now, gone_at, lot) = (self.now, self.rules.gone_at(self.now), self.new_lot());
        let account = &mut self.members[member].account;
        account.expire(now);
        if points > 0 {
            account.add(lot, points, now, gone_at);
        } else if self.rules.takes(-points, account.available) < -points {
            return Err("below_floor");
        } else {
            account.take(-points, None);
        }
        Ok(())
    }

    /// A customer is gone from the shop: what they had picked is free. What they have stays in the books.
    pub fn deleted(&mut self, customer: u64) {
        let member = self.members.iter().position(|member| member.customers.first() == Some(&customer));
        let standing = member.and_then(|member| self.standing(member)).map(|hold| hold.id.clone());
        if let Some(standing) = standing {
            self.release(&standing);
        }
    }

    /// Two customers became one.
    pub fn merge(&mut self, kept: u64, gone: u64) {
        let into = self.member_of(kept);
        let Some(from) = self.find_member(gone) else { return self.members[into].customers.push(gone) };
        if from == into {
            return;
        }
        let now = self.now;
        // The kept one keeps what they hold; else they get what the other held.
        if let Some(standing) = self.standing(from).map(|hold| hold.id.clone())
            && self.standing(into).is_some()
        {
            self.release(&standing);
        }
        self.holds.iter_mut().filter(|hold| hold.member == from).for_each(|hold| hold.moves_to(into));
        self.uses.iter_mut().for_each(|used| used.belongs_to(from, into));
        self.orders
            .iter_mut()
            .filter(|order| order.member == Some(from))
            .for_each(|order| order.member = Some(into));
        self.till.merge(from, into);
        let mut customers = std::mem::take(&mut self.members[from].customers);
        let mut account = std::mem::take(&mut self.members[from].account);
        account.expire(now);
        let kept = &mut self.members[into];
        kept.account.expire(now);
        kept.account.absorb(account);
        kept.customers.append(&mut customers);
    }

    /// The number of the next lot: lots that expire together go in the order in which they came.
    fn new_lot(&mut self) -> usize {
        self.lots += 1;
        self.lots
    }
}
