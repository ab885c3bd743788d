//! What members pick, and what orders use of it.

use super::orders::Facts;
use super::told::{Back, Line, Told};
use super::{MINUTE, Model, SECOND};

/// Points that are held for a reward.
#[derive(Debug, Clone)]
pub struct Hold {
    pub id: String,
    pub member: usize,
    pub offer: Offer,
    pub state: State,
    opened_at: i64,
    /// When it closes; once it is cleared, when its points are free.
    pub expires_at: i64,
    /// When the checkout was seen not to know of it any more.
    pub cleared_at: Option<i64>,
    /// What was pinned: lot, points, and how many of them are back.
    pins: Vec<(usize, i64, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Checkouts may give its discount.
    Open,
    /// On its way out.
    Closing,
    Captured,
    Released,
}

/// What is held, what it gives, and in which currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub reward: &'static str,
    pub points: i64,
    pub gives: Gives,
    pub currency: &'static str,
}

/// Minor units of the offer's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// So much off the order; who uses less of it pays less.
    Off(i64),
    /// A tenth off the order, up to that.
    Tenth(i64),
    /// A thing, or its delivery, for nothing.
    Whole,
}

impl Offer {
    /// What it costs to use so much of it; all of it in another currency, in which it has no measure.
    fn cost(&self, used: i64, currency: &str) -> i64 {
        match self.gives {
            _ if used == 0 => 0,
            Gives::Off(off) if self.currency == currency => {
                ((self.points * used + off - 1) / off).min(self.points)
            }
            Gives::Off(_) | Gives::Tenth(_) | Gives::Whole => self.points,
        }
    }

    /// Whether it can have given so much, in that currency.
    fn gave(&self, on_lines: i64, on_delivery: i64, currency: &str) -> bool {
        let elsewhere = if self.reward == "free-delivery" { on_lines } else { on_delivery };
        self.currency == currency && elsewhere == 0 && on_lines + on_delivery <= self.worth()
    }

    /// The most money that it covers.
    fn worth(&self) -> i64 {
        match self.gives {
            Gives::Off(most) | Gives::Tenth(most) => most,
            Gives::Whole => i64::MAX,
        }
    }
}

/// What an order used.
#[derive(Debug, Clone)]
pub struct Use {
    pub order: usize,
    member: usize,
    /// By line: number, units, minor units off.
    lines: Vec<(Option<u64>, i64, i64)>,
    delivery: (i64, i64),
    /// What it cost when it came: the member, and nobody.
    paid: i64,
    unbacked: i64,
    kept: (i64, i64),
    /// What of it the program bears since it stood again.
    let_off: i64,
    pins: Vec<(usize, i64, i64)>,
    /// Whether points name it at all: a hold of somebody else's pays for nothing.
    is_ours: bool,
    pub flagged: bool,
}

/// Why a pick is refused, as the answer's code.
pub type Refused = &'static str;

impl Model {
    /// What a pick comes to: a hold that the member has already, or a new one, which has no number yet; or why not.
    pub fn may_pick(&self, customer: u64, offer: &Offer) -> Result<(), Refused> {
        let Some(member) = self.find_member(customer) else { return Err("insufficient_points") };
        if self.uses.iter().any(|used| used.member == member && used.flagged) {
            return Err("under_review");
        }
        if self.standing(member).is_some_and(|hold| hold.offer == *offer && hold.state == State::Open) {
            return Ok(());
        }
        let mut account = self.members[member].account.clone();
        account.expire(self.now);
        let times = (self.now, self.rules.grace_ends(self.now));
        for (lot, points, _) in self.standing(member).iter().flat_map(|hold| &hold.pins) {
            account.let_go(*lot, *points, times);
        }
        if account.available >= offer.points { Ok(()) } else { Err("insufficient_points") }
    }

    /// The member picked, and was told that number.
    pub fn picked(&mut self, customer: u64, offer: &Offer, id: &str) {
        let Some(member) = self.find_member(customer) else { return };
        let until = self.now + self.rules.life_minutes * MINUTE;
        if let Some(standing) = self.standing_mut(member) {
            if standing.offer == *offer && standing.state == State::Open {
                self.visited(customer);
                return;
            }
            let standing = standing.id.clone();
            self.release(&standing);
        }
        let account = &mut self.members[member].account;
        account.expire(self.now);
        let taken = account.take(offer.points, &[]);
        account.held += offer.points;
        self.holds.push(Hold {
            id: id.to_owned(),
            member,
            offer: offer.clone(),
            state: State::Open,
            opened_at: self.now,
            expires_at: until,
            cleared_at: None,
            pins: taken.into_iter().map(|(lot, points)| (lot, points, 0)).collect(),
        });
    }

    /// The member took it back.
    pub fn cancelled(&mut self, id: &str) {
        for hold in self.holds.iter_mut().filter(|hold| hold.id == id && hold.state == State::Open) {
            hold.state = State::Closing;
        }
    }

