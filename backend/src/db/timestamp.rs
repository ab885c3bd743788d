//! Instants as both engines keep them.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Postgres, Sqlite, Type};

/// An instant in UTC to the microsecond: `timestamptz` on PostgreSQL, microseconds since 1970 on SQLite,
/// RFC 3339 in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "jiff::Timestamp", into = "jiff::Timestamp")]
pub struct Timestamp(jiff::Timestamp);

/// PostgreSQL counts from 2000-01-01, in microseconds.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
/// `timestamptz` and `timestamptz[]`, which sqlx does not name without one of its date libraries.
const TIMESTAMPTZ: PgTypeInfo = PgTypeInfo::with_oid(Oid(1184));
const TIMESTAMPTZ_ARRAY: PgTypeInfo = PgTypeInfo::with_oid(Oid(1185));

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Timestamp(jiff::Timestamp::UNIX_EPOCH);

    /// The instant this many microseconds after 1970.
    ///
    /// # Errors
    /// When the instant lies outside of the years −9999 to 9999.
    pub fn from_microsecond(microsecond: i64) -> Result<Self, jiff::Error> {
        jiff::Timestamp::from_microsecond(microsecond).map(Timestamp)
    }

    /// Microseconds since 1970.
    pub fn as_microsecond(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Seconds since 1970, rounded towards it.
    pub fn as_second(self) -> i64 {
        self.0.as_second()
    }

    /// The same instant for jiff's calendar arithmetic.
    pub fn to_jiff(self) -> jiff::Timestamp {
        self.0
    }
}

/// Cut to the microsecond.
impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        Timestamp(jiff::Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant))
    }
}

impl From<Timestamp> for jiff::Timestamp {
    fn from(instant: Timestamp) -> Self {
        instant.0
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse::<jiff::Timestamp>().map(Timestamp::from)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Stops at the ends of the calendar.
impl Add<SignedDuration> for Timestamp {
    type Output = Self;

    fn add(self, duration: SignedDuration) -> Self {
        let end = if duration.is_negative() { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Timestamp::from(self.0.checked_add(duration).unwrap_or(end))
    }
}

/// Stops at the ends of the calendar.
impl Sub<SignedDuration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: SignedDuration) -> Self {
        let end = if duration.is_negative() { jiff::Timestamp::MAX } else { jiff::Timestamp::MIN };
        Timestamp::from(self.0.checked_sub(duration).unwrap_or(end))
    }
}

impl Sub for Timestamp {
    type Output = SignedDuration;

    fn sub(self, earlier: Self) -> SignedDuration {
        self.0.duration_since(earlier.0)
    }
}

impl Type<Sqlite> for Timestamp {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(ty)
    }
}

impl Encode<'_, Sqlite> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.as_microsecond(), buffer)
    }
}

impl Decode<'_, Sqlite> for Timestamp {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Timestamp::from_microsecond(<i64 as Decode<Sqlite>>::decode(value)?)?)
    }
}

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        TIMESTAMPTZ
    }
}

impl PgHasArrayType for Timestamp {
    fn array_type_info() -> PgTypeInfo {
        TIMESTAMPTZ_ARRAY
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.as_microsecond() - POSTGRES_EPOCH, buffer)
    }

    fn size_hint(&self) -> usize {
        size_of::<i64>()
    }
}

impl Decode<'_, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => {
                let since_2000 = <i64 as Decode<Postgres>>::decode(value)?;
                let microsecond = since_2000.checked_add(POSTGRES_EPOCH).ok_or("timestamp out of range")?;
                Ok(Timestamp::from_microsecond(microsecond)?)
            }
            PgValueFormat::Text => Ok(value.as_str()?.parse()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_cut_to_the_microsecond_and_reads_as_rfc_3339() {
        let instant: Timestamp = serde_json::from_str("\"2026-11-01T12:00:00.123456789Z\"").unwrap();
        assert_eq!(instant.as_microsecond() % 1_000_000, 123_456);
        assert_eq!(serde_json::to_string(&instant).unwrap(), "\"2026-11-01T12:00:00.123456Z\"");
        assert_eq!("2026-11-01 12:00:00.123456+00".parse::<Timestamp>().unwrap(), instant);
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_the_calendar() {
        let instant = Timestamp::from_microsecond(5_000_000).unwrap();
        assert_eq!((instant + SignedDuration::from_secs(2)) - instant, SignedDuration::from_secs(2));
        let far = instant + SignedDuration::MAX;
        assert_eq!(far + SignedDuration::MAX, far);
        assert!(instant - SignedDuration::MAX < instant);
    }
}
