//! The tasks that a process can run, and those among them that the clock starts. A room defines its tasks; here they
//! are named.
//!
//! What must come within a second or has to speak up when the queue itself stands still is in `rounds.rs`.

use jiff::SignedDuration;
use jiff::civil::{Time, Weekday};

use crate::customers::{birthdays, emails};
use crate::sync::reconcile;
use crate::tasks::{self, Kind, Schedule, When};
use crate::{
    activation, bulk, events, inbox, merchants, orders, points, privacy, products, proof, redemptions,
    referrals, rfm,
};

/// How often housekeeping is done.
const HOURLY: When = When::Every(SignedDuration::from_hours(1));

/// When points expire, and birthdays are: with the shop's day.
const MIDNIGHT: When = When::Daily(Time::MIN);

/// How often a shop is asked which of its orders have changed: what nobody was told of is booked so much later at most.
const LOOKED_THROUGH: SignedDuration = SignedDuration::from_hours(2);

/// When members are scored anew, within the hour: they buy little then.
const AT_NIGHT: When = When::Daily(Time::constant(1, 0, 0, 0));

/// Within this time all of a zone have begun, so that the last are done within the hour, too.
const ALL_BEGUN: SignedDuration = SignedDuration::from_mins(50);

/// When a shop's books of the day before are proven.
const AFTER_MIDNIGHT: When = When::Daily(Time::constant(2, 0, 0, 0));

/// When a shop is looked at once a day: few check out then.
const BEFORE_DAWN: When = When::Daily(Time::constant(4, 0, 0, 0));

/// When a shop is looked at once a week.
const SUNDAYS: When = When::Weekly(Weekday::Sunday, Time::constant(3, 0, 0, 0));

/// Every kind of task there is.
pub fn kinds() -> Vec<Kind> {
    vec![
        Kind::of::<merchants::RefreshTokens>(),
        Kind::of::<events::Forget>(),
        Kind::of::<inbox::CleanUp>(),
        Kind::of::<tasks::Forget>(),
        Kind::of::<emails::Keep>(),
        Kind::of::<emails::KeepAll>(),
        Kind::of::<emails::EraseAll>(),
        Kind::of::<privacy::Settle>(),
        Kind::of::<privacy::Forget>(),
        Kind::of::<points::ExpireDaily>(),
        Kind::of::<birthdays::Celebrate>(),
        Kind::of::<redemptions::payouts::Pay>(),
        Kind::of::<redemptions::payouts::Resume>(),
        Kind::of::<activation::Stand>(),
        Kind::of::<activation::LookDaily>(),
        Kind::of::<bulk::Start>(),
        Kind::of::<bulk::Look>(),
        Kind::of::<bulk::ReadFile>(),
        Kind::of::<reconcile::Weekly>(),
        Kind::of::<reconcile::Rest>(),
        Kind::of::<orders::jobs::PostRipe>(),
        Kind::of::<orders::catch_up::CatchUp>(),
        Kind::of::<products::ReadCatalogue>(),
        Kind::of::<products::jobs::ReadShelf>(),
        Kind::of::<products::jobs::ReadShelves>(),
        Kind::of::<referrals::Lapse>(),
        Kind::of::<rfm::Refresh>(),
        Kind::of::<rfm::Label>(),
        Kind::of::<rfm::Mark>(),
        Kind::of::<rfm::agreement::Compare>(),
        Kind::of::<proof::Nightly>(),
    ]
}

/// What the clock starts.
///
/// # Errors
/// Never: these payloads are empty.
pub fn schedules() -> Result<Vec<Schedule>, serde_json::Error> {
    Ok(vec![
        Schedule::new(&merchants::RefreshTokens {}, HOURLY)?,
        Schedule::new(&events::Forget {}, HOURLY)?,
        Schedule::new(&inbox::CleanUp {}, HOURLY)?,
        Schedule::new(&tasks::Forget {}, HOURLY)?,
        Schedule::new(&privacy::Forget {}, HOURLY)?,
        Schedule::new(&points::ExpireDaily {}, MIDNIGHT)?,
        Schedule::new(&birthdays::Celebrate {}, MIDNIGHT)?,
        Schedule::new(&referrals::Lapse {}, MIDNIGHT)?,
        Schedule::new(&activation::LookDaily {}, BEFORE_DAWN)?,
        Schedule::new(&reconcile::Weekly {}, SUNDAYS)?,
        Schedule::new(&orders::jobs::PostRipe {}, HOURLY)?,
        Schedule::new(&orders::catch_up::CatchUp {}, When::Each(LOOKED_THROUGH))?.spread(LOOKED_THROUGH),
        Schedule::new(&products::jobs::ReadShelves {}, BEFORE_DAWN)?,
        Schedule::new(&redemptions::payouts::Resume {}, BEFORE_DAWN)?,
        Schedule::new(&rfm::Refresh {}, AT_NIGHT)?.spread(ALL_BEGUN),
        Schedule::new(&rfm::agreement::Compare {}, BEFORE_DAWN)?.spread(SignedDuration::from_hours(1)),
        Schedule::new(&proof::Nightly {}, AFTER_MIDNIGHT)?,
    ])
}
