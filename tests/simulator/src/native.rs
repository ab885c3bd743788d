//! The Function at checkout without its WebAssembly: the same rules, called as it calls them. Running the real one costs a
//! hundred times as much; a few worlds do, and the integration tests and the demo.

use std::sync::Arc;

use anyhow::Result;
use devshop::Function;
use devshop::functions::{DELIVERY_TARGET, LINES_TARGET};
use loyalty::{Account, Currency, Kind, Mark, Money, Terms};
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../extensions/points-redemption/schema.graphql");
const LINES_QUERY: &str =
    include_str!("../../../extensions/points-redemption/src/cart_lines_discounts_generate_run.graphql");
const DELIVERY_QUERY: &str = include_str!(
    "../../../extensions/points-redemption/src/cart_delivery_options_discounts_generate_run.graphql"
);
/// The exports that discount lines, and delivery.
const LINES: &str = "cart_lines_discounts_generate_run";
const DELIVERY: &str = "cart_delivery_options_discounts_generate_run";

/// The Function that gives points' discount.
pub fn points_redemption() -> Result<Function> {
    let targets = [(LINES_TARGET, LINES, LINES_QUERY), (DELIVERY_TARGET, DELIVERY, DELIVERY_QUERY)];
    let host = |export: &str, input: &Value| {
        let cart = &input["cart"];
        let given = if export == LINES { off_lines(cart) } else { off_delivery(cart) };
        json!({"operations": given.into_iter().collect::<Vec<_>>()})
    };
    Ok(Function::new("points-redemption", SCHEMA, &targets, Arc::new(host))?)
}

/// The hold that the cart may use, and the cart's currency.
fn claim(cart: &Value) -> Option<(Terms, Currency)> {
    if !cart["retailLocation"].is_null() || cart["buyerIdentity"]["isAuthenticated"] != true {
        return None;
    }
    let account = cart["buyerIdentity"]["customer"]["metafield"]["value"].as_str()?;
    let account: Value = serde_json::from_str(account).ok()?;
    let terms = Account::read_hold(&&account).ok()??;
    let attribute = cart["attribute"]["value"].as_str().and_then(|mark| mark.parse::<Mark>().ok());
    let metafield =
        cart["redemption"]["value"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let metafield = metafield.and_then(|json| Mark::read(&&json).ok());
    let currency = Currency::parse(cart["subtotal"]["subtotalAmount"]["currencyCode"].as_str()?).ok()?;
    let applies = [None, attribute, metafield].into_iter().any(|mark| terms.applies_to(mark));
    applies.then_some((terms, currency))
}

fn off_lines(cart: &Value) -> Option<Value> {
    let (terms, currency) = claim(cart)?;
    let amount = |amount: &Value| currency.parse_minor(amount.as_str()?).ok();
    let lines = cart["lines"].as_array()?;
    let is_card = |at: &usize| cart["giftCards"][*at]["merchandise"]["product"]["isGiftCard"] == true;
    let subtotal = |at: usize| amount(&lines[at]["cost"]["subtotalAmount"]["amount"]);
    let cards: Vec<usize> = (0..lines.len()).filter(is_card).collect();
    let mut eligible = amount(&cart["subtotal"]["subtotalAmount"]["amount"])?;
    for card in &cards {
        eligible -= subtotal(*card)?;
    }
    let eligible = Money::new(eligible, currency).ok()?;
    if terms.kind != Kind::Product {
        let quote = terms.off_order(eligible)?;
        let cards: Vec<&Value> = cards.into_iter().map(|card| &lines[card]["id"]).collect();
        return Some(json!({"orderDiscountsAdd": {
            "selectionStrategy": "FIRST",
            "candidates": [{
                "targets": [{"orderSubtotal": {"excludedCartLineIds": cards}}],
                "value": {"fixedAmount": {"amount": quote.discount.to_string()}},
                "message": terms.label,
            }],
        }}));
    }
    let wanted = terms.variant.as_deref()?;
    let sells = |at: &usize| cart["variants"][*at]["merchandise"]["id"] == wanted && !is_card(at);
    let at = (0..lines.len()).find(sells)?;
    let price = subtotal(at)? / cart["variants"][at]["quantity"].as_i64()?;
    let quote = terms.off_unit(wanted, Money::new(price, currency).ok()?, eligible)?;
    Some(json!({"productDiscountsAdd": {
        "selectionStrategy": "FIRST",
        "candidates": [{
            "targets": [{"cartLine": {"id": lines[at]["id"], "quantity": 1}}],
            "value": {"fixedAmount": {"amount": quote.discount.to_string()}},
            "message": terms.label,
        }],
    }}))
}

fn off_delivery(cart: &Value) -> Option<Value> {
    let (mut terms, currency) = claim(cart)?;
    if terms.kind != Kind::Shipping {
        return None;
    }
    let nothing = Money::zero(currency);
    let mut candidates = Vec::new();
    for group in cart["deliveryGroups"].as_array()? {
        let mut most = 0;
        for option in group["deliveryOptions"].as_array()? {
            let price = currency.parse_minor(option["cost"]["amount"].as_str()?).ok()?;
            let Some(quote) = terms.off_delivery(Money::new(price, currency).ok()?, nothing) else {
                continue;
            };
            most = most.max(quote.discount.minor());
            candidates.push(json!({
                "targets": [{"deliveryOption": {"handle": option["handle"]}}],
                "value": {"fixedAmount": {"amount": quote.discount.to_string()}},
                "message": terms.label,
            }));
        }
        terms.cap = terms.cap.map(|cap| cap - most);
    }
    let operation = json!({"deliveryDiscountsAdd": {"selectionStrategy": "ALL", "candidates": candidates}});
    (!candidates.is_empty()).then_some(operation)
}
