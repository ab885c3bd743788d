//! What orders earn: each order has a booking, and the ledger books the difference between it and the fold.

use std::collections::HashMap;

use loyalty::Points;
use loyalty::earning::Earning;
use loyalty::order::Earned;
use loyalty::price::Circumstances;
use loyalty::program::ReturnPolicy;
use sqlx::types::Json;
use uuid::Uuid;

use super::account::{Lot, LotId};
use super::book::{Book, less};
use super::entry::{Kind, Ledger, Source};
use super::{Error, store};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};

/// What is booked for an order.
#[derive(Debug, Clone)]
pub struct Booking {
    /// The order.
    pub order: OrderId,
    /// Who earns.
    pub member: MemberId,
    /// The version of the program that it earned under.
    pub program_version: i64,
    /// What it earned, with all that is needed to recompute it after returns.
    pub earning: Earning,
    /// What beside its lines decides what it earns.
    pub circumstances: Circumstances,
    /// Where a cap counts by day: when the shop's day began that it belongs to.
    pub day_from: Option<Timestamp>,
    /// Whether what its points wait for has come to pass.
    pub ripe: bool,
    /// What is booked.
    pub booked: Earned,
    /// What could not be taken back, because the member had spent it, or it had expired.
    pub forgiven: Points,
    ripe_at: Option<Timestamp>,
    lot: Option<LotId>,
    revision: i64,
    changed: bool,
}

impl Booking {
    /// A booking of an order that earns, with nothing booked yet.
    pub fn new(order: OrderId, member: MemberId, program_version: i64, earning: Earning) -> Booking {
        Booking {
            order,
            member,
            program_version,
            earning,
            circumstances: Circumstances::default(),
            day_from: None,
            ripe: false,
            booked: Earned::default(),
            forgiven: Points::ZERO,
            ripe_at: None,
            lot: None,
            revision: 0,
            changed: true,
        }
    }

    /// When what its points wait for comes to pass, where that is known and not over yet (UTC).
    pub fn ripe_at(&self) -> Option<Timestamp> {
        self.ripe_at
    }

    /// Whether nothing was ever booked for it.
    pub fn is_new(&self) -> bool {
        self.revision == 0
    }

    /// The order was edited and earns this now. What follows is booked by [`settle`](Booking::settle).
    pub fn price_anew(&mut self, earning: Earning, circumstances: Circumstances) {
        if self.earning != earning {
            (self.earning, self.circumstances, self.changed) = (earning, circumstances, true);
        }
    }

    /// What its points wait for comes to pass at this time, if that is known yet. Once it has, they wait no more.
    pub fn ripen(&mut self, at: Option<Timestamp>, now: Timestamp) {
        let ripe = self.ripe || at.is_some_and(|at| at <= now);
        let ripe_at = at.filter(|_| !ripe);
        if (ripe, ripe_at) != (self.ripe, self.ripe_at) {
            (self.ripe, self.ripe_at, self.changed) = (ripe, ripe_at, true);
        }
    }

    /// Books the difference between what should be booked and what is.
    ///
    /// # Errors
    /// When a balance would leave the range of points; the book is spoilt then and must not be saved.
    pub fn settle(
        &mut self,
        book: &mut Book,
        target: Earned,
        policy: ReturnPolicy,
        earned_at: Timestamp,
    ) -> Result<(), Error> {
        if self.booked == target {
            return Ok(());
        }
        self.revision += 1;
        self.changed = true;
        let waiting = target.pending.minus(self.booked.pending)?;
        let (called_off, waits) = ((-waiting).or_zero(), waiting.or_zero());
        let posting = target.posted.minus(self.booked.posted)?;
        let (taken_back, mut gained) = ((-posting).or_zero(), posting.or_zero());
        // What the member was let off before is not given twice.
        let kept = gained.min(self.forgiven);
        self.forgiven = self.forgiven.minus(kept)?;
        gained = gained.minus(kept)?;

        let posted = called_off.min(gained);
        let (earned, voided) = (gained.minus(posted)?, called_off.minus(posted)?);
        let new_lot = || Lot::earned(LotId(Uuid::now_v7()), gained, earned_at, &book.calendar);
        let new_lot = gained.is_positive().then(new_lot);
        let account = book.account_mut(self.member)?;
        account.pending = account.pending.plus(waiting)?;
        let (mut in_post, mut in_earn) = (Vec::new(), Vec::new());
        if let Some(new_lot) = new_lot {
            let lot = new_lot.id;
            let kept = account.add_lot(new_lot)?;
            in_post.push((lot, kept.min(posted).get(), 0));
            in_earn.push((lot, kept.minus(kept.min(posted))?.get(), 0));
            self.lot = Some(lot);
        }
        // What a hold pins is the member's still: without it, whoever holds before returning would keep both.
        let lapsed = account.take_lapsed(taken_back, self.lot)?;
        let reversed = policy.takes(taken_back.minus(lapsed)?, account.available.plus(account.held)?);
        let taken = account.take(reversed, self.lot)?;
        self.forgiven = self.forgiven.plus(taken_back.minus(reversed)?)?;

        for (kind, from, to, points, lots) in [
            (Kind::Wait, Ledger::Issued, Ledger::Pending, waits, Vec::new()),
            (Kind::Post, Ledger::Pending, Ledger::Available, posted, in_post),
            (Kind::Earn, Ledger::Issued, Ledger::Available, earned, in_earn),
            (Kind::Void, Ledger::Pending, Ledger::Reversed, voided, Vec::new()),
            (Kind::Reverse, Ledger::Available, Ledger::Reversed, reversed, less(&taken)),
        ] {
            let source_id = format!("order:{}#{}", self.order, self.revision);
            let moves = vec![(from, -points.get()), (to, points.get())];
            book.write(self.member, kind, Source::Shopify, source_id, moves, lots)?;
        }
        self.booked = target;
        if gained.is_positive() { book.was_active(self.member) } else { Ok(()) }
    }
}

