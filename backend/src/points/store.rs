//! The ledger's tables, and how a book is loaded from them.

use std::collections::btree_map::Entry::Vacant;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use loyalty::Points;

use super::Error;
use super::account::{Account, Lot, LotId};
use super::book::{Book, Pin, SpendId};
use super::calendar::Calendar;
use crate::db;
use crate::db::{Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::merchants;
use crate::programs::Versioned;

crate::holds! {
    points_entries [shop_id, entry_id] of Member("member_id"), kept "as long as the programme: they are its books" {
        shop_id: Id, entry_id: Id, member_id: Id, seq: Plain, kind: Plain, source: Plain, source_id: Plain,
        program_version: Plain, booked_at: Time,
    }
}
crate::holds! {
    points_postings [shop_id, entry_id, account] of Nobody, kept "with their entries" {
        shop_id: Id, entry_id: Id, account: Plain, amount: Plain,
    }
}
crate::holds! {
    points_moves [shop_id, entry_id, lot_id] of Nobody, kept "with their entries" {
        shop_id: Id, entry_id: Id, lot_id: Id, cohort: Plain, available: Plain, held: Plain,
    }
}
crate::holds! {
    points_accounts [shop_id, member_id] of Member("member_id"), kept "with their entries" {
        shop_id: Id, member_id: Id, available: Plain, pending: Plain, held: Plain, seq: Plain, rolls: Plain,
        merged_into: Id,
    }
}
crate::holds! {
    points_lots [shop_id, member_id, lot_id] of Member("member_id"), kept "with their entries" {
        shop_id: Id, lot_id: Id, member_id: Id, original: Plain, remaining: Plain, lapsed: Plain, earned_at: Time,
        cohort: Plain, expires_at: Time, rolls: Plain, warned: Plain, had_grace: Plain,
    }
}
crate::holds! {
    points_pins [shop_id, spend_id, lot_id] of Member("member_id"), kept "with their entries" {
        shop_id: Id, spend_id: Id, lot_id: Id, member_id: Id, position: Plain, points: Plain, returned: Plain,
        held: Plain,
    }
}
crate::holds! {
    points_orders [shop_id, order_id] of Member("member_id"), kept "with their entries" {
        shop_id: Id, order_id: Plain, member_id: Id, program_version: Plain, earning: Json, circumstances: Json,
        day_from: Time, placed_at: Time, first_order: Plain, ripe: Plain, ripe_at: Time, standing: Plain,
        pending: Plain, posted: Plain, forgiven: Plain, lot_id: Id, revision: Plain,
        source: Plain, kept: Plain, spent: Plain, older_lots: Json,
    }
}

/// Points as they are stored.
pub(super) fn points(value: i64) -> Result<Points, Error> {
    Points::new(value).map_err(|_| Error::Corrupt("a stored number of points is beyond range"))
}

#[derive(sqlx::FromRow)]
pub(super) struct AccountRow {
    pub member_id: MemberId,
    pub available: i64,
    pub pending: i64,
    pub held: i64,
    pub seq: i64,
    rolls: bool,
    merged_into: Option<MemberId>,
}

#[derive(sqlx::FromRow)]
struct LotRow {
    lot_id: LotId,
    member_id: MemberId,
    original: i64,
    remaining: i64,
    lapsed: i64,
    earned_at: Timestamp,
    cohort: i64,
    expires_at: Option<Timestamp>,
    rolls: Option<String>,
    warned: Option<i64>,
    had_grace: bool,
}

#[derive(sqlx::FromRow)]
struct PinRow {
    spend_id: SpendId,
    lot_id: LotId,
    member_id: MemberId,
    position: i64,
    points: i64,
    returned: i64,
    held: bool,
}

impl Book {
    /// Locks the accounts of these members (those that have none get one) and reads what they have, lots too. What has
    /// expired is booked as that.
    ///
    /// # Errors
    /// Any error of the database, [`Error::Corrupt`] when what is stored is impossible.
    pub async fn load(
        tx: &mut Tx,
        shop: ShopId,
        members: &[MemberId],
        program: &Versioned,
        now: Timestamp,
    ) -> Result<Book, Error> {
        let mut book = Book::open(tx, shop, members, program, now).await?;
        book.load_lots(tx, members).await?;
        Ok(book)
    }

    /// As [`Book::load`], but without lots: good for members who only earn. However many lots such a member has, booking
    /// costs the same. Lots that activity moves on are read all the same, with all others of their member.
    ///
    /// # Errors
    /// As [`Book::load`].
    pub async fn open(
        tx: &mut Tx,
        shop: ShopId,
        members: &[MemberId],
        program: &Versioned,
        now: Timestamp,
    ) -> Result<Book, Error> {
        let zone = merchants::zone(tx, shop).await?;
        let calendar = Calendar::new(now, zone, program.program.expiry);
        let mut members = members.to_vec();
        // In one order everywhere, so that two workers never wait for each other.
        members.sort_unstable();
        members.dedup();
        // New rows first: a worker that holds locks must not wait for another's new row.
        open_accounts(tx, shop, &members).await?;
        let rows = lock_accounts(tx, shop, &members).await?;
        let mut accounts = BTreeMap::new();
        for row in rows {
            if row.merged_into.is_some() {
                return Err(Error::Merged);
            }
            let account = Account {
                member: row.member_id,
                available: points(row.available)?,
                pending: points(row.pending)?,
                held: points(row.held)?,
                seq: row.seq,
                rolls: row.rolls,
                lots: BTreeMap::new(),
                has_lots: false,
                changed: false,
                is_new: false,
            };
            accounts.insert(row.member_id, account);
        }
        let rolling: Vec<MemberId> =
            accounts.values().filter(|account| account.rolls).map(|account| account.member).collect();
        let mut book = Book {
            shop,
            calendar,
            program_version: program.version,
            accounts,
            pins: HashMap::new(),
            entries: Vec::new(),
            told: Vec::new(),
        };
        book.load_lots(tx, &rolling).await?;
        Ok(book)
    }

    /// Opens accounts for members who were enrolled in this transaction: nobody else knows them yet, so that there is
    /// nothing to lock or to read, and their rows are written with all else.
    pub fn welcome(&mut self, members: &[MemberId]) {
        let new = |member: &MemberId| (*member, Account { is_new: true, ..Account::empty(*member) });
        self.accounts.extend(members.iter().map(new));
    }

    /// Reads the open lots of these members.
    ///
    /// # Errors
    /// As [`Book::load`].
    pub async fn load_lots(&mut self, tx: &mut Tx, members: &[MemberId]) -> Result<(), Error> {
        let shop = self.shop;
        let mut wanted = BTreeSet::new();
        for member in members {
            if let Some(account) = self.accounts.get_mut(member).filter(|account| !account.has_lots) {
                account.has_lots = true;
                wanted.insert(*member);
            }
        }
        let members: Vec<MemberId> = wanted.into_iter().collect();
        let open: Vec<LotRow> = db!(tx.all each members,
            sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                     select l.* from v join points_lots l
                         on l.shop_id = v.shop_id and l.member_id = v.member_id where l.remaining > 0",
            postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                       select l.* from v join points_lots l
                           on l.shop_id = v.shop_id and l.member_id = v.member_id where l.remaining > 0",
            |member| shop, *member)?;
        open.into_iter().try_for_each(|lot| self.add_lot(lot))?;
        self.expire()
    }

    /// Reads which lots these holds and debits took, so that they can be settled or given back.
    ///
    /// # Errors
    /// Any error of the database, [`Error::Corrupt`] when what is stored is impossible.
    pub async fn load_spends(&mut self, tx: &mut Tx, spends: &[SpendId]) -> Result<(), Error> {
        if spends.is_empty() {
            return Ok(());
        }
        let shop = self.shop;
        let pins: Vec<PinRow> = db!(tx.all each spends,
            sqlite: "with v (shop_id, spend_id) as (values ($1, $2))
                     select p.* from v join points_pins p on p.shop_id = v.shop_id and p.spend_id = v.spend_id",
            postgres: "with v (shop_id, spend_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                       select p.* from v join points_pins p on p.shop_id = v.shop_id and p.spend_id = v.spend_id",
            |spend| shop, *spend)?;
        let lots: Vec<LotRow> = db!(tx.all each spends,
            sqlite: "with v (shop_id, spend_id) as (values ($1, $2))
                     select distinct l.* from v
                         join points_pins p on p.shop_id = v.shop_id and p.spend_id = v.spend_id
                         join points_lots l on l.shop_id = p.shop_id and l.member_id = p.member_id and l.lot_id = p.lot_id",
            postgres: "with v (shop_id, spend_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                       select distinct l.* from v
                           join points_pins p on p.shop_id = v.shop_id and p.spend_id = v.spend_id
                           join points_lots l on l.shop_id = p.shop_id and l.member_id = p.member_id and l.lot_id = p.lot_id",
            |spend| shop, *spend)?;
        lots.into_iter().try_for_each(|lot| self.add_lot(lot))?;
        for spend in spends {
            self.pins.entry(*spend).or_default();
        }
        for row in pins {
            self.pins.entry(row.spend_id).or_default().push(Pin {
                lot: row.lot_id,
                member: row.member_id,
                position: row.position,
                points: points(row.points)?,
                returned: points(row.returned)?,
                held: row.held,
                changed: false,
            });
        }
        self.pins.values_mut().for_each(|pins| pins.sort_by_key(|pin| pin.position));
        self.expire()
    }

    /// Reads these lots, open or not.
    pub(super) async fn load_these(&mut self, tx: &mut Tx, lots: &[(MemberId, LotId)]) -> Result<(), Error> {
        let shop = self.shop;
        let found: Vec<LotRow> = db!(tx.all each lots,
            sqlite: "with v (shop_id, member_id, lot_id) as (values ($1, $2, $3))
                     select l.* from v join points_lots l
                         on l.shop_id = v.shop_id and l.member_id = v.member_id and l.lot_id = v.lot_id",
            postgres: "with v (shop_id, member_id, lot_id) as (
                           select * from unnest($1::uuid[], $2::uuid[], $3::uuid[]))
                       select l.* from v join points_lots l
                           on l.shop_id = v.shop_id and l.member_id = v.member_id and l.lot_id = v.lot_id",
            |row| shop, row.0, row.1)?;
        found.into_iter().try_for_each(|lot| self.add_lot(lot))?;
        self.expire()
    }

    fn add_lot(&mut self, row: LotRow) -> Result<(), Error> {
        // A pin may lead to the lot of a member who is none of this work's business.
        let Some(account) = self.accounts.get_mut(&row.member_id) else { return Ok(()) };
        let Vacant(place) = account.lots.entry(row.lot_id) else { return Ok(()) };
        place.insert(Lot {
            id: row.lot_id,
            original: points(row.original)?,
            remaining: points(row.remaining)?,
            lapsed: points(row.lapsed)?,
            earned_at: row.earned_at,
            cohort: row.cohort,
            expires_at: row.expires_at,
            rolls: row
                .rolls
                .map(|term| term.parse().map_err(|_| Error::Corrupt("a stored term is none")))
                .transpose()?,
            warned: row.warned,
            had_grace: row.had_grace,
            changed: false,
            is_new: false,
        });
        Ok(())
    }
}

async fn lock_accounts(
    tx: &mut Tx,
    shop: ShopId,
    members: &[MemberId],
) -> Result<Vec<AccountRow>, db::Error> {
    db!(tx.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select a.* from v join points_accounts a
                     on a.shop_id = v.shop_id and a.member_id = v.member_id",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select a.* from v join points_accounts a
                       on a.shop_id = v.shop_id and a.member_id = v.member_id
                   order by a.member_id for update of a",
        |member| shop, *member)
}

async fn open_accounts(tx: &mut Tx, shop: ShopId, members: &[MemberId]) -> Result<u64, db::Error> {
    db!(tx.each members,
        sqlite: "insert into points_accounts (shop_id, member_id, available, pending, held, seq)
                 values ($1, $2, 0, 0, 0, 0) on conflict (shop_id, member_id) do nothing",
        postgres: "insert into points_accounts (shop_id, member_id, available, pending, held, seq)
                   select shop_id, member_id, 0, 0, 0, 0 from unnest($1::uuid[], $2::uuid[]) as v (shop_id, member_id)
                   on conflict (shop_id, member_id) do nothing",
        |member| shop, *member)
}