    /// A widget was visited. Nothing lives longer by that while an order waits for the merchant, nor what holds points whose
    /// time is over.
    pub fn visited(&mut self, customer: u64) {
        let (now, until) = (self.now, self.now + self.rules.life_minutes * MINUTE);
        let Some(member) = self.find_member(customer) else { return };
        if self.uses.iter().any(|used| used.member == member && used.flagged) {
            return;
        }
        let lots = &self.members[member].account.lots;
        let is_over =
            |id: usize| lots.iter().any(|lot| lot.id == id && lot.gone_at.is_some_and(|at| at <= now));
        let stands = |hold: &&mut Hold| hold.member == member && hold.state == State::Open;
        for hold in self.holds.iter_mut().filter(stands) {
            if !hold.pins.iter().any(|(lot, ..)| is_over(*lot)) {
                hold.expires_at = until.max(hold.expires_at);
            }
        }
    }

    /// Checkouts do not know of a closing hold any more: its grace begins.
    pub fn cleared(&mut self, id: &str, at: i64) {
        let grace = self.rules.grace_minutes * MINUTE;
        for hold in self.holds.iter_mut().filter(|hold| hold.id == id) {
            hold.cleared_at = Some(at);
            hold.expires_at = at + grace;
        }
    }

    /// What is due of holds: those that nobody renewed close, those that checkouts have not known for a while are free.
    pub fn advance(&mut self) {
        let now = self.now;
        let mut free = Vec::new();
        for hold in self.holds.iter_mut().filter(|hold| hold.expires_at <= now) {
            match hold.state {
                State::Open => hold.state = State::Closing,
                State::Closing if hold.cleared_at.is_some() => free.push(hold.id.clone()),
                _ => {}
            }
        }
        free.iter().for_each(|id| self.release(id));
    }

    pub fn release(&mut self, id: &str) {
        self.end(id, 0);
    }

    /// Ends a hold, of which so many points are spent.
    fn end(&mut self, id: &str, spent: i64) {
        let times = (self.now, self.rules.grace_ends(self.now));
        for hold in self.holds.iter_mut().filter(|hold| hold.id == id) {
            let (now, rules) = (self.now, &self.rules);
            let account = &mut self.members[hold.member].account;
            account.expire(now);
            let mut to_spend = spent;
            for (lot, points, back) in &mut hold.pins {
                let used = to_spend.min(*points);
                to_spend -= used;
                *back = *points - used;
                account.let_go(*lot, *back, times);
            }
            account.held -= hold.offer.points;
            hold.state = if spent > 0 { State::Captured } else { State::Released };
            if spent > 0 {
                account.was_active(|days| rules.over_in(days, now));
            }
        }
    }

