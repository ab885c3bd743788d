//! What must hold once everything has come to rest.

use anyhow::Result;
use loyalnest::db;
use loyalnest::db::Read;
use loyalnest::ids::ShopId;
use loyalnest::proof;

use super::{Shop, Trouble, World};
use crate::model::SECOND;
use crate::model::referrals::{Referral, State};

impl World {
    /// Whether nothing waits any more.
    pub fn rests(&mut self) -> Result<bool, Trouble> {
        for at in 0..self.shops.len() {
            let (ready, marked, tasks): (i64, i64, i64) = self.read(at, async |read, shop| {
                Ok(db!(
                    read.one,
                    "select
                         (select count(*) from inbox_messages where shop_id = $1 and state = 'ready'),
                         (select count(*) from sync_accounts where shop_id = $1 and due_at is not null),
                         (select count(*) from tasks
                          where shop_id = $1 and state = 'ready'
                              and (kind like 'products.%' or kind like 'bulk.%' or kind like 'orders.%'))",
                    shop
                )?)
            })?;
            let waits = ready + marked + tasks > 0 || !self.shops[at].waiting.is_empty();
            if waits && !self.shops[at].is_out {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Every invariant holds, metafields show the ledger, every order is booked, and what rules name is known.
    pub fn is_sound(&mut self, at: usize) -> Result<(), Trouble> {
        let (violations, ledger) = self.read(at, async |read, shop| {
            let all = proof::violations(read, shop).await?;
            let ledger: Vec<(i64, i64, i64, i64)> = db!(
                read.all,
                "select m.customer_id, a.available, a.pending, a.seq from customers_members m
                 join points_accounts a on a.shop_id = m.shop_id and a.member_id = m.member_id
                 where m.shop_id = $1 and m.merged_into is null and m.customer_id is not null",
                shop
            )?;
            Ok((all, ledger))
        })?;
        let broken: Vec<_> = violations.into_iter().filter(|(_, count)| *count != 0).collect();
        if !broken.is_empty() {
            return Err(Trouble::Violation(format!("{broken:?}")));
        }
        let shop = &self.shops[at];
        if shop.is_out {
            return Ok(());
        }
        for (customer, available, pending, seq) in ledger {
            if shop.local.customer(customer.cast_unsigned()).is_none() {
                continue;
            }
            let owner = format!("gid://shopify/Customer/{customer}");
            let metafield = shop.local.metafield(&owner, "$app", "account");
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
        self.shelves_are_known(at)?;
        if self.shops[at].given_up {
            self.shops[at].lose();
        }
        let shop = &self.shops[at];
        let is_told = |id: &u64| shop.model.orders.iter().any(|order| order.id == *id);
        let lost = shop.orders.iter().filter(|id| !is_told(id) && !shop.untold.contains(id));
        let lost: Vec<&u64> = lost.collect();
        if !lost.is_empty() {
            return Err(Trouble::Violation(format!("orders were never booked: {lost:?}")));
        }
        let told =
            shop.model.orders.iter().filter(|order| order.is_told() && !shop.untold.contains(&order.id));
        match told.filter(|order| !shop.is_known_as_it_is(order.id)).count() {
            0 => Ok(()),
            count => Err(Trouble::Violation(format!("{count} orders have changed, and nobody knows"))),
        }
    }

    /// What all members have together, by the models.
    pub fn totals(&self) -> String {
        let mut sums = (0, 0, 0, 0);
        let (mut sent, mut completed) = (0, 0);
        for shop in &self.shops {
            let is_completed = |referral: &&Referral| referral.state == State::Completed;
            sent += shop.model.referrals.len();
            completed += shop.model.referrals.iter().filter(is_completed).count();
            for customer in shop.model.members.iter().filter_map(|member| member.customers.first()) {
                let (available, pending, held) = shop.model.balance(*customer);
                sums = (sums.0 + 1, sums.1 + available, sums.2 + pending, sums.3 + held);
            }
        }
        let (members, points, wait, held) = sums;
        let friends = format!("of {sent} referrals {completed} are completed");
        format!("{members} members have {points} points, {wait} wait, {held} are held; {friends}")
    }

    /// Reads the database in one of the shops.
    fn read<T>(&mut self, at: usize, with: impl AsyncFnOnce(&mut Read, ShopId) -> Result<T>) -> Result<T> {
        let (db, shop) = (self.process.app.db.clone(), self.shops[at].id);
        self.process.finish(async move { with(&mut db.read(shop).await?, shop).await })
    }
}

impl Shop {
    /// Where webhooks were given up: what nobody knows of orders from before the backend knew that the app is there again, nobody
    /// looks for. They are history.
    fn lose(&mut self) {
        let installed_at = self.model.installed_at.unwrap_or(i64::MAX);
        let is_history = |order: &u64| {
            let placed = self.local.order(*order).map_or(i64::MAX, |order| order.created_at.as_microsecond());
            placed < installed_at && !self.is_known_as_it_is(*order)
        };
        let lost: Vec<u64> = self.orders.iter().copied().filter(is_history).collect();
        self.untold.extend(lost);
    }

    /// Whether the backend was told of an order as it is now.
    pub fn is_known_as_it_is(&self, order: u64) -> bool {
        let known = self.model.orders.iter().find(|known| known.id == order).and_then(|known| known.newest());
        let now = self.local.order(order).map_or(i64::MIN, |now| now.updated_at.as_second());
        known.is_some_and(|told| told.updated_at / SECOND >= now)
    }
}
