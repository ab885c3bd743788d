//! What orders earn: when they are seen first, by today's rules; when they were edited, by the rules and in the
//! circumstances that they earned under.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use loyalty::Program;
use loyalty::earning::Earning;
use loyalty::line::LineNow;
use loyalty::multiplier::{Labels, Selection};
use loyalty::order::Facts;
use loyalty::price::Circumstances;
use loyalty::rule::EarnRule;

use super::{Error, Order};
use crate::db::{Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points::days::Days;
use crate::points::orders::Booking;
use crate::points::{self, Book, Calendar, Source};
use crate::programs::{self, Versioned};
use crate::{campaigns, products};

/// All that a batch's orders are priced by.
pub(super) struct Pricing<'a> {
    program: &'a Versioned,
    /// By version: older programs that these orders were booked under.
    older: HashMap<i64, Program>,
    /// By product: the collections and tags that these rules name.
    labels: BTreeMap<i64, Labels>,
    /// The members' tiers, where they matter.
    tiers: HashMap<MemberId, String>,
    calendar: Calendar,
    days: Days,
}

impl<'a> Pricing<'a> {
    /// Reads what is needed to price these orders of these members, who are in the book.
    pub async fn load(
        tx: &mut Tx,
        book: &Book,
        program: &'a Versioned,
        bookings: &HashMap<OrderId, Booking>,
        orders: &[&Order],
        members: &[MemberId],
    ) -> Result<Pricing<'a>, Error> {
        let (shop, calendar) = (book.shop(), book.calendar().clone());
        let older = older(tx, shop, program, bookings).await?;
        let products: BTreeSet<i64> =
            orders.iter().flat_map(|order| &order.lines).filter_map(|line| line.product).collect();
        let rules = older.values().chain([&program.program]).map(|program| &program.earn);
        let labels = products::labels(tx, shop, &products, rules).await?;
        let tiers = if program.program.has_boosts() {
            campaigns::tiers(tx, shop, members).await?
        } else {
            HashMap::new()
        };
        let mut days = Days::default();
        if program.program.earn.day_cap.is_some() {
            let begun: BTreeSet<Timestamp> =
                orders.iter().map(|order| calendar.day_start(order.placed_at)).collect();
            let pairs: BTreeSet<_> =
                members.iter().flat_map(|member| begun.iter().map(|day| (*member, *day))).collect();
            days = Days::load(tx, shop, &pairs.into_iter().collect::<Vec<_>>()).await?;
        }
        Ok(Pricing { program, older, labels, tiers, calendar, days })
    }

    /// The booking of an order that was never booked. A guest has no account at the shop.
    pub fn first(&self, order: &Order, member: MemberId, guest: bool) -> Result<Booking, Error> {
        let program = &self.program.program;
        let cap = program.earn.day_cap;
        let day_from = cap.map(|_| self.calendar.day_start(order.placed_at));
        let day_left = cap.zip(day_from).map(|(cap, from)| self.days.left((member, from), cap));
        let mut circumstances = Circumstances { guest, day_left, ..Circumstances::default() };
        if program.has_boosts() {
            circumstances.tier = self.tiers.get(&member).cloned();
            circumstances.placed = self.calendar.minute(order.placed_at);
        }
        self.label(&mut circumstances, &program.earn, order.lines.iter());
        let earning = program.price(&order.lines, &circumstances).map_err(points::Error::from)?;
        let mut booking = Booking::new(order.id, member, self.program.version, earning, order.placed_at);
        booking.source = if order.at_till { Source::Pos } else { Source::Shopify };
        booking.first_order = program.bonuses.first_order.unwrap_or_default();
        (booking.circumstances, booking.day_from) = (circumstances, day_from);
        Ok(booking)
    }

    /// What a booked order earns with these lines, in its own circumstances. Of what is new to it, today's collections
    /// and tags are added.
    pub fn anew(&self, booking: &Booking, lines: &[LineNow]) -> Result<(Earning, Circumstances), Error> {
        let mut circumstances = booking.circumstances.clone();
        let is_new = |line: &&LineNow| booking.earning.paid_of(line.id).is_none();
        let program = self.program_of(booking);
        self.label(&mut circumstances, &program.earn, lines.iter().filter(is_new));
        Ok((program.price(lines, &circumstances).map_err(points::Error::from)?, circumstances))
    }

    /// When what an order's points wait for comes to pass, if that is known. Shopify's clock may be ahead of ours: where
    /// there are no days to wait for, that it has come to pass is enough.
    pub fn ripe_at(&self, booking: &Booking, facts: &Facts, now: Timestamp) -> Option<Timestamp> {
        let wait = self.program_of(booking).earn.wait;
        let at = wait.over_at(facts).and_then(|at| Timestamp::from_microsecond(at).ok());
        at.map(|at| if wait.days == 0 { at.min(now) } else { at })
    }

    fn program_of(&self, booking: &Booking) -> &Program {
        self.older.get(&booking.program_version).unwrap_or(&self.program.program)
    }

    /// Takes note of what is booked for an order now, for those of the same day that follow.
    pub fn note(&mut self, booking: &Booking) {
        self.days.note(booking);
    }

    /// Adds what these lines' products are labelled with, if a rule asks for that: also that one is not, because what is known
    /// of a product stays.
    fn label<'l>(
        &self,
        circumstances: &mut Circumstances,
        rule: &EarnRule,
        lines: impl Iterator<Item = &'l LineNow>,
    ) {
        if rule.multipliers.iter().all(|multiplier| matches!(multiplier.of, Selection::Products(_))) {
            return;
        }
        for product in lines.filter_map(|line| line.product) {
            let labels = || self.labels.get(&product).cloned().unwrap_or_default();
            circumstances.labels.entry(product).or_insert_with(labels);
        }
    }
}

/// The programs that these bookings name, but for today's.
async fn older(
    tx: &mut Tx,
    shop: ShopId,
    program: &Versioned,
    bookings: &HashMap<OrderId, Booking>,
) -> Result<HashMap<i64, Program>, Error> {
    let mut older = HashMap::new();
    for version in bookings.values().map(|booking| booking.program_version).collect::<BTreeSet<_>>() {
        if version != program.version {
            older.insert(version, programs::version(tx, shop, version).await?);
        }
    }
    Ok(older)
}
