//! An order as a file tells it: what of it counts in what its customer has bought.

use jiff::SignedDuration;
use loyalty::Currency;
use serde::Deserialize;
use serde_json::Value;

use crate::db::Timestamp;
use crate::ids::{CustomerId, OrderId};

/// How far Shopify's clock may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// An order that is history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Shopify's number of it.
    pub order: OrderId,
    /// Who placed it.
    pub customer: CustomerId,
    /// When (UTC).
    pub placed_at: Timestamp,
    /// What was paid for what is left, in minor units of the shop's currency; none where nothing is left.
    pub kept: Option<i64>,
    /// From when this is (UTC).
    pub as_of: Timestamp,
}

crate::text_enum! {
    /// Why a line could not be taken.
    pub enum Fault {
        /// It is not what its type promises.
        Unreadable = "unreadable",
        /// An amount of money is none.
        Amount = "bad_amount",
        /// Its money is in another currency than the shop's.
        Currency = "other_currency",
        /// It was placed after it was read.
        Future = "in_the_future",
    }
}

impl Fault {
    /// The same for a person.
    pub fn sentence(self) -> &'static str {
        match self {
            Fault::Unreadable => "The line lacks something that Shopify promises.",
            Fault::Amount => "An amount of money is missing, or beyond what can be counted.",
            Fault::Currency => {
                "The money is not in the shop's currency; the shop had another one then, and nobody knows the rate."
            }
            Fault::Future => "The order is placed in the future.",
        }
    }
}

/// An order of `graphql/orders_in_bulk.graphql`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderJson<'a> {
    test: bool,
    processed_at: Timestamp,
    updated_at: Timestamp,
    cancelled_at: Option<Timestamp>,
    #[serde(borrow)]
    display_financial_status: Option<&'a str>,
    customer: Option<CustomerJson<'a>>,
    subtotal_line_items_quantity: i64,
    current_subtotal_line_items_quantity: i64,
    current_subtotal_price_set: MoneyBag<'a>,
    current_shipping_price_set: MoneyBag<'a>,
    total_tip_received_set: MoneyBag<'a>,
}

#[derive(Deserialize)]
struct CustomerJson<'a> {
    #[serde(borrow)]
    id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MoneyBag<'a> {
    #[serde(borrow)]
    shop_money: Money<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Money<'a> {
    amount: &'a str,
    currency_code: &'a str,
}

impl Money<'_> {
    fn minor(&self, currency: Currency) -> Result<i64, Fault> {
        if self.currency_code != currency.code() {
            return Err(Fault::Currency);
        }
        currency.parse_minor(self.amount).map_err(|_| Fault::Amount)
    }
}

impl OrderJson<'_> {
    /// What was called off was not bought.
    fn is_void(&self) -> bool {
        self.cancelled_at.is_some() || matches!(self.display_financial_status, Some("VOIDED" | "EXPIRED"))
    }

    /// Whether a unit is left. Gift cards are not counted among what makes the subtotal: an order of nothing else is left until
    /// its money is given back.
    fn is_left(&self) -> bool {
        match self.subtotal_line_items_quantity {
            0 => self.display_financial_status != Some("REFUNDED"),
            _ => self.current_subtotal_line_items_quantity > 0,
        }
    }

    /// As a webhook of it would be counted: what is left, with delivery and tips.
    fn paid(&self, currency: Currency) -> Result<i64, Fault> {
        let parts = [
            &self.current_subtotal_price_set,
            &self.current_shipping_price_set,
            &self.total_tip_received_set,
        ];
        let sum = parts.into_iter().try_fold(0_i64, |sum, part| {
            sum.checked_add(part.shop_money.minor(currency)?).ok_or(Fault::Amount)
        })?;
        if sum.abs() <= loyalty::LIMIT { Ok(sum) } else { Err(Fault::Amount) }
    }
}

