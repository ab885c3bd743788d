//! A row of a file of orders, read and checked. Pure.

use csv::StringRecord;
use jiff::SignedDuration;
use loyalty::Currency;
use sha2::{Digest, Sha256};

use super::super::columns::{Columns, Fields};
use super::super::dates::Dates;
use super::super::row::{Refusal, Who, blamed, who};
use super::super::{Error, Fault};
use crate::db::Timestamp;
use crate::ids::OrderId;

/// What a column holds; see [`super`] for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the room's page says what they are")]
pub enum OrderField {
    #[value(name = "order_id")]
    Order,
    Name,
    #[value(name = "customer_id")]
    Customer,
    Email,
    PlacedAt,
    Total,
    Refunded,
    Currency,
    CancelledAt,
}

use OrderField as Field;

impl Fields for OrderField {
    const ALL: &'static [Field] = &[
        Field::Order,
        Field::Name,
        Field::Customer,
        Field::Email,
        Field::PlacedAt,
        Field::Total,
        Field::Refunded,
        Field::Currency,
        Field::CancelledAt,
    ];

    fn name(self) -> &'static str {
        match self {
            Field::Order => "order_id",
            Field::Name => "name",
            Field::Customer => "customer_id",
            Field::Email => "email",
            Field::PlacedAt => "placed_at",
            Field::Total => "total",
            Field::Refunded => "refunded",
            Field::Currency => "currency",
            Field::CancelledAt => "cancelled_at",
        }
    }

    fn place(self) -> usize {
        self as usize
    }
}

/// The headers of Shopify's export of orders.
fn of_shopify(field: Field) -> &'static [&'static str] {
    match field {
        Field::Order => &["id"],
        Field::PlacedAt => &["created_at"],
        Field::Refunded => &["refunded_amount"],
        _ => &[],
    }
}

/// Finds the columns in a header: those that were named, then by our own names and Shopify's.
pub(super) fn columns(header: &StringRecord, given: &[(Field, String)]) -> Result<Columns<Field>, Error> {
    let columns = Columns::search(header, of_shopify, given)?;
    for (one, other, what) in [
        (Field::Order, Field::Name, "order_id or name"),
        (Field::Customer, Field::Email, "customer_id or email"),
        (Field::PlacedAt, Field::PlacedAt, "placed_at"),
        (Field::Total, Field::Total, "total"),
    ] {
        if !columns.has(one) && !columns.has(other) {
            return Err(columns.lacks(what));
        }
    }
    Ok(columns)
}

/// What a row says of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub order: OrderId,
    pub who: Who,
    pub placed_at: Timestamp,
    /// What was paid and not given back, in minor units; none where the order counts as none.
    pub kept: Option<i64>,
}

/// How a file's rows are read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub columns: Columns<Field>,
    pub dates: Dates,
    pub currency: Currency,
    pub now: Timestamp,
}

impl Reading {
    /// Reads a row; none for a further line of an order that was read.
    pub fn row(&self, record: &StringRecord) -> Result<Option<Row>, Refusal<Field>> {
        if record.len() != self.columns.count() {
            return Err(Fault::Columns.of(Field::Order));
        }
        let value = |field| self.columns.value(record, field);
        let lost = |field: &&Field| value(**field).is_some_and(|text| text.contains(['\u{fffd}', '\0']));
        if let Some(field) = Field::ALL.iter().find(lost) {
            return Err(Fault::Text.of(*field));
        }
        let number = value(Field::Order).map(number).transpose()?;
        let order =
            number.or_else(|| value(Field::Name).map(named)).ok_or(Fault::NoOrder.of(Field::Order))?;
        if value(Field::PlacedAt).is_none() && value(Field::Total).is_none() {
            return Ok(None);
        }
        let who = who(value(Field::Customer), value(Field::Email));
        let who = who.map_err(|fault| fault.of(blamed(fault, Field::Customer, Field::Email)))?;
        if value(Field::Currency).is_some_and(|text| !text.eq_ignore_ascii_case(self.currency.code())) {
            return Err(Fault::OtherCurrency.of(Field::Currency));
        }
        let placed_at = value(Field::PlacedAt).ok_or(Fault::BadDate.of(Field::PlacedAt))?;
        let placed_at = self.dates.instant(placed_at).map_err(|fault| fault.of(Field::PlacedAt))?;
        if placed_at > self.now + SignedDuration::from_hours(24) {
            return Err(Fault::Future.of(Field::PlacedAt));
        }
        let total = self.amount(value(Field::Total).unwrap_or_default(), Field::Total)?;
        let refunded = value(Field::Refunded).map_or(Ok(0), |text| self.amount(text, Field::Refunded))?;
        let is_void = value(Field::CancelledAt).is_some() || (total > 0 && refunded >= total);
        let kept = (!is_void).then_some(total - refunded);
        Ok(Some(Row { order, who, placed_at, kept }))
    }

    /// An amount of money: digits and a point, nothing else.
    fn amount(&self, text: &str, field: Field) -> Result<i64, Refusal<Field>> {
        self.currency.parse_minor(text).ok().filter(|minor| *minor >= 0).ok_or(Fault::BadAmount.of(field))
    }
}

/// Shopify's number of an order: alone, as the Admin API writes it, or behind an apostrophe.
fn number(text: &str) -> Result<OrderId, Refusal<Field>> {
    let text = text.trim_start_matches('\'').trim_start_matches("gid://shopify/Order/");
    let number: Option<i64> =
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.filter(|number| *number > 0).map(OrderId).ok_or(Fault::BadOrder.of(Field::Order))
}

