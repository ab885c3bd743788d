//! Inputs for carts of any size, as the input query selects them.

use serde_json::{Value, json};

/// The hold that the mark names.
pub const HOLD: &str = "0123456789abcdef0123456789abcdef";

/// A signed-in buyer in the middle of the checkout, with a hold that needs an order of this many pence. Each line is 5.00
/// GBP.
pub fn input(lines: usize, min: i64) -> Value {
    let hold = json!({
        "id": HOLD, "scope": "cart", "kind": "amount", "points": 500, "value": 500, "cur": "GBP", "min": min,
        "label": "Loyalty points",
    });
    let account = json!({ "v": 1, "seq": 12, "points": 1_500, "pending": 20, "hold": hold });
    let each = |line: fn(usize) -> Value| (0..lines).map(line).collect::<Vec<_>>();
    json!({
        "journey": { "step": "CHECKOUT_INTERACTION" },
        "shop": { "metafield": { "value": "{\"v\":1,\"version\":7,\"guard\":1}" } },
        "localization": { "language": { "isoCode": "EN" } },
        "cart": {
            "retailLocation": null,
            "buyerIdentity": { "isAuthenticated": true, "customer": { "metafield": { "value": account.to_string() } } },
            "attribute": { "value": format!("{HOLD}.1") },
            "redemption": null,
            "subtotal": { "subtotalAmount": { "currencyCode": "GBP", "amount": format!("{}.00", lines * 5) } },
            "giftCards": each(|_| json!({ "merchandise": { "product": { "isGiftCard": false } } })),
            "lines": each(|_| json!({ "cost": { "subtotalAmount": { "amount": "5.0" } } })),
            "variants": each(|n| json!({ "merchandise": { "id": format!("gid://shopify/ProductVariant/{}", 43_000_000_000_000_usize + n) } })),
        },
    })
}
