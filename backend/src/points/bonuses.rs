//! Bonuses: what a member gets for an occasion, each once. One for the first order is the fold of all of the member's
//! orders: it belongs to the first that stands, moves on when nothing of that one is left, and comes back with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use loyalty::Points;
use loyalty::order::Earned;
use loyalty::program::ReturnPolicy;
use uuid::Uuid;

use super::account::LotId;
use super::book::Book;
use super::entry::{Kind, Source};
use super::orders::{Booking, standing};
use super::tally::{Named, Tally};
use super::{Error, store};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::programs::Versioned;
use crate::sync;

crate::holds! {
    points_bonuses [shop_id, occasion, member_id] of Member("member_id"), kept "with their entries" {
        shop_id: Id, occasion: Plain, member_id: Id, bonus_id: Id, order_id: Plain, occurred_at: Time, pending: Plain,
        posted: Plain, forgiven: Plain, lot_id: Id, revision: Plain,
    }
}

/// What a bonus is for. A member has each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// The customer has an account at the shop.
    SignUp,
    /// The first order that stands.
    FirstOrder,
}

impl Occasion {
    fn parse(text: &str) -> Option<Occasion> {
        [Occasion::SignUp, Occasion::FirstOrder].into_iter().find(|occasion| occasion.to_string() == text)
    }
}

/// As it is stored, and as entries name it.
impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Occasion::SignUp => f.write_str("sign_up"),
            Occasion::FirstOrder => f.write_str("first_order"),
        }
    }
}

/// What a member has for an occasion.
#[derive(Debug, Clone)]
struct Bonus {
    occasion: Occasion,
    member: MemberId,
    /// The name of its entries: members may become others.
    id: Uuid,
    /// The order that it is for.
    order: Option<OrderId>,
    /// When the occasion was.
    occurred_at: Timestamp,
    tally: Tally,
}

impl Bonus {
    fn new(occasion: Occasion, member: MemberId, occurred_at: Timestamp) -> Bonus {
        Bonus { occasion, member, id: Uuid::now_v7(), order: None, occurred_at, tally: Tally::default() }
    }

    fn settle(&mut self, book: &mut Book, target: Earned, policy: ReturnPolicy) -> Result<(), Error> {
        if self.tally.booked == target {
            return Ok(());
        }
        let name = format!("{}:{}", self.occasion, self.id);
        let named = Named { gives: Kind::Bonus, source: Source::Program, name: &name };
        self.tally.settle(book, (self.member, named), target, policy, self.occurred_at)
    }
}

/// The first order of a member that stands, with what it gives for that.
#[derive(Debug, Clone, Copy)]
struct First {
    order: OrderId,
    placed_at: Timestamp,
    gives: Earned,
}

/// Gives members what an occasion gives that was at `occurred_at`, but for those who have it already.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn give(
    tx: &mut Tx,
    shop: ShopId,
    (occasion, points): (Occasion, Points),
    members: &[MemberId],
    (program, occurred_at): (&Versioned, Timestamp),
    now: Timestamp,
) -> Result<(), Error> {
    let mut book = Book::open(tx, shop, members, program, now).await?;
    // Whoever gave the same at the same time has committed by now: the accounts are locked.
    let had = load(tx, shop, occasion, members).await?;
    let mut new = Vec::new();
    for member in members.iter().copied().collect::<BTreeSet<_>>() {
        if !had.contains_key(&member) {
            let mut bonus = Bonus::new(occasion, member, occurred_at);
            let given = Earned { pending: Points::ZERO, posted: points };
            bonus.settle(&mut book, given, program.program.returns)?;
            new.push(bonus);
        }
    }
    save(tx, shop, &new).await?;
    let changed: Vec<MemberId> = book.changed().collect();
    book.save(tx).await?;
    sync::mark(tx, shop, &changed, now).await?;
    Ok(())
}

