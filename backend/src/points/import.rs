//! Points that members bring along from another programme, and what becomes of them when that is undone.

use std::collections::HashMap;

use loyalty::Points;
use loyalty::program::ReturnPolicy;
use uuid::Uuid;

use super::account::{Lot, LotId, Taken};
use super::book::{Book, less};
use super::entry::{Kind, Ledger, Source};
use super::{Error, store};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

/// Points that were earned together elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brought {
    /// How many; positive.
    pub points: Points,
    /// When they were earned; none: now.
    pub earned_at: Option<Timestamp>,
    /// Until when they can be spent.
    pub until: Until,
}

/// Until when points can be spent that are brought along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// As long as points that are earned now.
    Program,
    /// As long as the programme.
    Never,
    /// They are gone at that instant.
    At(Timestamp),
}

impl Book {
    /// Books the points that a member brings along, under a name that no other import has.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when the balance would leave the range of points: then nothing was changed.
    pub fn import(&mut self, member: MemberId, name: &str, brought: &[Brought]) -> Result<Points, Error> {
        let mut sum = Points::ZERO;
        for lot in brought {
            sum = sum.plus(lot.points)?;
        }
        self.account(member)?.available.plus(sum)?;
        let mut lots = Vec::with_capacity(brought.len());
        for Brought { points, earned_at, until } in brought {
            let earned_at = earned_at.unwrap_or(self.now());
            let mut lot = Lot::earned(LotId(Uuid::now_v7()), *points, earned_at, &self.calendar);
            match until {
                Until::Program => {}
                Until::Never => (lot.expires_at, lot.rolls) = (None, None),
                Until::At(at) => (lot.expires_at, lot.rolls) = (Some(*at), None),
            }
            lots.push((lot.id, self.account_mut(member)?.add_lot(lot)?.get(), 0));
        }
        let postings = vec![(Ledger::Imported, -sum.get()), (Ledger::Available, sum.get())];
        self.write(member, Kind::Import, Source::Import, name.to_owned(), postings, lots)?;
        Ok(sum)
    }

    /// Takes back what an import brought: from its own lots first, then, as far as the policy lets it, from what else the
    /// member has. What expired meanwhile is not taken from elsewhere. Says how many points were taken.
    ///
    /// # Errors
    /// When a balance would leave the range of points.
    pub fn revert(
        &mut self,
        member: MemberId,
        import: &Imported,
        policy: ReturnPolicy,
    ) -> Result<Points, Error> {
        let account = self.account_mut(member)?;
        let mut wanted = import.points;
        for lot in &import.lots {
            wanted = wanted.minus(account.take_lapsed(wanted, &[*lot])?)?;
        }
        let reverted = policy.takes(wanted, account.available.plus(account.held)?);
        let (mut left, mut taken) = (reverted, Taken::new());
        for lot in &import.lots {
            let in_lot = account.lots.get(lot).map_or(Points::ZERO, |lot| lot.remaining).min(left);
            taken.extend(account.take(in_lot, &[*lot])?);
            left = left.minus(in_lot)?;
        }
        taken.extend(account.take(left, &[])?);
        let postings = vec![(Ledger::Available, -reverted.get()), (Ledger::Imported, reverted.get())];
        self.write(member, Kind::Revert, Source::Import, import.name.clone(), postings, less(&taken))?;
        Ok(reverted)
    }

    /// Reads the lots that these imports brought, open or not; whose they are now stands beside them.
    ///
    /// # Errors
    /// Any error of the database, [`Error::Corrupt`] when what is stored is impossible.
    pub async fn load_imported<'a>(
        &mut self,
        tx: &mut Tx,
        imports: impl IntoIterator<Item = (MemberId, &'a Imported)>,
    ) -> Result<(), Error> {
        let lots = imports
            .into_iter()
            .flat_map(|(member, import)| import.lots.iter().map(move |lot| (member, *lot)));
        self.load_these(tx, &lots.collect::<Vec<_>>()).await
    }
}

/// What an import booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its name.
    pub name: String,
    /// How many points.
    pub points: Points,
    /// The lots that they lay in.
    lots: Vec<LotId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    source_id: String,
    points: i64,
    lot_id: Option<LotId>,
}

/// What was booked under these names, where anything was.
///
/// # Errors
/// Any error of the database.
pub async fn imported(
    read: &mut Read,
    shop: ShopId,
    names: &[String],
) -> Result<HashMap<String, Imported>, Error> {
    let rows: Vec<Row> = db!(read.all each names,
        sqlite: "with v (shop_id, source_id) as (values ($1, $2))
                 select e.source_id, p.amount as points, m.lot_id from v
                     join points_entries e on e.shop_id = v.shop_id and e.kind = 'import' and e.source = 'import'
                         and e.source_id = v.source_id
                     join points_postings p on p.shop_id = e.shop_id and p.entry_id = e.entry_id
                         and p.account = 'available'
                     left join points_moves m on m.shop_id = e.shop_id and m.entry_id = e.entry_id",
        postgres: "with v (shop_id, source_id) as (select * from unnest($1::uuid[], $2::text[]))
                   select e.source_id, p.amount as points, m.lot_id from v
                       join points_entries e on e.shop_id = v.shop_id and e.kind = 'import' and e.source = 'import'
                           and e.source_id = v.source_id
                       join points_postings p on p.shop_id = e.shop_id and p.entry_id = e.entry_id
                           and p.account = 'available'
                       left join points_moves m on m.shop_id = e.shop_id and m.entry_id = e.entry_id",
        |name| shop, name.as_str())?;
    let mut found: HashMap<String, Imported> = HashMap::new();
    for Row { source_id, points, lot_id } in rows {
        let points = store::points(points)?;
        let import =
            found.entry(source_id.clone()).or_insert(Imported { name: source_id, points, lots: Vec::new() });
        import.lots.extend(lot_id);
    }
    found.values_mut().for_each(|import| import.lots.sort_unstable());
    Ok(found)
}
