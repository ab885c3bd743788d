//! Taking an import back: what is left of its points, and its tiers. Whoever became a member by it stays one.

use std::collections::BTreeMap;

use loyalty::Points;
use serde_json::{Value, json};
use uuid::Uuid;

use super::store::{self, WrittenRow};
use super::{Batch, Error, Kind, State, book, orders};
use crate::app::App;
use crate::audit::{self, Action, By, Change};
use crate::campaigns::{self, Assignment};
use crate::db::{Timestamp, Tx};
use crate::events::{self, Event, ImportReverted};
use crate::ids::{MemberId, ShopId};
use crate::points::{self, Book};
use crate::{customers, programs, sync};

/// Rows that share a transaction.
const TOGETHER: i64 = 2_000;

/// Takes a batch back, as far as it is imported; one whose taking back broke goes on. Spent points are taken from what else
/// their member has as far as the program's policy for returns lets it.
///
/// # Errors
/// [`Error::NotThere`] if there is no such batch or it was taken back, or any error of the ledger or the database.
pub async fn revert(app: &App, shop: ShopId, batch: Uuid, by: &By) -> Result<Batch, Error> {
    let found = store::batch(&mut app.db.read(shop).await?, shop, batch).await?;
    let mut batch = found.ok_or(Error::NotThere(batch))?;
    if batch.kind == Kind::Orders {
        return orders::revert(app, shop, batch, by).await;
    }
    while matches!(batch.state, State::Running | State::Done | State::Reverting) {
        batch = loop {
            let mut tx = app.db.begin(shop).await?;
            match step(&mut tx, shop, &batch, by, app.clock.now()).await {
                // Whoever looks again finds the one into whom they were merged.
                Err(Error::Points(points::Error::Merged)) => {}
                Err(error) => return Err(error),
                Ok(now) => {
                    tx.commit().await?;
                    break now;
                }
            }
        };
        if batch.state == State::Reverted {
            return Ok(batch);
        }
    }
    Err(Error::NotThere(batch.batch_id))
}

/// The next rows of a batch, or its end.
async fn step(tx: &mut Tx, shop: ShopId, before: &Batch, by: &By, now: Timestamp) -> Result<Batch, Error> {
    let rows = store::rows_after(tx, shop, before.batch_id, before.reverted_row, TOGETHER).await?;
    let mut batch = Batch { state: State::Reverting, ..before.clone() };
    let Some(last) = rows.last() else {
        batch.state = State::Reverted;
        store::retreat(tx, shop, before, &batch, Some(now)).await?;
        tell(tx, shop, &batch, by, now).await?;
        return Ok(batch);
    };
    batch.reverted_row = last.line;
    let members: Vec<MemberId> = rows.iter().map(|row| row.member_id).collect();
    let members = customers::current(tx, shop, &members).await?;
    let whose = |row: &WrittenRow| members.get(&row.member_id).copied().unwrap_or(row.member_id);
    let names: Vec<String> = rows.iter().map(|row| book::name(batch.batch_id, row.line)).collect();
    let imported = points::imported(tx, shop, &names).await?;
    let booked: Vec<_> =
        rows.iter().zip(&names).filter_map(|(row, name)| Some((whose(row), imported.get(name)?))).collect();

    let program = programs::current(tx, shop).await?;
    let members: Vec<MemberId> = booked.iter().map(|(member, _)| *member).collect();
    let mut book = Book::load(tx, shop, &members, &program, now).await?;
    book.load_imported(tx, booked.iter().copied()).await?;
    for (member, import) in booked {
        let taken: Points = book.revert(member, import, program.program.returns)?;
        batch.taken_back += taken.get();
        batch.left_alone += import.points.get() - taken.get();
    }
    let changed: Vec<MemberId> = book.changed().collect();
    book.save(tx).await?;
    put_tiers_back(tx, shop, rows.iter().map(|row| (whose(row), row)), now).await?;
    sync::mark(tx, shop, &changed, now).await?;
    store::retreat(tx, shop, before, &batch, None).await?;
    Ok(batch)
}

/// Tiers that are still what the import made them are what they were before.
async fn put_tiers_back(
    tx: &mut Tx,
    shop: ShopId,
    rows: impl Iterator<Item = (MemberId, &WrittenRow)>,
    now: Timestamp,
) -> Result<(), Error> {
    // Who stands in the file more than once has the last tier, and had what was there before the first.
    let mut given: BTreeMap<MemberId, (&WrittenRow, &WrittenRow)> = BTreeMap::new();
    for (member, row) in rows.filter(|(_, row)| row.tier.is_some()) {
        given.entry(member).or_insert((row, row)).1 = row;
    }
    let members: Vec<MemberId> = given.keys().copied().collect();
    let tiers = campaigns::tiers(tx, shop, &members).await?;
    let back = |(member, (first, last)): (MemberId, (&WrittenRow, &WrittenRow))| {
        let before = tiers.get(&member).cloned();
        let tier = first.tier_before.clone();
        (before == last.tier).then_some(Assignment { member, tier, since: now, before })
    };
    let back: Vec<Assignment> = given.into_iter().filter_map(back).collect();
    campaigns::assign_all(tx, shop, &back, now).await?;
    Ok(())
}

async fn tell(tx: &mut Tx, shop: ShopId, batch: &Batch, by: &By, now: Timestamp) -> Result<(), Error> {
    let Batch { batch_id, taken_back, left_alone, .. } = *batch;
    let change = Change {
        action: Action::ImportReverted,
        target: Some(batch_id.to_string()),
        before: Value::Null,
        after: json!({"taken_back": taken_back, "left_alone": left_alone}),
    };
    audit::record(tx, shop, by, change, now).await?;
    let reverted = ImportReverted { batch: batch_id, taken_back, left_alone };
    events::publish(tx, shop, Event::ImportReverted(reverted), now).await?;
    Ok(())
}