/// Books what follows for first orders from what became of these, which are saved. The members are in the book.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn follow_orders(
    tx: &mut Tx,
    book: &mut Book,
    bookings: impl IntoIterator<Item = &Booking>,
    program: &Versioned,
) -> Result<(), Error> {
    let shop = book.shop();
    let moved: Vec<&Booking> = bookings.into_iter().filter(|booking| booking.has_moved()).collect();
    let gives = |booking: &&Booking| booking.first_order.is_positive();
    if program.program.bonuses.first_order.is_none()
        && !moved.iter().any(gives)
        && !is_had(tx, shop, Occasion::FirstOrder).await?
    {
        return Ok(());
    }
    let members: BTreeSet<MemberId> = moved.iter().map(|booking| booking.member).collect();
    let members: Vec<MemberId> = members.into_iter().collect();
    let firsts = first_orders(tx, shop, &members).await?;
    let mut had = load(tx, shop, Occasion::FirstOrder, &members).await?;
    let mut changed = Vec::new();
    for member in members {
        let first = firsts.get(&member);
        match (had.remove(&member), first) {
            (Some(bonus), first) => changed.push((bonus, first)),
            (None, Some(first)) if first.gives != Earned::default() => {
                changed.push((Bonus::new(Occasion::FirstOrder, member, first.placed_at), Some(first)));
            }
            (None, _) => {}
        }
    }
    changed.retain(|(bonus, first)| {
        let gives = first.map(|first| first.gives).unwrap_or_default();
        bonus.tally.booked != gives || bonus.order != first.map(|first| first.order)
    });
    load_lots(tx, book, changed.iter().map(|(bonus, _)| bonus)).await?;
    let mut bonuses = Vec::new();
    for (mut bonus, first) in changed {
        bonus.belong_to(book, first, program.program.returns)?;
        bonuses.push(bonus);
    }
    Ok(save(tx, shop, &bonuses).await?)
}

impl Bonus {
    /// The bonus is for this order now.
    fn belong_to(
        &mut self,
        book: &mut Book,
        first: Option<&First>,
        policy: ReturnPolicy,
    ) -> Result<(), Error> {
        self.order = first.map(|first| first.order);
        self.occurred_at = first.map_or(self.occurred_at, |first| first.placed_at);
        self.settle(book, first.map(|first| first.gives).unwrap_or_default(), policy)
    }
}

/// What one member had is another's, and what both had is had once: of what occurred twice, the earlier stays; of two
/// first orders, the first. The rest is taken back, as far as the program's policy for returns lets it. The book has
/// merged them already.
pub(super) async fn merge(
    tx: &mut Tx,
    book: &mut Book,
    (from, into): (MemberId, MemberId),
    policy: ReturnPolicy,
) -> Result<(), Error> {
    let shop = book.shop();
    let mut by_occasion: BTreeMap<Occasion, Vec<Bonus>> = BTreeMap::new();
    for member in [from, into] {
        for mut bonus in take(tx, shop, member).await? {
            bonus.member = into;
            by_occasion.entry(bonus.occasion).or_default().push(bonus);
        }
    }
    load_lots(tx, book, by_occasion.values().flatten()).await?;
    let first = first_orders(tx, shop, &[into]).await?.remove(&into);
    let mut kept = Vec::new();
    for (occasion, mut bonuses) in by_occasion {
        let first_order = first.as_ref().map(|first| first.order);
        bonuses.sort_unstable_by_key(|bonus| {
            let is_first = occasion == Occasion::FirstOrder && bonus.order == first_order;
            (!is_first, bonus.occurred_at, bonus.id)
        });
        let mut bonuses = bonuses.into_iter();
        let Some(mut stays) = bonuses.next() else { continue };
        for mut other in bonuses {
            other.settle(book, Earned::default(), policy)?;
        }
        if occasion == Occasion::FirstOrder {
            stays.belong_to(book, first.as_ref(), policy)?;
        }
        kept.push(stays);
    }
    Ok(save(tx, shop, &kept).await?)
}

