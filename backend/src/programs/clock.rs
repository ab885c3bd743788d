//! Settings and the time: campaigns begin and end by a shop's own clock.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use loyalty::{LocalTime, Program};

use super::Error;
use crate::db::Timestamp;
use crate::merchants::Shop;

/// The minute on a shop's clock.
///
/// # Errors
/// [`Error::Zone`].
pub fn local_time(shop: &Shop, now: Timestamp) -> Result<LocalTime, Error> {
    let zone = TimeZone::get(&shop.time_zone).map_err(Error::Zone)?;
    minute(&zone, now).ok_or_else(|| Error::Zone(jiff::Error::from_args(format_args!("no minute of {now}"))))
}

/// The minute of an instant on a zone's clock; none in years of five digits.
pub fn minute(zone: &TimeZone, at: Timestamp) -> Option<LocalTime> {
    let minute = zone.to_datetime(at.to_jiff()).strftime("%Y-%m-%dT%H:%M").to_string();
    LocalTime::parse(&minute).ok()
}

/// When what is published of a program changes next because a campaign begins or ends.
///
/// # Errors
/// [`Error::Zone`].
pub fn next_change(shop: &Shop, program: &Program, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let Some(next) = program.next_change(local_time(shop, now)?) else { return Ok(None) };
    let zone = TimeZone::get(&shop.time_zone).map_err(Error::Zone)?;
    let at = next.to_string().parse::<DateTime>().and_then(|at| zone.to_ambiguous_timestamp(at).compatible());
    Ok(Some(at.map_err(Error::Zone)?.into()))
}
