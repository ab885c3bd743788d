//! Money: whole minor units with their ISO 4217 currency.

use alloc::string::String;
use core::fmt;

use crate::{LIMIT, points::OutOfRange};

/// An ISO 4217 currency code, such as `GBP`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Currency([u8; 3]);

/// Currencies without minor units (ISO 4217).
const NO_DECIMALS: [&[u8; 3]; 16] = [
    b"BIF", b"CLP", b"DJF", b"GNF", b"ISK", b"JPY", b"KMF", b"KRW", b"PYG", b"RWF", b"UGX", b"VND", b"VUV",
    b"XAF", b"XOF", b"XPF",
];
/// Currencies whose unit has a thousand minor units (ISO 4217).
const THREE_DECIMALS: [&[u8; 3]; 7] = [b"BHD", b"IQD", b"JOD", b"KWD", b"LYD", b"OMR", b"TND"];

/// Why a text is no amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not three capital letters.
    #[error("a currency is three capital letters")]
    Currency,
    /// Not a decimal number.
    #[error("an amount is a decimal number such as 12.50")]
    Amount,
    /// Digits below the currency's minor unit.
    #[error("the amount is finer than the currency's minor unit")]
    TooFine,
    /// Two amounts in different currencies.
    #[error("the amounts are in different currencies")]
    Mixed,
    /// Beyond ±(2^53 − 1) minor units.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

impl Currency {
    /// A currency from its code. Any three capital letters are taken: Shopify adds currencies before we do.
    ///
    /// # Errors
    /// [`MoneyError::Currency`] unless it is three capital letters.
    pub fn parse(code: &str) -> Result<Currency, MoneyError> {
        match code.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Currency([a, b, c])),
            _ => Err(MoneyError::Currency),
        }
    }

    /// The code, such as `GBP`.
    pub fn code(&self) -> &str {
        // Only capital ASCII letters get in.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimals the currency has: 0 to 3.
    pub fn exponent(self) -> u32 {
        if NO_DECIMALS.contains(&&self.0) {
            0
        } else if THREE_DECIMALS.contains(&&self.0) {
            3
        } else {
            2
        }
    }

    /// How many minor units make one unit: 1 to 1,000.
    pub fn unit(self) -> i64 {
        10_i64.pow(self.exponent())
    }

    /// Reads a decimal amount such as `"12.50"` as minor units. Zeros below the minor unit are allowed (Shopify
    /// writes yen as `"100.0"`); other digits there are an error.
    ///
    /// # Errors
    /// [`MoneyError::Amount`] for what is no decimal number, [`MoneyError::TooFine`] for digits below the minor unit,
    /// [`MoneyError::OutOfRange`] beyond ±(2^53 − 1) minor units.
    pub fn parse_minor(self, amount: &str) -> Result<i64, MoneyError> {
        let (negative, digits) = match amount.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let exponent = self.exponent();
        let mut minor: i64 = 0;
        // Decimals read so far; `None` until the point.
        let mut decimals: Option<u32> = None;
        let mut seen = false;
        for &byte in digits {
            match (byte, decimals) {
                (b'0'..=b'9', Some(n)) if n >= exponent => {
                    if byte != b'0' {
                        return Err(MoneyError::TooFine);
                    }
                }
                (b'0'..=b'9', _) => {
                    minor = minor * 10 + i64::from(byte - b'0');
                    // One digit more on a value in range stays within an i64, so checking each step suffices.
                    if minor > LIMIT {
                        return Err(OutOfRange.into());
                    }
                    decimals = decimals.map(|n| n + 1);
                    seen = true;
                }
                (b'.', None) if seen => decimals = Some(0),
                _ => return Err(MoneyError::Amount),
            }
        }
        if !seen {
            return Err(MoneyError::Amount);
        }
        for _ in decimals.unwrap_or(0)..exponent {
            minor *= 10;
            if minor > LIMIT {
                return Err(OutOfRange.into());
            }
        }
        Ok(if negative { -minor } else { minor })
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

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(code: String) -> Result<Currency, MoneyError> {
        Currency::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        String::from(currency.code())
    }
}

/// An amount of money in whole minor units of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// An amount from minor units; beyond ±(2^53 − 1) is an error.
    ///
    /// # Errors
    /// [`OutOfRange`] beyond ±(2^53 − 1).
    pub fn new(minor: i64, currency: Currency) -> Result<Money, OutOfRange> {
        if (-LIMIT..=LIMIT).contains(&minor) { Ok(Money { minor, currency }) } else { Err(OutOfRange) }
    }

    /// Nothing, in that currency.
    pub const fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    /// Reads a decimal amount; see [`Currency::parse_minor`].
    ///
    /// # Errors
    /// As [`Currency::parse_minor`].
    pub fn parse(amount: &str, currency: Currency) -> Result<Money, MoneyError> {
        Ok(Money { minor: currency.parse_minor(amount)?, currency })
    }

    /// Whole minor units: pence, cents, yen, fils.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum; another currency or leaving the range is an error.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] for another currency, [`MoneyError::OutOfRange`] where the sum leaves the range.
    pub fn plus(self, other: Money) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed);
        }
        Ok(Money::new(self.minor + other.minor, self.currency)?)
    }

    /// The difference; another currency or leaving the range is an error.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] for another currency, [`MoneyError::OutOfRange`] where the difference leaves the range.
    pub fn minus(self, other: Money) -> Result<Money, MoneyError> {
        self.plus(Money { minor: -other.minor, ..other })
    }
}