/// Whether the member has the bonus for the first order because of this one.
///
/// # Errors
/// Any error of the database.
pub async fn is_first(read: &mut Read, shop: ShopId, booking: &Booking) -> Result<bool, Error> {
    let bonus = load(read, shop, Occasion::FirstOrder, &[booking.member]).await?.remove(&booking.member);
    Ok(bonus.is_some_and(|bonus| bonus.order == Some(booking.order)))
}

/// Members of whom more or less is booked for their first order than it gives.
pub(super) async fn count_wrong_firsts(read: &mut Read, shop: ShopId) -> Result<i64, db::Error> {
    let (count,): (i64,) = db!(
        read.one,
        "select count(*) from (
             select o.member_id,
                 case when o.standing = 'waits' then o.first_order else 0 end as pending,
                 case when o.standing = 'stands' then o.first_order else 0 end as posted
             from points_orders o where o.shop_id = $1 and o.standing <> 'gone' and not exists (
                 select 1 from points_orders e where e.shop_id = o.shop_id and e.member_id = o.member_id
                     and e.standing <> 'gone' and (e.placed_at < o.placed_at
                         or (e.placed_at = o.placed_at and e.order_id < o.order_id)))
         ) as firsts full join (
             select member_id, pending, posted from points_bonuses
             where shop_id = $1 and occasion = 'first_order'
         ) as had on had.member_id = firsts.member_id
         where coalesce(firsts.pending, 0) <> coalesce(had.pending, 0)
             or coalesce(firsts.posted, 0) <> coalesce(had.posted, 0)",
        shop
    )?;
    Ok(count)
}

/// The lots of bonuses that may be taken back, with all others of their members.
async fn load_lots<'b>(
    tx: &mut Tx,
    book: &mut Book,
    bonuses: impl Iterator<Item = &'b Bonus>,
) -> Result<(), Error> {
    let lots: Vec<(MemberId, LotId)> =
        bonuses.filter_map(|bonus| Some((bonus.member, bonus.tally.lot?))).collect();
    let members: Vec<MemberId> = lots.iter().map(|(member, _)| *member).collect();
    book.load_lots(tx, &members).await?;
    book.load_these(tx, &lots).await
}

/// The first orders of these members that stand, where they have any.
async fn first_orders(
    tx: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, First>, Error> {
    let rows: Vec<(MemberId, OrderId, Timestamp, String, i64)> = db!(tx.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select o.member_id, o.order_id, o.placed_at, o.standing, o.first_order
                 from v join points_orders o on o.shop_id = v.shop_id and o.member_id = v.member_id
                 where o.standing <> 'gone' order by o.placed_at, o.order_id limit 1",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select o.* from v cross join lateral (
                       select o.member_id, o.order_id, o.placed_at, o.standing, o.first_order from points_orders o
                       where o.shop_id = v.shop_id and o.member_id = v.member_id and o.standing <> 'gone'
                       order by o.placed_at, o.order_id limit 1
                   ) as o",
        |member| shop, *member)?;
    let first = |(member, order, placed_at, stored, points): (MemberId, _, _, String, i64)| {
        let gives = standing(&stored)?.give(store::points(points)?);
        Ok((member, First { order, placed_at, gives }))
    };
    rows.into_iter().map(first).collect()
}

/// Whether anybody has such a bonus.
async fn is_had(read: &mut Read, shop: ShopId, occasion: Occasion) -> Result<bool, db::Error> {
    let found: Option<(i64,)> = db!(
        read.optional,
        "select cast(1 as bigint) from points_bonuses where shop_id = $1 and occasion = $2 limit 1",
        shop,
        occasion.to_string()
    )?;
    Ok(found.is_some())
}

