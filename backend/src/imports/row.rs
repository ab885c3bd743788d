//! A row of a file, read and checked. Pure.

use csv::StringRecord;
use loyalty::{Birthday, Points, Tier};

use super::Field;
use super::columns::{Columns, Fields};
use super::dates::Dates;
use crate::db::Timestamp;
use crate::ids::CustomerId;
use crate::points::{Brought, Until};

/// The longest referral code that is kept.
const LONGEST_CODE: usize = 64;

/// What a row says of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub who: Who,
    pub brought: Vec<Brought>,
    /// The tier's id in the program, and since when.
    pub tier: Option<(String, Option<Timestamp>)>,
    pub referral_code: Option<String>,
    pub birthday: Option<Birthday>,
}

impl Row {
    /// The points that it brings.
    pub fn points(&self) -> i64 {
        self.brought.iter().map(|lot| lot.points.get()).sum()
    }
}

/// How a row names its member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    Customer(CustomerId),
    Email(String),
}

/// Why a row is refused, and which of its columns is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal<F = Field> {
    pub field: F,
    pub fault: Fault,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[expect(missing_docs, reason = "their sentences say it")]
pub enum Fault {
    #[error("the row has more or fewer columns than the header")]
    Columns,
    #[error("a character was lost when the file was written; save it in UTF-8")]
    Text,
    #[error("neither a customer's number nor an e-mail address")]
    NoCustomer,
    #[error(
        "not Shopify's number of a customer; spreadsheets cut long numbers, so format the column as text"
    )]
    BadCustomer,
    #[error("not an e-mail address")]
    BadEmail,
    #[error("the shop keeps no e-mail addresses here; name the customer by Shopify's number")]
    EmailsNotKept,
    #[error("no member has this e-mail address")]
    UnknownEmail,
    #[error("several members have this e-mail address; name the customer by Shopify's number")]
    AmbiguousEmail,
    #[error("the customer is in the file twice; the first row counts")]
    Twice,
    #[error("the shop has deleted this customer")]
    Deleted,
    #[error("no number of points")]
    NoPoints,
    #[error("points are digits only: no sign, no separators, no exponent")]
    BadPoints,
    #[error("more points than there can be: at most 9007199254740991, together with what the member has")]
    TooManyPoints,
    #[error("lots are written like 100@2025-01-31>2026-01-31; 50@2025-06-01>never")]
    BadLots,
    #[error("the lots do not add up to the points")]
    LotsDiffer,
    #[error("dates of points stand either in lots or in earned_at and expires_at")]
    LotsAndDates,
    #[error("not a date; write it like 2026-12-31")]
    BadDate,
    #[error("the date could be two days; say with --dates whether days or months come first")]
    AmbiguousDate,
    #[error("that is still to come")]
    Future,
    #[error("the points have expired already")]
    Expired,
    #[error("the program has no such tier")]
    UnknownTier,
    #[error("a date without a tier")]
    SinceWithoutTier,
    #[error("a referral code has at most 64 characters")]
    BadCode,
    #[error("neither an order's number nor its name")]
    NoOrder,
    #[error("not Shopify's number of an order; spreadsheets cut long numbers, so format the column as text")]
    BadOrder,
    #[error("not an amount of money in the shop's currency; write it like 1234.50")]
    BadAmount,
    #[error("the amount is in another currency than the shop's")]
    OtherCurrency,
    #[error("the order is known already, or stands in the file twice; what is known stays")]
    KnownOrder,
}

impl Fault {
    /// Its code, in the file of refused rows.
    pub fn code(self) -> &'static str {
        match self {
            Fault::Columns => "columns",
            Fault::Text => "text",
            Fault::NoCustomer => "no_customer",
            Fault::BadCustomer => "bad_customer",
            Fault::BadEmail => "bad_email",
            Fault::EmailsNotKept => "emails_not_kept",
            Fault::UnknownEmail => "unknown_email",
            Fault::AmbiguousEmail => "ambiguous_email",
            Fault::Twice => "twice",
            Fault::Deleted => "deleted",
            Fault::NoPoints => "no_points",
            Fault::BadPoints => "bad_points",
            Fault::TooManyPoints => "too_many_points",
            Fault::BadLots => "bad_lots",
            Fault::LotsDiffer => "lots_differ",
            Fault::LotsAndDates => "lots_and_dates",
            Fault::BadDate => "bad_date",
            Fault::AmbiguousDate => "ambiguous_date",
            Fault::Future => "future",
            Fault::Expired => "expired",
            Fault::UnknownTier => "unknown_tier",
            Fault::SinceWithoutTier => "since_without_tier",
            Fault::BadCode => "bad_code",
            Fault::NoOrder => "no_order",
            Fault::BadOrder => "bad_order",
            Fault::BadAmount => "bad_amount",
            Fault::OtherCurrency => "other_currency",
            Fault::KnownOrder => "known_order",
        }
    }

    /// Of this column.
    pub(super) fn of<F>(self, field: F) -> Refusal<F> {
        Refusal { field, fault: self }
    }
}

