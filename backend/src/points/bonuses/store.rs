//! The table of bonuses.

use std::collections::HashMap;

use loyalty::order::Earned;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Bonus, Occasion};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points::account::LotId;
use crate::points::history::Did;
use crate::points::tally::Tally;
use crate::points::{Book, Error, store};

crate::holds! {
    points_bonuses [shop_id, occasion, member_id] of Member("member_id"), kept "with their entries" {
        shop_id: Id, occasion: Plain, member_id: Id, bonus_id: Id, order_id: Plain, occurred_at: Time, pending: Plain,
        posted: Plain, forgiven: Plain, lot_id: Id, revision: Plain,
        older_lots: Json,
    }
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
    older_lots: Option<Json<Vec<LotId>>>,
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
                lots: Tally::read_lots(row.lot_id, row.older_lots),
                revision: row.revision,
            },
        })
    }
}

/// The occasions from then on for which a member has a bonus.
pub(in crate::points) async fn since(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
    from: Timestamp,
) -> Result<Vec<Did>, db::Error> {
    db!(
        read.all,
        sqlite: "select occurred_at as at, posted as points, 0 as spent from points_bonuses
                 where shop_id = $1 and member_id = $2 and occurred_at >= $3",
        postgres: "select occurred_at as at, posted as points, 0::bigint as spent from points_bonuses
                   where shop_id = $1 and member_id = $2 and occurred_at >= $3",
        shop,
        member,
        from
    )
}

/// What these members have for an occasion.
pub(super) async fn load(
    read: &mut Read,
    shop: ShopId,
    occasion: Occasion,
    members: &[MemberId],
) -> Result<HashMap<MemberId, Bonus>, Error> {
    let each: Vec<_> = members.iter().map(|member| (occasion, *member)).collect();
    let found = load_each(read, shop, &each).await?;
    Ok(found.into_iter().map(|((_, member), bonus)| (member, bonus)).collect())
}

/// What is had of these: what each member has for an occasion of their own.
pub(super) async fn load_each(
    read: &mut Read,
    shop: ShopId,
    each: &[(Occasion, MemberId)],
) -> Result<HashMap<(Occasion, MemberId), Bonus>, Error> {
    let rows: Vec<Row> = db!(read.all each each,
        sqlite: "with v (shop_id, occasion, member_id) as (values ($1, $2, $3))
                 select b.* from v join points_bonuses b
                     on b.shop_id = v.shop_id and b.occasion = v.occasion and b.member_id = v.member_id",
        postgres: "with v (shop_id, occasion, member_id) as (
                       select * from unnest($1::uuid[], $2::text[], $3::uuid[]))
                   select b.* from v join points_bonuses b
                       on b.shop_id = v.shop_id and b.occasion = v.occasion and b.member_id = v.member_id",
        |one| shop, one.0.to_string(), one.1)?;
    let read = |row| Bonus::try_from(row).map(|bonus| ((bonus.occasion, bonus.member), bonus));
    rows.into_iter().map(read).collect()
}

/// What a member has, taken out to be put back as another's.
pub(super) async fn take(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<Vec<Bonus>, Error> {
    let rows: Vec<Row> = db!(
        tx.all,
        "delete from points_bonuses where shop_id = $1 and member_id = $2
         returning occasion, member_id, bonus_id, order_id, occurred_at, pending, posted, forgiven, lot_id,
             older_lots, revision",
        shop,
        member
    )?;
    rows.into_iter().map(Bonus::try_from).collect()
}

pub(super) async fn save(tx: &mut Tx, shop: ShopId, bonuses: &[Bonus]) -> Result<(), db::Error> {
    db!(tx.each bonuses,
        sqlite: "insert into points_bonuses (shop_id, occasion, member_id, bonus_id, order_id, occurred_at, pending,
                     posted, forgiven, lot_id, revision, older_lots)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                 on conflict (shop_id, occasion, member_id) do update set order_id = excluded.order_id,
                     occurred_at = excluded.occurred_at, pending = excluded.pending, posted = excluded.posted,
                     forgiven = excluded.forgiven, lot_id = excluded.lot_id, revision = excluded.revision,
                     older_lots = excluded.older_lots",
        postgres: "insert into points_bonuses (shop_id, occasion, member_id, bonus_id, order_id, occurred_at, pending,
                       posted, forgiven, lot_id, revision, older_lots)
                   select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::bigint[],
                       $6::timestamptz[], $7::bigint[], $8::bigint[], $9::bigint[], $10::uuid[], $11::bigint[],
                       $12::jsonb[])
                   on conflict (shop_id, occasion, member_id) do update set order_id = excluded.order_id,
                       occurred_at = excluded.occurred_at, pending = excluded.pending, posted = excluded.posted,
                       forgiven = excluded.forgiven, lot_id = excluded.lot_id, revision = excluded.revision,
                     older_lots = excluded.older_lots",
        |b| shop, b.occasion.to_string(), b.member, b.id, b.order, b.occurred_at, b.tally.booked.pending.get(),
            b.tally.booked.posted.get(), b.tally.forgiven.get(), b.tally.stored_lots().0, b.tally.revision,
            b.tally.stored_lots().1)?;
    Ok(())
}

/// Whether anybody has such a bonus.
pub(super) async fn is_had(read: &mut Read, shop: ShopId, occasion: Occasion) -> Result<bool, db::Error> {
    let found: Option<(i64,)> = db!(
        read.optional,
        "select cast(1 as bigint) from points_bonuses where shop_id = $1 and occasion = $2 limit 1",
        shop,
        occasion.to_string()
    )?;
    Ok(found.is_some())
}

/// The lots of bonuses that may be taken back, with all others of their members.
pub(super) async fn load_lots<'b>(
    tx: &mut Tx,
    book: &mut Book,
    bonuses: impl Iterator<Item = &'b Bonus>,
) -> Result<(), Error> {
    let of = |bonus: &'b Bonus| bonus.tally.lots.iter().map(|lot| (bonus.member, *lot));
    let lots: Vec<(MemberId, LotId)> = bonuses.flat_map(of).collect();
    let members: Vec<MemberId> = lots.iter().map(|(member, _)| *member).collect();
    book.load_lots(tx, &members).await?;
    book.load_these(tx, &lots).await
}
