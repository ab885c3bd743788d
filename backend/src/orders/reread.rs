//! Orders that were read again, as the Admin API tells them.

use std::str::FromStr;

use loyalty::Currency;
use loyalty::hold::Mark;
use loyalty::line::{LineKind, LineNow};
use loyalty::money::MoneyError;
use loyalty::order::{Facts, Payment, Used, UsedLine};
use loyalty::referral::Code;

use super::lines::{self, Told};
use super::payload::{Error, is_guest};
use super::{Discount, Order, Refunds};
use crate::db::Timestamp;
use crate::ids::{CustomerId, OrderId};
use crate::shopify::admin::{Allocated, Amount, Delivery, OrderLine, OrderNow};

/// Shopify tells whole seconds. What is read comes after all that was told until then, that of the same second too.
const WITHIN_A_SECOND: i64 = 999_999;

/// What an order that was read again says. `None` for a test order, of which nothing is booked. Its refunds are told by
/// webhooks of their own.
///
/// # Errors
/// When an amount, a time or an id in it is none.
pub fn order(id: OrderId, order: &OrderNow) -> Result<Option<Order>, Error> {
    if order.test {
        return Ok(None);
    }
    let currency = Currency::parse(&order.currency)?;
    let presentment = Currency::parse(&order.presentment_currency)?;
    let facts = facts(order)?;
    Ok(Some(Order {
        id,
        customer: order.customer.as_deref().map(number).transpose()?.map(CustomerId),
        guest: is_guest(order.customer_state.as_deref()),
        placed_at: time(&order.processed_at)?.min(time(&order.created_at)?),
        // That, too, was told by the webhook with which it was new.
        imported: false,
        // Who takes an order on was told of it by a webhook.
        at_till: false,
        facts,
        lines: order_lines(order, currency)?,
        as_of: facts.updated_at + WITHIN_A_SECOND,
        mark: attribute(order, Mark::ATTRIBUTE),
        referral: attribute(order, Code::ATTRIBUTE),
        currency: presentment,
        discounts: discounts(order, presentment)?,
        refunds: Refunds::new(),
    }))
}

fn facts(order: &OrderNow) -> Result<Facts, Error> {
    let payment = match order.financial_status.as_deref() {
        Some("PAID" | "PARTIALLY_REFUNDED" | "REFUNDED") => Payment::Paid,
        Some("VOIDED" | "EXPIRED") => Payment::Void,
        _ => Payment::Pending,
    };
    let updated_at = time(&order.updated_at)?.as_microsecond();
    let facts = Facts::told(updated_at, payment, order.cancelled_at.is_some());
    Ok(if order.fulfillment_status == "FULFILLED" { facts.and_fulfilled() } else { facts })
}

/// What was bought, and delivery. The Admin API does not say which lines are tips: those that were told before are.
fn order_lines(order: &OrderNow, currency: Currency) -> Result<Vec<LineNow>, Error> {
    let told = order.lines.iter().map(|line| told(line, currency)?.line(order.taxes_included));
    let mut told = told.collect::<Result<Vec<LineNow>, Error>>()?;
    let parts = order.delivery.iter().map(|part| delivery(part, currency));
    told.extend(lines::delivery(parts, order.taxes_included)?);
    Ok(told)
}

fn told(line: &OrderLine, currency: Currency) -> Result<Told, Error> {
    Ok(Told {
        id: number(&line.id)?,
        quantity: line.quantity,
        current: line.current,
        price: minor(&line.price, currency)?,
        discount: lines::sum(line.discounts.iter().map(|discount| minor(&discount.shop, currency)))?,
        tax: lines::sum(line.taxes.iter().map(|tax| minor(tax, currency)))?,
        kind: if line.gift_card { LineKind::GiftCard } else { LineKind::Item },
        product: line.product.as_deref().map(number).transpose()?,
    })
}

/// Price, discount and tax.
fn delivery(part: &Delivery, currency: Currency) -> Result<(i64, i64, i64), Error> {
    let discount = lines::sum(part.discounts.iter().map(|discount| minor(&discount.shop, currency)))?;
    let tax = lines::sum(part.taxes.iter().map(|tax| minor(tax, currency)))?;
    Ok((minor(&part.price, currency)?, discount, tax))
}

/// What the automatic discounts took off, by title: points buy no others.
fn discounts(order: &OrderNow, currency: Currency) -> Result<Vec<Discount>, Error> {
    let mut discounts: Vec<Discount> = Vec::new();
    for line in &order.lines {
        for (title, amount) in titled(&line.discounts, currency)? {
            let used = UsedLine { line: number(&line.id)?, quantity: line.quantity, amount };
            named(&mut discounts, title).lines.push(used);
        }
    }
    for part in &order.delivery {
        for (title, amount) in titled(&part.discounts, currency)? {
            let delivery = &mut named(&mut discounts, title).delivery;
            *delivery = lines::add(*delivery, amount)?;
        }
    }
    Ok(discounts)
}

/// What each title took off, summed.
fn titled(allocated: &[Allocated], currency: Currency) -> Result<Vec<(&str, i64)>, Error> {
    let mut sums: Vec<(&str, i64)> = Vec::new();
    for one in allocated {
        let Some(title) = &one.title else { continue };
        let amount = minor(&one.presentment, currency)?;
        match sums.iter_mut().find(|(known, _)| known == title) {
            Some((_, sum)) => *sum = sum.checked_add(amount).ok_or(Error::Quantity)?,
            None => sums.push((title, amount)),
        }
    }
    sums.retain(|(_, amount)| *amount > 0);
    Ok(sums)
}

