//! The ledger held against the model; and what both must be once everything has come to rest.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::{Read, Timestamp};
use loyalnest::ids::{MemberId, ShopId};
use loyalnest::{points, proof, sync};
use loyalty::HoldId;

use super::{Outcome, Trouble, World};
use crate::model::redemptions::{Offer, State};

/// How often is looked whether everything has come to rest, and how long is waited in between: as long as a failed
/// message waits in the end.
const LOOKS: u32 = 12;
const BETWEEN: SignedDuration = SignedDuration::from_mins(20);

/// A hold as the ledger has it.
struct Held {
    id: String,
    state: String,
    expires_at: i64,
    cleared_at: Option<i64>,
}

impl World {
    /// Holds the ledger against the model.
    pub(super) fn compare(&mut self) -> Result<(), Trouble> {
        let now = self.clock.now();
        let (members, bookings) = self.read(async |read, shop| {
            let members: Vec<(i64, MemberId)> = db!(
                read.all,
                "select customer_id, coalesce(merged_into, member_id) from customers_members
                 where shop_id = $1 and customer_id is not null order by customer_id",
                shop
            )?;
            // Several customers may be one member.
            let ids: BTreeSet<MemberId> = members.iter().map(|(_, member)| *member).collect();
            let ids: Vec<MemberId> = ids.into_iter().collect();
            let balances = points::balances(read, shop, &ids, now).await?;
            let balance = |member| {
                let balance = balances.get(member);
                balance.map_or((0, 0, 0), |has| (has.available.get(), has.pending.get(), has.held.get()))
            };
            let members: Vec<_> = members.iter().map(|(customer, id)| (*customer, balance(id))).collect();
            let bookings: Vec<(i64, i64, i64, i64)> = db!(
                read.all,
                "select order_id, pending, posted, forgiven from points_orders where shop_id = $1 order by order_id",
                shop
            )?;
            Ok((members, bookings))
        })?;
        let mut must: Vec<_> = self.model.orders.iter().filter(|order| order.member.is_some()).collect();
        must.sort_by_key(|order| order.id);
        let must: Vec<_> =
            must.iter().map(|order| (order.id as i64, order.pending, order.posted, order.forgiven)).collect();
        if bookings != must {
            let which = bookings.iter().zip(&must).find(|(has, must)| has != must);
            let text = format!(
                "orders have earned (number, pending, posted, forgiven) {which:?}, the latter by the model"
            );
            return Err(Trouble::Disagreement(text));
        }
        for (customer, has) in members {
            let must = self.model.balance(customer.unsigned_abs());
            if has != must {
                let who = self.customers.iter().position(|known| *known == customer.unsigned_abs());
                let text = format!(
                    "customer {who:?} has {has:?} available, pending and held; by the model {must:?}"
                );
                return Err(Trouble::Disagreement(text));
            }
        }
        for hold in self.holds()? {
            let must = self.model.holds.iter().find(|known| known.id == hold.id);
            let (state, until) = match must.map(|must| (must.state, must.expires_at)) {
                Some((State::Open, until)) => ("open", until),
                Some((State::Closing, until)) => ("closing", until),
                Some((State::Captured, _)) => ("captured", hold.expires_at),
                Some((State::Released, _)) => ("released", hold.expires_at),
                None => ("unknown", 0),
            };
            let has = match hold.state.as_str() {
                "opening" | "live" => "open",
                other => other,
            };
            if (has, hold.expires_at) != (state, until) {
                let times = format!("until {} and {until}", hold.expires_at);
                return Err(Trouble::Disagreement(format!(
                    "a hold is {has}; by the model {state} ({times})"
                )));
            }
        }
        Ok(())
    }

    /// Tells the model which closing holds checkouts do not know any more, by the backend's word: it must be true.
    pub(super) fn observe(&mut self) -> Result<(), Trouble> {
        for hold in self.holds()? {
            let known = self.model.holds.iter().find(|known| known.id == hold.id);
            let Some(known) =
                known.filter(|known| known.state == State::Closing && known.cleared_at.is_none())
            else {
                continue;
            };
            let (Some(cleared_at), "closing") = (hold.cleared_at, hold.state.as_str()) else { continue };
            let customers = self.model.members[known.member].customers.iter();
            for customer in customers.filter(|customer| self.shop.customer(**customer).is_some()) {
                let owner = format!("gid://shopify/Customer/{customer}");
                let metafield = self.shop.metafield(&owner, "$app", "account");
                if metafield.is_some_and(|metafield| metafield.value.contains(&hold.id)) {
                    let text = "the grace of a hold begins although a checkout can see it";
                    return Err(Trouble::Violation(text.into()));
                }
            }
            self.model.cleared(&hold.id, cleared_at);
        }
        Ok(())
    }

    /// The backend died in a pick: it stands, or nothing has happened.
    pub(super) fn adopt_pick(&mut self, customer: u64, offer: &Offer) -> Result<(), Trouble> {
        let member = self.model.find_member(customer);
        let standing = member.and_then(|member| self.model.standing(member)).map(|hold| hold.id.clone());
        let known: Vec<String> = self.model.holds.iter().map(|hold| hold.id.clone()).collect();
        let holds = self.holds()?;
        match holds.iter().find(|hold| !known.contains(&hold.id)) {
            Some(new) => self.model.picked(customer, offer, &new.id),
            None if standing.is_some() => self.adopt_renewal(customer)?,
            None => {}
        }
        Ok(())
    }

