//! What comes round for points: the expiry of those whose time has run out, and warnings ahead of it.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::expiry::WARNINGS;
use super::{Book, Calendar, Error};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::tasks::{Run, Task, TaskError};
use crate::{merchants, programs, sync};

/// How many members are locked at a time.
const AT_ONCE: i64 = 200;

/// Books what has expired in a shop, and tells of what will soon. Killed half-way, it goes on where it was.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExpireDaily {}

#[async_trait]
impl Task for ExpireDaily {
    const KIND: &'static str = "points.expire";
    const DEADLINE: SignedDuration = SignedDuration::from_hours(1);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        let mut after = MemberId(Uuid::nil());
        loop {
            let mut tx = run.begin().await?;
            let Some(last) = expire(&mut tx, shop, after, run.now()).await.map_err(failed)? else {
                return Ok(());
            };
            tx.commit().await?;
            after = last;
        }
    }
}

/// Books what has expired of the members that come next after one of them, warns of what will soon, and says who was
/// the last of them. None if there was nobody.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn expire(
    tx: &mut Tx,
    shop: ShopId,
    after: MemberId,
    now: Timestamp,
) -> Result<Option<MemberId>, Error> {
    let program = match programs::current(tx, shop).await {
        Ok(program) => program,
        Err(programs::Error::Db(error)) => return Err(error.into()),
        // Without a program nobody has earned anything.
        Err(_) => return Ok(None),
    };
    let zone = merchants::zone(tx, shop).await?;
    let calendar = Calendar::new(now, zone, program.program.expiry);
    let members = due(tx, shop, &calendar, after).await?;
    let Some(last) = members.last().copied() else { return Ok(None) };
    let mut book = Book::load(tx, shop, &members, &program, now).await?;
    for member in members {
        book.warn(member)?;
    }
    let changed: Vec<MemberId> = book.changed().collect();
    book.save(tx).await?;
    sync::mark(tx, shop, &changed, now).await?;
    Ok(Some(last))
}

/// Members with points that have expired, or of whose expiry they are to be warned.
async fn due(
    tx: &mut Read,
    shop: ShopId,
    calendar: &Calendar,
    after: MemberId,
) -> Result<Vec<MemberId>, db::Error> {
    let [first, last] = WARNINGS.map(|days| (calendar.in_days(days), i64::from(days)));
    let rows: Vec<(MemberId,)> = db!(
        tx.all,
        "select distinct member_id from points_lots
         where shop_id = $1 and remaining > 0 and expires_at <= $2 and member_id > $3 and (
             warned is null or expires_at <= $4 or (expires_at <= $5 and warned > $6))
         order by member_id limit $7",
        shop,
        first.0,
        after,
        calendar.now(),
        last.0,
        last.1,
        AT_ONCE
    )?;
    Ok(rows.into_iter().map(|(member,)| member).collect())
}

fn failed(error: Error) -> TaskError {
    match error {
        Error::Db(error) => TaskError::Database(error),
        error => TaskError::Failed(error.to_string()),
    }
}
