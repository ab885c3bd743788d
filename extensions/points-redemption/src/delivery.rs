//! What points take off delivery.

use function_input::{Input, is_gift_card, money};
use loyalty::{Kind, Money};

use crate::claim::Claim;
use crate::lines::subtotal;
use crate::members::{COST, DELIVERY_GROUPS, HANDLE, LINES, MERCHANDISE};
use crate::schema::{
    DeliveryDiscountCandidate, DeliveryDiscountCandidateTarget, DeliveryDiscountCandidateValue,
    DeliveryDiscountSelectionStrategy, DeliveryDiscountsAddOperation, DeliveryOperation,
    DeliveryOptionTarget, FixedAmount,
};

/// What comes off the delivery of this cart, if anything.
///
/// An order can be delivered in several groups, each by one of its options. Which option is chosen is not known here,
/// so each group uses up as much of the cap as its dearest discount.
pub fn discount(input: Input) -> Option<DeliveryOperation> {
    let Claim { mut terms, cart, currency } = Claim::read(input)?;
    if terms.kind != Kind::Shipping {
        return None;
    }
    // The lines matter only to a minimum, and only until it is reached.
    let mut eligible = Money::zero(currency);
    let mut lines = cart.member(&LINES).elements();
    while eligible.minor() < terms.min.unwrap_or(0) {
        let line = lines.next()?;
        if !is_gift_card(line.member(&MERCHANDISE))? {
            eligible = eligible.plus(subtotal(line, currency)?).ok()?;
        }
    }

    let mut candidates = Vec::new();
    for group in cart.member(&DELIVERY_GROUPS).elements() {
        let mut most = 0;
        for option in group.only().elements() {
            let price = money(option.member(&COST).only(), currency)?;
            let Some(quote) = terms.off_delivery(price, eligible) else { continue };
            most = most.max(quote.discount.minor());
            candidates.push(DeliveryDiscountCandidate {
                targets: vec![DeliveryDiscountCandidateTarget::DeliveryOption(DeliveryOptionTarget {
                    handle: option.member(&HANDLE).text()?,
                })],
                value: DeliveryDiscountCandidateValue::FixedAmount(FixedAmount {
                    amount: quote.discount.to_string(),
                }),
                message: Some(terms.label.clone()),
            });
        }
        terms.cap = terms.cap.map(|cap| cap - most);
    }
    if candidates.is_empty() {
        return None;
    }
    Some(DeliveryOperation::DeliveryDiscountsAdd(DeliveryDiscountsAddOperation {
        selection_strategy: DeliveryDiscountSelectionStrategy::All,
        candidates,
    }))
}
