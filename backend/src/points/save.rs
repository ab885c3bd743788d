//! Writing a book: entries first, then what they changed.

use uuid::Uuid;

use super::account::{Account, Lot};
use super::book::{Book, Pin, SpendId};
use super::entry::{Entry, Ledger, Move};
use crate::db;
use crate::db::Tx;
use crate::events;
use crate::ids::{MemberId, ShopId};

impl Book {
    /// Writes everything that changed, and the entries.
    ///
    /// # Errors
    /// Any error of the database; a unique violation when an effect is booked already.
    pub async fn save(self, tx: &mut Tx) -> Result<(), db::Error> {
        let Book { shop, calendar, program_version, accounts, pins, entries, told } = self;
        let now = calendar.now();
        db!(tx.each entries,
            sqlite: "insert into points_entries (shop_id, entry_id, member_id, seq, kind, source, source_id,
                         program_version, booked_at)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            postgres: "insert into points_entries (shop_id, entry_id, member_id, seq, kind, source, source_id,
                           program_version, booked_at)
                       select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[],
                           $7::text[], $8::bigint[], $9::timestamptz[])",
            |e| shop, e.id, e.member, e.seq, e.kind, e.source, e.source_id.as_str(), program_version, now)?;
        let told: Vec<_> = entries.iter().filter_map(Entry::event).chain(told).collect();
        events::publish_all(tx, shop, &told, now).await?;
        entries.iter().for_each(Entry::count);
        let postings: Vec<(Uuid, Ledger, i64)> = entries
            .iter()
            .flat_map(|entry| entry.postings.iter().map(|(ledger, amount)| (entry.id, *ledger, *amount)))
            .collect();
        db!(tx.each postings,
            sqlite: "insert into points_postings (shop_id, entry_id, account, amount) values ($1, $2, $3, $4)",
            postgres: "insert into points_postings (shop_id, entry_id, account, amount)
                       select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[])",
            |posting| shop, posting.0, posting.1, posting.2)?;
        save_moves(tx, shop, &entries).await?;
        let changed: Vec<&Account> =
            accounts.values().filter(|account| account.changed || account.is_new).collect();
        db!(tx.each changed,
            sqlite: "insert into points_accounts (shop_id, member_id, available, pending, held, seq, rolls)
                     values ($1, $2, $3, $4, $5, $6, $7)
                     on conflict (shop_id, member_id) do update set available = excluded.available,
                         pending = excluded.pending, held = excluded.held, seq = excluded.seq, rolls = excluded.rolls",
            postgres: "insert into points_accounts (shop_id, member_id, available, pending, held, seq, rolls)
                       select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[],
                           $6::bigint[], $7::boolean[])
                       on conflict (shop_id, member_id) do update set available = excluded.available,
                           pending = excluded.pending, held = excluded.held, seq = excluded.seq, rolls = excluded.rolls",
            |a| shop, a.member, a.available.get(), a.pending.get(), a.held.get(), a.seq, a.rolls)?;
        save_lots(tx, shop, &changed).await?;
        let pins: Vec<(SpendId, &Pin)> = pins
            .iter()
            .flat_map(|(spend, pins)| pins.iter().map(|pin| (*spend, pin)))
            .filter(|(_, pin)| pin.changed)
            .collect();
        db!(tx.each pins,
            sqlite: "insert into points_pins (shop_id, spend_id, lot_id, member_id, position, points, returned, held)
                     values ($1, $2, $3, $4, $5, $6, $7, $8)
                     on conflict (shop_id, spend_id, lot_id) do update set points = excluded.points,
                         returned = excluded.returned, held = excluded.held",
            postgres: "insert into points_pins (shop_id, spend_id, lot_id, member_id, position, points, returned, held)
                       select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[],
                           $6::bigint[], $7::bigint[], $8::boolean[])
                       on conflict (shop_id, spend_id, lot_id) do update set points = excluded.points,
                           returned = excluded.returned, held = excluded.held",
            |row| shop, row.0, row.1.lot, row.1.member, row.1.position, row.1.points.get(), row.1.returned.get(),
                row.1.held)?;
        Ok(())
    }
}

/// Writes lots: new ones at once, which costs less than to look first whether they are there.
async fn save_lots(tx: &mut Tx, shop: ShopId, changed: &[&Account]) -> Result<(), db::Error> {
    let lots = changed.iter().flat_map(|account| account.lots.values().map(|lot| (account.member, lot)));
    let (new, old): (Vec<(MemberId, &Lot)>, Vec<_>) =
        lots.filter(|(_, lot)| lot.changed).partition(|(_, lot)| lot.is_new);
    db!(tx.each new,
        sqlite: "insert into points_lots (shop_id, lot_id, member_id, original, remaining, lapsed, earned_at,
                     cohort, expires_at, rolls, warned)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        postgres: "insert into points_lots (shop_id, lot_id, member_id, original, remaining, lapsed, earned_at,
                       cohort, expires_at, rolls, warned)
                   select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[],
                       $6::bigint[], $7::timestamptz[], $8::bigint[], $9::timestamptz[], $10::text[],
                       $11::bigint[])",
        |row| shop, row.1.id, row.0, row.1.original.get(), row.1.remaining.get(), row.1.lapsed.get(),
            row.1.earned_at, row.1.cohort, row.1.expires_at, row.1.rolls.map(|term| term.to_string()), row.1.warned)?;
    db!(tx.each old,
        sqlite: "with v (shop_id, member_id, lot_id, remaining, lapsed, expires_at, warned, had_grace)
                     as (values ($1, $2, $3, $4, $5, $6, $7, $8))
                 update points_lots set remaining = v.remaining, lapsed = v.lapsed, expires_at = v.expires_at,
                     warned = v.warned, had_grace = v.had_grace
                 from v where points_lots.shop_id = v.shop_id and points_lots.member_id = v.member_id
                     and points_lots.lot_id = v.lot_id",
        postgres: "with v (shop_id, member_id, lot_id, remaining, lapsed, expires_at, warned, had_grace) as (
                       select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[],
                           $6::timestamptz[], $7::bigint[], $8::boolean[]))
                   update points_lots set remaining = v.remaining, lapsed = v.lapsed, expires_at = v.expires_at,
                       warned = v.warned, had_grace = v.had_grace
                   from v where points_lots.shop_id = v.shop_id and points_lots.member_id = v.member_id
                       and points_lots.lot_id = v.lot_id",
        |row| shop, row.0, row.1.id, row.1.remaining.get(), row.1.lapsed.get(), row.1.expires_at, row.1.warned,
            row.1.had_grace)?;
    Ok(())
}

async fn save_moves(tx: &mut Tx, shop: ShopId, entries: &[Entry]) -> Result<(), db::Error> {
    let moves: Vec<(Uuid, Move)> =
        entries.iter().flat_map(|entry| entry.moves.iter().map(|moved| (entry.id, *moved))).collect();
    db!(tx.each moves,
        sqlite: "insert into points_moves (shop_id, entry_id, lot_id, cohort, available, held)
                 values ($1, $2, $3, $4, $5, $6)",
        postgres: "insert into points_moves (shop_id, entry_id, lot_id, cohort, available, held)
                   select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[])",
        |row| shop, row.0, row.1.lot, row.1.cohort, row.1.available, row.1.held)?;
    Ok(())
}
