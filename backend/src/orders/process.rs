//! From webhooks to the ledger: what a batch of messages says is merged into what is known of its orders; what
//! follows from it is booked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use loyalty::earning::{Earning, Returned};
use loyalty::hold::{Claim, Mark};
use loyalty::order::{self, Used, standing};

use super::pricing::Pricing;
use super::store::{self, Known, Latest};
use super::{Error, Order, Refund};
use crate::customers;
use crate::db::{Timestamp, Tx};
use crate::history::Past;
use crate::ids::{CustomerId, MemberId, OrderId, ShopId};
use crate::points::{self, Book, orders::Booking};
use crate::programs::{self, Versioned};
use crate::redemptions::{Desk, OrderUse};
use crate::referrals::Sent;
use crate::{history, referrals, rfm, sync};

/// One message about an order.
#[derive(Debug, Clone)]
pub enum Incoming {
    /// The order as it is now.
    Order {
        /// What the webhook told.
        order: Box<Order>,
        /// The mark in the order's own metafield, where it was read.
        metafield: Option<Mark>,
        /// Whether the order is taken on if nothing was heard of it before. One from before the shop had the app is
        /// not, only because somebody changes it now.
        opens: bool,
    },
    /// A refund.
    Refund(Refund),
    /// Its points have waited long enough.
    Ripe(OrderId),
    /// It was deleted: nothing of it stands, as if it was cancelled then.
    Deleted(OrderId, Timestamp),
}

impl Incoming {
    /// Whether it is about an order that is known, or that a message of its batch opens.
    fn is_taken_on(&self, known: &HashMap<OrderId, Known>, opened: &HashSet<OrderId>) -> bool {
        let order = self.order();
        let is_known = || known.get(&order).is_some_and(|known| known.facts.is_some());
        match self {
            Incoming::Order { .. } | Incoming::Deleted(..) => opened.contains(&order) || is_known(),
            Incoming::Refund(_) | Incoming::Ripe(_) => true,
        }
    }

    fn opens(&self) -> bool {
        matches!(self, Incoming::Order { opens: true, .. })
    }

    fn order(&self) -> OrderId {
        match self {
            Incoming::Order { order, .. } => order.id,
            Incoming::Refund(refund) => refund.order,
            Incoming::Ripe(order) | Incoming::Deleted(order, _) => *order,
        }
    }

    /// What it tells of an order that is not taken on, for the history of its customer.
    fn past(&self, known: &mut HashMap<OrderId, Known>) -> Option<Past> {
        let order = self.as_order()?;
        let known = known.get_mut(&order.id)?;
        known.customer = known.customer_of(order);
        let customer = known.customer.filter(|_| !known.erased)?;
        let refunds: Vec<Returned> = order.refunds.values().flatten().copied().collect();
        let kept = order::kept(&order.facts, &order.lines, &order::gone(&order.lines, &refunds, None));
        let as_of = order.told_at();
        Some(Past { order: order.id, customer, placed_at: order.placed_at, kept, as_of })
    }

    fn as_order(&self) -> Option<&Order> {
        match self {
            Incoming::Order { order, .. } => Some(order),
            Incoming::Refund(_) | Incoming::Ripe(_) | Incoming::Deleted(..) => None,
        }
    }
}

