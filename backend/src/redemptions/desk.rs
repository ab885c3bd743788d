//! The desk where orders settle their redemptions: the holds and uses that one piece of work reads, changes in
//! memory and writes, beside the [`Book`] that moves the points.

use std::collections::HashMap;

use loyalty::earning::Returned;
use loyalty::hold::{Candidate, Claim, Match, find};
use loyalty::order::{Facts, Redeemed, Used, redeemed};
use loyalty::program::ReturnPolicy;
use loyalty::{Currency, HoldId, Kind, Points, Scope, Terms};
use uuid::Uuid;

use super::{Error, Hold, Reason, State, store};
use crate::db::{self, Timestamp, Tx};
use crate::events::{self, Event, RedemptionUnbacked};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points::{self, Book, Source, SpendId};

/// What an order says about the discount that points bought.
#[derive(Debug, Clone)]
pub struct OrderUse {
    /// The order.
    pub order: OrderId,
    /// Who placed it; none for a guest.
    pub member: Option<MemberId>,
    /// Which hold it claims.
    pub claim: Claim,
    /// The currency that it was paid in.
    pub currency: Currency,
    /// What our discount took off, in that currency's minor units.
    pub used: Used,
}

/// What the discount on an order was paid with. Money in minor units of the order's currency:
/// used = captured + debited + unbacked.
#[derive(Debug, Clone)]
pub struct Use {
    /// The order.
    pub order: OrderId,
    /// Who placed it.
    pub member: Option<MemberId>,
    /// The hold that it claimed, if we know it.
    pub hold: Option<HoldId>,
    /// What names the points that were spent.
    pub(super) spend: Option<SpendId>,
    /// The order's currency.
    pub currency: Currency,
    /// What each line and the delivery used.
    pub used: Used,
    /// Covered by the hold.
    pub captured_minor: i64,
    /// Paid by the member without a hold.
    pub debited_minor: i64,
    /// Paid by nobody.
    pub unbacked_minor: i64,
    /// What it cost when the order came.
    pub redeemed: Redeemed,
    /// What of that stands now.
    pub kept: Redeemed,
    /// What of it the program bears since it stood again: the member had spent what had come back.
    pub let_off: Points,
    pub(super) revision: i64,
    /// When it was settled.
    pub used_at: Timestamp,
    /// Whether the merchant is to review it.
    pub flagged: bool,
    pub(super) changed: bool,
}

/// The holds and uses of a piece of work.
#[derive(Debug)]
pub struct Desk {
    shop: ShopId,
    now: Timestamp,
    policy: ReturnPolicy,
    holds: HashMap<HoldId, Hold>,
    uses: HashMap<OrderId, Use>,
    events: Vec<Event>,
}

