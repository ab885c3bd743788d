//! The tables of referrals.

use loyalty::Points;
use loyalty::referral::Promise;
use uuid::Uuid;

use super::{Error, Reason, Referral, State};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points::Error::Corrupt;

crate::holds! {
    referrals_referrals [shop_id, referral_id] of Member("friend_id", "advocate_id"), kept "as long as the programme: points were given for them" {
        shop_id: Id, referral_id: Id, advocate_id: Id, friend_id: Id, state: Plain, reason: Plain, advocate_points: Plain,
        friend_points: Plain, min_paid: Plain, wait_days: Plain, sent_at: Time, until: Time, order_id: Plain, due_at: Time,
    }
}
crate::holds! {
    referrals_steps [shop_id, referral_id, step] of Nobody, kept "with their referrals" {
        shop_id: Id, referral_id: Id, step: Plain, state: Plain, reason: Plain, at: Time,
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    referral_id: Uuid,
    advocate_id: MemberId,
    friend_id: MemberId,
    state: String,
    reason: Option<String>,
    advocate_points: i64,
    friend_points: i64,
    min_paid: i64,
    wait_days: i64,
    sent_at: Timestamp,
    until: Timestamp,
    order_id: Option<OrderId>,
    due_at: Option<Timestamp>,
}

impl TryFrom<Row> for Referral {
    type Error = Error;

    fn try_from(row: Row) -> Result<Referral, Error> {
        let points = |points| Points::new(points).map_err(crate::points::Error::from);
        let state = State::parse(&row.state).ok_or(Corrupt("a stored state of a referral is none"))?;
        let reason =
            row.reason.map(|reason| Reason::parse(&reason).ok_or(Corrupt("a stored reason is none")));
        Ok(Referral {
            id: row.referral_id,
            advocate: row.advocate_id,
            friend: row.friend_id,
            state,
            reason: reason.transpose()?,
            promise: Promise {
                advocate: points(row.advocate_points)?,
                friend: points(row.friend_points)?,
                min: row.min_paid,
                wait_days: u16::try_from(row.wait_days).map_err(|_| Corrupt("a stored wait is none"))?,
                sent_at: row.sent_at.as_microsecond(),
                until: row.until.as_microsecond(),
            },
            order: row.order_id,
            due_at: row.due_at,
        })
    }
}

fn all(rows: Vec<Row>) -> Result<Vec<Referral>, Error> {
    rows.into_iter().map(Referral::try_from).collect()
}

/// The referrals by which these friends were sent, but for those that were refused.
pub(super) async fn of_friends(
    read: &mut Read,
    shop: ShopId,
    friends: &[MemberId],
) -> Result<Vec<Referral>, Error> {
    let rows: Vec<Row> = db!(read.all each friends,
        sqlite: "with v (shop_id, friend_id) as (values ($1, $2))
                 select r.* from v join referrals_referrals r
                     on r.shop_id = v.shop_id and r.friend_id = v.friend_id and r.state <> 'refused'",
        postgres: "with v (shop_id, friend_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select r.* from v join referrals_referrals r
                       on r.shop_id = v.shop_id and r.friend_id = v.friend_id and r.state <> 'refused'",
        |friend| shop, *friend)?;
    all(rows)
}

/// The referrals of a member as an advocate, the newest first.
pub(super) async fn of_advocate(
    read: &mut Read,
    shop: ShopId,
    advocate: MemberId,
    most: i64,
) -> Result<Vec<Referral>, Error> {
    let rows: Vec<Row> = db!(
        read.all,
        "select * from referrals_referrals where shop_id = $1 and advocate_id = $2
         order by sent_at desc, referral_id desc limit $3",
        shop,
        advocate,
        most
    )?;
    all(rows)
}

/// How many friends an advocate has sent within a time, but for those that were refused for another reason than that staff
/// said so.
pub(super) async fn sent_within(
    read: &mut Read,
    shop: ShopId,
    advocate: MemberId,
    (from, until): (Timestamp, Timestamp),
) -> Result<i64, db::Error> {
    let (count,): (i64,) = db!(
        read.one,
        "select count(*) from referrals_referrals
         where shop_id = $1 and advocate_id = $2 and sent_at >= $3 and sent_at < $4
             and (state <> 'refused' or reason = 'staff')",
        shop,
        advocate,
        from,
        until
    )?;
    Ok(count)
}

/// What an advocate's friends have come to.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(super) struct Tally {
    /// How many may still order, or whose order waits.
    pub waiting: i64,
    /// How many have ordered.
    pub completed: i64,
    /// What the advocate has got for those.
    pub points: i64,
}

