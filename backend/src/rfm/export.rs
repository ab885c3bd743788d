//! `loyalnest rfm`: every member's scores as a table.

use std::collections::HashMap;
use std::io::stdout;

use jiff::civil::Date;
use loyalty::Expiry;
use loyalty::rfm::{Group, History, Rfm, Scale, Segment};
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;
use crate::db::{self, Read, Timestamp};
use crate::error::Error;
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::points::{Calendar, history};
use crate::{customers, merchants, programs};

/// How many members are read at a time.
const PAGE: i64 = 10_000;

/// What can be asked.
#[derive(Debug, clap::Subcommand)]
pub enum RfmCommand {
    /// Print every member's scores as CSV, worked out anew from their orders by the program's rule: recency in days,
    /// money in minor units of the shop's currency. Nothing is written.
    Export {
        /// The shop: NAME.myshopify.com; the only one where there is no other.
        #[arg(long)]
        shop: Option<String>,
        /// By the orders that were placed until the end of this day in the shop, as 2026-11-30, with all that is known of
        /// them by now; else by all of them, as of today.
        #[arg(long, value_name = "DATE")]
        as_of: Option<Date>,
    },
}

/// A member's line.
#[derive(Debug, Serialize)]
struct Line {
    customer: CustomerId,
    /// Days of the shop since the last order; none for prospects.
    recency_days: Option<i32>,
    frequency: i64,
    monetary: i64,
    r: u8,
    f: u8,
    m: u8,
    /// With one decimal.
    score: String,
    segment: String,
    group: &'static str,
}

/// Prints it.
///
/// # Errors
/// When there is no such shop, the database fails, or nobody takes the lines.
pub async fn run(app: &App, command: RfmCommand) -> Result<(), Error> {
    let RfmCommand::Export { shop, as_of } = command;
    let shop = match shop {
        Some(name) => app.shop_named(&name).await?.id,
        None => only_shop(app).await?,
    };
    let mut read = app.db.read(shop).await?;
    let rule = programs::current(&mut read, shop).await?.program.rfm;
    let calendar = Calendar::new(app.clock.now(), merchants::zone(&mut read, shop).await?, Expiry::default());
    let mut table = csv::Writer::from_writer(stdout().lock());
    for line in lines(&mut read, shop, rule, &calendar, as_of).await? {
        table.serialize(line).map_err(|error| Error::Io(error.into()))?;
    }
    table.flush()?;
    Ok(())
}

/// The shop of an installation that has one.
async fn only_shop(app: &App) -> Result<ShopId, Error> {
    let first = ShopId(Uuid::nil());
    match merchants::zones(&mut app.db.read_outside().await?, first, 2).await?.as_slice() {
        [only] => Ok(only.shop_id),
        [] => Err(Error::Usage("no shop has installed the app".into())),
        _ => Err(Error::Usage("say of which shop: --shop NAME.myshopify.com".into())),
    }
}

/// A line for every member, in the order in which they were enrolled.
async fn lines(
    read: &mut Read,
    shop: ShopId,
    rule: Rfm,
    calendar: &Calendar,
    as_of: Option<Date>,
) -> Result<Vec<Line>, db::Error> {
    let today = as_of.unwrap_or_else(|| calendar.day(calendar.now()));
    let before = as_of.map_or(Timestamp::from(jiff::Timestamp::MAX), |day| {
        calendar.start(day.saturating_add(jiff::Span::new().days(1)))
    });
    let mut bought = bought(read, shop, before).await?;
    let mut members: Vec<(CustomerId, History)> = Vec::new();
    let mut after = MemberId(Uuid::nil());
    loop {
        let page = customers::after(read, shop, after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        members.extend(
            page.iter().map(|(member, customer)| (*customer, bought.remove(member).unwrap_or_default())),
        );
    }
    let scale = match rule {
        Rfm::Relative => Scale::relative(&members.iter().map(|(_, history)| *history).collect::<Vec<_>>()),
        Rfm::Thresholds(steps) => steps.scale(today, |day| calendar.start(day).as_microsecond()),
    };
    let line = |(customer, history): (CustomerId, History)| {
        let scored = scale.segment(&history);
        let segment = scored.unwrap_or(Segment::of(1, 1, 1));
        let days = || {
            let last = calendar.day(Timestamp::from_microsecond(history.last_order).ok()?);
            Some(today.since(last).ok()?.get_days().max(0))
        };
        Line {
            customer,
            recency_days: scored.and_then(|_| days()),
            frequency: history.orders,
            monetary: history.spent,
            r: segment.recency(),
            f: segment.frequency(),
            m: segment.monetary(),
            score: format!("{}.{}", segment.score() / 10, segment.score() % 10),
            segment: segment.to_string(),
            group: Group::of(scored).as_str(),
        }
    };
    Ok(members.into_iter().map(line).collect())
}

/// What everyone has bought by orders that were placed before then.
async fn bought(
    read: &mut Read,
    shop: ShopId,
    before: Timestamp,
) -> Result<HashMap<MemberId, History>, db::Error> {
    let (mut all, mut after) = (HashMap::new(), MemberId(Uuid::nil()));
    loop {
        let page = history::until(read, shop, before, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.member_id;
        all.extend(page.into_iter().map(|one| {
            let last_order = one.last_order_at.as_microsecond();
            (one.member_id, History { last_order, orders: one.orders, spent: one.spent })
        }));
    }
}
