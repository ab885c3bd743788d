//! The naive model: what every member must have, by what the backend was told so far.
//!
//! It is written from the papers (`docs/`), in vectors and loops, and shares no code with the product: no rule, no
//! type, no table. Where a computation could be clever it is done from the beginning. Points are `i64`, money is minor
//! units, times are microseconds since 1970.

pub mod account;
pub mod bonuses;
pub mod calendar;
pub mod earn;
pub mod orders;
pub mod people;
pub mod redemptions;
pub mod referrals;
pub mod shelves;
mod tally;
pub mod tills;
pub mod told;

use std::collections::HashMap;

use jiff::civil::Date;

use self::account::{Account, Life};
use self::bonuses::{Birthday, BirthdayBonus, Bonus};
use self::calendar::Calendar;
use self::earn::Earn;
use self::orders::Order;
use self::people::Person;
use self::redemptions::{Hold, Use};
use self::referrals::{Referral, Referring};
use self::shelves::Shelf;
use self::tills::Till;

pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const DAY: i64 = 24 * 60 * MINUTE;

/// What the merchant set.
#[derive(Debug, Clone)]
pub struct Rules {
    pub calendar: Calendar,
    pub earn: Earn,
    /// Returns may take more than there is.
    pub owing: bool,
    pub life_minutes: i64,
    pub grace_minutes: i64,
    pub lifetime: Option<Lifetime>,
    pub grace_days: i64,
    pub sign_up: Option<i64>,
    pub first_order: Option<i64>,
    pub birthday: Option<BirthdayBonus>,
    pub referring: Option<Referring>,
    /// What the discount that points buy is called.
    pub title: String,
}

/// How many days points live; for ever, where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    pub days: i64,
    /// From what the member did last, else from when they were earned.
    pub rolls: bool,
}

impl Rules {
    /// How many of the points that are wanted may be taken.
    pub fn takes(&self, wanted: i64, available: i64) -> i64 {
        if self.owing { wanted } else { wanted.min(available.max(0)) }
    }

    /// How long points live that are earned now.
    pub fn life(&self, now: i64) -> Life {
        let gone_at = self.lifetime.map(|lifetime| self.over_in(lifetime.days, now));
        Life { gone_at, rolls: self.lifetime.filter(|lifetime| lifetime.rolls).map(|lifetime| lifetime.days) }
    }

    /// When so many days are over: this one does not count, the last one counts whole.
    pub fn over_in(&self, days: i64, now: i64) -> i64 {
        self.calendar.days_later(now, days + 1)
    }

    /// Until when points live that come back although their time is over.
    pub fn grace_ends(&self, now: i64) -> i64 {
        self.over_in(self.grace_days, now)
    }
}

/// The shop as the backend must see it.
#[derive(Debug, Clone)]
pub struct Model {
    pub now: i64,
    /// Since when the backend knows that the shop has the app; none while it knows that it has not.
    pub installed_at: Option<i64>,
    pub rules: Rules,
    pub members: Vec<Member>,
    pub orders: Vec<Order>,
    pub holds: Vec<Hold>,
    pub uses: Vec<Use>,
    pub bonuses: Vec<Bonus>,
    pub referrals: Vec<Referral>,
    /// What members hand on, and whose it is.
    codes: Vec<(String, usize)>,
    people: Vec<Person>,
    /// Whose orders are, as files of all orders told before webhooks did; none who was erased since.
    whose: HashMap<u64, Option<u64>>,
    pub shelves: Vec<Shelf>,
    /// Things that were told of, and when they had changed.
    products: Vec<(u64, i64)>,
    /// What the merchant had set from when on.
    set: Vec<(i64, Rules)>,
    /// The last day whose birthdays were looked at.
    celebrated: Option<Date>,
    pub till: Till,
    numbers: usize,
}

#[derive(Debug, Clone)]
pub struct Member {
    /// The customers who are this member.
    pub customers: Vec<u64>,
    pub account: Account,
    pub tier: Option<&'static str>,
    pub birthday: Option<Birthday>,
    signed_up: bool,
    deleted: bool,
}

/// The tiers there are, the lowest first.
pub const TIERS: [&str; 2] = ["silver", "gold"];

