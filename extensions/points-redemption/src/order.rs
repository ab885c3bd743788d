//! What points take off lines and subtotal.

use function_input::{Input, is_gift_card, money};
use loyalty::{Kind, Money};

use crate::claim::Claim;
use crate::lines::subtotal;
use crate::members::{AMOUNT, GIFT_CARDS, ID, LINES, MERCHANDISE, QUANTITY, SUBTOTAL, VARIANTS};
use crate::schema::{
    CartLineTarget, CartOperation, FixedAmount, OrderDiscountCandidate, OrderDiscountCandidateTarget,
    OrderDiscountCandidateValue, OrderDiscountSelectionStrategy, OrderDiscountsAddOperation,
    OrderSubtotalTarget, ProductDiscountCandidate, ProductDiscountCandidateFixedAmount,
    ProductDiscountCandidateTarget, ProductDiscountCandidateValue, ProductDiscountSelectionStrategy,
    ProductDiscountsAddOperation,
};

/// What comes off this cart, if anything.
pub fn discount(input: Input) -> Option<CartOperation> {
    let claim = Claim::read(input)?;
    match claim.terms.kind {
        Kind::Amount | Kind::Percent => off_order(claim),
        Kind::Product => off_unit(claim),
        Kind::Shipping => None,
    }
}

/// An amount or a percentage off the order without its gift cards.
fn off_order(claim: Claim) -> Option<CartOperation> {
    let order = Order::read(&claim)?;
    let quote = claim.terms.off_order(order.eligible)?;

    Some(CartOperation::OrderDiscountsAdd(OrderDiscountsAddOperation {
        selection_strategy: OrderDiscountSelectionStrategy::First,
        candidates: vec![OrderDiscountCandidate {
            targets: vec![OrderDiscountCandidateTarget::OrderSubtotal(OrderSubtotalTarget {
                excluded_cart_line_ids: order.gift_cards,
            })],
            value: OrderDiscountCandidateValue::FixedAmount(FixedAmount {
                amount: quote.discount.to_string(),
            }),
            message: Some(claim.terms.label),
        }],
    }))
}

/// One unit of the first line that has the reward's variant.
fn off_unit(claim: Claim) -> Option<CartOperation> {
    let order = Order::read(&claim)?;
    let (merchandise, variants) = (claim.cart.member(&GIFT_CARDS), claim.cart.member(&VARIANTS));
    let wanted = claim.terms.variant.as_deref()?;
    let sells_wanted = |place: &usize| {
        let variant = variants.nth(*place).member(&MERCHANDISE).only().text();
        variant.as_deref() == Some(wanted) && is_gift_card(merchandise.nth(*place).only()) == Some(false)
    };
    let place = (0..variants.count()).find(sells_wanted)?;

    let line = order.lines.nth(place);
    let quantity = variants.nth(place).member(&QUANTITY).integer()?;
    let unit_price = subtotal(line, claim.currency)?.minor().checked_div(quantity)?;
    let quote = claim.terms.off_unit(wanted, Money::new(unit_price, claim.currency).ok()?, order.eligible)?;

    Some(CartOperation::ProductDiscountsAdd(ProductDiscountsAddOperation {
        selection_strategy: ProductDiscountSelectionStrategy::First,
        candidates: vec![ProductDiscountCandidate {
            targets: vec![ProductDiscountCandidateTarget::CartLine(CartLineTarget {
                id: line.member(&ID).text()?,
                quantity: Some(1),
            })],
            value: ProductDiscountCandidateValue::FixedAmount(ProductDiscountCandidateFixedAmount {
                amount: quote.discount.to_string(),
            }),
            message: Some(claim.terms.label),
        }],
    }))
}

/// The order without its gift cards.
struct Order {
    eligible: Money,
    /// The ids of the lines that are.
    gift_cards: Vec<String>,
    lines: Input,
}

impl Order {
    /// `None` when an amount is malformed, or a line does not say whether it is a gift card.
    fn read(claim: &Claim) -> Option<Order> {
        let mut eligible = money(claim.cart.member(&SUBTOTAL).only().member(&AMOUNT), claim.currency)?;
        // To the end before the next member is asked for: reading along is cheaper than parsing all, then reading.
        let merchandise = claim.cart.member(&GIFT_CARDS);
        let mut places = Vec::new();
        for place in 0..merchandise.count() {
            if is_gift_card(merchandise.nth(place).only())? {
                places.push(place);
            }
        }
        let lines = claim.cart.member(&LINES);
        let mut gift_cards = Vec::with_capacity(places.len());
        for gift_card in places.into_iter().map(|place| lines.nth(place)) {
            eligible = eligible.minus(subtotal(gift_card, claim.currency)?).ok()?;
            gift_cards.push(gift_card.member(&ID).text()?);
        }
        Some(Order { eligible, gift_cards, lines })
    }
}