impl Desk {
    /// Reads the holds that these orders name, those that these members have (and had, since the first of the orders
    /// that carry a discount was placed), and what the orders used so far; loads
    /// into the book which lots they took. The book must have locked the members already.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn load(
        tx: &mut Tx,
        book: &mut Book,
        named: &[HoldId],
        members: &[MemberId],
        orders: &[OrderId],
        discounted_since: Option<Timestamp>,
        policy: ReturnPolicy,
    ) -> Result<Desk, Error> {
        let (shop, now) = (book.shop(), book.now());
        let mut found = store::held(tx, shop, members).await?;
        if let Some(since) = discounted_since {
            found.append(&mut store::ended_since(tx, shop, members, since).await?);
        }
        found.append(&mut store::holds(tx, shop, named).await?);
        let holds: HashMap<HoldId, Hold> = found.into_iter().map(|hold| (hold.id, hold)).collect();
        let uses: HashMap<OrderId, Use> =
            store::uses(tx, shop, orders).await?.into_iter().map(|used| (used.order, used)).collect();
        let mut spends: Vec<SpendId> = holds.keys().map(|hold| spend_of(*hold)).collect();
        spends.extend(uses.values().filter_map(|used| used.spend));
        spends.sort_unstable();
        spends.dedup();
        book.load_spends(tx, &spends).await?;
        Ok(Desk { shop, now, policy, holds, uses, events: Vec::new() })
    }

    /// Whether a discount of this title was promised by one of the holds: the program's title may have changed since.
    pub fn promised(&self, title: &str) -> bool {
        self.holds.values().any(|hold| hold.terms.label == title)
    }

    /// Settles what an order used: captures its hold, or books what no hold covered. Once for every order.
    ///
    /// # Errors
    /// When the ledger contradicts itself or a balance would leave the range; nothing may be saved then.
    pub fn settle(&mut self, book: &mut Book, order: &OrderUse) -> Result<(), Error> {
        let used = order.used.total();
        if used <= 0 || self.uses.contains_key(&order.order) {
            return Ok(());
        }
        let candidates: Vec<Candidate> = self.holds.values().map(|hold| hold.candidate(order)).collect();
        let mut settled = Use {
            order: order.order,
            member: order.member,
            hold: None,
            spend: None,
            currency: order.currency,
            used: order.used.clone(),
            captured_minor: 0,
            debited_minor: 0,
            unbacked_minor: used,
            redeemed: Redeemed::default(),
            kept: Redeemed::default(),
            let_off: Points::ZERO,
            revision: 0,
            used_at: self.now,
            flagged: true,
            changed: true,
        };
        match (find(&order.claim, &candidates), order.member) {
            (Match::Held(hold), Some(member)) => self.capture(book, member, hold, &mut settled)?,
            (Match::Spent(hold), Some(member)) => self.debit(book, member, hold, &mut settled)?,
            // A hold of another member pays for nothing here, and what an unknown one would have cost we cannot say.
            (Match::Foreign(hold), _) => settled.hold = Some(hold),
            (Match::Unknown | Match::Held(_) | Match::Spent(_), _) => {}
        }
        settled.kept = settled.redeemed;
        if settled.flagged {
            self.events.push(Event::RedemptionUnbacked(settled.told(settled.unbacked_minor)));
        }
        self.uses.insert(order.order, settled);
        Ok(())
    }

    /// Books what of an order's redemption stands, by its facts, by what the order uses now (as at first where nothing else
    /// is known) and what is gone of it. What stands no more comes back; what stands again, because a void order was paid
    /// after all, is taken again as far as the policy lets it, and the program bears the rest.
    ///
    /// # Errors
    /// As [`Desk::settle`].
    pub fn stand(
        &mut self,
        book: &mut Book,
        order: OrderId,
        facts: &Facts,
        now: Option<&Used>,
        gone: &[Returned],
    ) -> Result<(), Error> {
        let Some(used) = self.uses.get_mut(&order) else { return Ok(()) };
        let (Some(member), Some(spend)) = (used.member, used.spend) else { return Ok(()) };
        let stands = redeemed(facts, used.redeemed, &used.used, now.unwrap_or(&used.used), gone);
        let change = used.change(stands, self.policy, book.account(member)?.available)?;
        let Change { paid, unbacked, let_off } = change;
        if paid == Points::ZERO && unbacked == Points::ZERO {
            return Ok(());
        }
        used.apply(&change)?;
        if let_off.is_positive() {
            used.flagged = true;
            let unbacked_minor = share(used.used.total(), let_off, used.redeemed.paid);
            self.events.push(Event::RedemptionUnbacked(used.told(unbacked_minor)));
        }
        let source_id = format!("order:{order}#{}", used.revision);
        if paid.is_positive() || unbacked.is_positive() {
            Ok(book.take_again(member, spend, (paid, unbacked), source_id)?)
        } else {
            Ok(book.give_back(member, spend, (-paid, -unbacked), source_id)?)
        }
    }

    /// Writes what changed.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn save(self, tx: &mut Tx) -> Result<(), db::Error> {
        store::save_holds(tx, self.shop, self.holds.values()).await?;
        store::save_uses(tx, self.shop, self.uses.values()).await?;
        events::publish_all(tx, self.shop, &self.events, self.now).await
    }

    /// The order used points that are held for it.
    fn capture(
        &mut self,
        book: &mut Book,
        member: MemberId,
        id: HoldId,
        settled: &mut Use,
    ) -> Result<(), Error> {
        let now = self.now;
        let hold = self.hold_mut(id)?;
        let used = settled.used.total();
        let points = cost(&hold.terms, settled.currency, used);
        book.capture(member, spend_of(id), points)?;
        (hold.state, hold.ended_at, hold.changed) = (State::Captured, Some(now), true);
        (hold.order, hold.captured) = (Some(settled.order), Some(points.get()));
        settled.hold = Some(id);
        settled.spend = Some(spend_of(id));
        settled.redeemed = Redeemed { paid: points, unbacked: Points::ZERO };
        // Beyond the terms nobody held points.
        settled.captured_minor = used.min(worth(&hold.terms));
        settled.unbacked_minor = used - settled.captured_minor;
        settled.flagged = settled.unbacked_minor > 0;
        Ok(())
    }

    /// The order used points that are not held any more: the member pays what there is.
    fn debit(
        &mut self,
        book: &mut Book,
        member: MemberId,
        id: HoldId,
        settled: &mut Use,
    ) -> Result<(), Error> {
        let (now, policy) = (self.now, self.policy);
        let hold = self.hold_mut(id)?;
        let used = settled.used.total();
        let (terms, was_captured) = (hold.terms.clone(), hold.state == State::Captured);
        let points = cost(&terms, settled.currency, used);
        if !was_captured && book.account(member)?.available < points {
            // The order was on its way when the member picked anew: the points of the newer pick pay for it.
            let newer = self.holds.values_mut().find(|hold| hold.member == member && hold.state.is_held());
            if let Some(newer) = newer {
                book.release(member, spend_of(newer.id), Source::Program)?;
                newer.release(Reason::Replaced, now);
            }
        }
        if !was_captured {
            // It counts as had, and for the stock.
            let hold = self.hold_mut(id)?;
            (hold.order, hold.changed) = (Some(settled.order), true);
        }
        let paid = policy.takes(points, book.account(member)?.available);
        let unbacked = points.minus(paid).map_err(points::Error::from)?;
        let spend = SpendId(Uuid::now_v7());
        book.debit(member, spend, (paid, unbacked), format!("order:{}", settled.order))?;
        settled.hold = Some(id);
        settled.spend = Some(spend);
        settled.redeemed = Redeemed { paid, unbacked };
        let covered = used.min(worth(&terms));
        settled.debited_minor = share(covered, paid, points);
        settled.unbacked_minor = used - settled.debited_minor;
        settled.flagged = was_captured || settled.unbacked_minor > 0;
        Ok(())
    }

    fn hold_mut(&mut self, id: HoldId) -> Result<&mut Hold, Error> {
        self.holds.get_mut(&id).ok_or(Error::UnknownHold)
    }
}

