//! The table of seals, and what they are made of.

use std::collections::HashMap;

use uuid::Uuid;

use super::super::account::LotId;
use super::super::entry::{Kind, Ledger, Source};
use super::Seal;
use super::block::Sealed;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    points_seals [shop_id, number] of Nobody, kept "with the entries" {
        shop_id: Id, number: Plain, up_to: Time, entry_ids: Sealed, digest: Sealed,
    }
}

/// Writes a block.
pub(super) async fn write(tx: &mut Tx, shop: ShopId, seal: &Seal) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into points_seals (shop_id, number, up_to, entry_ids, digest) values ($1, $2, $3, $4, $5)",
        shop,
        seal.number,
        seal.up_to,
        seal.entry_ids.as_slice(),
        seal.digest.as_slice()
    )?;
    Ok(())
}

/// The newest block.
pub(super) async fn last(read: &mut Read, shop: ShopId) -> Result<Option<Seal>, db::Error> {
    db!(
        read.optional,
        "select number, up_to, entry_ids, digest from points_seals where shop_id = $1 order by number desc limit 1",
        shop
    )
}

/// The blocks that may hold an entry that was booked since then.
pub(super) async fn since(read: &mut Read, shop: ShopId, from: Timestamp) -> Result<Vec<Seal>, db::Error> {
    db!(
        read.all,
        "select number, up_to, entry_ids, digest from points_seals where shop_id = $1 and up_to >= $2",
        shop,
        from
    )
}

/// The next blocks after one of them, by number.
pub(super) async fn after(
    read: &mut Read,
    shop: ShopId,
    number: i64,
    most: i64,
) -> Result<Vec<Seal>, db::Error> {
    db!(
        read.all,
        "select number, up_to, entry_ids, digest from points_seals
         where shop_id = $1 and number > $2 order by number limit $3",
        shop,
        number,
        most
    )
}

/// When an entry was booked.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(super) struct Booked {
    pub entry_id: Uuid,
    pub booked_at: Timestamp,
}

/// The next entries by when they were booked, until an instant.
pub(super) async fn booked(
    read: &mut Read,
    shop: ShopId,
    (at, entry): (Timestamp, Uuid),
    until: Timestamp,
    most: i64,
) -> Result<Vec<Booked>, db::Error> {
    db!(
        read.all,
        "select entry_id, booked_at from points_entries
         where shop_id = $1 and booked_at >= $2 and booked_at <= $4
             and (booked_at > $2 or entry_id > $3)
         order by booked_at, entry_id limit $5",
        shop,
        at,
        entry,
        until,
        most
    )
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    entry_id: Uuid,
    member_id: MemberId,
    seq: i64,
    kind: Kind,
    source: Source,
    source_id: String,
    program_version: i64,
    booked_at: Timestamp,
    note: Option<Vec<u8>>,
}

/// These entries with all that they say, in the order of the ids; those that are not there are left out.
pub(super) async fn entries(read: &mut Read, shop: ShopId, ids: &[Uuid]) -> Result<Vec<Sealed>, db::Error> {
    let rows: Vec<EntryRow> = db!(read.all each ids,
        sqlite: "with v (shop_id, entry_id) as (values ($1, $2))
                 select e.entry_id, e.member_id, e.seq, e.kind, e.source, e.source_id, e.program_version, e.booked_at,
                     n.digest as note
                 from v join points_entries e on e.shop_id = v.shop_id and e.entry_id = v.entry_id
                     left join points_notes n on n.shop_id = e.shop_id and n.entry_id = e.entry_id",
        postgres: "with v (shop_id, entry_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select e.entry_id, e.member_id, e.seq, e.kind, e.source, e.source_id, e.program_version,
                       e.booked_at, n.digest as note
                   from v join points_entries e on e.shop_id = v.shop_id and e.entry_id = v.entry_id
                       left join points_notes n on n.shop_id = e.shop_id and n.entry_id = e.entry_id",
        |id| shop, *id)?;
    let postings: Vec<(Uuid, Ledger, i64)> = db!(read.all each ids,
        sqlite: "with v (shop_id, entry_id) as (values ($1, $2))
                 select p.entry_id, p.account, p.amount from v
                     join points_postings p on p.shop_id = v.shop_id and p.entry_id = v.entry_id",
        postgres: "with v (shop_id, entry_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select p.entry_id, p.account, p.amount from v
                       join points_postings p on p.shop_id = v.shop_id and p.entry_id = v.entry_id",
        |id| shop, *id)?;
    let moves: Vec<(Uuid, LotId, i64, i64, i64)> = db!(read.all each ids,
        sqlite: "with v (shop_id, entry_id) as (values ($1, $2))
                 select m.entry_id, m.lot_id, m.cohort, m.available, m.held from v
                     join points_moves m on m.shop_id = v.shop_id and m.entry_id = v.entry_id",
        postgres: "with v (shop_id, entry_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select m.entry_id, m.lot_id, m.cohort, m.available, m.held from v
                       join points_moves m on m.shop_id = v.shop_id and m.entry_id = v.entry_id",
        |id| shop, *id)?;
    let mut found: HashMap<Uuid, Sealed> = HashMap::with_capacity(rows.len());
    for row in rows {
        let EntryRow { entry_id: id, member_id: member, seq, kind, source, source_id, .. } = row;
        let EntryRow { program_version, booked_at, note, .. } = row;
        let (postings, moves) = (Vec::new(), Vec::new());
        let entry = Sealed {
            id,
            member,
            seq,
            kind,
            source,
            source_id,
            program_version,
            booked_at,
            postings,
            moves,
            note,
        };
        found.insert(id, entry);
    }
    for (entry, ledger, points) in postings {
        if let Some(entry) = found.get_mut(&entry) {
            entry.postings.push((ledger, points));
        }
    }
    for (entry, lot, cohort, available, held) in moves {
        if let Some(entry) = found.get_mut(&entry) {
            entry.moves.push((lot, [cohort, available, held]));
        }
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// A note that has words.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct NoteRow {
    pub entry_id: Uuid,
    pub reason: String,
    pub note: Option<String>,
    pub actor_kind: String,
    pub actor_id: Option<String>,
    /// None once the words are erased.
    pub salt: Option<Vec<u8>>,
    pub digest: Vec<u8>,
}

/// The next notes that have words, by entry, with what these are held against.
pub(super) async fn notes(
    read: &mut Read,
    shop: ShopId,
    after: Uuid,
    most: i64,
) -> Result<Vec<NoteRow>, db::Error> {
    db!(
        read.all,
        "select entry_id, reason, note, actor_kind, actor_id, salt, digest from points_notes
         where shop_id = $1 and entry_id > $2 and digest is not null and (salt is not null or note is not null)
         order by entry_id limit $3",
        shop,
        after,
        most
    )
}