/// Books what these messages of one shop mean, all or nothing.
///
/// # Errors
/// Any error of the ledger or the database; the transaction must be rolled back then.
pub async fn process(tx: &mut Tx, shop: ShopId, batch: Vec<Incoming>, now: Timestamp) -> Result<(), Error> {
    let program = programs::current(tx, shop).await?;
    let ids: Vec<OrderId> = batch.iter().map(Incoming::order).collect();
    let mut known = store::lock(tx, shop, &ids).await?;
    let opened = batch.iter().filter(|incoming| incoming.opens()).map(Incoming::order).collect();
    let (batch, passed_by): (Vec<Incoming>, Vec<Incoming>) =
        batch.into_iter().partition(|incoming| incoming.is_taken_on(&known, &opened));
    // Where history is read, what is told of old orders while their file is made is newer than the file.
    let past: Vec<Past> = match !passed_by.is_empty() && history::is_read(tx, shop).await? {
        true => passed_by.iter().filter_map(|incoming| incoming.past(&mut known)).collect(),
        false => Vec::new(),
    };
    let bookings = points::orders::load(tx, shop, &ids).await?;
    let may_be_past: Vec<OrderId> =
        known.values().filter(|known| known.may_be_past()).map(|known| known.order).collect();
    let (members, new) = members(tx, shop, &batch, &known, now).await?;
    // Before guests are noted: who locks several members does so in the order of their ids.
    referrals::by_orders(tx, shop, sent(&batch, &known, &bookings, &members), &program, now).await?;
    let guests = customers::note_guests(tx, shop, &guests(&batch, &known)).await?;
    // Whoever is booked already, too: nothing may lead from their orders to the customers any more.
    let booked = bookings.values().map(|booking| booking.member);
    let everyone: Vec<MemberId> = members.values().copied().chain(booked).collect();
    let mut accounts = referrals::advocates(tx, shop, &everyone).await?;
    accounts.extend(&everyone);
    let mut book = Book::open(tx, shop, &accounts, &program, now).await?;
    let spenders = spenders(&batch, &known, &bookings, &members);
    book.load_lots(tx, &spenders).await?;
    book.load_earned(tx, bookings.values()).await?;
    let marks: Vec<_> = batch.iter().flat_map(marks).map(|mark| mark.hold).collect();
    let discounted = batch.iter().filter_map(Incoming::as_order).filter(|order| !order.discounts.is_empty());
    let discounted = discounted.map(|order| order.placed_at);
    let (since, policy) = (discounted.min(), program.program.returns);
    let desk = Desk::load(tx, &mut book, &marks, &everyone, &ids, since, policy).await?;

    let orders: Vec<&Order> = batch.iter().filter_map(Incoming::as_order).collect();
    let pricing = Pricing::load(tx, &book, &program, &bookings, &orders, &everyone).await?;
    let mut work = Work { program: &program, pricing, members: &members, guests, book, desk, bookings };
    for incoming in batch {
        let known = known.entry(incoming.order()).or_insert_with(|| unknown(incoming.order()));
        work.take(known, incoming)?;
    }

    let Work { mut book, desk, bookings, .. } = work;
    let touched: BTreeSet<OrderId> = ids.into_iter().collect();
    let orders: Vec<&Known> = touched.iter().filter_map(|order| known.get(order)).collect();
    store::save(tx, shop, &orders).await?;
    points::orders::save(tx, shop, bookings.values()).await?;
    points::bonuses::follow_orders(tx, &mut book, bookings.values(), &program).await?;
    referrals::follow(tx, &mut book, bookings.values(), &program).await?;
    desk.save(tx).await.map_err(Error::from)?;
    // Who is new is shown, too, also where nothing was earned.
    let mut changed: BTreeSet<MemberId> = book.changed().chain(new).collect();
    book.save(tx).await?;
    let booked: Vec<OrderId> = may_be_past.into_iter().filter(|order| bookings.contains_key(order)).collect();
    // After the accounts, as whoever merges two members locks them.
    let mut moved = history::note(tx, shop, &past, &members).await?;
    moved.extend(history::booked(tx, shop, &booked).await?);
    moved.extend(bookings.values().filter_map(Booking::moved_history));
    changed.extend(rfm::follow(tx, shop, moved, now).await?);
    sync::mark(tx, shop, &changed.into_iter().collect::<Vec<_>>(), now).await?;
    Ok(())
}

/// What a batch works on.
struct Work<'a> {
    program: &'a Versioned,
    pricing: Pricing<'a>,
    members: &'a HashMap<CustomerId, MemberId>,
    /// Those of them who have no account.
    guests: HashSet<CustomerId>,
    book: Book,
    desk: Desk,
    bookings: HashMap<OrderId, Booking>,
}

