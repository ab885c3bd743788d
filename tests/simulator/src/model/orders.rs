//! What orders earn.

use jiff::civil::Date;

use super::earn::{Circumstances, Earn};
use super::tally::Tally;
use super::told::{Back, Kind, Line, Payment, Refund, Told};
use super::{DAY, Model, SECOND};

/// An order, and all that was ever told of it.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: u64,
    /// Who earns; none before the order itself was told of.
    pub member: Option<usize>,
    /// Whose it is; none where nothing leads to them any more.
    pub customer: Option<u64>,
    told: Vec<Told>,
    refunds: Vec<Refund>,
    /// How it earns: by the rules of the moment at which it was seen first, and what was so then.
    earn: Earn,
    about: Circumstances,
    /// The day on whose cap it counts, where there was one.
    day: Option<Date>,
    /// What it gives beside, as long as it is the member's first.
    pub gives_first: i64,
    /// The lines as they earn.
    lines: Vec<Line>,
    ripe: bool,
    pub standing: Standing,
    /// That is another than when bonuses were looked at.
    pub moved: bool,
    /// What was paid for what is left of it, in minor units; none where nothing is.
    pub kept: Option<i64>,
    /// That is another than when bonuses were looked at.
    pub counts_otherwise: bool,
    pub tally: Tally,
    booked: bool,
}