impl Book {
    /// Reads the lots that these orders earned, open or not.
    ///
    /// # Errors
    /// Any error of the database, [`Error::Corrupt`] when what is stored is impossible.
    pub async fn load_earned(
        &mut self,
        tx: &mut Tx,
        bookings: impl IntoIterator<Item = &Booking>,
    ) -> Result<(), Error> {
        let lots = bookings.into_iter().filter_map(|booking| Some((booking.member, booking.lot?)));
        self.load_these(tx, &lots.collect::<Vec<_>>()).await
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    order_id: OrderId,
    member_id: MemberId,
    program_version: i64,
    earning: Json<Earning>,
    circumstances: Option<Json<Circumstances>>,
    day_from: Option<Timestamp>,
    ripe: bool,
    ripe_at: Option<Timestamp>,
    pending: i64,
    posted: i64,
    forgiven: i64,
    lot_id: Option<LotId>,
    revision: i64,
}

impl TryFrom<Row> for Booking {
    type Error = Error;

    fn try_from(row: Row) -> Result<Booking, Error> {
        Ok(Booking {
            order: row.order_id,
            member: row.member_id,
            program_version: row.program_version,
            earning: row.earning.0,
            circumstances: row.circumstances.map(|known| known.0).unwrap_or_default(),
            day_from: row.day_from,
            ripe: row.ripe,
            ripe_at: row.ripe_at,
            booked: Earned { pending: store::points(row.pending)?, posted: store::points(row.posted)? },
            forgiven: store::points(row.forgiven)?,
            lot: row.lot_id,
            revision: row.revision,
            changed: false,
        })
    }
}

/// The bookings of these orders, where there are any. The orders themselves must be locked.
///
/// # Errors
/// Any error of the database.
pub async fn load(
    tx: &mut Read,
    shop: ShopId,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Booking>, Error> {
    let rows: Vec<Row> = db!(tx.all each orders,
        sqlite: "with v (shop_id, order_id) as (values ($1, $2))
                 select o.* from v join points_orders o on o.shop_id = v.shop_id and o.order_id = v.order_id",
        postgres: "with v (shop_id, order_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select o.* from v join points_orders o on o.shop_id = v.shop_id and o.order_id = v.order_id",
        |order| shop, *order)?;
    rows.into_iter().map(|row| Ok((row.order_id, Booking::try_from(row)?))).collect()
}

/// Writes the bookings that changed.
///
/// # Errors
/// Any error of the database.
pub async fn save(
    tx: &mut Tx,
    shop: ShopId,
    bookings: impl IntoIterator<Item = &Booking>,
) -> Result<(), db::Error> {
    let changed: Vec<&Booking> = bookings.into_iter().filter(|booking| booking.changed).collect();
    db!(tx.each changed,
        sqlite: "insert into points_orders (shop_id, order_id, member_id, program_version, earning, circumstances,
                     day_from, ripe, ripe_at, pending, posted, forgiven, lot_id, revision)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                 on conflict (shop_id, order_id) do update set earning = excluded.earning,
                     circumstances = excluded.circumstances, ripe = excluded.ripe, ripe_at = excluded.ripe_at,
                     pending = excluded.pending, posted = excluded.posted, forgiven = excluded.forgiven,
                     lot_id = excluded.lot_id, revision = excluded.revision",
        postgres: "insert into points_orders (shop_id, order_id, member_id, program_version, earning, circumstances,
                       day_from, ripe, ripe_at, pending, posted, forgiven, lot_id, revision)
                   select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::jsonb[], $6::jsonb[],
                       $7::timestamptz[], $8::boolean[], $9::timestamptz[], $10::bigint[], $11::bigint[],
                       $12::bigint[], $13::uuid[], $14::bigint[])
                   on conflict (shop_id, order_id) do update set earning = excluded.earning,
                       circumstances = excluded.circumstances, ripe = excluded.ripe, ripe_at = excluded.ripe_at,
                       pending = excluded.pending, posted = excluded.posted, forgiven = excluded.forgiven,
                       lot_id = excluded.lot_id, revision = excluded.revision",
        |b| shop, b.order, b.member, b.program_version, Json(&b.earning), Json(&b.circumstances), b.day_from, b.ripe,
            b.ripe_at, b.booked.pending.get(), b.booked.posted.get(), b.forgiven.get(), b.lot, b.revision)?;
    Ok(())
}

/// Orders of a shop whose points have waited long enough, those that are due first.
///
/// # Errors
/// Any error of the database.
pub async fn ripe(tx: &mut Read, shop: ShopId, now: Timestamp, most: i64) -> Result<Vec<OrderId>, db::Error> {
    let due: Vec<(OrderId,)> = db!(
        tx.all,
        "select order_id from points_orders
         where shop_id = $1 and ripe_at is not null and ripe_at <= $2 order by ripe_at limit $3",
        shop,
        now,
        most
    )?;
    Ok(due.into_iter().map(|(order,)| order).collect())
}
