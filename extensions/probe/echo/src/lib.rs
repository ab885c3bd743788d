//! Shopify Function of the probe: says in a discount what it sees.
//!
//! What a discount is called is one of the questions, so the answer is in its amount, hundredths of the cart's currency:
//! one, and the bits of [`Seen::bits`]. `extensions/probe/screen/src/echo.js` reads it.

use function_input::{Input, Member};
use shopify_function::Result;
use shopify_function::prelude::*;

/// Types of the answer, generated from the schema.
#[allow(missing_docs)]
#[typegen("schema.graphql", enums_as_str = ["LanguageCode", "CountryCode", "CurrencyCode"], custom_scalar_overrides = {
    "FixedAmount.amount" => ::std::string::String,
})]
pub mod schema {}

use schema::{
    CartOperation, FixedAmount, OrderDiscountCandidate, OrderDiscountCandidateTarget,
    OrderDiscountCandidateValue, OrderDiscountSelectionStrategy, OrderDiscountsAddOperation,
    OrderSubtotalTarget,
};

const CART: Member = Member::new("cart", 0);
const RETAIL_LOCATION: Member = Member::new("retailLocation", 0);
const BUYER_IDENTITY: Member = Member::new("buyerIdentity", 1);
const ATTRIBUTE: Member = Member::new("attribute", 2);
const PROBE: Member = Member::new("probe", 3);
const IS_AUTHENTICATED: Member = Member::new("isAuthenticated", 0);
const CUSTOMER: Member = Member::new("customer", 1);

/// What there is to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether the customer has proved who they are.
    pub authenticated: bool,
    /// Whether the cart has the attribute `_probe`.
    pub attribute: bool,
    /// Whether the cart is at a till.
    pub till: bool,
    /// The cart's metafield `$app.probe`, short.
    pub cart: u16,
    /// The customer's, short.
    pub customer: u16,
}

impl Seen {
    /// Reads the input; what is missing is not seen.
    pub fn read(input: Input) -> Seen {
        let cart = input.member(&CART);
        let buyer = cart.member(&BUYER_IDENTITY);
        Seen {
            authenticated: buyer.member(&IS_AUTHENTICATED).truth() == Some(true),
            attribute: cart.member(&ATTRIBUTE).only().text().is_some_and(|value| !value.is_empty()),
            till: !cart.member(&RETAIL_LOCATION).is_null(),
            cart: short(cart.member(&PROBE).only().text()),
            customer: short(buyer.member(&CUSTOMER).only().only().text()),
        }
    }

    /// Three truths, and twice four bits.
    pub fn bits(self) -> u16 {
        let truths =
            u16::from(self.authenticated) | u16::from(self.attribute) << 1 | u16::from(self.till) << 2;
        truths | self.cart << 3 | self.customer << 7
    }

    /// The same in words.
    pub fn message(self) -> String {
        let Seen { authenticated, attribute, till, cart, customer } = self;
        let [a, t, p] = [authenticated, attribute, till].map(u8::from);
        format!("probe a{a} t{t} p{p} c{cart} m{customer}")
    }
}

/// A number as there is room for it: 1 to 15, and 0 for none.
fn short(text: Option<String>) -> u16 {
    let number = text.and_then(|text| text.parse::<i64>().ok());
    number.and_then(|number| u16::try_from(number.rem_euclid(15) + 1).ok()).unwrap_or(0)
}

/// Target `cart.lines.discounts.generate.run`.
#[shopify_function]
pub fn run(input: Input) -> Result<schema::CartLinesDiscountsGenerateRunResult> {
    let seen = Seen::read(input);
    let hundredths = seen.bits() + 1;
    let operation = CartOperation::OrderDiscountsAdd(OrderDiscountsAddOperation {
        selection_strategy: OrderDiscountSelectionStrategy::First,
        candidates: vec![OrderDiscountCandidate {
            targets: vec![OrderDiscountCandidateTarget::OrderSubtotal(OrderSubtotalTarget {
                excluded_cart_line_ids: vec![],
            })],
            value: OrderDiscountCandidateValue::FixedAmount(FixedAmount {
                amount: format!("{}.{:02}", hundredths / 100, hundredths % 100),
            }),
            message: Some(seen.message()),
        }],
    });
    Ok(schema::CartLinesDiscountsGenerateRunResult { operations: vec![operation] })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use shopify_function::wasm_api::{Context, Deserialize};

    use super::*;

    fn seen(json: serde_json::Value) -> Seen {
        let context = Context::new_with_input(json);
        Seen::read(Input::deserialize(&context.input_get().unwrap()).unwrap())
    }

    #[test]
    fn what_it_sees_is_what_it_says() {
        let all = serde_json::json!({"cart": {
            "retailLocation": {"id": "gid://shopify/Location/1"},
            "buyerIdentity": {"isAuthenticated": true, "customer": {"metafield": {"value": "1795827600"}}},
            "attribute": {"value": "1"},
            "probe": {"value": "7"},
        }});
        let it = seen(all);
        assert_eq!(it, Seen { authenticated: true, attribute: true, till: true, cart: 8, customer: 1 });
        assert_eq!((it.bits(), it.message().as_str()), (199, "probe a1 t1 p1 c8 m1"));
    }

    #[test]
    fn what_is_missing_or_no_number_is_not_seen() {
        let text = serde_json::json!({"value": "abc"});
        for cart in [
            serde_json::json!({}),
            serde_json::json!({"retailLocation": null, "buyerIdentity": null, "attribute": null, "probe": null}),
            serde_json::json!({"buyerIdentity": {"isAuthenticated": false, "customer": null}, "probe": text}),
            serde_json::json!({"attribute": {"value": ""}, "probe": {"value": ""}}),
        ] {
            let it = seen(serde_json::json!({"cart": cart}));
            assert_eq!((it, it.bits()), (Seen::default(), 0), "{cart}");
        }
    }
}