/// What becomes of an order's points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing that counts is left of it.
    Gone,
    Waits,
    Stands,
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
            customer: None,
            told: Vec::new(),
            refunds: Vec::new(),
            earn: Earn::default(),
            about: Circumstances::default(),
            day: None,
            gives_first: 0,
            lines: Vec::new(),
            ripe: false,
            standing: Standing::Gone,
            moved: false,
            kept: None,
            counts_otherwise: false,
            tally: Tally::default(),
            booked: false,
        }
    }

    /// When it was placed.
    pub fn placed_at(&self) -> i64 {
        self.told.first().map_or(0, |told| told.placed_at)
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

    /// All that is gone of it: what was refunded, and what an edit took off, at the price of `earned`. Money of no line is gone
    /// of all that is left, delivery last.
    pub fn gone(&self, earned: &[Line]) -> Vec<Back> {
        let mut gone: Vec<Back> = self.refunds.iter().flat_map(|refund| refund.back.clone()).collect();
        for line in self.newest().map(|told| told.lines.as_slice()).unwrap_or_default() {
            let refunds = self.refunds.iter().flat_map(|refund| &refund.back);
            let refunded: i64 = refunds.filter(|back| back.line == line.id).map(|back| back.units).sum();
            let off = line.quantity - line.current - refunded;
            if off > 0 {
                let amount = line.paid_in(earned) * off / line.quantity;
                gone.push(Back { line: line.id, units: off, amount });
            }
        }
        let money: i64 = self.refunds.iter().map(|refund| refund.difference).sum();
        let lines = self.newest().map(|told| told.lines.as_slice()).unwrap_or_default();
        let left: Vec<(&Line, i64)> = lines.iter().map(|line| (line, line.left(earned, &gone))).collect();
        let (delivery, goods): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|(line, _)| line.kind == Kind::Delivery);
        let over = money.max(0) - spread(money.max(0), &goods, &mut gone);
        spread(over, &delivery, &mut gone);
        gone
    }

    /// What is a tip in one message is a tip in all.
    fn agree_on_tips(&mut self, new: &mut Told) {
        let mut lines: Vec<&mut Line> =
            self.told.iter_mut().chain([new]).flat_map(|told| &mut told.lines).collect();
        let tips: Vec<Option<u64>> =
            lines.iter().filter(|line| line.kind == Kind::Tip).map(|line| line.id).collect();
        for line in lines.iter_mut().filter(|line| tips.contains(&line.id)) {
            line.kind = Kind::Tip;
        }
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

impl Line {
    /// What was paid for what is left of it.
    fn left(&self, earned: &[Line], gone: &[Back]) -> i64 {
        let paid = self.paid_in(earned);
        let back: Vec<&Back> = gone.iter().filter(|back| back.line == self.id).collect();
        let units: i64 = back.iter().map(|back| back.units).sum();
        match self.kind != Kind::Delivery && units >= self.quantity {
            true => 0,
            false => (paid - back.iter().map(|back| back.amount).sum::<i64>()).max(0),
        }
    }
}

/// Takes money off lines of which so much is left, in proportion, and says how much that was.
fn spread(money: i64, left: &[(&Line, i64)], gone: &mut Vec<Back>) -> i64 {
    let total: i64 = left.iter().map(|(_, left)| left).sum();
    let money = money.min(total);
    let (mut passed, mut taken) = (0, 0);
    for (line, left) in left.iter().filter(|(_, left)| *left > 0) {
        passed += left;
        let amount = money * passed / total - taken;
        taken += amount;
        if amount > 0 {
            gone.push(Back { line: line.id, units: 0, amount });
        }
    }
    taken
}

impl Model {
    /// The shop tells of an order, when these customers have no account.
    pub fn told_order(&mut self, mut told: Told, guests: &[u64]) {
        if !self.takes_on(&told) {
            return;
        }
        told.customer = self.named_by(&told);
        let at = self.order_at(told.order);
        self.orders[at].agree_on_tips(&mut told);
        let is_first = self.orders[at].told.is_empty();
        // Whom a message names is a member, also where the order is known to be another's, with whom they have become one.
        // Erased are those whose customer nobody knows any more.
        let is_nobodys = self.orders[at].member.is_none();
        if is_nobodys || self.orders[at].customer.is_some() {
            told.customer.map(|customer| self.member_of(customer));
        }
        // It is whose it was told to be first, which may be later than the order itself.
        if is_first || (is_nobodys && told.customer.is_some()) {
            let customer = self.whose.get(&told.order).copied().flatten().or(told.customer);
            let member = customer.map(|customer| self.member_of(customer));
            (self.orders[at].member, self.orders[at].customer) = (member, customer);
            self.orders[at].earn = self.rules.earn.clone();
            self.orders[at].lines = told.lines.clone();
            self.note_circumstances(at, &told, guests);
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

    /// A file of all orders tells whose an order is: perhaps of another than its webhooks do, who have become one since.
    pub fn told_by_a_file_whose(&mut self, order: u64, customer: u64) {
        self.member_of(customer);
        self.whose.entry(order).or_insert(Some(customer));
    }

    /// Whom a message names: nobody leads to who was erased, where only a file had told that the order was theirs.
    pub(super) fn named_by(&self, told: &Told) -> Option<u64> {
        told.customer.filter(|_| self.whose.get(&told.order) != Some(&None))
    }

    /// Whether an order is taken on that is told so: one from before the app was there is not, because it changes.
    pub fn takes_on(&self, told: &Told) -> bool {
        let is_known = || self.orders.iter().any(|order| order.id == told.order && order.is_told());
        let is_newer = |installed_at| told.placed_at / SECOND >= installed_at / SECOND;
        !told.is_change || self.installed_at.is_some_and(is_newer) || is_known()
    }

    /// The shop tells of a refund, perhaps before the order.
    pub fn told_refund(&mut self, order: u64, refund: Refund) {
        let at = self.order_at(order);
        self.note_refund(at, refund);
        self.settle(at);
    }

    /// Points that have waited long enough.
    pub fn post_ripe(&mut self) {
        let due = (0..self.orders.len()).filter(|at| self.orders[*at].is_due(self.now));
        let mut due: Vec<_> = due.collect();
        // What has waited longest comes first: it is what pays a debt.
        due.sort_by_key(|at| {
            let order = &self.orders[*at];
            (order.ripe_at(&order.facts(), self.now), order.id)
        });
        for at in due {
            self.settle(at);
        }
        self.follow_orders();
    }

    /// What an order has earned for good, where it is known.
    pub fn posted(&self, order: u64) -> Option<i64> {
        self.orders.iter().find(|known| known.id == order).map(|known| known.tally.posted)
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
            self.note_shelves(at, &lines);
            self.orders[at].lines = lines;
        }
    }

    /// Where things are is as it is known when the order is seen first to have them.
    fn note_shelves(&mut self, at: usize, lines: &[Line]) {
        for product in lines.iter().filter_map(|line| line.product) {
            if self.orders[at].about.shelves.iter().all(|(known, _)| *known != product) {
                let shelves = self.shelves_of(product);
                self.orders[at].about.shelves.push((product, shelves));
            }
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
        let points = |gone: &[Back]| order.earn.points(&order.about, &order.lines, gone);
        let (whole, kept) = (points(&[]), points(&gone));
        let stands = facts.paid && order.ripe;
        let standing = match facts.void || order.earn.is_gone(&order.about, &order.lines, &gone) {
            true => Standing::Gone,
            false if stands => Standing::Stands,
            false => Standing::Waits,
        };
        order.moved |= order.standing != standing;
        order.standing = standing;
        let paid_for = order.newest().and_then(|told| told.kept(facts.void, &gone, &order.lines));
        order.counts_otherwise |= order.kept != paid_for;
        order.kept = paid_for;
        let (placed_at, is_new) = (order.placed_at(), !order.booked);
        order.booked = true;
        let mut tally = std::mem::take(&mut order.tally);
        self.expire(member);
        let target = |points| if stands { (0, points) } else { (points, 0) };
        // What came back before the order was told of is taken back after it was booked all the same.
        if is_new {
            self.book(member, &mut tally, target(whole), placed_at);
        }
        let last = if standing == Standing::Gone { (0, 0) } else { target(kept) };
        self.book(member, &mut tally, last, placed_at);
        self.orders[at].tally = tally;
    }

    /// What decides, beside its lines, what an order earns.
    fn note_circumstances(&mut self, at: usize, told: &Told, guests: &[u64]) {
        let Some(member) = self.orders[at].member else { return };
        let rules = &self.rules;
        let day = rules.earn.day_cap.map(|_| rules.calendar.day(told.placed_at));
        let of_that_day =
            self.orders.iter().filter(|order| order.member == Some(member) && order.day.is_some());
        let of_that_day = of_that_day.filter(|order| order.day == day);
        let booked: i64 = of_that_day.map(|order| order.tally.pending + order.tally.posted).sum();
        let about = Circumstances {
            tier: self.members[member].tier,
            placed: rules.calendar.minute(told.placed_at),
            day_left: rules.earn.day_cap.map(|cap| (cap - booked).max(0)),
            shelves: Vec::new(),
            guest: told.customer.is_some_and(|customer| guests.contains(&customer)),
        };
        let gives_first = rules.first_order.unwrap_or(0);
        let order = &mut self.orders[at];
        (order.about, order.day, order.gives_first) = (about, day, gives_first);
    }
}
