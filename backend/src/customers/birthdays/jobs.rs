//! What comes round for birthdays: their bonus, when their day begins in the shop.

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};
use loyalty::{Birthday, Expiry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store;
use crate::customers::Error;
use crate::db::{self, Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::points::{self, Calendar};
use crate::tasks::{Run, Task, TaskError};
use crate::{merchants, programs};

/// How many members are locked at a time.
const AT_ONCE: i64 = 200;
/// How many days that were missed are made up for.
const MADE_UP: i64 = 30;

/// Gives the bonus for today's birthdays in a shop, and for those of days on which nobody did. Killed half-way, it goes on
/// with the day where it was: nobody has a bonus twice.
#[derive(Debug, Serialize, Deserialize)]
pub struct Celebrate {}

#[async_trait]
impl Task for Celebrate {
    const KIND: &'static str = "customers.birthdays";
    const DEADLINE: SignedDuration = SignedDuration::from_hours(1);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        for day in due(&mut run.app.db.read(shop).await?, shop, run.now()).await? {
            let mut after = Some(MemberId(Uuid::nil()));
            while let Some(last) = after {
                let mut tx = run.begin().await?;
                after = celebrate(&mut tx, shop, day, last, run.now()).await.map_err(failed)?;
                tx.commit().await?;
            }
        }
        Ok(())
    }
}

/// The days of a shop until today whose birthdays were not looked at yet.
///
/// # Errors
/// Any error of the database.
pub async fn due(read: &mut Read, shop: ShopId, now: Timestamp) -> Result<Vec<Date>, db::Error> {
    let calendar = calendar(read, shop, now).await?;
    let today = calendar.day(now);
    let from = store::celebrated(read, shop).await?.map_or(today, |until| calendar.day(until));
    let earliest = today.saturating_sub(MADE_UP.days());
    Ok(from.max(earliest).series(1.day()).take_while(|day| *day <= today).collect())
}

/// Gives what the program gave when the day began to the members who come next after one of them and have their birthday on
/// it, and says who was the last of them. None if there was nobody: then the day is over.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn celebrate(
    tx: &mut Tx,
    shop: ShopId,
    day: Date,
    after: MemberId,
    now: Timestamp,
) -> Result<Option<MemberId>, Error> {
    let calendar = calendar(tx, shop, now).await?;
    let program = programs::as_of(tx, shop, calendar.start(day)).await?;
    if let Some(program) = program
        && let Some(bonus) = program.program.bonuses.birthday
    {
        let ahead = i64::from(bonus.days_ahead) - 1;
        let told_before = calendar.start(day.saturating_sub(ahead.days()));
        let members =
            store::having(tx, shop, Birthday::falling_on(day), told_before, (after, AT_ONCE)).await?;
        if let Some(last) = members.last() {
            points::bonuses::birthday(tx, shop, &members, (day, bonus.points), &program, now).await?;
            return Ok(Some(*last));
        }
    }
    store::set_celebrated(tx, shop, calendar.start(day.saturating_add(1.day()))).await?;
    Ok(None)
}

/// The shop's days. Nothing is earned by them, so no rule of expiry matters.
async fn calendar(read: &mut Read, shop: ShopId, now: Timestamp) -> Result<Calendar, db::Error> {
    Ok(Calendar::new(now, merchants::zone(read, shop).await?, Expiry::default()))
}

fn failed(error: Error) -> TaskError {
    match error {
        Error::Db(error) => TaskError::Database(error),
        error => TaskError::Failed(error.to_string()),
    }
}
