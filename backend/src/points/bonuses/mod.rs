//! Bonuses: what a member gets for an occasion, each once.

mod first_order;
mod referral;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};
use loyalty::Points;
use loyalty::order::Earned;
use loyalty::program::ReturnPolicy;
use uuid::Uuid;

use super::Error;
use super::book::Book;
use super::entry::{Kind, Source};
use super::tally::{Named, Tally};
use crate::db::{Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::programs::Versioned;
use crate::sync;

pub(super) use first_order::count_wrong_firsts;
pub use first_order::{First, first_orders, follow_orders, is_first};
pub use referral::{Referred, settle_referrals, wrongly_booked};
pub(super) use store::since;

/// Days after which a birthday may be had again, whatever day it is by then.
const A_YEAR: i64 = 365;

/// What a bonus is for. A member has each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Occasion {
    /// The customer has an account at the shop.
    SignUp,
    /// The first order that stands.
    FirstOrder,
    /// The birthday of this year.
    Birthday(i16),
    /// Somebody sent them.
    Referred,
    /// They sent somebody, by this referral.
    Referral(Uuid),
}

impl Occasion {
    fn parse(text: &str) -> Option<Occasion> {
        match text.split_once(':') {
            None if text == "sign_up" => Some(Occasion::SignUp),
            None if text == "first_order" => Some(Occasion::FirstOrder),
            None if text == "referred" => Some(Occasion::Referred),
            Some(("referral", id)) => id.parse().ok().map(Occasion::Referral),
            Some(("birthday", year)) => year.parse().ok().map(Occasion::Birthday),
            _ => None,
        }
    }
}

/// As it is stored, and as entries name it.
impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Occasion::SignUp => f.write_str("sign_up"),
            Occasion::FirstOrder => f.write_str("first_order"),
            Occasion::Birthday(year) => write!(f, "birthday:{year}"),
            Occasion::Referred => f.write_str("referred"),
            Occasion::Referral(id) => write!(f, "referral:{id}"),
        }
    }
}

/// What a member has for an occasion.
#[derive(Debug, Clone)]
struct Bonus {
    occasion: Occasion,
    member: MemberId,
    /// The name of its entries: members may become others.
    id: Uuid,
    /// The order that it is for.
    order: Option<OrderId>,
    /// When the occasion was.
    occurred_at: Timestamp,
    tally: Tally,
}

impl Bonus {
    fn new(occasion: Occasion, member: MemberId, occurred_at: Timestamp) -> Bonus {
        Bonus { occasion, member, id: Uuid::now_v7(), order: None, occurred_at, tally: Tally::default() }
    }

    fn settle(&mut self, book: &mut Book, target: Earned, policy: ReturnPolicy) -> Result<(), Error> {
        if self.tally.booked == target {
            return Ok(());
        }
        let name = format!("{}:{}", self.occasion, self.id);
        let named = Named { gives: Kind::Bonus, source: Source::Program, name: &name };
        self.tally.settle(book, (self.member, named), target, policy, self.occurred_at)
    }
}

/// Gives members their bonus for having an account at the shop, where the program has one.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn sign_up(
    tx: &mut Tx,
    shop: ShopId,
    members: &[MemberId],
    program: &Versioned,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(points) = program.program.bonuses.sign_up else { return Ok(()) };
    let book = Book::open(tx, shop, members, program, now).await?;
    give(tx, book, (Occasion::SignUp, now), points, members, program).await
}

/// Gives members their bonus for a birthday on this day of the shop, but for those who had one less than a year before,
/// on whatever day: who moves their birthday has none twice.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn birthday(
    tx: &mut Tx,
    shop: ShopId,
    members: &[MemberId],
    (day, points): (Date, Points),
    program: &Versioned,
    now: Timestamp,
) -> Result<(), Error> {
    let book = Book::open(tx, shop, members, program, now).await?;
    let earlier = store::load(tx, shop, Occasion::Birthday(day.year() - 1), members).await?;
    let a_year_ago = day.saturating_sub(A_YEAR.days());
    // By the day and not by the moment: the shop may have moved to another time zone, where noon is still the same day.
    let day_of = |had: &Bonus| book.calendar.day(had.occurred_at + SignedDuration::from_hours(12));
    let is_due = |member: &MemberId| earlier.get(member).is_none_or(|had| day_of(had) <= a_year_ago);
    let due: Vec<MemberId> = members.iter().copied().filter(is_due).collect();
    let occasion = (Occasion::Birthday(day.year()), book.calendar.start(day));
    give(tx, book, occasion, points, &due, program).await
}

/// Gives members who are in the book what an occasion gives, but for those who have it already.
async fn give(
    tx: &mut Tx,
    mut book: Book,
    (occasion, occurred_at): (Occasion, Timestamp),
    points: Points,
    members: &[MemberId],
    program: &Versioned,
) -> Result<(), Error> {
    let (shop, now) = (book.shop(), book.now());
    // Whoever gave the same at the same time has committed by now: the accounts are locked.
    let had = store::load(tx, shop, occasion, members).await?;
    let mut new = Vec::new();
    for member in members.iter().copied().collect::<BTreeSet<_>>() {
        if !had.contains_key(&member) {
            let mut bonus = Bonus::new(occasion, member, occurred_at);
            let given = Earned { pending: Points::ZERO, posted: points };
            bonus.settle(&mut book, given, program.program.returns)?;
            new.push(bonus);
        }
    }
    store::save(tx, shop, &new).await?;
    let changed: Vec<MemberId> = book.changed().collect();
    book.save(tx).await?;
    sync::mark(tx, shop, &changed, now).await?;
    Ok(())
}

/// What one member had is another's, and what both had is had once: of what occurred twice, the earlier stays; of two
/// first orders, the first. The rest is taken back, as far as the program's policy for returns lets it. The book has
/// merged them already.
pub(super) async fn merge(
    tx: &mut Tx,
    book: &mut Book,
    (from, into): (MemberId, MemberId),
    policy: ReturnPolicy,
) -> Result<(), Error> {
    let shop = book.shop();
    let mut by_occasion: BTreeMap<Occasion, Vec<Bonus>> = BTreeMap::new();
    // Of two that are of one moment, that of who is kept stays.
    for member in [into, from] {
        for mut bonus in store::take(tx, shop, member).await? {
            bonus.member = into;
            by_occasion.entry(bonus.occasion).or_default().push(bonus);
        }
    }
    store::load_lots(tx, book, by_occasion.values().flatten()).await?;
    let first = first_orders(tx, shop, &[into]).await?.remove(&into);
    let mut kept = Vec::new();
    for (occasion, mut bonuses) in by_occasion {
        let first_order = first.as_ref().map(|first| first.order);
        bonuses.sort_by_key(|bonus| {
            let is_first = occasion == Occasion::FirstOrder && bonus.order == first_order;
            (!is_first, bonus.occurred_at)
        });
        let mut bonuses = bonuses.into_iter();
        let Some(mut stays) = bonuses.next() else { continue };
        for mut other in bonuses {
            other.settle(book, Earned::default(), policy)?;
        }
        if occasion == Occasion::FirstOrder {
            stays.belong_to(book, first.as_ref(), policy)?;
        }
        kept.push(stays);
    }
    Ok(store::save(tx, shop, &kept).await?)
}