/// How what stands of a redemption changes: more, or less where it is negative.
struct Change {
    paid: Points,
    unbacked: Points,
    let_off: Points,
}

impl Use {
    /// What is to change for this to stand. What the member was let off is neither taken nor given back later.
    fn change(
        &self,
        stands: Redeemed,
        policy: ReturnPolicy,
        available: Points,
    ) -> Result<Change, points::Error> {
        let due = stands.paid.minus(self.kept.paid)?.minus(self.let_off)?;
        let (paid, let_off) = if due.is_positive() {
            let paid = policy.takes(due, available);
            (paid, due.minus(paid)?)
        } else {
            let let_off = due.max(-self.let_off);
            (due.minus(let_off)?, let_off)
        };
        let unbacked = stands.unbacked.plus(self.let_off)?.plus(let_off)?.minus(self.kept.unbacked)?;
        Ok(Change { paid, unbacked, let_off })
    }

    fn apply(&mut self, change: &Change) -> Result<(), points::Error> {
        self.kept.paid = self.kept.paid.plus(change.paid)?;
        self.kept.unbacked = self.kept.unbacked.plus(change.unbacked)?;
        self.let_off = self.let_off.plus(change.let_off)?;
        self.revision += 1;
        self.changed = true;
        Ok(())
    }

    fn told(&self, unbacked_minor: i64) -> RedemptionUnbacked {
        RedemptionUnbacked {
            order: self.order,
            member: self.member,
            currency: self.currency.code().to_owned(),
            used_minor: self.used.total(),
            unbacked_minor,
        }
    }
}

impl Hold {
    fn candidate(&self, order: &OrderUse) -> Candidate {
        Candidate {
            id: self.id,
            own: order.member == Some(self.member),
            held: self.state.is_held(),
            any_cart: self.terms.scope == Scope::NextOrder,
            covers: covers(&self.terms, order.currency, &order.used),
            // Shopify tells the time of an order in whole seconds.
            from: self.opened_at.as_second() * 1_000_000,
            until: self.ended_at.map_or(i64::MAX, Timestamp::as_microsecond),
        }
    }
}

/// A hold's points are spent under its own id.
pub(super) fn spend_of(hold: HoldId) -> SpendId {
    SpendId(Uuid::from_u128(hold.0))
}

/// What it costs to use `used` minor units of `currency` of these terms; all of it where the currency is another one,
/// in which the terms have no measure.
fn cost(terms: &Terms, currency: Currency, used: i64) -> Points {
    if terms.currency == currency { terms.cost_of(used) } else { terms.points }
}

/// Whether these terms can have given the discount that an order used.
fn covers(terms: &Terms, currency: Currency, used: &Used) -> bool {
    let elsewhere = match terms.kind {
        Kind::Shipping => used.total() - used.delivery,
        Kind::Amount | Kind::Percent | Kind::Product => used.delivery,
    };
    terms.currency == currency && elsewhere == 0 && used.total() <= worth(terms)
}

/// The most money that the terms cover.
fn worth(terms: &Terms) -> i64 {
    let value = if terms.kind == Kind::Amount { terms.value } else { loyalty::LIMIT };
    value.min(terms.cap.unwrap_or(loyalty::LIMIT))
}

/// `minor × paid ÷ points`, rounded down.
fn share(minor: i64, paid: Points, points: Points) -> i64 {
    let exact = i128::from(minor) * i128::from(paid.get());
    exact.checked_div(i128::from(points.get())).and_then(|share| i64::try_from(share).ok()).unwrap_or(0)
}