/// How a file's rows are read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub columns: Columns,
    pub dates: Dates,
    pub tiers: Vec<Tier>,
    pub now: Timestamp,
}

impl Reading {
    /// Reads a row.
    pub fn row(&self, record: &StringRecord) -> Result<Row, Refusal> {
        if record.len() != self.columns.count() {
            return Err(Fault::Columns.of(Field::Customer));
        }
        let value = |field| self.columns.value(record, field);
        let lost = |field: &Field| value(*field).is_some_and(|text| text.contains(['\u{fffd}', '\0']));
        if let Some(field) = Field::ALL.iter().find(|field| lost(field)) {
            return Err(Fault::Text.of(*field));
        }
        let who = who(value(Field::Customer), value(Field::Email));
        let who = who.map_err(|fault| fault.of(blamed(fault, Field::Customer, Field::Email)))?;
        let referral_code = value(Field::ReferralCode).map(str::to_owned);
        if referral_code.as_ref().is_some_and(|code| code.chars().count() > LONGEST_CODE) {
            return Err(Fault::BadCode.of(Field::ReferralCode));
        }
        let today = self.dates.zone.to_datetime(self.now.to_jiff()).date();
        let birthday = value(Field::Birthday).map(|text| self.dates.birthday(text, today)).transpose();
        Ok(Row {
            who,
            brought: self.brought(record)?,
            tier: self.tier(record)?,
            referral_code,
            birthday: birthday.map_err(|fault| fault.of(Field::Birthday))?,
        })
    }

    /// The lots that a row brings.
    fn brought(&self, record: &StringRecord) -> Result<Vec<Brought>, Refusal> {
        let value = |field| self.columns.value(record, field);
        let balance =
            value(Field::Points).map(points).transpose().map_err(|fault| fault.of(Field::Points))?;
        let (earned_at, expires_at) = (value(Field::EarnedAt), value(Field::ExpiresAt));
        if let Some(text) = value(Field::Lots) {
            if earned_at.is_some() || expires_at.is_some() {
                return Err(Fault::LotsAndDates.of(Field::Lots));
            }
            let lots = self.lots(text).map_err(|fault| fault.of(Field::Lots))?;
            let sum = lots.iter().try_fold(Points::ZERO, |sum, lot| sum.plus(lot.points));
            let sum = sum.map_err(|_| Fault::TooManyPoints.of(Field::Lots))?;
            return match balance {
                Some(balance) if balance != sum => Err(Fault::LotsDiffer.of(Field::Lots)),
                _ => Ok(lots),
            };
        }
        let balance = balance.ok_or(Fault::NoPoints.of(Field::Points))?;
        let lot = Brought {
            points: balance,
            earned_at: earned_at
                .map(|text| self.past(text))
                .transpose()
                .map_err(|fault| fault.of(Field::EarnedAt))?,
            until: self.until(expires_at).map_err(|fault| fault.of(Field::ExpiresAt))?,
        };
        Ok(if balance.is_positive() { vec![lot] } else { Vec::new() })
    }

    /// `100@2025-01-31>2026-01-31; 50@2025-06-01>never; 30`
    fn lots(&self, text: &str) -> Result<Vec<Brought>, Fault> {
        let written = text.split(';').map(str::trim).filter(|lot| !lot.is_empty());
        let lot = |lot: &str| {
            let (lot, expires_at) = lot.split_once('>').map_or((lot, None), |(lot, at)| (lot, Some(at)));
            let (number, earned_at) = lot.split_once('@').map_or((lot, None), |(lot, at)| (lot, Some(at)));
            let points = points(number.trim()).map_err(|fault| match fault {
                Fault::BadPoints => Fault::BadLots,
                other => other,
            })?;
            if !points.is_positive() {
                return Err(Fault::BadLots);
            }
            let earned_at = earned_at.map(|at| self.past(at)).transpose()?;
            Ok(Brought { points, earned_at, until: self.until(expires_at)? })
        };
        written.map(lot).collect()
    }

