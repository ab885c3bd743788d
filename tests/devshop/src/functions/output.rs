//! What a discount Function may decide, read strictly: anything the platform does not know fails the run.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::money::Decimal;

/// The result of [`super::LINES_TARGET`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinesOutput {
    /// In the order they were emitted.
    pub operations: Vec<LinesOperation>,
}

/// What it may do to lines and subtotal. Discount codes do not exist in this shop.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinesOperation {
    /// Discount single lines.
    ProductDiscountsAdd(ProductDiscounts),
    /// Discount the subtotal.
    OrderDiscountsAdd(OrderDiscounts),
}

/// The result of [`super::DELIVERY_TARGET`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryOutput {
    /// In the order they were emitted.
    pub operations: Vec<DeliveryOperation>,
}

/// What it may do to shipping.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryOperation {
    /// Discount delivery groups or options.
    DeliveryDiscountsAdd(DeliveryDiscounts),
}

/// Which candidates of a list win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Strategy {
    /// The first that applies.
    First,
    /// The one that is worth most.
    Maximum,
    /// Every one that applies.
    All,
}

/// Discounts on lines.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductDiscounts {
    /// Any of the three.
    pub selection_strategy: Strategy,
    /// What to choose from.
    pub candidates: Vec<ProductCandidate>,
}

/// Discounts on the subtotal.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderDiscounts {
    /// The platform knows `FIRST` and `MAXIMUM` here.
    pub selection_strategy: Strategy,
    /// What to choose from.
    pub candidates: Vec<OrderCandidate>,
}

/// Discounts on shipping.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryDiscounts {
    /// The platform knows `ALL` here.
    pub selection_strategy: Strategy,
    /// What to choose from.
    pub candidates: Vec<DeliveryCandidate>,
}

/// A discount on lines.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductCandidate {
    /// The lines.
    pub targets: Vec<ProductTarget>,
    /// What else must be in the cart.
    #[serde(default)]
    pub prerequisites: Option<Vec<Prerequisite>>,
    /// How much.
    pub value: ProductValue,
    /// What the customer reads.
    #[serde(default)]
    pub message: Option<String>,
}

/// A discount on the subtotal.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderCandidate {
    /// The subtotal, less some lines.
    pub targets: Vec<OrderTarget>,
    /// How much.
    pub value: PlainValue,
    /// What must hold.
    #[serde(default)]
    pub conditions: Option<Vec<Condition>>,
    /// What the customer reads.
    #[serde(default)]
    pub message: Option<String>,
}

/// A discount on shipping.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryCandidate {
    /// Groups or options.
    pub targets: Vec<DeliveryTarget>,
    /// How much.
    pub value: PlainValue,
    /// What the customer reads.
    #[serde(default)]
    pub message: Option<String>,
}

/// Which lines.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProductTarget {
    /// One line, or some units of it.
    CartLine {
        /// Its global id.
        id: String,
        /// How many units; all when absent.
        #[serde(default)]
        quantity: Option<u32>,
    },
}

/// What else must be in the cart.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Prerequisite {
    /// This many units of a line.
    CartLine {
        /// Its global id.
        id: String,
        /// How many units.
        quantity: u32,
    },
}

/// Which part of the order.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OrderTarget {
    /// Everything but some lines.
    OrderSubtotal {
        /// Their global ids.
        #[serde(rename = "excludedCartLineIds")]
        excluded: Vec<String>,
    },
}

/// Which part of the delivery.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryTarget {
    /// Every option of a group.
    DeliveryGroup {
        /// Its global id.
        id: String,
    },
    /// One option.
    DeliveryOption {
        /// Its handle.
        handle: String,
    },
}

/// What must hold for an order discount.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// The subtotal without some lines comes to this much.
    OrderMinimumSubtotal {
        /// Their global ids.
        #[serde(rename = "excludedCartLineIds")]
        excluded: Vec<String>,
        /// How much.
        #[serde(rename = "minimumAmount", deserialize_with = "decimal")]
        minimum: Decimal,
    },
    /// Some lines come to this much.
    CartLineMinimumSubtotal {
        /// Their global ids.
        ids: Vec<String>,
        /// How much.
        #[serde(rename = "minimumAmount", deserialize_with = "decimal")]
        minimum: Decimal,
    },
    /// Some lines have this many units.
    CartLineMinimumQuantity {
        /// Their global ids.
        ids: Vec<String>,
        /// How many.
        #[serde(rename = "minimumQuantity")]
        minimum: u32,
    },
}

/// How much off the subtotal or the shipping.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlainValue {
    /// An amount in the cart's currency.
    FixedAmount {
        /// How much.
        #[serde(deserialize_with = "decimal")]
        amount: Decimal,
    },
    /// Per cent.
    Percentage {
        /// Of 100.
        #[serde(deserialize_with = "decimal")]
        value: Decimal,
    },
}

/// How much off lines.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProductValue {
    /// An amount in the cart's currency.
    FixedAmount {
        /// How much.
        #[serde(deserialize_with = "decimal")]
        amount: Decimal,
        /// Off each unit, not off all together.
        #[serde(rename = "appliesToEachItem", default)]
        each: bool,
    },
    /// Per cent.
    Percentage {
        /// Of 100.
        #[serde(deserialize_with = "decimal")]
        value: Decimal,
    },
}

/// A `Decimal` comes as text or as a number; either is read digit by digit.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        other => return Err(serde::de::Error::custom(format!("{other} is not a decimal"))),
    };
    let decimal: Decimal = text.parse().map_err(serde::de::Error::custom)?;
    if decimal.is_negative() {
        Err(serde::de::Error::custom(format!("{text} is negative")))
    } else {
        Ok(decimal)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_platform_does_not_know_is_refused() {
        let fine = json!({"operations": [{"orderDiscountsAdd": {"selectionStrategy": "FIRST", "candidates": [{
            "message": "Loyalty points", "targets": [{"orderSubtotal": {"excludedCartLineIds": []}}],
            "value": {"fixedAmount": {"amount": "5.00"}}}]}}]});
        assert!(serde_json::from_value::<LinesOutput>(fine.clone()).is_ok());
        for (from, to) in
            [("FIRST", "BEST"), ("5.00", "-5.00"), ("message", "massage"), ("fixedAmount", "amount")]
        {
            let text = fine.to_string().replace(from, to);
            assert!(serde_json::from_str::<LinesOutput>(&text).is_err(), "{to}");
        }
    }
}
