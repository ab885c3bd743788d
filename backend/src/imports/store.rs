//! The tables of imports.

use uuid::Uuid;

use super::{Batch, Error, Kind, State};
use crate::app::App;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, ShopId};

crate::holds! {
    imports_batches [shop_id, batch_id] of Nobody, kept "with the shop" {
        shop_id: Id, batch_id: Id, kind: Plain, state: Plain, digest: Sealed, last_row: Plain, imported: Plain,
        refused: Plain, new_members: Plain, points: Plain, reverted_row: Plain, taken_back: Plain, left_alone: Plain,
        created_at: Time, finished_at: Time, reverted_at: Time,
    }
}
crate::holds! {
    imports_rows [shop_id, batch_id, line] of Customer("customer_id"), kept "as long as the programme; what is the person's own until it is to be erased" {
        shop_id: Id, batch_id: Id, line: Plain, customer_id: Link, member_id: Id, tier: Plain, tier_before: Plain,
        referral_code: Link, birthday: Link,
    }
}

/// Begins a batch in a transaction of its own.
pub(super) async fn begin_new(
    app: &App,
    shop: ShopId,
    (kind, state): (Kind, State),
    digest: &[u8],
) -> Result<Batch, Error> {
    let id = Uuid::now_v7();
    let mut tx = app.db.begin(shop).await?;
    match begin(&mut tx, shop, (id, kind, state), digest, app.clock.now()).await {
        Err(error) if error.unique_violation().is_some() => return Err(Error::Elsewhere),
        other => other?,
    }
    let begun = batch(&mut tx, shop, id).await?.ok_or(Error::NotThere(id))?;
    tx.commit().await?;
    Ok(begun)
}

/// Begins a batch. Of those that a shop imports or has imported, none has the same digest.
async fn begin(
    tx: &mut Tx,
    shop: ShopId,
    (batch, kind, state): (Uuid, Kind, State),
    digest: &[u8],
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into imports_batches (shop_id, batch_id, kind, state, digest, last_row, imported, refused, new_members,
             points, reverted_row, taken_back, left_alone, created_at)
         values ($1, $2, $3, $4, $5, 1, 0, 0, 0, 0, 1, 0, 0, $6)",
        shop,
        batch,
        kind,
        state,
        digest,
        now
    )?;
    Ok(())
}

/// The batch of a file that was imported, or is being, or is being taken back.
pub(super) async fn of_file(
    read: &mut Read,
    shop: ShopId,
    digest: &[u8],
) -> Result<Option<Batch>, db::Error> {
    db!(
        read.optional,
        "select batch_id, kind, state, last_row, imported, refused, new_members, points, reverted_row, taken_back,
             left_alone, created_at
         from imports_batches where shop_id = $1 and digest = $2 and state in ('running', 'done', 'reverting')",
        shop,
        digest
    )
}

/// A batch.
pub(super) async fn batch(read: &mut Read, shop: ShopId, batch: Uuid) -> Result<Option<Batch>, db::Error> {
    db!(
        read.optional,
        "select batch_id, kind, state, last_row, imported, refused, new_members, points, reverted_row, taken_back,
             left_alone, created_at
         from imports_batches where shop_id = $1 and batch_id = $2",
        shop,
        batch
    )
}

/// A shop's imports, newest first.
///
/// # Errors
/// Any error of the database.
pub async fn batches(read: &mut Read, shop: ShopId) -> Result<Vec<Batch>, db::Error> {
    db!(
        read.all,
        "select batch_id, kind, state, last_row, imported, refused, new_members, points, reverted_row, taken_back,
             left_alone, created_at
         from imports_batches where shop_id = $1 and state <> 'checking' order by batch_id desc",
        shop
    )
}

/// Notes how far a run is, as long as nobody else has gone on with it since it was `before`.
pub(super) async fn advance(
    tx: &mut Tx,
    shop: ShopId,
    before: &Batch,
    now: &Batch,
    finished_at: Option<Timestamp>,
) -> Result<(), Error> {
    let advanced = db!(
        tx.execute,
        "update imports_batches set state = $5, last_row = $6, imported = $7, refused = $8, new_members = $9,
             points = $10, finished_at = $11
         where shop_id = $1 and batch_id = $2 and state = $3 and last_row = $4",
        shop,
        before.batch_id,
        before.state,
        before.last_row,
        now.state,
        now.last_row,
        now.imported,
        now.refused,
        now.new_members,
        now.points,
        finished_at
    )?;
    if advanced == 1 { Ok(()) } else { Err(Error::Elsewhere) }
}

