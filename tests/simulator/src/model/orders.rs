//! What orders earn.

use super::told::{Back, Line, Payment, Refund, Told};
use super::{DAY, Earn, Model};

/// An order, and all that was ever told of it.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: u64,
    /// Who earns; none before the order itself was told of.
    pub member: Option<usize>,
    told: Vec<Told>,
    refunds: Vec<Refund>,
    /// How it earns: by the rules of the moment at which it was seen first.
    earn: Earn,
    /// The lines as they earn.
    lines: Vec<Line>,
    ripe: bool,
    pub pending: i64,
    pub posted: i64,
    /// What could not be taken back.
    pub forgiven: i64,
    lot: Option<usize>,
    booked: bool,
}

/// Where an order stands, by all that was told.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    pub paid: bool,
    pub void: bool,
    /// It was paid once, and an edit has added what is not.
    pub rest_due: bool,
    first_paid: Option<i64>,
    fulfilled: Option<i64>,
}

impl Order {
    pub fn new(id: u64) -> Order {
        Order {
            id,
            member: None,
            told: Vec::new(),
            refunds: Vec::new(),
            earn: Earn::default(),
            lines: Vec::new(),
            ripe: false,
            pending: 0,
            posted: 0,
            forgiven: 0,
            lot: None,
            booked: false,
        }
    }

    /// The newest of what was told: of two that the shop stamped alike, what came later.
    pub fn newest(&self) -> Option<&Told> {
        self.told.iter().max_by_key(|told| told.updated_at)
    }

    /// Whether the shop told of the order itself.
    pub fn is_told(&self) -> bool {
        !self.told.is_empty()
    }

    pub fn facts(&self) -> Facts {
        // Of two that the shop stamped alike, the one further along.
        let newest = self.told.iter().max_by_key(|told| (told.updated_at, told.cancelled, told.payment));
        let when = |payment| {
            self.told.iter().filter(move |told| told.payment == payment).map(|told| told.updated_at)
        };
        let payment = newest.map_or(Payment::Pending, |told| told.payment);
        let rest_due = payment == Payment::Pending && when(Payment::Paid).max() > when(Payment::Void).max();
        let fulfilled = self.told.iter().filter(|told| told.fulfilled).map(|told| told.updated_at);
        Facts {
            paid: payment == Payment::Paid || rest_due,
            void: payment == Payment::Void || newest.is_some_and(|told| told.cancelled),
            rest_due,
            first_paid: when(Payment::Paid).min(),
            fulfilled: fulfilled.min(),
        }
    }

    /// All that is gone of it: what was refunded, and what an edit took off, at the price of `earned`.
    pub fn gone(&self, earned: &[Line]) -> Vec<Back> {
        let mut gone: Vec<Back> = self.refunds.iter().flat_map(|refund| refund.back.clone()).collect();
        for line in self.newest().map(|told| told.lines.as_slice()).unwrap_or_default() {
            let refunds = self.refunds.iter().flat_map(|refund| &refund.back);
            let refunded: i64 =
                refunds.filter(|back| back.line == Some(line.id)).map(|back| back.units).sum();
            let off = line.quantity - line.current - refunded;
            if off > 0 {
                let paid =
                    earned.iter().find(|known| known.id == line.id).map_or(line.paid, |known| known.paid);
                gone.push(Back { line: Some(line.id), units: off, amount: paid * off / line.quantity });
            }
        }
        gone
    }

    /// What these lines earn after what is gone: rounded down once for the whole order, then the cap.
    fn points(&self, lines: &[Line], gone: &[Back]) -> i64 {
        let mut kept = 0;
        for line in lines {
            let back = || gone.iter().filter(|back| back.line == Some(line.id));
            let units: i64 = back().map(|back| back.units).sum();
            let amount: i64 = back().map(|back| back.amount).sum();
            if units < line.quantity {
                kept += (line.paid - amount).max(0);
            }
        }
        let points = kept * self.earn.points / self.earn.per;
        self.earn.cap.map_or(points, |cap| points.min(cap))
    }

    /// When what its points wait for comes to pass.
    pub fn ripe_at(&self, facts: &Facts, now: i64) -> Option<i64> {
        if !facts.paid || facts.void {
            return None;
        }
        let from = match self.earn.until_fulfilled {
            true => facts.fulfilled?.max(facts.first_paid?),
            false => facts.first_paid?,
        };
        let at = from + self.earn.wait_days * DAY;
        Some(if self.earn.wait_days == 0 { at.min(now) } else { at })
    }

