//! What is gone of an order: units and money that came back, and what an edit took off.

use alloc::vec::Vec;

use crate::{
    earning::{Earning, Returned},
    line::{LineKind, LineNow},
    mul_div_floor,
};

/// All that is gone of an order: its refunds, and the units that an edit took off without one, at the price that they earned
/// with. A refund that these lines do not know of yet counts all the same. Money that came back of no line came back of all
/// that is left, in proportion; of delivery only what the rest of the order did not cost.
pub fn gone(lines: &[LineNow], refunds: &[Returned], earning: Option<&Earning>) -> Vec<Returned> {
    let (whole, mut gone): (Vec<Returned>, Vec<Returned>) =
        refunds.iter().partition(|returned| returned.line == LineNow::WHOLE);
    let paid =
        |line: &LineNow| earning.and_then(|earning| earning.paid_of(line.id)).unwrap_or(line.paid).max(0);
    for line in lines {
        let taken_off =
            line.quantity.saturating_sub(line.current.max(0)).saturating_sub(units(&gone, line.id));
        if taken_off > 0 {
            let subtotal = mul_div_floor(paid(line), taken_off, line.quantity).unwrap_or(0);
            gone.push(Returned { line: line.id, quantity: taken_off, subtotal });
        }
    }
    // One refund may pay back more than its units had cost, and another less.
    let amount = whole.iter().fold(0_i64, |sum, returned| sum.saturating_add(returned.subtotal));
    if amount > 0 {
        let left = |line: &LineNow| Left::of(line, paid(line), &gone);
        let (delivery, goods): (Vec<Left>, Vec<Left>) =
            lines.iter().map(left).partition(|left| left.kind == LineKind::Delivery);
        let rest = spread(&goods, amount, &mut gone);
        spread(&delivery, rest, &mut gone);
    }
    gone
}

fn units(gone: &[Returned], line: i64) -> i64 {
    let of_line = gone.iter().filter(|returned| returned.line == line);
    of_line.fold(0, |units, returned| units.saturating_add(returned.quantity.max(0)))
}

/// What is left of a line, in minor units.
struct Left {
    line: i64,
    kind: LineKind,
    /// Of what was paid, as the shop states its prices.
    paid: i64,
    /// The same with tax.
    with_tax: i64,
}

impl Left {
    fn of(line: &LineNow, paid: i64, gone: &[Returned]) -> Left {
        let back = gone.iter().filter(|returned| returned.line == line.id);
        let back = back.fold(0_i64, |sum, returned| sum.saturating_add(returned.subtotal.max(0)));
        let all_is_back = line.kind != LineKind::Delivery && units(gone, line.id) >= line.quantity;
        let left = if all_is_back { 0 } else { paid.saturating_sub(back).max(0) };
        let tax = if line.tax_included { None } else { mul_div_floor(line.tax.max(0), left, paid) };
        Left { line: line.id, kind: line.kind, paid: left, with_tax: left.saturating_add(tax.unwrap_or(0)) }
    }
}