/// The decimal amount without its currency, with the currency's number of decimals: `12.50`, `100`, `1.250`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.currency.unit().unsigned_abs();
        let (sign, minor) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        match self.currency.exponent() as usize {
            0 => write!(f, "{sign}{minor}"),
            width => write!(f, "{sign}{}.{:0width$}", minor / unit, minor % unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn amounts_are_read_in_the_currencys_minor_units() {
        for (code, text, minor) in [
            ("GBP", "12.50", 1250),
            ("GBP", "12.5", 1250),
            ("GBP", "12", 1200),
            ("GBP", "-0.01", -1),
            ("GBP", "12.500", 1250),
            ("JPY", "100", 100),
            ("JPY", "100.0", 100),
            ("KWD", "1.250", 1250),
            ("KWD", "1.25", 1250),
            ("GBP", "90071992547409.91", LIMIT),
        ] {
            assert_eq!(currency(code).parse_minor(text), Ok(minor), "{code} {text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for (code, text, error) in [
            ("GBP", "", MoneyError::Amount),
            ("GBP", "-", MoneyError::Amount),
            ("GBP", ".5", MoneyError::Amount),
            ("GBP", "1,50", MoneyError::Amount),
            ("GBP", "1.2.3", MoneyError::Amount),
            ("GBP", "1e3", MoneyError::Amount),
            ("GBP", "NaN", MoneyError::Amount),
            ("GBP", " 1", MoneyError::Amount),
            ("GBP", "1.005", MoneyError::TooFine),
            ("JPY", "1.5", MoneyError::TooFine),
            ("GBP", "90071992547409.92", MoneyError::OutOfRange(OutOfRange)),
            ("GBP", "99999999999999999999999999", MoneyError::OutOfRange(OutOfRange)),
        ] {
            assert_eq!(currency(code).parse_minor(text), Err(error), "{code} {text}");
        }
        for code in ["", "gbp", "GB", "GBPX", "G1P", "£££"] {
            assert_eq!(Currency::parse(code), Err(MoneyError::Currency), "{code}");
        }
    }

    #[test]
    fn currencies_do_not_mix() {
        let (pounds, yen) = (Money::zero(currency("GBP")), Money::zero(currency("JPY")));
        assert_eq!(pounds.plus(yen), Err(MoneyError::Mixed));
        assert_eq!(pounds.minus(yen), Err(MoneyError::Mixed));
    }

    #[test]
    fn amounts_of_one_currency_are_added_within_the_range() {
        let pounds = |minor| Money::new(minor, currency("GBP")).unwrap();
        assert_eq!(pounds(250).plus(pounds(-30)), Ok(pounds(220)));
        assert_eq!(pounds(250).minus(pounds(300)), Ok(pounds(-50)));
        let out_of_range = Err(MoneyError::OutOfRange(OutOfRange));
        assert_eq!(pounds(LIMIT).plus(pounds(1)), out_of_range);
        assert_eq!(pounds(-LIMIT).minus(pounds(1)), out_of_range);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(minor in -LIMIT..=LIMIT, code in "GBP|JPY|KWD|EUR|BHD|KRW") {
            let money = Money::new(minor, currency(&code)).unwrap();
            prop_assert_eq!(Money::parse(&money.to_string(), money.currency()), Ok(money));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-0-9.e]{0,30}|.*") {
            let _ = currency("KWD").parse_minor(&text);
        }
    }
}
