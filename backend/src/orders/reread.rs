//! Orders that were read again, as the Admin API tells them.

use std::str::FromStr;

use loyalty::Currency;
use loyalty::earning::Returned;
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
use crate::shopify::admin::{Adjustment, Allocated, Amount, Delivery, OrderLine, OrderNow, RefundNow};

/// Shopify tells whole seconds. What is read comes after all that was told until then, that of the same second too.
const WITHIN_A_SECOND: i64 = 999_999;

/// What an order that was read again says, and its refunds where they were read, too. `None` for a test order, of which
/// nothing is booked.
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
        created_at: time(&order.created_at)?,
        at_till: order.source.as_deref() == Some("pos"),
        facts,
        lines: order_lines(order, currency)?,
        as_of: facts.updated_at + WITHIN_A_SECOND,
        mark: attribute(order, Mark::ATTRIBUTE),
        referral: attribute(order, Code::ATTRIBUTE),
        currency: presentment,
        discounts: discounts(order, presentment)?,
        refunds: refunds(order, currency)?,
        read_again: true,
    }))
}

fn facts(order: &OrderNow) -> Result<Facts, Error> {
    let is_rest_due = order.outstanding.as_ref().is_some_and(|rest| lines::is_positive(&rest.amount));
    let payment = match order.financial_status.as_deref() {
        // What came back hides that an edit has added to it.
        Some("PARTIALLY_REFUNDED") if is_rest_due => Payment::Pending,
        Some("PAID" | "PARTIALLY_REFUNDED" | "REFUNDED") => Payment::Paid,
        Some("VOIDED" | "EXPIRED") => Payment::Void,
        _ => Payment::Pending,
    };
    let updated_at = time(&order.updated_at)?.as_microsecond();
    let facts = Facts::told(updated_at, payment, order.cancelled_at.is_some());
    Ok(if order.fulfillment_status == "FULFILLED" { facts.and_fulfilled() } else { facts })
}

