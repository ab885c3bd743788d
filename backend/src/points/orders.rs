//! What orders earn: each order has a booking, and the ledger books the difference between it and the fold.

use std::collections::HashMap;

use loyalty::Points;
use loyalty::earning::Earning;
use loyalty::order::{Earned, Standing};
use loyalty::price::Circumstances;
use loyalty::program::ReturnPolicy;
use sqlx::types::Json;

use super::account::LotId;
use super::book::Book;
use super::entry::{Kind, Source};
use super::history::Kept;
use super::tally::{Named, Tally};
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
    /// Where it was placed, which its entries name.
    pub source: Source,
    /// The version of the program that it earned under.
    pub program_version: i64,
    /// What it earned, with all that is needed to recompute it after returns.
    pub earning: Earning,
    /// What beside its lines decides what it earns.
    pub circumstances: Circumstances,
    /// Where a cap counts by day: when the shop's day began that it belongs to.
    pub day_from: Option<Timestamp>,
    /// When it was placed (UTC).
    pub placed_at: Timestamp,
    /// What it gives beside, as long as it is the member's first that stands.
    pub first_order: Points,
    /// Whether what its points wait for has come to pass.
    pub ripe: bool,
    /// What becomes of its points.
    pub standing: Standing,
    /// What is booked.
    pub tally: Tally,
    /// What it counts for in the member's history.
    pub kept: Kept,
    pub(super) kept_before: Kept,
    ripe_at: Option<Timestamp>,
    changed: bool,
    moved: bool,
}

impl Booking {
    /// A booking of an order that earns, with nothing booked yet.
    pub fn new(
        order: OrderId,
        member: MemberId,
        program_version: i64,
        earning: Earning,
        placed_at: Timestamp,
    ) -> Booking {
        Booking {
            order,
            member,
            source: Source::Shopify,
            program_version,
            earning,
            circumstances: Circumstances::default(),
            day_from: None,
            placed_at,
            first_order: Points::ZERO,
            ripe: false,
            standing: Standing::Gone,
            tally: Tally::default(),
            kept: Kept::Unknown,
            kept_before: Kept::Unknown,
            ripe_at: None,
            changed: true,
            moved: false,
        }
    }

    /// When what its points wait for comes to pass, where that is known and not over yet (UTC).
    pub fn ripe_at(&self) -> Option<Timestamp> {
        self.ripe_at
    }

    /// Whether nothing was ever booked for it.
    pub fn is_new(&self) -> bool {
        self.tally.is_new()
    }