    pub fn is_due(&self, now: i64) -> bool {
        self.booked && !self.ripe && self.ripe_at(&self.facts(), now).is_some_and(|at| at <= now)
    }
}

impl Model {
    /// The shop tells of an order.
    pub fn told_order(&mut self, told: Told) {
        let at = self.order_at(told.order);
        let is_first = self.orders[at].told.is_empty();
        if is_first {
            let member = told.customer.map(|customer| self.member_of(customer));
            self.orders[at].member = member;
            self.orders[at].earn = self.rules.earn.clone();
            self.orders[at].lines = told.lines.clone();
        }
        for refund in &told.refunds {
            self.note_refund(at, refund.clone());
        }
        self.orders[at].told.push(told.clone());
        if is_first {
            self.use_points(at, &told);
        }
        self.price_anew(at);
        self.settle(at);
    }

    /// The shop tells of a refund, perhaps before the order.
    pub fn told_refund(&mut self, order: u64, refund: Refund) {
        let at = self.order_at(order);
        self.note_refund(at, refund);
        self.settle(at);
    }

    /// Points that have waited long enough.
    pub fn post_ripe(&mut self) {
        for at in 0..self.orders.len() {
            if self.orders[at].is_due(self.now) {
                self.settle(at);
            }
        }
    }

    fn order_at(&mut self, id: u64) -> usize {
        if let Some(at) = self.orders.iter().position(|order| order.id == id) {
            return at;
        }
        self.orders.push(Order::new(id));
        self.orders.len() - 1
    }

    fn note_refund(&mut self, at: usize, refund: Refund) {
        let refunds = &mut self.orders[at].refunds;
        refunds.retain(|known| known.id != refund.id);
        refunds.push(refund);
    }

    /// What an edit adds is earned once it is paid for; what it takes off is gone at once.
    fn price_anew(&mut self, at: usize) {
        let order = &self.orders[at];
        let paid = order.told.iter().filter(|told| told.payment == Payment::Paid);
        let paid = paid.max_by_key(|told| told.updated_at);
        let lines = if order.facts().rest_due { paid } else { order.newest() };
        if let Some(lines) = lines.map(|told| told.lines.clone()) {
            self.orders[at].lines = lines;
        }
    }

    /// Books the difference between what should be booked and what is.
    fn settle(&mut self, at: usize) {
        let order = &self.orders[at];
        let (Some(member), false) = (order.member, order.told.is_empty()) else { return };
        let facts = order.facts();
        let gone = order.gone(&order.lines);
        self.stand(at, &facts, &gone);

        let now = self.now;
        let order = &mut self.orders[at];
        order.ripe |= order.ripe_at(&facts, now).is_some_and(|at| at <= now);
        let (whole, kept) = (order.points(&order.lines, &[]), order.points(&order.lines, &gone));
        let target = |points: i64, void: bool, order: &Order| match (void, facts.paid && order.ripe) {
            (true, _) => (0, 0),
            (false, true) => (0, points),
            (false, false) => (points, 0),
        };
        // What came back before the order was told of is taken back after it was booked all the same.
        if !order.booked {
            order.booked = true;
            let first = target(whole, false, order);
            self.book(at, member, first);
        }
        let last = target(kept, facts.void, &self.orders[at]);
        self.book(at, member, last);
    }

    fn book(&mut self, at: usize, member: usize, (pending, posted): (i64, i64)) {
        let (now, rules) = (self.now, self.rules.clone());
        let lot = self.new_lot();
        let order = &mut self.orders[at];
        let account = &mut self.members[member].account;
        account.expire(now);
        account.pending += pending - order.pending;
        let change = posted - order.posted;
        if change > 0 {
            // What the member was let off before is not given twice.
            let let_off = change.min(order.forgiven);
            order.forgiven -= let_off;
            if change > let_off {
                let placed_at = order.told.first().map_or(now, |told| told.placed_at);
                account.add(lot, change - let_off, placed_at, rules.gone_at(now));
                order.lot = Some(lot);
            }
        } else if change < 0 {
            let lapsed = account.take_lapsed(-change, order.lot);
            let wanted = -change - lapsed;
            // What a hold pins is the member's still.
            let taken = rules.takes(wanted, account.available + account.held);
            account.take(taken, order.lot);
            order.forgiven += -change - taken;
        }
        order.pending = pending;
        order.posted = posted;
    }
}