impl Model {
    pub fn new(rules: Rules, now: i64) -> Model {
        let set = vec![(now, rules.clone())];
        Model {
            now,
            installed_at: Some(now),
            rules,
            members: Vec::new(),
            orders: Vec::new(),
            holds: Vec::new(),
            uses: Vec::new(),
            bonuses: Vec::new(),
            referrals: Vec::new(),
            codes: Vec::new(),
            people: Vec::new(),
            whose: HashMap::new(),
            shelves: Vec::new(),
            products: Vec::new(),
            set,
            celebrated: None,
            till: Till::default(),
            numbers: 0,
        }
    }

    /// The merchant has set other rules.
    pub fn rules_set(&mut self) {
        self.set.push((self.now, self.rules.clone()));
    }

    /// The shop tells that it has no app any more; late, perhaps, after the app was installed again.
    pub fn uninstalled(&mut self, at: i64) {
        self.installed_at = self.installed_at.filter(|installed_at| *installed_at >= at);
    }

    /// What happens by those rules.
    fn by(&mut self, rules: Rules, happen: impl FnOnce(&mut Model)) {
        let present = std::mem::replace(&mut self.rules, rules);
        happen(self);
        self.rules = present;
    }

    /// What happened at that time.
    pub fn as_of(&mut self, then: i64, happen: impl FnOnce(&mut Model)) {
        let now = std::mem::replace(&mut self.now, then);
        happen(self);
        self.now = now;
    }

    /// The shop told of a customer.
    pub fn member_of(&mut self, customer: u64) -> usize {
        if let Some(member) = self.find_member(customer) {
            return member;
        }
        self.members.push(Member {
            customers: vec![customer],
            account: Account::default(),
            tier: None,
            birthday: None,
            signed_up: false,
            deleted: false,
        });
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
        let (now, life, lot) = (self.now, self.rules.life(self.now), self.number());
        let account = &mut self.members[member].account;
        account.expire(now);
        if points > 0 {
            account.add(lot, points, now, life);
        } else if self.rules.takes(-points, account.available) < -points {
            return Err("below_floor");
        } else {
            account.take(-points, &[]);
        }
        Ok(())
    }

    /// Staff say to which tier a customer belongs.
    pub fn assign(&mut self, customer: u64, tier: Option<&'static str>) -> Result<(), &'static str> {
        let member = self.find_member(customer).ok_or("unknown_member")?;
        self.members[member].tier = tier;
        Ok(())
    }

    /// A customer is gone from the shop: what they had picked is free. What they have stays in the books.
    pub fn deleted(&mut self, customer: u64) {
        let member = self.members.iter().position(|member| member.customers.first() == Some(&customer));
        if let Some(member) = member {
            self.members[member].deleted = true;
            self.members[member].birthday = None;
            self.leave(member);
        }
        let standing = member.and_then(|member| self.standing(member)).map(|hold| hold.id.clone());
        if let Some(standing) = standing {
            self.release(&standing);
        }
    }

    /// What leads to a customer is erased: what they had picked is free, what they have stays in the books, and whoever comes
    /// with their number is somebody else. One who became another is only forgotten.
    pub fn erased(&mut self, customer: u64) {
        let Some(member) = self.find_member(customer) else { return };
        let customers = &mut self.members[member].customers;
        let is_own = customers.first() == Some(&customer);
        let (gone, left): (Vec<u64>, _) = customers.drain(..).partition(|known| is_own || *known == customer);
        *customers = left;
        self.forget(&gone);
        if !is_own {
            return;
        }
        self.members[member].birthday = None;
        self.leave(member);
        if let Some(standing) = self.standing(member).map(|hold| hold.id.clone()) {
            self.release(&standing);
        }
    }

    /// Nothing leads to these customers any more.
    fn forget(&mut self, gone: &[u64]) {
        self.people.retain(|person| !gone.contains(&person.customer));
        for order in &mut self.orders {
            order.customer = order.customer.filter(|customer| !gone.contains(customer));
        }
        for customer in self.whose.values_mut() {
            *customer = customer.filter(|customer| !gone.contains(customer));
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
        let rank = |tier: Option<&str>| tier.map(|tier| TIERS.iter().position(|one| *one == tier));
        let theirs = self.members[from].tier.take();
        let birthday = self.members[from].birthday.take();
        let kept = &mut self.members[into];
        if rank(kept.tier) < rank(theirs) {
            kept.tier = theirs;
        }
        kept.birthday = kept.birthday.or(birthday);
        self.merge_bonuses(from, into);
        self.merge_referrals(from, into);
    }

    /// What time has taken from a member is gone.
    fn expire(&mut self, member: usize) {
        self.members[member].account.expire(self.now);
    }

    /// The number of the next lot: lots that expire together go in the order in which they came.
    fn number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }
}
