//! Finance: what a shop's points come to at the end of any day, for those who keep the books. It reads the ledger through
//! `points` and has no tables of its own.

pub mod command;
pub mod liability;
pub mod roll;
pub mod routes;
mod table;
pub mod triangle;

use jiff::civil::Date;
use loyalty::{Expiry, Program};
use serde::Serialize;

use self::liability::{Allocation, Rate};
use self::roll::{Changes, CohortLine, Line};
use self::triangle::Cell;
use crate::db::{self, Read, Timestamp};
use crate::ids::ShopId;
use crate::points::{Calendar, Kind, Ledger, Window, statement};
use crate::{merchants, points, programs};

/// What can go wrong with a report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No reward tells what a point is worth in money.
    #[error("no reward of the program takes an amount off; say what a point is worth")]
    NoValue,
    /// A number that makes no sense.
    #[error(transparent)]
    Liability(#[from] liability::Nonsense),
    /// The program.
    #[error(transparent)]
    Program(#[from] programs::Error),
    /// The ledger.
    #[error(transparent)]
    Points(#[from] points::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// The ledger of a shop until the end of a day, or until now.
pub struct Books<'a> {
    read: &'a mut Read,
    shop: ShopId,
    calendar: Calendar,
    until: Timestamp,
    windows: Vec<Window>,
}

impl<'a> Books<'a> {
    /// Opens the books as they were at the end of `day` in the shop, or as they are now.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn open(
        read: &'a mut Read,
        shop: ShopId,
        day: Option<Date>,
        now: Timestamp,
    ) -> Result<Books<'a>, Error> {
        let zone = merchants::zone(read, shop).await?;
        let calendar = Calendar::new(now, zone, Expiry::default());
        // What was booked at this very instant counts.
        let until = match day {
            Some(day) => calendar.start(day.saturating_add(jiff::Span::new().days(1))),
            None => now + jiff::SignedDuration::from_micros(1),
        };
        let windows = match statement::begins(read, shop).await? {
            Some(first) => months(&calendar, first, until),
            None => Vec::new(),
        };
        Ok(Books { read, shop, calendar, until, windows })
    }

    /// The roll-forward by month: opening + earned − redeemed − expired − reversed + adjusted = closing.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn roll_forward(&mut self) -> Result<Vec<Line>, Error> {
        let posted = statement::posted(self.read, self.shop, &self.windows).await?;
        let changes = |month| {
            let of_month = posted.iter().filter(|(of, ..)| *of == month);
            of_month.map(|(_, ledger, points)| Changes::of_posting(*ledger, *points)).sum()
        };
        Ok(roll::forward(self.windows.iter().map(|window| (window.month, changes(window.month)))))
    }

    /// The same by the month in which points were earned. What lies in no lot, waiting points and what members owe, has a
    /// line of its own.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn cohorts(&mut self) -> Result<Vec<CohortLine>, Error> {
        let posted = statement::posted(self.read, self.shop, &self.windows).await?;
        let moved = statement::moved(self.read, self.shop, &self.windows).await?;
        let months: Vec<i64> = self.windows.iter().map(|window| window.month).collect();
        Ok(roll::by_cohort(&months, &posted, &moved))
    }

    /// What became of each cohort month by month: the shares that were redeemed and that expired.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn triangle(&mut self) -> Result<Vec<Cell>, Error> {
        let moved = statement::moved(self.read, self.shop, &self.windows).await?;
        Ok(triangle::cells(&moved, self.calendar.month(self.until - jiff::SignedDuration::from_micros(1))))
    }

    /// What is outstanding, by the month in which it expires.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn by_expiry(&mut self) -> Result<Vec<ExpiryLine>, Error> {
        let mut lines: Vec<ExpiryLine> = Vec::new();
        for (at, points) in statement::expiring(self.read, self.shop, self.until).await? {
            let month = at.map(|at| self.calendar.month(at));
            match lines.iter_mut().find(|line| line.month == month) {
                Some(line) => line.points += points,
                None => lines.push(ExpiryLine { month, points }),
            }
        }
        lines.sort_by_key(|line| (line.month.is_none(), line.month));
        Ok(lines)
    }

    /// What the shop owes its members, at what points are worth to them and at the price that was allocated to them.
    ///
    /// # Errors
    /// [`Error::NoValue`], a number that makes no sense, or any error of the database.
    pub async fn liability(
        &mut self,
        rate: Option<Rate>,
        allocation: Option<Allocation>,
    ) -> Result<Liability, Error> {
        let program: Program = programs::current(self.read, self.shop).await?.program;
        let rate = rate.or_else(|| Rate::of(&program)).ok_or(Error::NoValue)?;
        let lines = self.roll_forward().await?;
        let outstanding = lines.last().map_or(0, |line| line.closing);
        let redeemed = lines.iter().map(|line| line.redeemed).sum();
        let owed = statement::owed(self.read, self.shop, self.until).await?;
        Ok(Liability {
            currency: program.currency.code().to_owned(),
            outstanding,
            owed,
            redeemed,
            rate_points: rate.points,
            rate_minor: rate.minor,
            face_value_minor: rate.worth(outstanding + owed)?,
            deferred_minor: allocation.map(|allocation| allocation.deferred(redeemed)).transpose()?,
            recognised_minor: allocation.map(|allocation| allocation.recognised(redeemed)).transpose()?,
        })
    }
}