impl Work<'_> {
    /// Merges a message into what is known of its order and books what follows.
    fn take(&mut self, known: &mut Known, incoming: Incoming) -> Result<(), Error> {
        match incoming {
            Incoming::Refund(refund) => {
                known.refunds.insert(refund.id, refund.returned);
            }
            Incoming::Ripe(_) => {}
            Incoming::Deleted(_, at) => {
                known.facts = known.facts.map(|facts| facts.newest(facts.called_off(at.as_microsecond())));
            }
            Incoming::Order { mut order, metafield, .. } => {
                known.agree_on_lines(&mut order);
                // Where Shopify stamped both alike, what came later was written later.
                let paid = known.paid_lines(&order);
                if known.latest.as_ref().is_none_or(|latest| latest.as_of <= order.as_of) {
                    known.latest = Some(self.latest(known, &order));
                }
                if let Some(latest) = &mut known.latest {
                    latest.paid = paid.filter(|(as_of, _)| *as_of < latest.as_of);
                }
                known.facts = Some(known.facts.map_or(order.facts, |facts| facts.newest(order.facts)));
                known.placed_at.get_or_insert(order.placed_at);
                known.customer = known.customer_of(&order);
                known.note_refunds(&order);
                self.first_sight(known, &order, metafield)?;
                self.price_anew(known)?;
            }
        }
        self.settle(known)
    }

    /// What happens when an order is seen first: its redemption is settled, its earning is fixed by today's rules.
    fn first_sight(&mut self, known: &Known, order: &Order, metafield: Option<Mark>) -> Result<(), Error> {
        let member = known.customer.and_then(|customer| self.members.get(&customer).copied());
        let used = self.used(order, &[]).used;
        let placed_at = order.placed_at.as_microsecond();
        let claim = Claim { attribute: order.mark, metafield, placed_at };
        self.desk.settle(
            &mut self.book,
            &OrderUse { order: order.id, member, claim, currency: order.currency, used },
        )?;
        if let (Some(member), false) = (member, self.bookings.contains_key(&order.id)) {
            let guest = order.customer.is_some_and(|customer| self.guests.contains(&customer));
            self.bookings.insert(order.id, self.pricing.first(order, member, guest)?);
        }
        Ok(())
    }

    /// What an edited order earns, by the rules that it earned under.
    fn price_anew(&mut self, known: &Known) -> Result<(), Error> {
        let (Some(latest), Some(booking)) = (&known.latest, self.bookings.get_mut(&known.order)) else {
            return Ok(());
        };
        // What an edit adds is earned once it is paid for, whichever webhook came first; what it takes off is gone at once.
        let rest_due = known.facts.is_some_and(|facts| facts.rest_due);
        let paid = latest.paid.as_ref().filter(|_| rest_due).map(|(_, lines)| lines);
        let (earning, circumstances) = self.pricing.anew(booking, paid.unwrap_or(&latest.lines))?;
        let points = |earning: &Earning| earning.points_after(&known.gone(Some(earning)));
        if !rest_due || paid.is_some() || points(&earning) <= points(&booking.earning) {
            booking.price_anew(earning, circumstances);
        }
        Ok(())
    }

    /// Books the difference between what should be booked for an order and what is.
    fn settle(&mut self, known: &Known) -> Result<(), Error> {
        let Some(facts) = &known.facts else { return Ok(()) };
        let gone = known.gone(self.bookings.get(&known.order).map(|booking| &booking.earning));
        let now = known.latest.as_ref().map(|latest| &latest.used);
        self.desk.stand(&mut self.book, known.order, facts, now, &gone)?;
        if let Some(booking) = self.bookings.get_mut(&known.order) {
            let earned_at = known.placed_at.unwrap_or(self.book.now());
            let policy = self.program.program.returns;
            let now = self.book.now();
            booking.ripen(self.pricing.ripe_at(booking, facts, now), now);
            if booking.is_new() {
                // What came back before its order came is booked after it all the same, so that the ledger says what
                // was issued and what was reversed alike in whatever order the webhooks arrive.
                let whole = order::earned(&facts.standing(), &booking.earning, &[], booking.ripe);
                booking.settle(&mut self.book, whole, policy, earned_at)?;
            }
            let standing = standing(facts, &booking.earning, &gone, booking.ripe);
            let target = standing.give(booking.earning.points_after(&gone));
            booking.settle(&mut self.book, target, policy, earned_at)?;
            booking.stand(standing);
            booking.count(known.kept(facts, &gone));
            self.pricing.note(booking);
        }
        Ok(())
    }

    /// What these facts of an order, the newest, tell of its lines and of our discount.
    fn latest(&self, known: &Known, order: &Order) -> Latest {
        let titles = known.latest.as_ref().map(|latest| latest.titles.as_slice()).unwrap_or_default();
        let ours = self.used(order, titles);
        let mut titles = titles.to_vec();
        titles.extend(ours.titles.into_iter().filter(|title| !titles.contains(title)).collect::<Vec<_>>());
        Latest { as_of: order.as_of, lines: order.lines.clone(), used: ours.used, titles, paid: None }
    }

    /// What the discount that points buy took off the order: known by its title, or by one it had on this order before.
    fn used(&self, order: &Order, titles: &[String]) -> Ours {
        let is_ours = |title: &String| {
            *title == self.program.program.discount_title
                || self.desk.promised(title)
                || titles.contains(title)
        };
        let mut ours = Ours::default();
        ours.used.delivery_basis = order.delivery_basis();
        for discount in order.discounts.iter().filter(|discount| is_ours(&discount.title)) {
            ours.used.lines.extend(&discount.used.lines);
            ours.used.delivery += discount.used.delivery;
            if !ours.titles.contains(&discount.title) {
                ours.titles.push(discount.title.clone());
            }
        }
        ours
    }
}