    fn tier(&self, record: &StringRecord) -> Result<Option<(String, Option<Timestamp>)>, Refusal> {
        let value = |field| self.columns.value(record, field);
        let since = value(Field::TierSince).map(|text| self.past(text)).transpose();
        let since = since.map_err(|fault| fault.of(Field::TierSince))?;
        let Some(wanted) = value(Field::Tier) else {
            return if since.is_some() {
                Err(Fault::SinceWithoutTier.of(Field::TierSince))
            } else {
                Ok(None)
            };
        };
        let named = |tier: &&Tier| tier.name.to_lowercase() == wanted.to_lowercase();
        let tier = self.tiers.iter().find(|tier| tier.id == wanted).or_else(|| self.tiers.iter().find(named));
        let tier = tier.ok_or(Fault::UnknownTier.of(Field::Tier))?;
        Ok(Some((tier.id.clone(), since)))
    }

    fn past(&self, text: &str) -> Result<Timestamp, Fault> {
        let at = self.dates.instant(text)?;
        if at > self.now { Err(Fault::Future) } else { Ok(at) }
    }

    fn until(&self, text: Option<&str>) -> Result<Until, Fault> {
        match text.map(str::trim) {
            None => Ok(Until::Program),
            Some("never") => Ok(Until::Never),
            Some(text) => {
                let at = self.dates.instant(text)?;
                if at <= self.now { Err(Fault::Expired) } else { Ok(Until::At(at)) }
            }
        }
    }
}

/// Whom a row is about, by a number or an address.
pub(super) fn who(number: Option<&str>, email: Option<&str>) -> Result<Who, Fault> {
    match (number, email) {
        (Some(number), _) => customer(number).map(Who::Customer).ok_or(Fault::BadCustomer),
        (None, Some(email)) if email.contains('@') => Ok(Who::Email(email.to_owned())),
        (None, Some(_)) => Err(Fault::BadEmail),
        (None, None) => Err(Fault::NoCustomer),
    }
}

/// Which column is to blame where nobody can be told.
pub(super) fn blamed<F>(fault: Fault, number: F, email: F) -> F {
    match fault {
        Fault::BadEmail | Fault::EmailsNotKept | Fault::UnknownEmail | Fault::AmbiguousEmail => email,
        _ => number,
    }
}

/// Shopify's number of a customer: alone, as the Admin API writes it, or behind the apostrophe by which spreadsheets keep
/// numbers as text.
fn customer(text: &str) -> Option<CustomerId> {
    let text = text.trim_start_matches('\'').trim_start_matches("gid://shopify/Customer/");
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())??;
    (number > 0).then_some(CustomerId(number))
}