    /// The order was edited and earns this now. What follows is booked by [`settle`](Booking::settle). What was seen first in it
    /// is kept also where it earns nothing: it is to earn nothing after the next edit, too.
    pub fn price_anew(&mut self, earning: Earning, circumstances: Circumstances) {
        if (&self.earning, &self.circumstances) != (&earning, &circumstances) {
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
        if self.tally.booked == target {
            return Ok(());
        }
        self.changed = true;
        let name = format!("order:{}", self.order);
        let named = Named { gives: Kind::Earn, source: self.source, name: &name };
        self.tally.settle(book, (self.member, named), target, policy, earned_at)
    }

    /// What becomes of its points now.
    pub fn stand(&mut self, standing: Standing) {
        if self.standing != standing {
            (self.standing, self.changed, self.moved) = (standing, true, true);
        }
    }

    /// What it counts for now in the member's history: nothing where nothing of it is left.
    pub fn count(&mut self, paid: Option<i64>) {
        let kept = paid.map_or(Kept::Nothing, Kept::Paid);
        if self.kept != kept {
            (self.kept, self.changed) = (kept, true);
        }
    }

    /// Whether something became of its points since it was read: it may be another order that is the member's first now.
    pub fn has_moved(&self) -> bool {
        self.moved
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
        let of = |booking: &Booking| -> Vec<_> {
            booking.tally.lots.iter().map(|lot| (booking.member, *lot)).collect()
        };
        let lots: Vec<(MemberId, LotId)> = bookings.into_iter().flat_map(of).collect();
        self.load_these(tx, &lots).await
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    order_id: OrderId,
    member_id: MemberId,
    source: Source,
    program_version: i64,
    earning: Json<Earning>,
    circumstances: Option<Json<Circumstances>>,
    day_from: Option<Timestamp>,
    placed_at: Timestamp,
    first_order: i64,
    ripe: bool,
    ripe_at: Option<Timestamp>,
    standing: String,
    pending: i64,
    posted: i64,
    forgiven: i64,
    lot_id: Option<LotId>,
    older_lots: Option<Json<Vec<LotId>>>,
    revision: i64,
    kept: Option<bool>,
    spent: i64,
}

impl TryFrom<Row> for Booking {
    type Error = Error;

    fn try_from(row: Row) -> Result<Booking, Error> {
        let kept = Kept::read(row.kept, row.spent);
        Ok(Booking {
            order: row.order_id,
            member: row.member_id,
            source: row.source,
            program_version: row.program_version,
            earning: row.earning.0,
            circumstances: row.circumstances.map(|known| known.0).unwrap_or_default(),
            day_from: row.day_from,
            placed_at: row.placed_at,
            first_order: store::points(row.first_order)?,
            ripe: row.ripe,
            standing: standing(&row.standing)?,
            tally: Tally {
                booked: Earned { pending: store::points(row.pending)?, posted: store::points(row.posted)? },
                forgiven: store::points(row.forgiven)?,
                lots: Tally::read_lots(row.lot_id, row.older_lots),
                revision: row.revision,
            },
            kept,
            kept_before: kept,
            ripe_at: row.ripe_at,
            changed: false,
            moved: false,
        })
    }
}

/// What becomes of an order's points, as it is stored.
pub(super) fn standing(text: &str) -> Result<Standing, Error> {
    Standing::parse(text).ok_or(Error::Corrupt("a stored standing is none"))
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
                     day_from, placed_at, first_order, ripe, ripe_at, standing, pending, posted, forgiven, lot_id,
                     revision, source, kept, spent, older_lots)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
                 on conflict (shop_id, order_id) do update set earning = excluded.earning,
                     circumstances = excluded.circumstances, ripe = excluded.ripe, ripe_at = excluded.ripe_at,
                     standing = excluded.standing, pending = excluded.pending, posted = excluded.posted,
                     forgiven = excluded.forgiven, lot_id = excluded.lot_id, revision = excluded.revision,
                     kept = excluded.kept, spent = excluded.spent, older_lots = excluded.older_lots",
        postgres: "insert into points_orders (shop_id, order_id, member_id, program_version, earning, circumstances,
                       day_from, placed_at, first_order, ripe, ripe_at, standing, pending, posted, forgiven, lot_id,
                       revision, source, kept, spent, older_lots)
                   select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::jsonb[], $6::jsonb[],
                       $7::timestamptz[], $8::timestamptz[], $9::bigint[], $10::boolean[], $11::timestamptz[],
                       $12::text[], $13::bigint[], $14::bigint[], $15::bigint[], $16::uuid[], $17::bigint[],
                       $18::text[], $19::boolean[], $20::bigint[], $21::jsonb[])
                   on conflict (shop_id, order_id) do update set earning = excluded.earning,
                       circumstances = excluded.circumstances, ripe = excluded.ripe, ripe_at = excluded.ripe_at,
                       standing = excluded.standing, pending = excluded.pending, posted = excluded.posted,
                       forgiven = excluded.forgiven, lot_id = excluded.lot_id, revision = excluded.revision,
                     kept = excluded.kept, spent = excluded.spent, older_lots = excluded.older_lots",
        |b| shop, b.order, b.member, b.program_version, Json(&b.earning), Json(&b.circumstances), b.day_from,
            b.placed_at, b.first_order.get(), b.ripe, b.ripe_at, b.standing.as_str(), b.tally.booked.pending.get(),
            b.tally.booked.posted.get(), b.tally.forgiven.get(), b.tally.stored_lots().0, b.tally.revision,
            b.source, b.kept.stored().0, b.kept.stored().1, b.tally.stored_lots().1)?;
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
         where shop_id = $1 and ripe_at is not null and ripe_at <= $2 order by ripe_at, order_id limit $3",
        shop,
        now,
        most
    )?;
    Ok(due.into_iter().map(|(order,)| order).collect())
}