/// A number for an order of another shop's, by its name: below zero, where Shopify has none.
fn named(name: &str) -> OrderId {
    let digest = Sha256::digest(name.trim().as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    OrderId(i64::from_be_bytes(first) | i64::MIN)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::ids::CustomerId;

    const HEADER: [&str; 9] = [
        "order_id",
        "name",
        "customer_id",
        "email",
        "placed_at",
        "total",
        "refunded",
        "currency",
        "cancelled_at",
    ];

    fn read(values: &[(Field, &str)]) -> Result<Option<Row>, Refusal<Field>> {
        let reading = Reading {
            columns: columns(&HEADER.to_vec().into(), &[]).unwrap(),
            dates: Dates { zone: TimeZone::UTC, order: None },
            currency: Currency::parse("GBP").unwrap(),
            now: "2026-11-01T12:00:00Z".parse().unwrap(),
        };
        let mut record = vec![""; HEADER.len()];
        let usual = [
            (Field::Order, "7"),
            (Field::Customer, "8"),
            (Field::PlacedAt, "2024-05-01"),
            (Field::Total, "12.5"),
        ];
        for (field, value) in usual.iter().chain(values) {
            record[*field as usize] = value;
        }
        reading.row(&record.into())
    }

    fn kept(values: &[(Field, &str)]) -> Option<i64> {
        read(values).unwrap().unwrap().kept
    }

    #[test]
    fn a_row_says_who_bought_for_how_much_and_when() {
        let row = read(&[]).unwrap().unwrap();
        assert_eq!((row.order, row.who, row.kept), (OrderId(7), Who::Customer(CustomerId(8)), Some(1_250)));
        assert_eq!(row.placed_at.to_string(), "2024-05-01T00:00:00Z");
        assert_eq!(kept(&[(Field::Refunded, "2.50"), (Field::Currency, "gbp")]), Some(1_000));
        assert_eq!(kept(&[(Field::Refunded, "12.50")]), None, "all of it came back");
        assert_eq!(kept(&[(Field::CancelledAt, "2024-05-02")]), None);
        assert_eq!(kept(&[(Field::Total, "0.00")]), Some(0), "a free order is one");
        let number = |values: &[(Field, &str)]| read(values).unwrap().unwrap().order;
        assert_eq!(number(&[(Field::Order, "'7")]), number(&[(Field::Order, "gid://shopify/Order/7")]));
        let named = [(Field::Order, ""), (Field::Name, "W-1001")];
        assert!(number(&named).0 < 0);
        assert_eq!(number(&named), number(&[(Field::Order, ""), (Field::Name, " W-1001 ")]));
        assert_ne!(number(&named), number(&[(Field::Order, ""), (Field::Name, "W-1002")]));
    }

    #[test]
    fn a_further_line_of_an_order_is_passed_by() {
        assert_eq!(read(&[(Field::PlacedAt, ""), (Field::Total, ""), (Field::Customer, "")]), Ok(None));
    }

    #[test]
    fn what_is_wrong_with_a_row_is_said() {
        for (values, field, fault) in [
            (vec![(Field::Order, "")], Field::Order, Fault::NoOrder),
            (vec![(Field::Order, "7.0E+12")], Field::Order, Fault::BadOrder),
            (vec![(Field::Order, "-7")], Field::Order, Fault::BadOrder),
            (vec![(Field::Customer, "")], Field::Customer, Fault::NoCustomer),
            (vec![(Field::Customer, ""), (Field::Email, "ada")], Field::Email, Fault::BadEmail),
            (vec![(Field::PlacedAt, "")], Field::PlacedAt, Fault::BadDate),
            (vec![(Field::PlacedAt, "03/04/2024")], Field::PlacedAt, Fault::AmbiguousDate),
            (vec![(Field::PlacedAt, "2026-11-03")], Field::PlacedAt, Fault::Future),
            (vec![(Field::Total, "")], Field::Total, Fault::BadAmount),
            (vec![(Field::Total, "-1.00")], Field::Total, Fault::BadAmount),
            (vec![(Field::Total, "1,250.00")], Field::Total, Fault::BadAmount),
            (vec![(Field::Total, "12.505")], Field::Total, Fault::BadAmount),
            (vec![(Field::Refunded, "all")], Field::Refunded, Fault::BadAmount),
            (vec![(Field::Currency, "EUR")], Field::Currency, Fault::OtherCurrency),
            (vec![(Field::Name, "W\u{fffd}1")], Field::Name, Fault::Text),
        ] {
            assert_eq!(read(&values), Err(fault.of(field)), "{values:?}");
        }
    }

    #[test]
    fn the_headers_of_shopifys_export_are_known() {
        let header = [
            "Name",
            "Email",
            "Financial Status",
            "Paid at",
            "Currency",
            "Subtotal",
            "Shipping",
            "Taxes",
            "Total",
            "Created at",
            "Lineitem quantity",
            "Cancelled at",
            "Refunded Amount",
            "Id",
            "Source",
        ];
        let columns = columns(&header.to_vec().into(), &[]).unwrap();
        assert_eq!(columns.title(Field::Order), "Id");
        assert_eq!(columns.unread().len(), 15 - 8);
        let lacking = |header: &[&str]| super::columns(&header.to_vec().into(), &[]).unwrap_err().to_string();
        assert!(lacking(&["Email", "Total", "Created at"]).contains("no column order_id or name"));
        assert!(lacking(&["Id", "Total", "Created at"]).contains("no column customer_id or email"));
        assert!(lacking(&["Id", "Email", "Total"]).contains("no column placed_at"));
    }
}