pub(super) async fn tally(read: &mut Read, shop: ShopId, advocate: MemberId) -> Result<Tally, db::Error> {
    db!(read.one,
        sqlite: "select count(*) filter (where state in ('waiting', 'pending', 'review')) as waiting,
                     count(*) filter (where state = 'completed') as completed,
                     coalesce(sum(advocate_points) filter (where state = 'completed'), 0) as points
                 from referrals_referrals where shop_id = $1 and advocate_id = $2",
        postgres: "select count(*) filter (where state in ('waiting', 'pending', 'review')) as waiting,
                       count(*) filter (where state = 'completed') as completed,
                       coalesce(sum(advocate_points) filter (where state = 'completed'), 0)::bigint as points
                   from referrals_referrals where shop_id = $1 and advocate_id = $2",
        shop, advocate)
}

/// A referral, for whoever changes it: others wait.
pub(super) async fn get(read: &mut Read, shop: ShopId, id: Uuid) -> Result<Option<Referral>, Error> {
    let row: Option<Row> = db!(
        read.optional,
        "select * from referrals_referrals where shop_id = $1 and referral_id = $2",
        shop,
        id
    )?;
    row.map(Referral::try_from).transpose()
}

/// A page of a shop's referrals, the newest first.
pub(super) async fn page(
    read: &mut Read,
    shop: ShopId,
    (state, before): (Option<State>, Uuid),
    most: i64,
) -> Result<Vec<Referral>, Error> {
    let state = state.map(State::as_str);
    let rows: Vec<Row> = db!(read.all,
        sqlite: "select * from referrals_referrals
                 where shop_id = $1 and referral_id < $2 and ($3 is null or state = $3)
                 order by referral_id desc limit $4",
        postgres: "select * from referrals_referrals
                   where shop_id = $1 and referral_id < $2 and ($3::text is null or state = $3)
                   order by referral_id desc limit $4",
        shop, before, state, most)?;
    all(rows)
}

/// A page of a shop's referrals by id.
pub(super) async fn after(
    read: &mut Read,
    shop: ShopId,
    after: Uuid,
    most: i64,
) -> Result<Vec<Referral>, Error> {
    let rows: Vec<Row> = db!(
        read.all,
        "select * from referrals_referrals where shop_id = $1 and referral_id > $2 order by referral_id limit $3",
        shop,
        after,
        most
    )?;
    all(rows)
}

/// The friends of referrals that stand elsewhere by now, as time alone says.
pub(super) async fn overdue(
    read: &mut Read,
    shop: ShopId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<MemberId>, db::Error> {
    let rows: Vec<(MemberId,)> = db!(
        read.all,
        "select friend_id from referrals_referrals
         where shop_id = $1 and due_at is not null and due_at <= $2 order by due_at limit $3",
        shop,
        now,
        most
    )?;
    Ok(rows.into_iter().map(|(friend,)| friend).collect())
}

/// The referrals by which a member was sent, the newest first, also those that were refused.
pub(super) async fn of_friend(
    read: &mut Read,
    shop: ShopId,
    friend: MemberId,
) -> Result<Vec<Referral>, Error> {
    let rows: Vec<Row> = db!(
        read.all,
        "select * from referrals_referrals where shop_id = $1 and friend_id = $2
         order by sent_at desc, referral_id desc limit 100",
        shop,
        friend
    )?;
    all(rows)
}

/// Writes new referrals down, but for those of friends who were sent before; says how many.
pub(super) async fn insert(
    tx: &mut Tx,
    shop: ShopId,
    referrals: &[Referral],
    now: Timestamp,
) -> Result<u64, db::Error> {
    let inserted = db!(tx.each referrals,
        sqlite: "insert into referrals_referrals (shop_id, referral_id, advocate_id, friend_id, state, reason,
                     advocate_points, friend_points, min_paid, wait_days, sent_at, until, due_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing",
        postgres: "insert into referrals_referrals (shop_id, referral_id, advocate_id, friend_id, state, reason,
                       advocate_points, friend_points, min_paid, wait_days, sent_at, until, due_at)
                   select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],
                       $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::timestamptz[],
                       $12::timestamptz[], $13::timestamptz[])
                   on conflict do nothing",
        |r| shop, r.id, r.advocate, r.friend, r.state.as_str(), r.reason.map(Reason::as_str),
            r.promise.advocate.get(), r.promise.friend.get(), r.promise.min, i64::from(r.promise.wait_days),
            r.sent_at(), r.until(), r.due_at)?;
    step(tx, shop, &referrals.iter().collect::<Vec<_>>(), now).await?;
    Ok(inserted)
}