#[derive(sqlx::FromRow)]
struct Row {
    occasion: String,
    member_id: MemberId,
    bonus_id: Uuid,
    order_id: Option<OrderId>,
    occurred_at: Timestamp,
    pending: i64,
    posted: i64,
    forgiven: i64,
    lot_id: Option<LotId>,
    revision: i64,
}

impl TryFrom<Row> for Bonus {
    type Error = Error;

    fn try_from(row: Row) -> Result<Bonus, Error> {
        Ok(Bonus {
            occasion: Occasion::parse(&row.occasion).ok_or(Error::Corrupt("a stored occasion is none"))?,
            member: row.member_id,
            id: row.bonus_id,
            order: row.order_id,
            occurred_at: row.occurred_at,
            tally: Tally {
                booked: Earned { pending: store::points(row.pending)?, posted: store::points(row.posted)? },
                forgiven: store::points(row.forgiven)?,
                lot: row.lot_id,
                revision: row.revision,
            },
        })
    }
}

/// What these members have for an occasion.
async fn load(
    read: &mut Read,
    shop: ShopId,
    occasion: Occasion,
    members: &[MemberId],
) -> Result<HashMap<MemberId, Bonus>, Error> {
    let occasion = occasion.to_string();
    let rows: Vec<Row> = db!(read.all each members,
        sqlite: "with v (shop_id, occasion, member_id) as (values ($1, $2, $3))
                 select b.* from v join points_bonuses b
                     on b.shop_id = v.shop_id and b.occasion = v.occasion and b.member_id = v.member_id",
        postgres: "with v (shop_id, occasion, member_id) as (
                       select * from unnest($1::uuid[], $2::text[], $3::uuid[]))
                   select b.* from v join points_bonuses b
                       on b.shop_id = v.shop_id and b.occasion = v.occasion and b.member_id = v.member_id",
        |member| shop, occasion.as_str(), *member)?;
    rows.into_iter().map(|row| Ok((row.member_id, Bonus::try_from(row)?))).collect()
}

/// What a member has, taken out to be put back as another's.
async fn take(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<Vec<Bonus>, Error> {
    let rows: Vec<Row> = db!(
        tx.all,
        "delete from points_bonuses where shop_id = $1 and member_id = $2
         returning occasion, member_id, bonus_id, order_id, occurred_at, pending, posted, forgiven, lot_id, revision",
        shop,
        member
    )?;
    rows.into_iter().map(Bonus::try_from).collect()
}

async fn save(tx: &mut Tx, shop: ShopId, bonuses: &[Bonus]) -> Result<(), db::Error> {
    db!(tx.each bonuses,
        sqlite: "insert into points_bonuses (shop_id, occasion, member_id, bonus_id, order_id, occurred_at, pending,
                     posted, forgiven, lot_id, revision)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                 on conflict (shop_id, occasion, member_id) do update set order_id = excluded.order_id,
                     occurred_at = excluded.occurred_at, pending = excluded.pending, posted = excluded.posted,
                     forgiven = excluded.forgiven, lot_id = excluded.lot_id, revision = excluded.revision",
        postgres: "insert into points_bonuses (shop_id, occasion, member_id, bonus_id, order_id, occurred_at, pending,
                       posted, forgiven, lot_id, revision)
                   select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::bigint[],
                       $6::timestamptz[], $7::bigint[], $8::bigint[], $9::bigint[], $10::uuid[], $11::bigint[])
                   on conflict (shop_id, occasion, member_id) do update set order_id = excluded.order_id,
                       occurred_at = excluded.occurred_at, pending = excluded.pending, posted = excluded.posted,
                       forgiven = excluded.forgiven, lot_id = excluded.lot_id, revision = excluded.revision",
        |b| shop, b.occasion.to_string(), b.member, b.id, b.order, b.occurred_at, b.tally.booked.pending.get(),
            b.tally.booked.posted.get(), b.tally.forgiven.get(), b.tally.lot, b.tally.revision)?;
    Ok(())
}