/// Takes an amount off these lines in proportion, to the last minor unit, and says how much is over.
fn spread(lines: &[Left], amount: i64, gone: &mut Vec<Returned>) -> i64 {
    let total = lines.iter().fold(0_i64, |sum, left| sum.saturating_add(left.with_tax));
    let amount_here = amount.min(total);
    let (mut passed, mut given) = (0_i64, 0_i64);
    for left in lines {
        passed = passed.saturating_add(left.with_tax);
        let until = mul_div_floor(amount_here, passed, total).unwrap_or(0);
        let share = until - given;
        given = until;
        let subtotal = mul_div_floor(left.paid, share, left.with_tax).unwrap_or(0);
        if subtotal > 0 {
            gone.push(Returned { line: left.line, quantity: 0, subtotal });
        }
    }
    amount - amount_here
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{money::Currency, price::Circumstances, program::Program};

    fn line(id: i64, quantity: i64, current: i64, paid: i64) -> LineNow {
        LineNow { id, quantity, current, paid, ..LineNow::default() }
    }

    fn returned(line: i64, quantity: i64, subtotal: i64) -> Returned {
        Returned { line, quantity, subtotal }
    }

    fn money(amount: i64) -> Returned {
        returned(LineNow::WHOLE, 0, amount)
    }

    fn earning(lines: &[LineNow]) -> Earning {
        let program = Program::standard(Currency::parse("GBP").unwrap());
        program.price(lines, &Circumstances::default()).unwrap()
    }

    #[test]
    fn units_that_an_edit_took_off_are_gone_once_whether_or_not_a_refund_tells_of_them_too() {
        let gone = |lines: &[LineNow], refunds: &[Returned]| gone(lines, refunds, None);
        let three = |current| line(1, 3, current, 1_000);
        assert_eq!(gone(&[three(3)], &[]), []);
        assert_eq!(gone(&[three(2)], &[]), [returned(1, 1, 333)]);
        assert_eq!(gone(&[three(2)], &[returned(1, 1, 300)]), [returned(1, 1, 300)]);
        assert_eq!(gone(&[three(1)], &[returned(1, 1, 300)]), [returned(1, 1, 300), returned(1, 1, 333)]);
        assert_eq!(gone(&[three(3)], &[returned(1, 2, 600)]), [returned(1, 2, 600)], "a newer refund");
        assert_eq!(gone(&[three(-5)], &[]), [returned(1, 3, 1_000)], "no more than was bought");
        assert_eq!(gone(&[line(1, 0, 4, -7)], &[]), []);
        let (dearer, as_bought) = (line(1, 2, 1, 9_000), earning(&[line(1, 2, 2, 1_000)]));
        assert_eq!(super::gone(&[dearer], &[], Some(&as_bought)), [returned(1, 1, 500)], "as it was earned");
    }

    #[test]
    fn money_that_came_back_of_no_line_came_back_of_all_that_is_left() {
        let delivery = LineNow { kind: LineKind::Delivery, ..line(LineNow::DELIVERY, 1, 1, 500) };
        let lines = [line(1, 2, 2, 6_000), line(2, 1, 1, 4_000), delivery];
        let points = |refunds: &[Returned]| {
            let earning = earning(&lines);
            earning.points_after(&gone(&lines, refunds, Some(&earning))).get()
        };
        assert_eq!(points(&[]), 100);
        assert_eq!(points(&[money(6_000)]), 40);
        assert_eq!(points(&[money(1_000), money(1_000)]), 80);
        assert_eq!(points(&[money(10_000)]), 0);
        assert_eq!(points(&[money(i64::MAX)]), 0);
        assert_eq!(points(&[returned(2, 1, 4_000), money(3_000)]), 30, "of the rest");
        assert_eq!(points(&[returned(2, 1, 4_000), money(-500)]), 60, "a fee for returning earns nothing");
        assert_eq!(
            points(&[money(4_000), returned(2, 1, 4_000), money(-4_000)]),
            60,
            "paid before it came back"
        );
        assert_eq!(gone(&lines, &[money(10_200)], None)[2], returned(LineNow::DELIVERY, 0, 200));
        assert_eq!(gone(&[], &[money(10)], None), [], "nothing is known of the order yet");
    }

    #[test]
    fn the_tax_in_what_came_back_is_no_price() {
        let taxed = |tax_included| LineNow { tax: 2_000, tax_included, ..line(1, 1, 1, 10_000) };
        assert_eq!(gone(&[taxed(false)], &[money(6_000)], None), [returned(1, 0, 5_000)]);
        assert_eq!(gone(&[taxed(false)], &[money(12_000)], None), [returned(1, 0, 10_000)]);
        assert_eq!(gone(&[taxed(true)], &[money(6_000)], None), [returned(1, 0, 6_000)]);
    }

    proptest! {
        #[test]
        fn what_is_paid_back_comes_off_to_the_last_minor_unit(
            paid in proptest::collection::vec(0..100_000_i64, 1..6), amount in 1..400_000_i64,
        ) {
            let lines: Vec<LineNow> = (1..).zip(paid).map(|(id, paid)| line(id, 1, 1, paid)).collect();
            let total: i64 = lines.iter().map(|line| line.paid).sum();
            let back = gone(&lines, &[money(amount)], None);
            prop_assert_eq!(back.iter().map(|returned| returned.subtotal).sum::<i64>(), amount.min(total));
            for line in &lines {
                let of_line: i64 = back.iter().filter(|back| back.line == line.id).map(|back| back.subtotal).sum();
                prop_assert!(of_line <= line.paid);
            }
        }

        #[test]
        fn more_money_back_never_leaves_more(
            paid in proptest::collection::vec(0..100_000_i64, 1..6), amounts in (0..200_000_i64, 0..200_000_i64),
        ) {
            let lines: Vec<LineNow> = (1..).zip(paid).map(|(id, paid)| line(id, 1, 1, paid)).collect();
            let earning = earning(&lines);
            let after = |amount| earning.points_after(&gone(&lines, &[money(amount)], Some(&earning)));
            prop_assert!(after(amounts.0 + amounts.1) <= after(amounts.0));
        }
    }
}