    pub fn standing(&self, member: usize) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.member == member && hold.is_held())
    }

    fn standing_mut(&mut self, member: usize) -> Option<&mut Hold> {
        self.holds.iter_mut().find(|hold| hold.member == member && hold.is_held())
    }

    /// An order that carries our discount is seen first: the hold that it names pays for it, else the member, else nobody.
    pub fn use_points(&mut self, order: usize, told: &Told) {
        let lines: Vec<_> = told.lines.iter().filter(|line| line.off > 0).collect();
        let lines: Vec<_> = lines.into_iter().map(|line| (line.id, line.quantity, line.off)).collect();
        let used = lines.iter().map(|(_, _, off)| off).sum::<i64>() + told.delivery.0;
        let Some(member) = self.orders[order].member.filter(|_| used > 0) else { return };
        // Of those of their own that are named: what is held, else what can have given it. Else the hold that stands, if that
        // was there when the order was placed; else whatever is named. What is somebody else's pays for nothing.
        let own = |hold: &&Hold| hold.member == member;
        let named = || {
            told.marks.iter().filter_map(|mark| self.holds.iter().find(|hold| hold.id == *mark)).filter(own)
        };
        let (on_lines, on_delivery) = (used - told.delivery.0, told.delivery.0);
        let hold = named().find(|hold| hold.is_held());
        let hold =
            hold.or_else(|| named().find(|hold| hold.offer.gave(on_lines, on_delivery, &told.currency)));
        let stands =
            || self.standing(member).filter(|hold| hold.opened_at / SECOND <= told.placed_at / SECOND);
        let named = hold.or_else(stands).or_else(|| named().next()).cloned();
        let mut settled = Use {
            order,
            member,
            lines,
            delivery: told.delivery,
            paid: 0,
            unbacked: 0,
            kept: (0, 0),
            let_off: 0,
            pins: Vec::new(),
            is_ours: false,
            flagged: true,
        };
        if let Some(hold) = named {
            let cost = hold.offer.cost(used, &told.currency);
            let (now, rules) = (self.now, self.rules.clone());
            self.members[member].account.expire(now);
            settled.is_ours = true;
            if hold.is_held() {
                self.end(&hold.id, cost);
                settled.paid = cost;
                settled.flagged = used > hold.offer.worth();
                let ended = self.holds.iter().find(|known| known.id == hold.id);
                settled.pins = ended.map(|ended| ended.pins.clone()).unwrap_or_default();
            } else {
                // The order was on its way when the member picked anew: the newer pick pays for it.
                let newer = self.standing(member).map(|newer| newer.id.clone());
                let short = self.members[member].account.available < cost;
                if let (Some(newer), true, State::Released) = (newer, short, hold.state) {
                    self.release(&newer);
                }
                let account = &mut self.members[member].account;
                settled.paid = rules.takes(cost, account.available);
                settled.unbacked = cost - settled.paid;
                settled.pins = account
                    .take(settled.paid, &[])
                    .into_iter()
                    .map(|(lot, points)| (lot, points, 0))
                    .collect();
                if settled.paid > 0 {
                    account.was_active(|days| rules.over_in(days, now));
                }
                let covered = used.min(hold.offer.worth());
                let backed = covered * settled.paid / cost;
                settled.flagged = hold.state == State::Captured || used > backed;
            }
        }
        settled.kept = (settled.paid, settled.unbacked);
        self.uses.push(settled);
    }

    /// What of an order's redemption stands: less where something came back, all of it again where a void order is paid.
    pub fn stand(&mut self, order: usize, facts: &Facts, gone: &[Back]) {
        let Some(at) = self.uses.iter().position(|used| used.order == order && used.is_ours) else { return };
        let (now, rules) = (self.now, self.rules.clone());
        let newest = self.orders[order].newest().map(|told| told.lines.clone()).unwrap_or_default();
        let delivery = self.orders[order].newest().map_or((0, 0), |told| told.delivery);
        let lot = self.number();
        let used = &mut self.uses[at];
        let account = &mut self.members[used.member].account;
        account.expire(now);

        let (paid, unbacked) = if facts.void { (0, 0) } else { used.stands(&newest, delivery, gone) };
        let due = paid - used.kept.0 - used.let_off;
        let (paid, let_off) = if due > 0 {
            let taken = rules.takes(due, account.available);
            (taken, due - taken)
        } else {
            let let_off = due.max(-used.let_off);
            (due - let_off, let_off)
        };
        let nobody = unbacked + used.let_off + let_off - used.kept.1;
        used.kept = (used.kept.0 + paid, used.kept.1 + nobody);
        used.let_off += let_off;
        used.flagged |= let_off > 0;
        if paid > 0 {
            for (lot, points) in account.take(paid, &[]) {
                match used.pins.iter_mut().find(|pin| pin.0 == lot) {
                    Some(pin) => {
                        let again = points.min(pin.2);
                        pin.2 -= again;
                        pin.1 += points - again;
                    }
                    None => used.pins.push((lot, points, 0)),
                }
            }
        }
        // The lot that was taken last comes back first.
        let mut back = (-paid).max(0);
        for (lot, points, returned) in used.pins.iter_mut().rev() {
            let part = back.min(*points - *returned);
            account.give_back(*lot, part, (now, rules.grace_ends(now)));
            *returned += part;
            back -= part;
        }
        // What was owed lay in no lot.
        if back > 0 {
            account.add(lot, back, now, rules.life(now));
        }
    }
}

impl Use {
    /// What of it stands, by the lines as they are and what is gone of them.
    fn stands(&self, newest: &[Line], delivery: (i64, i64), gone: &[Back]) -> (i64, i64) {
        let total = self.lines.iter().map(|(_, _, off)| off).sum::<i64>() + self.delivery.0;
        let mut left = delivery.0;
        let refunded = gone.iter().filter(|back| back.line.is_none());
        let refunded: Vec<i64> = refunded.map(|back| back.amount).collect();
        if !refunded.is_empty() && delivery.0 > 0 {
            let back = refunded.iter().sum::<i64>().min(delivery.1);
            left -= if delivery.1 > 0 { delivery.0 * back / delivery.1 } else { delivery.0 };
        }
        for line in newest.iter().filter(|line| line.off > 0) {
            let units = gone.iter().filter(|back| back.line == line.id).map(|back| back.units);
            let units = units.sum::<i64>().min(line.quantity);
            left += line.off - line.off * units / line.quantity;
        }
        let freed = total - left.clamp(0, total);
        let stands = |points: i64| points - points * freed / total;
        (stands(self.paid), stands(self.unbacked))
    }

    pub fn belongs_to(&mut self, from: usize, into: usize) {
        if self.member == from {
            self.member = into;
        }
    }
}

impl Hold {
    pub fn is_held(&self) -> bool {
        matches!(self.state, State::Open | State::Closing)
    }

    /// Only where checkouts show it; a closing one begins its grace once the other's checkouts do not.
    pub fn moves_to(&mut self, into: usize) {
        self.member = into;
        if self.state == State::Closing {
            self.cleared_at = None;
        }
    }
}
