//! `loyalnest rfm`: every member's scores as a table.

use std::collections::VecDeque;
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
use crate::points::Calendar;
use crate::{customers, history, merchants, programs};

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
    let export = Export::new(shop, &calendar, as_of);
    let scale = export.scale(&mut read, rule).await?;
    export.lines(&mut read, &scale, |line| table.serialize(line)).await?;
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

/// What is exported, and as of when.
struct Export<'c> {
    shop: ShopId,
    calendar: &'c Calendar,
    today: Date,
    /// Orders that were placed before then count.
    before: Timestamp,
}

impl Export<'_> {
    fn new(shop: ShopId, calendar: &Calendar, as_of: Option<Date>) -> Export<'_> {
        let today = as_of.unwrap_or_else(|| calendar.day(calendar.now()));
        let before = as_of.map_or(Timestamp::from(jiff::Timestamp::MAX), |day| {
            calendar.start(day.saturating_add(jiff::Span::new().days(1)))
        });
        Export { shop, calendar, today, before }
    }

    /// The scale by which members stood then. Beside each other, of each of them three numbers are kept for it.
    async fn scale(&self, read: &mut Read, rule: Rfm) -> Result<Scale, db::Error> {
        if let Rfm::Thresholds(steps) = rule {
            return Ok(steps.scale(self.today, |day| self.calendar.start(day).as_microsecond()));
        }
        let (mut base, mut buyers) = (Vec::new(), self.buyers());
        while let Some((_, history)) = buyers.next(read).await? {
            base.push(history);
        }
        Ok(Scale::relative(&base))
    }

    /// A line for every member, in the order in which they were enrolled.
    async fn lines(
        &self,
        read: &mut Read,
        scale: &Scale,
        mut print: impl FnMut(Line) -> csv::Result<()>,
    ) -> Result<(), Error> {
        let (mut buyers, mut after) = (self.buyers(), MemberId(Uuid::nil()));
        let mut buyer = buyers.next(read).await?;
        loop {
            let page = customers::after(read, self.shop, after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (member, customer) in page {
                // Whoever is no customer any more has orders, and no line.
                while buyer.is_some_and(|(buyer, _)| buyer < member) {
                    buyer = buyers.next(read).await?;
                }
                let history = buyer.filter(|(buyer, _)| *buyer == member).map(|(_, history)| history);
                print(self.line(scale, customer, history.unwrap_or_default()))
                    .map_err(|error| Error::Io(error.into()))?;
            }
        }
    }

    fn line(&self, scale: &Scale, customer: CustomerId, history: History) -> Line {
        let scored = scale.segment(&history);
        let segment = scored.unwrap_or(Segment::of(1, 1, 1));
        let days = || {
            let last = self.calendar.day(Timestamp::from_microsecond(history.last_order).ok()?);
            Some(self.today.since(last).ok()?.get_days().max(0))
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
    }

    fn buyers(&self) -> Buyers {
        Buyers { shop: self.shop, before: self.before, page: VecDeque::new(), after: MemberId(Uuid::nil()) }
    }
}

/// Members who had bought something by then, in the order in which they were enrolled.
struct Buyers {
    shop: ShopId,
    before: Timestamp,
    /// Those who come next.
    page: VecDeque<history::Bought>,
    after: MemberId,
}

impl Buyers {
    async fn next(&mut self, read: &mut Read) -> Result<Option<(MemberId, History)>, db::Error> {
        if self.page.is_empty() {
            self.page = history::until(read, self.shop, self.before, self.after, PAGE).await?.into();
        }
        let Some(bought) = self.page.pop_front() else { return Ok(None) };
        self.after = bought.member_id;
        let last_order = bought.last_order_at.as_microsecond();
        let history = History { last_order, orders: bought.orders, spent: bought.spent };
        Ok(Some((bought.member_id, history)))
    }
}
