//! What of an order a customer has kept: as it counts in the history of what they bought.

use super::Facts;
use crate::{
    LIMIT,
    earning::Returned,
    line::{LineKind, LineNow},
};

/// What was paid for the part of an order that was neither called off nor is gone, in minor units of the shop's currency;
/// none where nothing of it is left. Its price counts as the shop states it, after discounts, with delivery and tips. A
/// gift card is bought, but what it costs counts when it is spent. Who got back more than they paid has paid less than
/// nothing.
pub fn kept(facts: &Facts, lines: &[LineNow], gone: &[Returned]) -> Option<i64> {
    let units = |of: &LineNow| {
        let gone = gone.iter().filter(|returned| returned.line == of.id);
        gone.fold(of.quantity, |left, returned| left.saturating_sub(returned.quantity.max(0)))
    };
    let mut goods =
        lines.iter().filter(|line| matches!(line.kind, LineKind::Item | LineKind::GiftCard)).peekable();
    let is_left = goods.peek().is_none() || goods.any(|line| units(line) > 0);
    if facts.is_void() || !is_left {
        return None;
    }
    let is_card = |id: i64| lines.iter().any(|line| line.id == id && line.kind == LineKind::GiftCard);
    let paid = lines.iter().filter(|line| line.kind != LineKind::GiftCard);
    let paid = paid.fold(0_i64, |sum, line| sum.saturating_add(line.paid));
    let back = gone.iter().filter(|returned| !is_card(returned.line));
    let back = back.fold(0_i64, |sum, returned| sum.saturating_add(returned.subtotal));
    Some(paid.saturating_sub(back).clamp(-LIMIT, LIMIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Payment;

    fn line(id: i64, quantity: i64, paid: i64) -> LineNow {
        LineNow { id, quantity, current: quantity, paid, ..LineNow::default() }
    }

    fn of_kind(kind: LineKind, id: i64, paid: i64) -> LineNow {
        LineNow { kind, ..line(id, 1, paid) }
    }

    fn back(line: i64, quantity: i64, subtotal: i64) -> Returned {
        Returned { line, quantity, subtotal }
    }

    fn standing() -> Facts {
        Facts::told(1, Payment::Paid, false)
    }

    #[test]
    fn what_comes_back_counts_no_more() {
        let lines = [line(1, 2, 1_000), line(2, 1, 500), of_kind(LineKind::Delivery, LineNow::DELIVERY, 300)];
        for (gone, paid) in [
            (&[][..], Some(1_800)),
            (&[back(1, 1, 500)][..], Some(1_300)),
            (&[back(1, 2, 1_000)][..], Some(800)),
            (&[back(1, 2, 1_000), back(LineNow::DELIVERY, 0, 300)][..], Some(500)),
            (&[back(1, 1, 500), back(1, 1, 500), back(2, 1, 500)][..], None),
            (&[back(1, 9, 1_000), back(2, 9, 500)][..], None),
            (&[back(1, 0, 2_500)][..], Some(-700)),
        ] {
            assert_eq!(kept(&standing(), &lines, gone), paid, "{gone:?}");
        }
    }

    #[test]
    fn nothing_is_left_of_what_was_called_off() {
        let lines = [line(1, 2, 1_000)];
        assert_eq!(
            kept(&Facts::told(1, Payment::Pending, false), &lines, &[]),
            Some(1_000),
            "it may be paid yet"
        );
        assert_eq!(kept(&Facts::told(1, Payment::Paid, true), &lines, &[]), None);
        assert_eq!(kept(&Facts::told(1, Payment::Void, false), &lines, &[]), None);
    }

    #[test]
    fn a_gift_card_is_an_order_of_nothing_yet() {
        let lines = [of_kind(LineKind::GiftCard, 1, 2_500), of_kind(LineKind::Tip, 2, 100)];
        assert_eq!(kept(&standing(), &lines, &[]), Some(100));
        assert_eq!(kept(&standing(), &lines, &[back(1, 0, 1_000)]), Some(100));
        assert_eq!(kept(&standing(), &lines, &[back(1, 1, 2_500)]), None, "a tip alone is none");
    }

    #[test]
    fn what_is_free_is_an_order_all_the_same_and_so_is_one_whose_lines_nobody_told() {
        assert_eq!(kept(&standing(), &[line(1, 1, 0)], &[]), Some(0));
        assert_eq!(kept(&standing(), &[], &[]), Some(0));
        assert_eq!(kept(&standing(), &[line(1, 1, i64::MAX), line(2, 1, i64::MAX)], &[]), Some(LIMIT));
    }
}
