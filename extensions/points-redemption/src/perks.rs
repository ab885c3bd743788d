//! Members' perks: percentages off lines and off delivery.

use function_input::{Input, is_gift_card, money};
use loyalty::json::Document;
use loyalty::perks::{DeliveryPerk, Line, LinePerk};
use loyalty::{Account, Currency};

use crate::claim::is_of;
use crate::members::{
    BUYER_IDENTITY, CART, COLLECTED, COST, CURRENCY_CODE, CUSTOMER, DELIVERY_GROUPS, DISCOUNT, GIFT_CARDS,
    HANDLE, ID, IS_AUTHENTICATED, LINES, MERCHANDISE, PERKS, RETAIL_LOCATION, SUBTOTAL, VARIANTS,
};
use crate::schema::{
    CartLineTarget, CartOperation, DeliveryDiscountCandidate, DeliveryDiscountCandidateTarget,
    DeliveryDiscountCandidateValue, DeliveryDiscountSelectionStrategy, DeliveryDiscountsAddOperation,
    DeliveryOperation, DeliveryOptionTarget, Percentage, ProductDiscountCandidate,
    ProductDiscountCandidateTarget, ProductDiscountCandidateValue, ProductDiscountSelectionStrategy,
    ProductDiscountsAddOperation,
};

/// Whether the discount is the one for perks.
pub fn are_given_by(input: Input) -> bool {
    !input.member(&DISCOUNT).member(&PERKS).is_null()
}

/// What comes off the lines of a member's cart: off each the best perk that is about it, with the perk's name.
pub fn off_lines(input: Input) -> Option<CartOperation> {
    let discount = input.member(&DISCOUNT);
    if !is_of(discount, "PRODUCT") {
        return None;
    }
    let rules = discount.member(&PERKS).only().text()?;
    let cart = input.member(&CART);
    let member = Member::read(cart)?;
    let perks = LinePerk::read_all(&Document::parse(&rules)?.root()?, member.tier.as_deref()).ok()?;
    if perks.is_empty() {
        return None;
    }

    let lines = read_lines(cart, &perks)?;
    let mut candidates = Vec::new();
    let mut targets: Vec<Vec<_>> = perks.iter().map(|_| Vec::new()).collect();
    for (line, id) in &lines {
        let line = Line { variant: line.variant.as_deref(), in_collections: line.in_collections };
        if let Some(best) = LinePerk::best(&perks, line) {
            let target = CartLineTarget { id: id.clone(), quantity: None };
            targets[best].push(ProductDiscountCandidateTarget::CartLine(target));
        }
    }
    for (perk, targets) in perks.into_iter().zip(targets).filter(|(_, targets)| !targets.is_empty()) {
        candidates.push(ProductDiscountCandidate {
            targets,
            value: ProductDiscountCandidateValue::Percentage(Percentage { value: percent(perk.off) }),
            message: Some(perk.label),
        });
    }
    if candidates.is_empty() {
        return None;
    }
    Some(CartOperation::ProductDiscountsAdd(ProductDiscountsAddOperation {
        selection_strategy: ProductDiscountSelectionStrategy::All,
        candidates,
    }))
}

/// What comes off every delivery option of a member's cart.
pub fn off_delivery(input: Input) -> Option<DeliveryOperation> {
    let discount = input.member(&DISCOUNT);
    if !is_of(discount, "SHIPPING") {
        return None;
    }
    let rules = discount.member(&PERKS).only().text()?;
    let cart = input.member(&CART);
    let member = Member::read(cart)?;
    let perk = DeliveryPerk::best(&Document::parse(&rules)?.root()?, member.tier.as_deref()).ok()??;

    let currency = Currency::parse(&cart.member(&SUBTOTAL).only().member(&CURRENCY_CODE).text()?).ok()?;
    let mut targets = Vec::new();
    for option in cart.member(&DELIVERY_GROUPS).elements().flat_map(|group| group.only().elements()) {
        if money(option.member(&COST).only(), currency)?.minor() > 0 {
            let handle = option.member(&HANDLE).text()?;
            targets.push(DeliveryDiscountCandidateTarget::DeliveryOption(DeliveryOptionTarget { handle }));
        }
    }
    if targets.is_empty() {
        return None;
    }
    Some(DeliveryOperation::DeliveryDiscountsAdd(DeliveryDiscountsAddOperation {
        selection_strategy: DeliveryDiscountSelectionStrategy::All,
        candidates: vec![DeliveryDiscountCandidate {
            targets,
            value: DeliveryDiscountCandidateValue::Percentage(Percentage { value: percent(perk.off) }),
            message: Some(perk.label),
        }],
    }))
}

/// Whose cart it is.
struct Member {
    tier: Option<String>,
}

impl Member {
    /// `None` for whoever is no member or, online, has not signed in. At a till whoever serves them knows them.
    fn read(cart: Input) -> Option<Member> {
        let at_a_till = !cart.member(&RETAIL_LOCATION).is_null();
        let buyer = cart.member(&BUYER_IDENTITY);
        if !at_a_till && buyer.member(&IS_AUTHENTICATED).truth() != Some(true) {
            return None;
        }
        let account = buyer.member(&CUSTOMER).only().only().text()?;
        let tier = Account::read_tier(&Document::parse(&account)?.root()?).ok()?;
        Some(Member { tier })
    }
}

/// What perks ask of a line.
#[derive(Default)]
struct Asked {
    variant: Option<String>,
    in_collections: bool,
}

/// The lines that may be discounted, each with its id. No list is read that no perk asks for. `None` when a line does not
/// say whether it is a gift card.
fn read_lines(cart: Input, perks: &[LinePerk]) -> Option<Vec<(Asked, String)>> {
    // To the end before the next member is asked for: reading along is cheaper than parsing all, then reading.
    let merchandise = cart.member(&GIFT_CARDS);
    let mut places = Vec::new();
    for place in 0..merchandise.count() {
        if !is_gift_card(merchandise.nth(place).only())? {
            places.push(place);
        }
    }
    let lines = cart.member(&LINES);
    let mut found = Vec::with_capacity(places.len());
    for place in &places {
        found.push((Asked::default(), lines.nth(*place).member(&ID).text()?));
    }
    if perks.iter().any(|perk| !perk.variants.is_empty()) {
        let variants = cart.member(&VARIANTS);
        for (place, (asked, _)) in places.iter().zip(&mut found) {
            let id = variants.nth(*place).member(&MERCHANDISE).only().text();
            asked.variant = id.and_then(|id| Some(id.rsplit_once('/')?.1.to_owned()));
        }
    }
    if perks.iter().any(|perk| perk.collections) {
        let products = cart.member(&COLLECTED);
        for (place, (asked, _)) in places.iter().zip(&mut found) {
            asked.in_collections = products.nth(*place).only().only().only().truth() == Some(true);
        }
    }
    Some(found)
}

/// Basis points as a percentage.
fn percent(basis_points: i64) -> String {
    format!("{}.{:02}", basis_points / 100, basis_points % 100)
}
