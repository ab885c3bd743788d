//! What the ledger says, read at a glance: in one statement, because a glance follows most steps.

use anyhow::{Context, Result, bail};
use loyalnest::db::Db;
use serde::Deserialize;
use sqlx::query_scalar;

use super::World;
use crate::model::redemptions::State;

/// A customer's available, pending and held points, what is over by then left out; of orders what they have earned; holds,
/// and referrals.
const GLANCE: &str = "select json_object(
    'members', (
        select json_group_array(json_array(m.customer_id,
            coalesce(a.available, 0) - coalesce((select sum(l.remaining) from points_lots l
                where l.shop_id = $1 and l.member_id = a.member_id and l.expires_at <= $2), 0),
            coalesce(a.pending, 0), coalesce(a.held, 0), m.shadow, m.signed_up_at is not null))
        from customers_members m left join points_accounts a
            on a.shop_id = m.shop_id and a.member_id = coalesce(m.merged_into, m.member_id)
        where m.shop_id = $1 and m.customer_id is not null),
    'orders', (
        select json_group_array(json_array(order_id, pending, posted, forgiven))
        from points_orders where shop_id = $1),
    'holds', (
        select json_group_array(json_array(lower(hex(hold_id)), state, expires_at, cleared_at))
        from redemptions_holds where shop_id = $1),
    'referrals', (
        select json_group_array(json_array(sent_at, state, reason, order_id))
        from referrals_referrals where shop_id = $1))";

/// What was booked for a customer, or for whose order it is, in order: kind, name, what it changed of available and held
/// points, and what of it in which lots, by their numbers.
const LINES: &str = "select e.kind || ' ' || e.source_id || ' ' || group_concat(p.account || ' ' || p.amount)
        || coalesce((select ' in lot ' || group_concat((select count(*) from points_lots l
                where l.shop_id = v.shop_id and l.lot_id <= v.lot_id) || ': ' || v.available) from points_moves v
            where v.shop_id = e.shop_id and v.entry_id = e.entry_id), '')
    from points_entries e
    join points_postings p on p.shop_id = e.shop_id and p.entry_id = e.entry_id
        and p.account in ('available', 'held')
    where e.shop_id = $1 and e.member_id = coalesce(
        (select o.member_id from points_orders o where o.shop_id = $1 and o.order_id = $2),
        (select coalesce(m.merged_into, m.member_id) from customers_members m
            where m.shop_id = $1 and m.customer_id = $2))
    group by e.entry_id order by e.seq";

/// The ledger of a shop at a moment.
#[derive(Deserialize)]
pub struct Ledger {
    pub members: Vec<Owner>,
    /// Orders, with what is pending, posted and forgiven.
    pub orders: Vec<(i64, i64, i64, i64)>,
    pub holds: Vec<Held>,
    /// Referrals, with when the friend was sent, where they stand, why, and for which order.
    pub referrals: Vec<Sent>,
}

/// A referral.
pub type Sent = (i64, String, Option<String>, Option<i64>);

/// A customer: the number, what is available, pending and held; whether they are a guest, if anybody said so, and have signed
/// up.
#[derive(Deserialize)]
pub struct Owner(pub i64, pub i64, pub i64, pub i64, pub Option<i64>, pub i64);

/// A hold: its number, how it stands, until when, and when checkouts were seen not to know of it.
#[derive(Deserialize)]
pub struct Held(pub String, String, pub i64, pub Option<i64>);

impl Owner {
    pub fn customer(&self) -> u64 {
        self.0.cast_unsigned()
    }

    /// Whether they are a guest, and have signed up.
    pub fn account(&self) -> (Option<bool>, bool) {
        (self.4.map(|guest| guest == 1), self.5 == 1)
    }
}

impl Held {
    pub fn state(&self) -> Option<State> {
        match self.1.as_str() {
            "opening" | "live" => Some(State::Open),
            "closing" => Some(State::Closing),
            "captured" => Some(State::Captured),
            "released" => Some(State::Released),
            _ => None,
        }
    }
}

impl World {
    /// The ledger of one of the shops.
    pub fn ledger(&mut self, at: usize) -> Result<Ledger> {
        let (shop, now) = (self.shops[at].id, self.now());
        let Db::Sqlite { readers, .. } = self.process.app.db.clone() else { bail!("not on SQLite") };
        let text: String = self
            .process
            .finish(async { Ok(query_scalar(GLANCE).bind(shop.0).bind(now).fetch_one(&readers).await?) })?;
        serde_json::from_str(&text).context("a ledger")
    }

    /// What was booked for a customer, or for whose order it is, for whoever looks for what is wrong.
    pub fn lines(&mut self, at: usize, whose: i64) -> Result<Vec<String>> {
        let shop = self.shops[at].id;
        let Db::Sqlite { readers, .. } = self.process.app.db.clone() else { bail!("not on SQLite") };
        self.process
            .finish(async { Ok(query_scalar(LINES).bind(shop.0).bind(whose).fetch_all(&readers).await?) })
    }
}