fn points(text: &str) -> Result<Points, Fault> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::BadPoints);
    }
    text.parse().ok().and_then(|number| Points::new(number).ok()).ok_or(Fault::TooManyPoints)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use loyalty::multiplier::Factor;

    use super::*;
    use crate::imports::Template;

    const HEADER: [&str; 10] = [
        "customer_id",
        "email",
        "points",
        "earned_at",
        "expires_at",
        "lots",
        "tier",
        "tier_since",
        "referral_code",
        "birthday",
    ];

    fn read(values: &[(Field, &str)]) -> Result<Row, Refusal> {
        let columns = Columns::find(&HEADER.to_vec().into(), Template::Own, &[]).unwrap();
        let gold = Tier {
            id: "gold".into(),
            name: "Gold Club".into(),
            threshold: None,
            earn_factor: Factor::ONE,
            perks: Vec::new(),
        };
        let dates = Dates { zone: TimeZone::UTC, order: None };
        let reading = Reading { columns, dates, tiers: vec![gold], now: at("2026-11-01T12:00:00Z") };
        let mut record = vec![""; HEADER.len()];
        for (field, value) in [(Field::Customer, "7"), (Field::Points, "100")].iter().chain(values) {
            record[*field as usize] = value;
        }
        reading.row(&record.into())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn lot(points: i64, earned_at: Option<&str>, until: Until) -> Brought {
        Brought { points: Points::new(points).unwrap(), earned_at: earned_at.map(at), until }
    }

    #[test]
    fn a_row_names_its_member_its_points_and_their_dates() {
        let row = read(&[]).unwrap();
        assert_eq!(
            (row.who, row.brought),
            (Who::Customer(CustomerId(7)), vec![lot(100, None, Until::Program)])
        );
        assert_eq!(read(&[(Field::Points, "0")]).unwrap().brought, []);
        let dated = read(&[(Field::EarnedAt, "2025-01-31"), (Field::ExpiresAt, "2027-01-31")]).unwrap();
        let until = Until::At(at("2027-01-31T00:00:00Z"));
        assert_eq!(dated.brought, [lot(100, Some("2025-01-31T00:00:00Z"), until)]);
        let lots = read(&[(Field::Lots, "40@2025-01-31>2027-01-31; 50@2025-06-01>never;10;")]).unwrap();
        let second = lot(50, Some("2025-06-01T00:00:00Z"), Until::Never);
        assert_eq!(
            lots.brought,
            [lot(40, Some("2025-01-31T00:00:00Z"), until), second, lot(10, None, Until::Program)]
        );
        let whole = read(&[(Field::Lots, "40; 2"), (Field::Points, "")]).unwrap();
        assert_eq!(whole.brought.len(), 2);
        let told = read(&[
            (Field::Tier, "GOLD club"),
            (Field::TierSince, "1.2.2026"),
            (Field::ReferralCode, " ADA-7 "),
            (Field::Birthday, "1990-05-27"),
        ]);
        let told = told.unwrap();
        assert_eq!(told.tier, Some(("gold".into(), Some(at("2026-02-01T00:00:00Z")))));
        assert_eq!((told.referral_code.as_deref(), told.birthday), (Some("ADA-7"), "05-27".parse().ok()));
    }

    #[test]
    fn customers_are_numbers_or_addresses() {
        for text in ["7", "'7", "gid://shopify/Customer/7", " 7 "] {
            assert_eq!(read(&[(Field::Customer, text)]).unwrap().who, Who::Customer(CustomerId(7)), "{text}");
        }
        for text in ["0", "-7", "7.0", "8.12E+12", "gid://shopify/Order/7", "99999999999999999999", "seven"] {
            assert_eq!(
                read(&[(Field::Customer, text)]),
                Err(Fault::BadCustomer.of(Field::Customer)),
                "{text}"
            );
        }
        let email = read(&[(Field::Customer, ""), (Field::Email, "ada@example.com")]).unwrap();
        assert_eq!(email.who, Who::Email("ada@example.com".into()));
    }

    #[test]
    fn whatever_is_wrong_with_a_row_has_a_code_and_a_column() {
        use Field::{Birthday, Customer, EarnedAt, Email, ExpiresAt, Lots, ReferralCode, Tier, TierSince};
        let long = "x".repeat(65);
        for (values, field, code) in [
            (&[(Customer, "")][..], Customer, "no_customer"),
            (&[(Customer, ""), (Email, "ada")], Email, "bad_email"),
            (&[(Field::Points, "")], Field::Points, "no_points"),
            (&[(Field::Points, "1e9")], Field::Points, "bad_points"),
            (&[(Field::Points, "1,000")], Field::Points, "bad_points"),
            (&[(Field::Points, "1.000")], Field::Points, "bad_points"),
            (&[(Field::Points, "-5")], Field::Points, "bad_points"),
            (&[(Field::Points, "９")], Field::Points, "bad_points"),
            (&[(Field::Points, "9007199254740992")], Field::Points, "too_many_points"),
            (&[(Field::Points, "99999999999999999999999")], Field::Points, "too_many_points"),
            (&[(Lots, "40@"), (Field::Points, "40")], Lots, "bad_date"),
            (&[(Lots, "@2025-01-31")], Lots, "bad_lots"),
            (&[(Lots, "0")], Lots, "bad_lots"),
            (&[(Lots, "40; 50")], Lots, "lots_differ"),
            (&[(Lots, "9007199254740991; 1"), (Field::Points, "")], Lots, "too_many_points"),
            (&[(Lots, "100"), (EarnedAt, "2025-01-31")], Lots, "lots_and_dates"),
            (&[(EarnedAt, "soon")], EarnedAt, "bad_date"),
            (&[(EarnedAt, "03/04/2025")], EarnedAt, "ambiguous_date"),
            (&[(EarnedAt, "2026-11-02")], EarnedAt, "future"),
            (&[(ExpiresAt, "2026-11-01")], ExpiresAt, "expired"),
            (&[(Tier, "platinum")], Tier, "unknown_tier"),
            (&[(TierSince, "2026-01-01")], TierSince, "since_without_tier"),
            (&[(ReferralCode, long.as_str())], ReferralCode, "bad_code"),
            (&[(ReferralCode, "caf\u{fffd}")], ReferralCode, "text"),
            (&[(Birthday, "2026-12-24")], Birthday, "bad_date"),
        ] {
            let refused = read(values).unwrap_err();
            assert_eq!((refused.field, refused.fault.code()), (field, code), "{values:?}");
        }
    }

    #[test]
    fn the_most_points_there_can_be_are_read() {
        let most = loyalty::LIMIT;
        assert_eq!(
            read(&[(Field::Points, &most.to_string())]).unwrap().brought,
            [lot(most, None, Until::Program)]
        );
        assert_eq!(
            read(&[(Field::Points, "1000000000")]).unwrap().brought,
            [lot(1_000_000_000, None, Until::Program)]
        );
    }
}
