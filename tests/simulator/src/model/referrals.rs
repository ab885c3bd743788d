//! Who sent whom, and what both get for the friend's first order.

use super::bonuses::Occasion;
use super::orders::Standing;
use super::told::Told;
use super::{DAY, Model};

/// What the merchant promises whoever is sent, and their advocate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    pub advocate: i64,
    pub friend: i64,
    /// What must have been paid for what is left of the order, in minor units.
    pub min: i64,
    /// Within how many days it must be placed, and how many days the points wait then.
    pub days: i64,
    pub wait_days: i64,
}

/// Whom advocates may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Referring {
    pub promise: Promise,
    /// So many in a day of the shop, or in all.
    pub most: Option<(i64, Per)>,
    /// From how many within a day on staff look at each.
    pub review_from: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Day,
    Ever,
}

/// An advocate has sent a friend.
#[derive(Debug, Clone)]
pub struct Referral {
    pub advocate: usize,
    pub friend: usize,
    pub state: State,
    /// Why it gives nothing, or is looked at.
    pub reason: Option<&'static str>,
    pub sent_at: i64,
    /// The order that it is for.
    pub order: Option<u64>,
    promise: Promise,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Waiting,
    Pending,
    Completed,
    Lapsed,
    Review,
    Refused,
}

impl State {
    /// As the backend calls it.
    pub fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Pending => "pending",
            State::Completed => "completed",
            State::Lapsed => "lapsed",
            State::Review => "review",
            State::Refused => "refused",
        }
    }
}

impl Model {
    /// A member has this code from now on, or had it before. Says whether that is so.
    pub fn has_code(&mut self, customer: u64, code: &str) -> bool {
        let member = self.member_of(customer);
        if self.codes.iter().all(|(_, whose)| *whose != member) {
            self.codes.push((code.to_owned(), member));
        }
        self.codes.iter().any(|(known, whose)| known == code && *whose == member)
    }

