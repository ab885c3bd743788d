//! Discounts on lines and subtotal.

use loyalty::{Kind, Money};

use crate::claim::Claim;
use crate::input::Input;
use crate::lines::{is_gift_card, money, subtotal};
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
    let cart = Order::read(&claim)?;
    let quote = claim.terms.off_order(cart.eligible)?;
    let excluded =
        cart.gift_cards.iter().map(|line| cart.line(*line).get("id").text()).collect::<Option<_>>()?;

    Some(CartOperation::OrderDiscountsAdd(OrderDiscountsAddOperation {
        selection_strategy: OrderDiscountSelectionStrategy::First,
        candidates: vec![OrderDiscountCandidate {
            targets: vec![OrderDiscountCandidateTarget::OrderSubtotal(OrderSubtotalTarget {
                excluded_cart_line_ids: excluded,
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
    let cart = Order::read(&claim)?;
    let wanted = claim.terms.variant.as_deref()?;
    let variants = claim.cart.get("variants");
    let is_wanted = |place: &usize| {
        !cart.gift_cards.contains(place)
            && variants.nth(*place).get("merchandise").only().text().as_deref() == Some(wanted)
    };
    let place = (0..variants.len()).find(is_wanted)?;
    let line = cart.line(place);

    let quantity = variants.nth(place).get("quantity").integer()?;
    let unit_price = subtotal(line, claim.currency)?.minor().checked_div(quantity)?;
    let quote = claim.terms.off_unit(wanted, Money::new(unit_price, claim.currency).ok()?, cart.eligible)?;

    Some(CartOperation::ProductDiscountsAdd(ProductDiscountsAddOperation {
        selection_strategy: ProductDiscountSelectionStrategy::First,
        candidates: vec![ProductDiscountCandidate {
            targets: vec![ProductDiscountCandidateTarget::CartLine(CartLineTarget {
                id: line.get("id").text()?,
                quantity: Some(1),
            })],
            value: ProductDiscountCandidateValue::FixedAmount(ProductDiscountCandidateFixedAmount {
                amount: quote.discount.to_string(),
            }),
            message: Some(claim.terms.label),
        }],
    }))
}

/// The order: what it comes to, and which of its lines are gift cards, which are never discounted.
struct Order {
    eligible: Money,
    gift_cards: Vec<usize>,
    lines: Input,
}

impl Order {
    /// `None` when an amount is malformed.
    fn read(claim: &Claim) -> Option<Order> {
        let mut eligible = money(claim.cart.get("cost").only(), claim.currency)?;
        let flags = claim.cart.get("giftCards");
        let gift_cards: Vec<_> =
            (0..flags.len()).filter(|line| is_gift_card(flags.nth(*line).only())).collect();
        let lines = claim.cart.get("lines");
        for line in &gift_cards {
            eligible = eligible.minus(subtotal(lines.nth(*line), claim.currency)?).ok()?;
        }
        Some(Order { eligible, gift_cards, lines })
    }

    fn line(&self, place: usize) -> Input {
        self.lines.nth(place)
    }
}