/// Reads an order. None for one that counts for nobody: a test, or one without a customer.
///
/// # Errors
/// The [`Fault`] for which it cannot be taken.
pub fn read(id: i64, object: &Value, currency: Currency, now: Timestamp) -> Result<Option<Past>, Fault> {
    let order = OrderJson::deserialize(object).map_err(|_| Fault::Unreadable)?;
    let Some(customer) = order.customer.as_ref().filter(|_| !order.test) else { return Ok(None) };
    let number = customer.id.strip_prefix("gid://shopify/Customer/").and_then(|number| number.parse().ok());
    let customer = CustomerId(number.ok_or(Fault::Unreadable)?);
    if order.processed_at > now + AHEAD {
        return Err(Fault::Future);
    }
    let paid = order.paid(currency)?;
    let kept = (!order.is_void() && order.is_left()).then_some(paid);
    Ok(Some(Past {
        order: OrderId(id),
        customer,
        placed_at: order.processed_at,
        kept,
        as_of: order.updated_at,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-27T12:00:00Z".parse().unwrap()
    }

    fn written() -> Value {
        let money = |amount: &str| json!({"shopMoney": {"amount": amount, "currencyCode": "GBP"}});
        json!({
            "id": "gid://shopify/Order/7", "test": false, "processedAt": "2024-02-29T23:59:59Z",
            "updatedAt": "2024-03-02T08:00:00Z", "cancelledAt": null, "displayFinancialStatus": "PARTIALLY_REFUNDED",
            "customer": {"id": "gid://shopify/Customer/9007199254740993"},
            "subtotalLineItemsQuantity": 3, "currentSubtotalLineItemsQuantity": 2,
            "currentSubtotalPriceSet": money("20.00"), "currentShippingPriceSet": money("4.95"),
            "totalTipReceivedSet": money("1.0"),
        })
    }

    fn read_with(pointer: &str, value: Value) -> Result<Option<Past>, Fault> {
        let mut order = written();
        *order.pointer_mut(pointer).unwrap() = value;
        read(7, &order, Currency::parse("GBP").unwrap(), now())
    }

    fn kept_with(pointer: &str, value: Value) -> Option<i64> {
        read_with(pointer, value).unwrap().unwrap().kept
    }

    #[test]
    fn what_is_left_of_an_order_counts() {
        let past = read_with("/test", json!(false)).unwrap().unwrap();
        assert_eq!((past.order, past.customer), (OrderId(7), CustomerId(9_007_199_254_740_993)));
        assert_eq!(past.placed_at.to_string(), "2024-02-29T23:59:59Z");
        assert_eq!(past.as_of.to_string(), "2024-03-02T08:00:00Z");
        assert_eq!(past.kept, Some(2_595));
        assert_eq!(kept_with("/cancelledAt", json!("2024-03-01T00:00:00Z")), None);
        assert_eq!(kept_with("/displayFinancialStatus", json!("VOIDED")), None);
        assert_eq!(kept_with("/displayFinancialStatus", json!(null)), Some(2_595));
        assert_eq!(kept_with("/displayFinancialStatus", json!("A_NEWER_ONE")), Some(2_595));
        assert_eq!(kept_with("/currentSubtotalLineItemsQuantity", json!(0)), None);
        assert_eq!(
            kept_with("/currentShippingPriceSet/shopMoney/amount", json!("-30.00")),
            Some(-900),
            "more came back than was paid"
        );
    }

    #[test]
    fn an_order_of_gift_cards_alone_is_one_until_it_is_refunded() {
        let mut order = written();
        order["subtotalLineItemsQuantity"] = json!(0);
        order["currentSubtotalLineItemsQuantity"] = json!(0);
        let kept =
            |order: &Value| read(7, order, Currency::parse("GBP").unwrap(), now()).unwrap().unwrap().kept;
        assert!(kept(&order).is_some());
        order["displayFinancialStatus"] = json!("REFUNDED");
        assert_eq!(kept(&order), None);
    }

    #[test]
    fn tests_and_orders_of_nobody_count_for_nobody() {
        assert_eq!(read_with("/test", json!(true)), Ok(None));
        assert_eq!(read_with("/customer", json!(null)), Ok(None));
    }

    #[test]
    fn what_cannot_be_taken_says_why() {
        for (pointer, value, fault) in [
            ("/customer/id", json!("gid://shopify/Company/1"), Fault::Unreadable),
            ("/customer/id", json!(7), Fault::Unreadable),
            ("/processedAt", json!("yesterday"), Fault::Unreadable),
            ("/processedAt", json!("2026-11-29T12:00:00Z"), Fault::Future),
            ("/updatedAt", json!(null), Fault::Unreadable),
            ("/currentSubtotalLineItemsQuantity", json!("2"), Fault::Unreadable),
            ("/currentSubtotalPriceSet", json!(null), Fault::Unreadable),
            ("/currentSubtotalPriceSet/shopMoney/amount", json!("1.005"), Fault::Amount),
            ("/currentSubtotalPriceSet/shopMoney/amount", json!("9007199254740992"), Fault::Amount),
            ("/currentSubtotalPriceSet/shopMoney/amount", json!("90071992547409.91"), Fault::Amount),
            ("/totalTipReceivedSet/shopMoney/currencyCode", json!("EUR"), Fault::Currency),
        ] {
            assert_eq!(read_with(pointer, value.clone()), Err(fault), "{pointer} {value}");
        }
    }
}