/// Our discount on an order, and the titles it has there.
#[derive(Default)]
struct Ours {
    used: Used,
    titles: Vec<String>,
}

/// Everyone whom the batch is about, and who of them is new: who is no member yet is enrolled.
async fn members(
    tx: &mut Tx,
    shop: ShopId,
    batch: &[Incoming],
    known: &HashMap<OrderId, Known>,
    now: Timestamp,
) -> Result<(HashMap<CustomerId, MemberId>, Vec<MemberId>), Error> {
    let is_erased = |order: OrderId| known.get(&order).is_some_and(|known| known.erased);
    let orders = batch.iter().filter_map(Incoming::as_order);
    let told = orders.filter_map(|order| order.customer.filter(|_| !is_erased(order.id)));
    let customers: BTreeSet<CustomerId> =
        told.chain(known.values().filter_map(|known| known.customer)).collect();
    let customers: Vec<CustomerId> = customers.into_iter().collect();
    Ok(customers::enrol_and_tell(tx, shop, &customers, now).await?)
}

/// Who had no account when these orders told of them. Of whom history knows an order is perhaps another, with whom they have
/// become one since: nothing is told of that one.
fn guests(batch: &[Incoming], known: &HashMap<OrderId, Known>) -> Vec<(CustomerId, Timestamp)> {
    let orders = batch.iter().filter_map(Incoming::as_order).filter(|order| order.guest);
    let told = orders.map(|order| {
        let known = known.get(&order.id).filter(|known| known.facts.is_some() || known.erased);
        let customer = known.map_or(order.customer, |known| known.customer_of(order));
        (customer, order.told_at())
    });
    told.filter_map(|(customer, at)| Some((customer?, at))).collect()
}

/// By whom the customers of orders that nobody has booked yet were sent, as these say.
fn sent(
    batch: &[Incoming],
    known: &HashMap<OrderId, Known>,
    bookings: &HashMap<OrderId, Booking>,
    members: &HashMap<CustomerId, MemberId>,
) -> Vec<(OrderId, Sent)> {
    let orders = batch.iter().filter_map(Incoming::as_order);
    let new = orders.filter(|order| !bookings.contains_key(&order.id));
    let sent = new.filter_map(|order| {
        let known = known.get(&order.id);
        let customer = known.map_or(order.customer, |known| known.customer_of(order))?;
        let (friend, code) = (*members.get(&customer)?, order.referral?);
        Some((order.id, Sent { friend, code, at: order.placed_at }))
    });
    sent.collect()
}

/// Whose lots may be taken from: everyone but those of whom the batch tells only that they placed an order, which stands
/// as it was placed and was never heard of before.
fn spenders(
    batch: &[Incoming],
    known: &HashMap<OrderId, Known>,
    bookings: &HashMap<OrderId, Booking>,
    members: &HashMap<CustomerId, MemberId>,
) -> Vec<MemberId> {
    let mut told: HashMap<OrderId, usize> = HashMap::new();
    batch.iter().for_each(|incoming| *told.entry(incoming.order()).or_default() += 1);
    let only_earns = |incoming: &Incoming| {
        let is_new = |order: &Order| {
            known.get(&order.id).is_none_or(|known| known.facts.is_none() && known.refunds.is_empty())
        };
        let order = incoming.as_order();
        order.is_some_and(|order| is_new(order) && told[&order.id] == 1 && order.is_whole())
    };
    let mut spenders = BTreeSet::new();
    for incoming in batch.iter().filter(|incoming| !only_earns(incoming)) {
        let order = incoming.order();
        let customer = incoming.as_order().and_then(|order| order.customer);
        let known = known.get(&order).and_then(|known| known.customer);
        let found = [customer, known].into_iter().flatten();
        spenders.extend(found.filter_map(|customer| members.get(&customer)));
        spenders.extend(bookings.get(&order).map(|booking| booking.member));
    }
    spenders.into_iter().collect()
}

fn marks(incoming: &Incoming) -> impl Iterator<Item = Mark> {
    let marks = match incoming {
        Incoming::Order { order, metafield, .. } => [order.mark, *metafield],
        Incoming::Refund(_) | Incoming::Ripe(_) | Incoming::Deleted(..) => [None, None],
    };
    marks.into_iter().flatten()
}

fn unknown(order: OrderId) -> Known {
    let refunds = BTreeMap::new();
    Known { order, customer: None, erased: false, placed_at: None, facts: None, latest: None, refunds }
}
