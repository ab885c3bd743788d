//! The scales that a program's rule gives for a shop's members as they are now.

use loyalty::rfm::{Rfm, Scale, Steps, Thresholds};

use crate::db;
use crate::db::{Db, Read, Timestamp};
use crate::ids::ShopId;
use crate::points::Calendar;

/// By a rule.
pub(super) async fn of(
    read: &mut Read,
    shop: ShopId,
    rule: Rfm,
    calendar: &Calendar,
) -> Result<Scale, db::Error> {
    match rule {
        Rfm::Relative => relative(read, shop).await,
        Rfm::Thresholds(thresholds) => Ok(of_steps(&thresholds, calendar)),
    }
}

/// By a merchant's own steps.
pub(super) fn of_steps(thresholds: &Thresholds, calendar: &Calendar) -> Scale {
    thresholds.scale(calendar.day(calendar.now()), |day| calendar.start(day).as_microsecond())
}

/// By where members stand beside each other.
pub(super) async fn relative(read: &mut Read, shop: ShopId) -> Result<Scale, db::Error> {
    Ok(Scale::new(recency(read, shop).await?, frequency(read, shop).await?, monetary(read, shop).await?))
}

/// The same, each number on a connection of its own: of a million members each is sorted for a quarter of a second. Whoever
/// asks holds no other connection meanwhile.
pub(super) async fn relative_at_once(db: &Db, shop: ShopId) -> Result<Scale, db::Error> {
    let (recency, frequency, monetary) = tokio::try_join!(
        async { recency(&mut db.read(shop).await?, shop).await },
        async { frequency(&mut db.read(shop).await?, shop).await },
        async { monetary(&mut db.read(shop).await?, shop).await },
    )?;
    Ok(Scale::new(recency, frequency, monetary))
}

/// The last of each of four fifths of all who have bought something, by one number. A fifth is rounded up, as in
/// `Steps::relative`. PostgreSQL sorts a number alone in a third of the time that it takes with a row on it; a little less
/// than a fifth's share of all is that place, whatever multiplying loses, for as many members as have room on one machine.
macro_rules! last_of_fifths {
    ($read:ident, $shop:ident, $number:literal) => {
        db!(
            $read.all,
            sqlite: concat!(
                "with bought as (
                     select ", $number, " as number from rfm_members where shop_id = $1 and orders > 0 and is_there),
                 fifths (fifth, place) as (
                     select column1, (column1 * max(1, (select count(*) from bought)) + 4) / 5
                     from (values (1), (2), (3), (4))),
                 sorted as (select number, row_number() over (order by number) as place from bought)
                 select number from fifths join sorted on sorted.place = fifths.place order by fifth"
            ),
            postgres: concat!(
                "select unnest(percentile_disc(array[0.2 - 1e-9, 0.4 - 1e-9, 0.6 - 1e-9, 0.8 - 1e-9]::float8[])
                            within group (order by ", $number, ")) as number
                 from rfm_members where shop_id = $1 and orders > 0 and is_there"
            ),
            $shop
        )
    };
}

async fn recency(read: &mut Read, shop: ShopId) -> Result<Steps, db::Error> {
    let last: Vec<(Option<Timestamp>,)> = last_of_fifths!(read, shop, "last_order_at")?;
    Ok(steps(last.into_iter().map(|(last,)| last.map(Timestamp::as_microsecond))))
}

async fn frequency(read: &mut Read, shop: ShopId) -> Result<Steps, db::Error> {
    let last: Vec<(Option<i64>,)> = last_of_fifths!(read, shop, "orders")?;
    Ok(steps(last.into_iter().map(|(last,)| last)))
}

async fn monetary(read: &mut Read, shop: ShopId) -> Result<Steps, db::Error> {
    let last: Vec<(Option<i64>,)> = last_of_fifths!(read, shop, "spent")?;
    Ok(steps(last.into_iter().map(|(last,)| last)))
}

/// Where there are no numbers, no number is above a step.
fn steps(last: impl IntoIterator<Item = Option<i64>>) -> Steps {
    let mut numbers = [i64::MAX; 4];
    numbers.iter_mut().zip(last).for_each(|(number, last)| *number = last.unwrap_or(i64::MAX));
    Steps::above(numbers)
}