fn named<'a>(discounts: &'a mut Vec<Discount>, title: &str) -> &'a mut Used {
    let at = discounts.iter().position(|discount| discount.title == title).unwrap_or_else(|| {
        discounts.push(Discount { title: title.to_owned(), used: Used::default() });
        discounts.len() - 1
    });
    &mut discounts[at].used
}

fn minor(amount: &Amount, currency: Currency) -> Result<i64, MoneyError> {
    if Currency::parse(&amount.currency)? == currency {
        currency.parse_minor(&amount.amount)
    } else {
        Err(MoneyError::Mixed)
    }
}

/// What the note attribute of this name says, if that can be read.
fn attribute<T: FromStr>(order: &OrderNow, name: &str) -> Option<T> {
    let attribute = order.attributes.iter().find(|(known, _)| known == name)?;
    attribute.1.parse().ok()
}

fn time(text: &str) -> Result<Timestamp, Error> {
    text.parse().map_err(|_| Error::Reread)
}

/// The number in a global id.
fn number(gid: &str) -> Result<i64, Error> {
    gid.rsplit('/').next().and_then(|number| number.parse().ok()).ok_or(Error::Reread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shopify::admin::Delivery;

    fn amount(amount: &str, currency: &str) -> Amount {
        Amount { amount: amount.into(), currency: currency.into() }
    }

    fn off(title: Option<&str>, shop: &str, presentment: &str) -> Allocated {
        let title = title.map(str::to_owned);
        Allocated { title, shop: amount(shop, "GBP"), presentment: amount(presentment, "EUR") }
    }

    fn now() -> OrderNow {
        OrderNow {
            created_at: "2026-11-22T09:00:00Z".into(),
            processed_at: "2026-11-22T09:00:00Z".into(),
            updated_at: "2026-11-23T09:00:00Z".into(),
            financial_status: Some("PARTIALLY_REFUNDED".into()),
            currency: "GBP".into(),
            presentment_currency: "EUR".into(),
            customer: Some("gid://shopify/Customer/9007199254740993".into()),
            attributes: vec![("_loyalty".into(), "0000000000000000000000000000000a.1".into())],
            lines: vec![
                OrderLine {
                    id: "gid://shopify/LineItem/1".into(),
                    quantity: 3,
                    current: 2,
                    gift_card: false,
                    product: Some("gid://shopify/Product/70".into()),
                    price: amount("10.00", "GBP"),
                    taxes: vec![amount("4.25", "GBP")],
                    discounts: vec![
                        off(Some("Loyalty points"), "3.00", "3.60"),
                        off(None, "1.00", "1.20"),
                        off(Some("Loyalty points"), "0.50", "0.60"),
                    ],
                },
                OrderLine {
                    id: "gid://shopify/LineItem/2".into(),
                    quantity: 1,
                    current: 1,
                    gift_card: true,
                    product: None,
                    price: amount("25.0", "GBP"),
                    taxes: Vec::new(),
                    discounts: Vec::new(),
                },
            ],
            taxes_included: true,
            customer_state: Some("DISABLED".into()),
            delivery: vec![Delivery {
                price: amount("4.95", "GBP"),
                taxes: vec![amount("0.49", "GBP")],
                discounts: vec![off(Some("Loyalty points"), "2.00", "2.40")],
            }],
            ..OrderNow::default()
        }
    }

    #[test]
    fn an_order_is_read_as_its_webhook_would_tell_it() {
        let order = order(OrderId(7), &now()).unwrap().unwrap();
        assert_eq!(order.customer, Some(CustomerId(9_007_199_254_740_993)));
        let card =
            LineNow { id: 2, quantity: 1, current: 1, paid: 2_500, tax_included: true, ..LineNow::default() };
        let card = LineNow { kind: LineKind::GiftCard, ..card };
        let mug = LineNow { id: 1, quantity: 3, current: 2, paid: 2_550, discount: 450, tax: 425, ..card };
        let mug = LineNow { product: Some(70), kind: LineKind::Item, ..mug };
        let delivery = LineNow { id: 0, paid: 295, discount: 200, tax: 49, kind: LineKind::Delivery, ..card };
        assert_eq!(order.lines, [mug, card, delivery]);
        assert!(order.guest);
        assert_eq!((order.facts.payment, order.facts.cancelled), (Payment::Paid, false));
        assert_eq!(order.mark.unwrap().to_string(), "0000000000000000000000000000000a.1");
        let [discount] = order.discounts.as_slice() else { panic!("{:?}", order.discounts) };
        assert_eq!(discount.used.lines, [UsedLine { line: 1, quantity: 3, amount: 420 }]);
        assert_eq!((discount.used.delivery, order.delivery_basis()), (240, 295));
    }

    #[test]
    fn what_is_no_order_is_refused_and_of_a_test_order_nothing_is_told() {
        assert!(order(OrderId(7), &OrderNow { test: true, ..now() }).unwrap().is_none());
        for wrong in [
            OrderNow { updated_at: "yesterday".into(), ..now() },
            OrderNow { customer: Some("gid://shopify/Customer/many".into()), ..now() },
            OrderNow { currency: "pounds".into(), ..now() },
            OrderNow { currency: "EUR".into(), ..now() },
            OrderNow { presentment_currency: "USD".into(), ..now() },
        ] {
            assert!(order(OrderId(7), &wrong).is_err(), "{wrong:?}");
        }
        let mut too_many = now();
        too_many.lines[0].quantity = i64::MAX;
        assert!(matches!(order(OrderId(7), &too_many), Err(Error::Quantity)));
    }
}