/// Points that expire in one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpiryLine {
    /// The month, in the shop: 202611; none of points that do not expire.
    pub month: Option<i64>,
    /// How many are outstanding, pinned ones among them.
    pub points: i64,
}

/// What a shop owes its members. Money in minor units of the program's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Liability {
    /// The program's currency, ISO 4217.
    pub currency: String,
    /// Points that members have: to spend, waiting and pinned, less what they owe.
    pub outstanding: i64,
    /// Points that members owe, where more was taken back than they had.
    pub owed: i64,
    /// Points that were redeemed so far.
    pub redeemed: i64,
    /// So many points …
    pub rate_points: i64,
    /// … are worth so much.
    pub rate_minor: i64,
    /// What members are owed at that rate: what is outstanding, and what of it others owe.
    pub face_value_minor: i64,
    /// What of the allocated price is still owed, where it was said.
    pub deferred_minor: Option<i64>,
    /// What of it is revenue.
    pub recognised_minor: Option<i64>,
}

/// The months from an instant on and before another, in the shop. The last ends with `until`.
fn months(calendar: &Calendar, first: Timestamp, until: Timestamp) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut month = calendar.day(first).first_of_month();
    while calendar.start(month) < until {
        let next = month.saturating_add(jiff::Span::new().months(1));
        let (starts, ends) = (calendar.start(month), calendar.start(next).min(until));
        windows.push(Window { month: calendar.month(starts), starts, ends });
        if next <= month {
            break;
        }
        month = next;
    }
    windows
}

/// What a ledger account is in a roll-forward, for `points` that came to it.
impl Changes {
    fn of_posting(ledger: Ledger, points: i64) -> Changes {
        let none = Changes::default();
        match ledger {
            Ledger::Available | Ledger::Pending | Ledger::Held => none,
            Ledger::Issued => Changes { earned: -points, ..none },
            // What the program bears was not redeemed by a member.
            Ledger::Redeemed | Ledger::Unbacked => Changes { redeemed: points, ..none },
            Ledger::Expired => Changes { expired: points, ..none },
            Ledger::Reversed => Changes { reversed: points, ..none },
            Ledger::Imported | Ledger::Adjusted | Ledger::Merged => Changes { adjusted: -points, ..none },
        }
    }

    /// What an entry does to lots, where their points change by `points`.
    fn of_move(kind: Kind, points: i64) -> Changes {
        let none = Changes::default();
        match kind {
            Kind::Wait | Kind::Post | Kind::Earn | Kind::Bonus => Changes { earned: points, ..none },
            Kind::Void | Kind::Reverse => Changes { reversed: -points, ..none },
            Kind::Capture | Kind::Unbacked | Kind::Return | Kind::Redeem => {
                Changes { redeemed: -points, ..none }
            }
            Kind::Expire => Changes { expired: -points, ..none },
            Kind::Import | Kind::Revert => Changes { adjusted: points, ..none },
            // What comes free may fill what the member owes: it leaves its lot and lies in none.
            Kind::Hold | Kind::Release | Kind::Merge | Kind::Adjust => Changes { adjusted: points, ..none },
        }
    }
}