    /// The backend died in a visit: the hold that stands lives on, or has not been renewed.
    pub(super) fn adopt_renewal(&mut self, customer: u64) -> Result<(), Trouble> {
        let mut renewed = self.model.clone();
        renewed.visited(customer);
        let standing = renewed.find_member(customer).and_then(|member| renewed.standing(member)).cloned();
        let Some(standing) = standing else { return Ok(()) };
        if self.holds()?.iter().any(|hold| hold.id == standing.id && hold.expires_at == standing.expires_at) {
            self.model = renewed;
        }
        Ok(())
    }

    /// The backend died while it looked at holds: what it had done by then it did at that time.
    pub(super) fn advanced_at(&mut self, at: i64) -> Result<(), Trouble> {
        let now = std::mem::replace(&mut self.model.now, at);
        self.model.advance();
        self.model.now = now;
        Ok(())
    }

    fn holds(&mut self) -> Result<Vec<Held>, Trouble> {
        type Row = (Vec<u8>, String, Timestamp, Option<Timestamp>);
        let rows: Vec<Row> = self.read(async |read, shop| {
            Ok(db!(
                read.all,
                "select hold_id, state, expires_at, cleared_at from redemptions_holds where shop_id = $1",
                shop
            )?)
        })?;
        let held = rows.into_iter().map(|(id, state, expires_at, cleared_at)| Held {
            id: HoldId(id.iter().fold(0, |id, byte| id << 8 | u128::from(*byte))).to_string(),
            state,
            expires_at: expires_at.as_microsecond(),
            cleared_at: cleared_at.map(Timestamp::as_microsecond),
        });
        Ok(held.collect())
    }

    /// Reads the ledger.
    fn read<T>(
        &mut self,
        with: impl AsyncFnOnce(&mut Read, ShopId) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let (db, shop) = (self.process.app.db.clone(), self.shop_id);
        self.process.finish(async move { with(&mut db.read(shop).await?, shop).await })
    }

    /// Lets everything come to rest: all webhooks arrive, all of them are acted upon, every metafield is written. Then the
    /// invariants hold, every order of a customer is booked, and metafields show the ledger.
    pub(super) fn settle(&mut self) -> Outcome {
        self.trip = None;
        self.shop.heal_admin();
        for look in 0..LOOKS {
            self.collect();
            self.deliver_all(u64::from(look))?;
            self.work()?;
            self.advance()?;
            self.chores()?;
            self.publish()?;
            self.tell()?;
            if self.rests()? {
                self.compare()?;
                self.is_sound()?;
                return Ok(format!("after {look} looks, {}", self.totals()));
            }
            self.pass(BETWEEN);
        }
        Err(Trouble::Violation("it does not come to rest".into()))
    }

    /// What all members have together, by the model.
    fn totals(&self) -> String {
        let mut sums = (0, 0, 0);
        for customer in self.model.members.iter().filter_map(|member| member.customers.first()) {
            let (available, pending, held) = self.model.balance(*customer);
            sums = (sums.0 + available, sums.1 + pending, sums.2 + held);
        }
        format!(
            "{} members have {} points, {} wait, {} are held",
            self.model.members.len(),
            sums.0,
            sums.1,
            sums.2
        )
    }

    /// Gives everyone a point behind the ledger's back.
    pub(super) fn spoil(&mut self) -> Outcome {
        let (db, shop) = (self.process.app.db.clone(), self.shop_id);
        let spoilt = self.process.finish(async move {
            let mut tx = db.begin(shop).await?;
            let spoilt = db!(
                tx.execute,
                "update points_accounts set available = available + 1 where shop_id = $1",
                shop
            )?;
            tx.commit().await?;
            Ok(spoilt)
        })?;
        Ok(format!("{spoilt} accounts"))
    }

    fn rests(&mut self) -> Result<bool, Trouble> {
        let (ready, marked) = self.read(async |read, shop| {
            let (ready,): (i64,) = db!(
                read.one,
                "select count(*) from inbox_messages where shop_id = $1 and state = 'ready'",
                shop
            )?;
            Ok((ready, sync::backlog(read).await?.members))
        })?;
        Ok(self.waiting.is_empty() && ready == 0 && marked == 0)
    }

    fn is_sound(&mut self) -> Result<(), Trouble> {
        let (violations, ledger) = self.read(async |read, shop| {
            let all = proof::violations(read, shop).await?;
            let ledger: Vec<(i64, i64, i64, i64)> = db!(
                read.all,
                "select m.customer_id, a.available, a.pending, a.seq from customers_members m
                 join points_accounts a on a.shop_id = m.shop_id and a.member_id = m.member_id
                 where m.shop_id = $1 and m.merged_into is null",
                shop
            )?;
            Ok((all, ledger))
        })?;
        let broken: Vec<_> = violations.into_iter().filter(|(_, count)| *count != 0).collect();
        if !broken.is_empty() {
            return Err(Trouble::Violation(format!("{broken:?}")));
        }
        for (customer, available, pending, seq) in ledger {
            if self.shop.customer(customer.unsigned_abs()).is_none() {
                continue;
            }
            let owner = format!("gid://shopify/Customer/{customer}");
            let metafield = self.shop.metafield(&owner, "$app", "account");
            let account: serde_json::Value = metafield
                .and_then(|metafield| serde_json::from_str(&metafield.value).ok())
                .unwrap_or_default();
            let shown = ["points", "pending", "seq"].map(|name| account[name].as_i64());
            if shown != [Some(available), Some(pending), Some(seq)] {
                let text =
                    format!("a metafield shows {account}, the ledger has {available}, {pending}, {seq}");
                return Err(Trouble::Violation(text));
            }
        }
        let untold = self.orders.iter().filter(|id| !self.model.orders.iter().any(|order| order.id == **id));
        match untold.count() {
            0 => Ok(()),
            count => Err(Trouble::Violation(format!("{count} orders were never booked"))),
        }
    }
}