/// What was bought, and delivery.
fn order_lines(order: &OrderNow, currency: Currency) -> Result<Vec<LineNow>, Error> {
    let mut told =
        order.lines.iter().map(|line| told(line, currency)).collect::<Result<Vec<Told>, Error>>()?;
    let given = order.tips.as_ref().map_or(Ok(0), |tips| minor(tips, currency))?;
    if let Some(tip) = tip(&mut told, given) {
        tip.kind = LineKind::Tip;
    }
    let mut told: Vec<LineNow> =
        told.into_iter().map(|line| line.line(order.taxes_included)).collect::<Result<_, Error>>()?;
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

/// The Admin API says how much was given on top, and not which line that is: the last one of no product that costs as much.
fn tip(lines: &mut [Told], given: i64) -> Option<&mut Told> {
    let costs = |line: &Told| line.price.checked_mul(line.quantity) == Some(given);
    let is_tip = |line: &&mut Told| line.kind == LineKind::Item && line.product.is_none() && costs(line);
    lines.iter_mut().rev().find(is_tip).filter(|_| given > 0)
}

/// What came back by each refund.
fn refunds(order: &OrderNow, currency: Currency) -> Result<Refunds, Error> {
    order.refunds.iter().map(|refund| Ok((number(&refund.id)?, returned(refund, currency)?))).collect()
}

fn returned(refund: &RefundNow, currency: Currency) -> Result<Vec<Returned>, Error> {
    let mut returned = Vec::with_capacity(refund.lines.len());
    for line in &refund.lines {
        let subtotal = minor(&line.subtotal, currency)?;
        returned.push(Returned { line: number(&line.line)?, quantity: line.quantity, subtotal });
    }
    for part in &refund.delivery {
        returned.push(Returned { line: LineNow::DELIVERY, quantity: 0, subtotal: minor(part, currency)? });
    }
    // One without a reason says what the refund says of delivery.
    for Adjustment { amount, tax, .. } in refund.adjustments.iter().filter(|one| one.reason.is_some()) {
        let subtotal = -lines::sum([amount, tax].map(|part| minor(part, currency)))?;
        returned.push(Returned { line: LineNow::WHOLE, quantity: 0, subtotal });
    }
    Ok(returned)
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
    use crate::shopify::admin::{Delivery, RefundedLine};

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
        let due = OrderNow { outstanding: Some(amount("0.01", "GBP")), ..now() };
        assert_eq!(facts(&due).unwrap().payment, Payment::Pending, "what came back hides it");
        let due = OrderNow { outstanding: Some(amount("-5.00", "GBP")), ..now() };
        assert_eq!(facts(&due).unwrap().payment, Payment::Paid, "that is to be paid back");
        assert_eq!(order.mark.unwrap().to_string(), "0000000000000000000000000000000a.1");
        let [discount] = order.discounts.as_slice() else { panic!("{:?}", order.discounts) };
        assert_eq!(discount.used.lines, [UsedLine { line: 1, quantity: 3, amount: 420 }]);
        assert_eq!((discount.used.delivery, order.delivery_basis()), (240, 295));
    }

    #[test]
    fn where_and_when_it_was_placed_is_told_and_what_was_given_on_top_is_found_among_its_lines() {
        let tip =
            OrderLine { product: None, quantity: 1, price: amount("3.00", "GBP"), ..now().lines[0].clone() };
        let tip = OrderLine { id: "gid://shopify/LineItem/3".into(), discounts: Vec::new(), ..tip };
        let kind = |tips: &str| {
            let mut order = OrderNow { tips: Some(amount(tips, "GBP")), ..now() };
            order.lines.push(tip.clone());
            super::order(OrderId(7), &order).unwrap().unwrap().lines[2].kind
        };
        assert_eq!(
            [kind("3.00"), kind("2.00"), kind("0.00")],
            [LineKind::Tip, LineKind::Item, LineKind::Item]
        );

        let brought =
            OrderNow { processed_at: "2021-03-01T09:00:00Z".into(), source: Some("pos".into()), ..now() };
        let brought = order(OrderId(7), &brought).unwrap().unwrap();
        assert_eq!((brought.is_imported(), brought.at_till), (true, true));
        assert_eq!(brought.placed_at.to_string(), "2021-03-01T09:00:00Z");
        let here = order(OrderId(7), &now()).unwrap().unwrap();
        assert_eq!((here.is_imported(), here.at_till), (false, false));
    }

    #[test]
    fn what_came_back_is_read_as_its_webhook_would_tell_it() {
        let differing = |reason: Option<&str>, by: &str| Adjustment {
            reason: reason.map(str::to_owned),
            amount: amount(by, "GBP"),
            tax: amount("-1.00", "GBP"),
        };
        let refund = RefundNow {
            id: "gid://shopify/Refund/5".into(),
            lines: vec![RefundedLine {
                line: "gid://shopify/LineItem/1".into(),
                quantity: 2,
                subtotal: amount("8.00", "GBP"),
            }],
            delivery: vec![amount("1.50", "GBP")],
            // The first says again what came back of delivery.
            adjustments: vec![differing(None, "-1.50"), differing(Some("REFUND_DISCREPANCY"), "-4.85")],
        };
        let of = |refund: &RefundNow| order(OrderId(7), &OrderNow { refunds: vec![refund.clone()], ..now() });
        let back = |line, quantity, subtotal| Returned { line, quantity, subtotal };
        assert_eq!(
            of(&refund).unwrap().unwrap().refunds[&5],
            [back(1, 2, 800), back(LineNow::DELIVERY, 0, 150), back(LineNow::WHOLE, 0, 585)]
        );
        assert!(of(&RefundNow { id: "gid://shopify/Refund/many".into(), ..refund.clone() }).is_err());
        assert!(of(&RefundNow { delivery: vec![amount("1.50", "EUR")], ..refund }).is_err());
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