/// Writes down where referrals stand, who is in them, and from when on orders count.
pub(super) async fn save(tx: &mut Tx, shop: ShopId, referrals: &[&Referral]) -> Result<(), db::Error> {
    db!(tx.each referrals,
        sqlite: "with v (shop_id, referral_id, advocate_id, friend_id, state, reason, sent_at, until, order_id, due_at)
                     as (values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10))
                 update referrals_referrals set advocate_id = v.advocate_id, friend_id = v.friend_id,
                     state = v.state, reason = v.reason, sent_at = v.sent_at, until = v.until,
                     order_id = v.order_id, due_at = v.due_at
                 from v where referrals_referrals.shop_id = v.shop_id
                     and referrals_referrals.referral_id = v.referral_id",
        postgres: "with v (shop_id, referral_id, advocate_id, friend_id, state, reason, sent_at, until, order_id, due_at)
                       as (select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[],
                           $6::text[], $7::timestamptz[], $8::timestamptz[], $9::bigint[], $10::timestamptz[]))
                   update referrals_referrals set advocate_id = v.advocate_id, friend_id = v.friend_id,
                       state = v.state, reason = v.reason, sent_at = v.sent_at, until = v.until,
                       order_id = v.order_id, due_at = v.due_at
                   from v where referrals_referrals.shop_id = v.shop_id
                       and referrals_referrals.referral_id = v.referral_id",
        |r| shop, r.id, r.advocate, r.friend, r.state.as_str(), r.reason.map(Reason::as_str), r.sent_at(), r.until(),
            r.order, r.due_at)?;
    Ok(())
}

/// The refused referrals of one member, on either side, are another's.
pub(super) async fn hand_over_refused(
    tx: &mut Tx,
    shop: ShopId,
    (from, into): (MemberId, MemberId),
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update referrals_referrals set
             advocate_id = case when advocate_id = $2 then $3 else advocate_id end,
             friend_id = case when friend_id = $2 then $3 else friend_id end
         where shop_id = $1 and state = 'refused' and (advocate_id = $2 or friend_id = $2)",
        shop,
        from,
        into
    )?;
    Ok(())
}

/// Adds to the history of referrals where they stand now.
pub(super) async fn step(
    tx: &mut Tx,
    shop: ShopId,
    referrals: &[&Referral],
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(tx.each referrals,
        sqlite: "with v (shop_id, referral_id, state, reason, at) as (values ($1, $2, $3, $4, $5))
                 insert into referrals_steps (shop_id, referral_id, step, state, reason, at)
                 select r.shop_id, r.referral_id, 1 + coalesce((select max(s.step) from referrals_steps s
                     where s.shop_id = r.shop_id and s.referral_id = r.referral_id), 0), v.state, v.reason, v.at
                 from v join referrals_referrals r on r.shop_id = v.shop_id and r.referral_id = v.referral_id",
        postgres: "with v (shop_id, referral_id, state, reason, at) as (
                       select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[]))
                   insert into referrals_steps (shop_id, referral_id, step, state, reason, at)
                   select r.shop_id, r.referral_id, 1 + coalesce((select max(s.step) from referrals_steps s
                       where s.shop_id = r.shop_id and s.referral_id = r.referral_id), 0), v.state, v.reason, v.at
                   from v join referrals_referrals r on r.shop_id = v.shop_id and r.referral_id = v.referral_id",
        |r| shop, r.id, r.state.as_str(), r.reason.map(Reason::as_str), now)?;
    Ok(())
}

/// A step that a referral took.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Step {
    /// Where it stood then.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when (UTC).
    pub at: Timestamp,
}

/// The steps that a referral took, in their order.
pub(super) async fn steps(read: &mut Read, shop: ShopId, id: Uuid) -> Result<Vec<Step>, db::Error> {
    db!(
        read.all,
        "select state, reason, at from referrals_steps where shop_id = $1 and referral_id = $2 order by step",
        shop,
        id
    )
}
