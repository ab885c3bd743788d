//! The Function at checkout without its WebAssembly: the same rules, called as it calls them. Running the real one costs a
//! hundred times as much; the integration tests and the demo do.

use std::sync::Arc;

use anyhow::Result;
use devshop::Function;
use loyalty::{Account, Currency, Mark, Money};
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../extensions/points-redemption/schema.graphql");
const LINES: &str =
    include_str!("../../../extensions/points-redemption/src/cart_lines_discounts_generate_run.graphql");
/// The export that discounts lines.
const EXPORT: &str = "cart_lines_discounts_generate_run";

/// The Function that gives points' discount.
pub fn points_redemption() -> Result<Function> {
    let targets = [(devshop::functions::LINES_TARGET, EXPORT, LINES)];
    let host = |_: &str, input: &Value| json!({"operations": discount(&input["cart"]).into_iter().collect::<Vec<_>>()});
    Ok(Function::new("points-redemption", SCHEMA, &targets, Arc::new(host))?)
}

fn discount(cart: &Value) -> Option<Value> {
    if !cart["retailLocation"].is_null() || cart["buyerIdentity"]["isAuthenticated"] != true {
        return None;
    }
    let account = cart["buyerIdentity"]["customer"]["metafield"]["value"].as_str()?;
    let account: Value = serde_json::from_str(account).ok()?;
    let terms = Account::read_hold(&&account).ok()??;
    let mark = cart["attribute"]["value"].as_str().and_then(|mark| mark.parse::<Mark>().ok());
    if !terms.applies_to(mark) {
        return None;
    }
    let subtotal = &cart["subtotal"]["subtotalAmount"];
    let currency = Currency::parse(subtotal["currencyCode"].as_str()?).ok()?;
    let eligible = currency.parse_minor(subtotal["amount"].as_str()?).ok()?;
    let quote = terms.off_order(Money::new(eligible, currency).ok()?)?;
    Some(json!({"orderDiscountsAdd": {
        "selectionStrategy": "FIRST",
        "candidates": [{
            "targets": [{"orderSubtotal": {"excludedCartLineIds": []}}],
            "value": {"fixedAmount": {"amount": quote.discount.to_string()}},
            "message": terms.label,
        }],
    }}))
}