/// Notes how far taking back is, as long as nobody else has gone on with it since it was `before`.
pub(super) async fn retreat(
    tx: &mut Tx,
    shop: ShopId,
    before: &Batch,
    now: &Batch,
    reverted_at: Option<Timestamp>,
) -> Result<(), Error> {
    let advanced = db!(
        tx.execute,
        "update imports_batches set state = $6, reverted_row = $7, taken_back = $8, left_alone = $9,
             reverted_at = $10
         where shop_id = $1 and batch_id = $2 and state = $3 and last_row = $4 and reverted_row = $5",
        shop,
        before.batch_id,
        before.state,
        before.last_row,
        before.reverted_row,
        now.state,
        now.reverted_row,
        now.taken_back,
        now.left_alone,
        reverted_at
    )?;
    if advanced == 1 { Ok(()) } else { Err(Error::Elsewhere) }
}

/// A row that is written down.
#[derive(Debug, Clone)]
pub(super) struct NewRow<'a> {
    pub line: i64,
    pub customer: CustomerId,
    pub member: Option<MemberId>,
    pub tier: Option<&'a str>,
    pub tier_before: Option<&'a str>,
    pub referral_code: Option<&'a str>,
}

/// Writes rows of a batch down and gives their numbers; those whose customer is in the batch already are left out.
pub(super) async fn write(
    tx: &mut Tx,
    shop: ShopId,
    batch: Uuid,
    rows: &[NewRow<'_>],
) -> Result<Vec<(i64,)>, db::Error> {
    db!(tx.all each rows,
        sqlite: "insert into imports_rows (shop_id, batch_id, line, customer_id, member_id, tier, tier_before,
                     referral_code)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)
                 on conflict (shop_id, customer_id, batch_id) do nothing returning line",
        postgres: "insert into imports_rows (shop_id, batch_id, line, customer_id, member_id, tier, tier_before,
                       referral_code)
                   select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::uuid[], $6::text[],
                       $7::text[], $8::text[])
                   on conflict (shop_id, customer_id, batch_id) do nothing returning line",
        |row| shop, batch, row.line, row.customer, row.member, row.tier, row.tier_before, row.referral_code)
}

/// Takes rows out that were written down and could not be booked.
pub(super) async fn strike(tx: &mut Tx, shop: ShopId, batch: Uuid, lines: &[i64]) -> Result<(), db::Error> {
    db!(tx.each lines,
        sqlite: "with v (shop_id, batch_id, line) as (values ($1, $2, $3))
                 delete from imports_rows
                 where (shop_id, batch_id, line) in (select shop_id, batch_id, line from v)",
        postgres: "delete from imports_rows r
                   using unnest($1::uuid[], $2::uuid[], $3::bigint[]) as v (shop_id, batch_id, line)
                   where r.shop_id = v.shop_id and r.batch_id = v.batch_id and r.line = v.line",
        |line| shop, batch, *line)?;
    Ok(())
}

/// A row that was imported.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct WrittenRow {
    pub line: i64,
    pub member_id: MemberId,
    pub tier: Option<String>,
    pub tier_before: Option<String>,
}

/// The next rows of a batch.
pub(super) async fn rows_after(
    read: &mut Read,
    shop: ShopId,
    batch: Uuid,
    line: i64,
    most: i64,
) -> Result<Vec<WrittenRow>, db::Error> {
    db!(
        read.all,
        "select line, member_id, tier, tier_before from imports_rows
         where shop_id = $1 and batch_id = $2 and line > $3 and member_id is not null order by line limit $4",
        shop,
        batch,
        line,
        most
    )
}

/// Files that are being checked, or were until that broke, and were begun before then.
pub(super) async fn checks(
    read: &mut Read,
    shop: ShopId,
    begun_before: Timestamp,
) -> Result<Vec<(Uuid,)>, db::Error> {
    db!(
        read.all,
        "select batch_id from imports_batches where shop_id = $1 and state = 'checking' and created_at < $2",
        shop,
        begun_before
    )
}

/// Forgets some rows of a file that was checked: those from one number to before another.
pub(super) async fn forget_rows(
    tx: &mut Tx,
    shop: ShopId,
    batch: Uuid,
    (from, to): (i64, i64),
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "delete from imports_rows where shop_id = $1 and batch_id = $2 and line >= $3 and line < $4",
        shop,
        batch,
        from,
        to
    )?;
    Ok(())
}

/// Forgets a file that was checked.
pub(super) async fn forget(tx: &mut Tx, shop: ShopId, batch: Uuid) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "delete from imports_batches where shop_id = $1 and batch_id = $2 and state = 'checking'",
        shop,
        batch
    )?;
    Ok(())
}

/// Erases what leads from imports to a customer; points and tiers stay what they were.
///
/// # Errors
/// Any error of the database.
pub async fn redact(tx: &mut Tx, shop: ShopId, customer: CustomerId) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "update imports_rows set customer_id = null, referral_code = null, birthday = null
         where shop_id = $1 and customer_id = $2",
        shop,
        customer
    )
}
