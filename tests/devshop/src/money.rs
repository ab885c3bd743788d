//! Money in whole minor units, exact decimals and exchange rates. Nothing here is a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is wrong with a currency code, a decimal or a rate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MoneyError {
    /// Not three capital letters.
    #[error("{0:?} is not a currency code")]
    Currency(String),
    /// Not a decimal number that fits.
    #[error("{0:?} is not a decimal number")]
    Decimal(String),
    /// A rate of zero, or over zero.
    #[error("{0:?} is not an exchange rate")]
    Rate(String),
    /// Beyond 64 bits of minor units.
    #[error("an amount is too large")]
    TooLarge,
}

/// An ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Pounds sterling, the currency of the seeded shop.
    pub const GBP: Self = Self(*b"GBP");

    /// The code, such as `GBP`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimal digits its minor unit has: 0 to 3.
    pub fn exponent(&self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF"
            | b"UGX" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    /// Minor units as Shopify's webhooks write them: `12.30`, and `1230` for yen.
    pub fn text(&self, minor: i64) -> String {
        let exponent = self.exponent() as usize;
        let sign = if minor < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", minor.unsigned_abs(), width = exponent + 1);
        let (whole, part) = digits.split_at(digits.len() - exponent);
        if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    }

    /// Minor units as Functions and GraphQL see a `Decimal`: at least one decimal digit, no more zeros: `12.3`, `5.0`.
    pub fn decimal(&self, minor: i64) -> String {
        let text = self.text(minor);
        match text.split_once('.') {
            None => format!("{text}.0"),
            Some((whole, part)) => {
                let part = part.trim_end_matches('0');
                format!("{whole}.{}", if part.is_empty() { "0" } else { part })
            }
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        match code.as_bytes() {
            [a, b, c] if code.bytes().all(|b| b.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(MoneyError::Currency(code.to_owned())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One amount in the shop's currency and in the one the customer sees, both in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneySet {
    /// Minor units of the shop's currency.
    pub shop: i64,
    /// Minor units of the customer's currency.
    pub presentment: i64,
}

impl std::ops::Add for MoneySet {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { shop: self.shop + other.shop, presentment: self.presentment + other.presentment }
    }
}

impl std::ops::Sub for MoneySet {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { shop: self.shop - other.shop, presentment: self.presentment - other.presentment }
    }
}

impl std::ops::AddAssign for MoneySet {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for MoneySet {
    fn sum<I: Iterator<Item = Self>>(sets: I) -> Self {
        sets.fold(Self::default(), |a, b| a + b)
    }
}

impl MoneySet {
    /// The part of this amount that `part` is of `whole`, each half rounded up on its own. Parts that grow from 0 to
    /// `whole` give amounts that grow from nothing to all, so differences between them never lose a unit.
    pub fn portion(&self, part: i64, whole: i64) -> Self {
        Self { shop: scale(self.shop, part, whole), presentment: scale(self.presentment, part, whole) }
    }
}

/// `amount × part / whole`, half up, 0 when there is no whole.
pub fn scale(amount: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    let exact = i128::from(amount) * i128::from(part);
    i64::try_from(half_up(exact, i128::from(whole))).unwrap_or(i64::MAX)
}

/// The quotient rounded to the nearest whole number, halves up; the divisor is above zero.
fn half_up(dividend: i128, divisor: i128) -> i128 {
    (2 * dividend + divisor).div_euclid(2 * divisor)
}

/// A decimal number exactly as it was written: `digits / 10^places`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    digits: i128,
    places: u32,
}

impl From<u32> for Decimal {
    fn from(whole: u32) -> Self {
        Self { digits: whole.into(), places: 0 }
    }
}

impl Decimal {
    /// In minor units of a currency, halves up.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] beyond 64 bits.
    pub fn to_minor(self, currency: Currency) -> Result<i64, MoneyError> {
        let minor = half_up(self.digits * 10i128.pow(currency.exponent()), 10i128.pow(self.places));
        i64::try_from(minor).map_err(|_| MoneyError::TooLarge)
    }

    /// This many per cent of an amount of minor units, halves up.
    pub fn percent_of(self, minor: i64) -> i64 {
        let hundred = 100 * 10i128.pow(self.places);
        i64::try_from(half_up(i128::from(minor) * self.digits, hundred)).unwrap_or(i64::MAX)
    }

    /// Below zero?
    pub fn is_negative(self) -> bool {
        self.digits < 0
    }
}

impl FromStr for Decimal {
    type Err = MoneyError;

    /// Reads `12`, `-12.5`, `1.25e1`; at most 18 digits and 12 places, which is beyond any price.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::Decimal(text.to_owned());
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| wrong())?),
            None => (text, 0),
        };
        let (sign, unsigned) = match mantissa.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, mantissa),
        };
        let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{whole}{part}");
        if whole.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let significant = all.trim_start_matches('0');
        if significant.len() > 24 {
            return Err(wrong());
        }
        let mut digits: i128 =
            if significant.is_empty() { 0 } else { significant.parse().map_err(|_| wrong())? };
        let mut places =
            i32::try_from(part.len()).map_err(|_| wrong())?.checked_sub(exponent).ok_or_else(wrong)?;
        while places > 0 && digits % 10 == 0 {
            digits /= 10;
            places -= 1;
        }
        if !(-12..=12).contains(&places) {
            return Err(wrong());
        }
        if places < 0 {
            digits *= 10i128.pow(places.unsigned_abs());
            places = 0;
        }
        Ok(Self { digits: sign * digits, places: places.unsigned_abs() })
    }
}