    /// A friend says who sent them. Says where that stands then, or the code of why not. `was_none` says that the backend
    /// knows of orders from before the app.
    pub fn says_who_sent_them(
        &mut self,
        customer: u64,
        code: &str,
        was_none: bool,
    ) -> Result<State, &'static str> {
        let friend = self.member_of(customer);
        let advocate = self.whose_code(code).ok_or("unknown_code")?;
        if let Some(known) = self.sent(friend) {
            let known = &self.referrals[known];
            return if known.advocate == advocate { Ok(known.state) } else { Err("already_referred") };
        }
        let referring = self.rules.referring.ok_or("no_referrals")?;
        let (state, reason) = self.judge(friend, advocate, self.now, was_none, &referring);
        if let (State::Refused, Some(reason)) = (state, reason) {
            return Err(reason);
        }
        let has_bought = |order: &&super::Order| order.member == Some(friend) && order.kept.is_some();
        if self.orders.iter().filter(has_bought).any(|order| order.placed_at() < self.now) {
            return Err("not_new");
        }
        self.note_referral(friend, advocate, self.now, (state, reason), referring.promise);
        Ok(state)
    }

    /// Orders that nobody has booked yet name whoever sent their customers; of several of one customer the first says it.
    /// `not_new` says of which moments the backend knew that the friend had bought before the app.
    pub fn sent_by_orders<'t>(&mut self, orders: impl Iterator<Item = &'t Told>, not_new: &[i64]) {
        let Some(referring) = self.rules.referring else { return };
        let mut named: Vec<(usize, i64, u64, &str)> = Vec::new();
        for told in orders {
            let known = self.orders.iter().find(|order| order.id == told.order);
            let is_booked = known.is_some_and(|order| order.member.is_some());
            let (Some(code), false) = (&told.sent_by, is_booked || !self.takes_on(told)) else { continue };
            let customer = self.whose.get(&told.order).copied().flatten().or(self.named_by(told));
            if let Some(customer) = customer {
                named.push((self.member_of(customer), told.placed_at, told.order, code));
            }
        }
        named.sort_unstable();
        named.dedup_by_key(|(friend, ..)| *friend);
        for (friend, placed_at, _, code) in named {
            let Some(advocate) = self.whose_code(code) else { continue };
            match self.sent(friend) {
                // Who bought as a guest and signed in then has said it later than their order did.
                Some(known) => {
                    let known = &mut self.referrals[known];
                    if known.advocate == advocate {
                        known.sent_at = known.sent_at.min(placed_at);
                    }
                }
                None => {
                    let was_none = not_new.contains(&placed_at);
                    let judged = self.judge(friend, advocate, placed_at, was_none, &referring);
                    self.note_referral(friend, advocate, placed_at, judged, referring.promise);
                }
            }
        }
    }

    fn note_referral(
        &mut self,
        friend: usize,
        advocate: usize,
        sent_at: i64,
        (state, reason): (State, Option<&'static str>),
        promise: Promise,
    ) {
        self.referrals.push(Referral { advocate, friend, state, reason, sent_at, order: None, promise });
    }

    fn whose_code(&self, code: &str) -> Option<usize> {
        self.codes.iter().find(|(known, _)| known == code).map(|(_, whose)| *whose)
    }

    /// The referral by which a friend was sent, if it was not refused.
    fn sent(&self, friend: usize) -> Option<usize> {
        self.referrals
            .iter()
            .position(|referral| referral.friend == friend && referral.state != State::Refused)
    }

    /// Where a referral between these two begins.
    fn judge(
        &self,
        friend: usize,
        advocate: usize,
        at: i64,
        was_none: bool,
        referring: &Referring,
    ) -> (State, Option<&'static str>) {
        let refused = |reason| (State::Refused, Some(reason));
        if advocate == friend {
            return refused("own_code");
        }
        if self.sent(advocate).is_some_and(|sent| self.referrals[sent].advocate == friend) {
            return refused("circular");
        }
        let theirs =
            self.referrals.iter().filter(|known| (known.friend, known.advocate) == (friend, advocate));
        if theirs.into_iter().any(|known| known.reason == Some("staff")) {
            return refused("staff");
        }
        if was_none {
            return refused("not_new");
        }
        let counts = self.referrals.iter().filter(|known| {
            known.advocate == advocate && (known.state != State::Refused || known.reason == Some("staff"))
        });
        let counts: Vec<i64> = counts.map(|known| known.sent_at).collect();
        let calendar = &self.rules.calendar;
        let is_that_day = |sent_at: &&i64| calendar.day(**sent_at) == calendar.day(at);
        let has_sent = |per| match per {
            Per::Day => counts.iter().filter(is_that_day).count(),
            Per::Ever => counts.len(),
        };
        if referring.most.is_some_and(|(most, per)| has_sent(per) as i64 >= most) {
            return refused("limit_reached");
        }
        let lately = counts.iter().filter(|sent_at| (at - DAY..=at).contains(*sent_at)).count() as i64;
        if referring.review_from.is_some_and(|from| lately + 1 >= from) {
            return (State::Review, Some("many_friends"));
        }
        (State::Waiting, None)
    }

    /// Something became of orders of these members: what referrals of them come to may be something else.
    pub(super) fn follow_friends(&mut self, friends: &[usize]) {
        let theirs = friends.iter().filter_map(|friend| self.sent(*friend));
        let theirs: Vec<usize> = theirs.collect();
        self.settle_referrals(&theirs);
    }

    /// What time alone has changed, as is looked at every night.
    pub fn lapse(&mut self) {
        let live = |referral: &Referral| !matches!(referral.state, State::Refused | State::Review);
        let live: Vec<usize> = (0..self.referrals.len()).filter(|at| live(&self.referrals[*at])).collect();
        self.settle_referrals(&live);
    }

    /// Books what these come to.
    fn settle_referrals(&mut self, which: &[usize]) {
        let is_sent: Vec<bool> =
            which.iter().map(|at| self.sent(self.referrals[*at].friend).is_some()).collect();
        for (at, is_sent) in which.iter().copied().zip(is_sent) {
            let Referral { friend, advocate, sent_at, promise, state: was, .. } = self.referrals[at];
            let (state, first) = self.comes_to(at);
            let order = first.map(|(order, _)| order);
            (self.referrals[at].state, self.referrals[at].order) = (state, order);
            let gives = |points| match state {
                State::Pending => (points, 0),
                State::Completed => (0, points),
                _ => (0, 0),
            };
            let occurred_at = first.map_or(sent_at, |(_, placed_at)| placed_at);
            // What a friend has is by the one that was not refused, if there is one.
            if was != State::Refused || !is_sent {
                self.give_for(Occasion::Referred, friend, gives(promise.friend), order, occurred_at);
            }
            self.give_for(Occasion::Referral(at), advocate, gives(promise.advocate), order, occurred_at);
        }
    }

    /// Where a referral stands now, and the order that it is for, with when that was placed.
    fn comes_to(&self, at: usize) -> (State, Option<(u64, i64)>) {
        let Referral { friend, sent_at, state, promise, .. } = self.referrals[at];
        if matches!(state, State::Refused | State::Review) {
            return (state, None);
        }
        let until = sent_at + promise.days * DAY;
        let first = self.first_that_stands(friend);
        let kept = first.filter(|first| {
            let placed_at = first.placed_at();
            sent_at <= placed_at && placed_at < until && first.kept.unwrap_or(0) >= promise.min
        });
        let Some(first) = kept else {
            return (if self.now < until { State::Waiting } else { State::Lapsed }, None);
        };
        let waits = promise.wait_days > 0 && self.now < first.placed_at() + promise.wait_days * DAY;
        let waits = waits || first.standing == Standing::Waits;
        (if waits { State::Pending } else { State::Completed }, Some((first.id, first.placed_at())))
    }

    /// Staff say that a referral counts, or that it does not. Says why that cannot be.
    pub fn decide(&mut self, at: usize, counts: bool) -> Result<(), &'static str> {
        let referral = &mut self.referrals[at];
        match (counts, referral.state) {
            (true, State::Refused) => return Err("not_in_review"),
            (true, State::Review) => (referral.state, referral.reason) = (State::Waiting, None),
            (false, State::Refused) | (true, _) => return Ok(()),
            (false, _) => (referral.state, referral.reason) = (State::Refused, Some("staff")),
        }
        self.settle_referrals(&[at]);
        Ok(())
    }

    /// A member is gone: nobody is sent by them any more, and nobody waits for them. What both have is theirs.
    pub(super) fn leave(&mut self, member: usize) {
        self.codes.retain(|(_, whose)| *whose != member);
        for referral in &mut self.referrals {
            let is_theirs = referral.friend == member || referral.advocate == member;
            if is_theirs && matches!(referral.state, State::Waiting | State::Review | State::Lapsed) {
                (referral.state, referral.reason) = (State::Refused, Some("gone"));
            }
        }
    }

    /// Two members are one: of the two by which they were sent the earlier stays; who has sent themselves has sent nobody.
    pub(super) fn merge_referrals(&mut self, from: usize, into: usize) {
        self.codes.iter_mut().filter(|(_, whose)| *whose == from).for_each(|(_, whose)| *whose = into);
        let mut theirs: Vec<usize> = [from, into].iter().filter_map(|friend| self.sent(*friend)).collect();
        theirs.sort_by_key(|at| (self.referrals[*at].sent_at, *at));
        for referral in &mut self.referrals {
            for member in [&mut referral.advocate, &mut referral.friend] {
                if *member == from {
                    *member = into;
                }
            }
        }
        let (mut refused, mut stays) = (Vec::new(), None);
        for at in theirs {
            let referral = &mut self.referrals[at];
            let reason = match (referral.advocate == into, stays) {
                (true, _) => "own_code",
                (false, Some(_)) => "merged",
                (false, None) => {
                    stays = Some(at);
                    continue;
                }
            };
            (referral.state, referral.reason) = (State::Refused, Some(reason));
            refused.push(at);
        }
        refused.extend(stays);
        self.settle_referrals(&refused);
    }
}