/// How many units of the customer's currency one unit of the shop's buys: an exact fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    numerator: u32,
    denominator: u32,
}

impl Rate {
    /// The rate between a currency and itself.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// `numerator / denominator`.
    ///
    /// # Errors
    /// [`MoneyError::Rate`] when either is zero.
    pub fn new(numerator: u32, denominator: u32) -> Result<Self, MoneyError> {
        if numerator == 0 || denominator == 0 {
            return Err(MoneyError::Rate(format!("{numerator}/{denominator}")));
        }
        Ok(Self { numerator, denominator })
    }

    /// An amount of minor units of `from` in minor units of `to`, halves up.
    pub fn convert(&self, minor: i64, from: Currency, to: Currency) -> i64 {
        let dividend = i128::from(minor) * i128::from(self.numerator) * 10i128.pow(to.exponent());
        let divisor = i128::from(self.denominator) * 10i128.pow(from.exponent());
        i64::try_from(half_up(dividend, divisor)).unwrap_or(i64::MAX)
    }

    /// As a decimal with up to ten places, as a Function's `presentmentCurrencyRate`.
    pub fn decimal(&self) -> String {
        let scaled = half_up(i128::from(self.numerator) * 10_000_000_000, i128::from(self.denominator));
        let part = format!("{:010}", scaled % 10_000_000_000);
        let part = part.trim_end_matches('0');
        format!("{}.{}", scaled / 10_000_000_000, if part.is_empty() { "0" } else { part })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn amounts_are_written_with_their_currencys_digits() {
        assert_eq!(Currency::GBP.text(5), "0.05");
        assert_eq!(Currency::GBP.text(-1230), "-12.30");
        assert_eq!(currency("JPY").text(1230), "1230");
        assert_eq!(currency("KWD").text(1), "0.001");
        assert_eq!(Currency::GBP.decimal(1230), "12.3");
        assert_eq!(Currency::GBP.decimal(500), "5.0");
        assert_eq!(currency("JPY").decimal(500), "500.0");
    }

    #[test]
    fn decimals_are_read_exactly() {
        let minor =
            |text: &str, code: &str| text.parse::<Decimal>().unwrap().to_minor(currency(code)).unwrap();
        assert_eq!(minor("19.99", "GBP"), 1999);
        assert_eq!(minor("0.005", "GBP"), 1);
        assert_eq!(minor("0.0049", "GBP"), 0);
        assert_eq!(minor("5", "JPY"), 5);
        assert_eq!(minor("1.25e1", "GBP"), 1250);
        assert_eq!(minor("12.3456", "KWD"), 12_346);
        assert_eq!("12.5".parse::<Decimal>().unwrap().percent_of(999), 125);
        for bad in ["", ".", "1.2.3", "1e", "one", "1e400", "--1", "NaN"] {
            assert!(bad.parse::<Decimal>().is_err(), "{bad}");
        }
    }

    #[test]
    fn rates_convert_between_currencies_of_different_digits() {
        let rate = Rate::new(1905, 10).unwrap();
        assert_eq!(rate.convert(1000, Currency::GBP, currency("JPY")), 1905);
        assert_eq!(rate.decimal(), "190.5");
        assert_eq!(Rate::ONE.decimal(), "1.0");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(minor in any::<i32>(), code in prop_oneof!["GBP", "JPY", "KWD"]) {
            let minor = i64::from(minor);
            let currency = currency(&code);
            for text in [currency.text(minor), currency.decimal(minor)] {
                prop_assert_eq!(text.parse::<Decimal>().unwrap().to_minor(currency).unwrap(), minor);
            }
        }

        #[test]
        fn portions_grow_from_nothing_to_all(shop in 0i64..1_000_000, presentment in 0i64..1_000_000, whole in 1i64..50) {
            let set = MoneySet { shop, presentment };
            let mut before = MoneySet::default();
            for part in 0..=whole {
                let now = set.portion(part, whole);
                prop_assert!(now.shop >= before.shop && now.presentment >= before.presentment);
                before = now;
            }
            prop_assert_eq!(before, set);
        }
    }
}
