//! What a Function offers: its output read, checked against the cart and the discount's classes.

use serde_json::Value;

use super::basket::Basket;
use crate::discounts::{DiscountClass, DiscountCode, DiscountNode};
use crate::functions::output::{
    Condition, DeliveryDiscounts, DeliveryOperation, DeliveryOutput, DeliveryTarget, LinesOperation,
    LinesOutput, OrderCandidate, OrderDiscounts, OrderTarget, PlainValue, Prerequisite, ProductDiscounts,
    ProductTarget, ProductValue, Strategy,
};
use crate::money::{Currency, Decimal};

/// What one discount node offers for a cart.
#[derive(Debug, Clone)]
pub(crate) struct Offers {
    pub node: DiscountNode,
    pub product: Vec<ProductDiscounts>,
    pub order: Vec<OrderDiscounts>,
    pub delivery: Vec<DeliveryDiscounts>,
}

impl Offers {
    pub fn new(node: DiscountNode) -> Self {
        Self { node, product: Vec::new(), order: Vec::new(), delivery: Vec::new() }
    }

    /// What a code offers: the same in every cart.
    pub fn of_code(code: &DiscountCode) -> Self {
        let node = DiscountNode {
            id: code.id,
            title: code.code.clone(),
            function_handle: String::new(),
            classes: vec![DiscountClass::Order],
            combines_with: code.combines_with,
            created_at: code.created_at,
            starts_at: code.created_at,
            ends_at: None,
        };
        let candidate = OrderCandidate {
            targets: vec![OrderTarget::OrderSubtotal { excluded: Vec::new() }],
            value: PlainValue::Percentage { value: Decimal::from(code.percent) },
            conditions: None,
            message: None,
        };
        let order = OrderDiscounts { selection_strategy: Strategy::First, candidates: vec![candidate] };
        Self { order: vec![order], ..Self::new(node) }
    }

    /// The classes it has something to offer in.
    pub fn classes(&self) -> impl Iterator<Item = DiscountClass> {
        let product = (!self.product.is_empty()).then_some(DiscountClass::Product);
        let order = (!self.order.is_empty()).then_some(DiscountClass::Order);
        let delivery = (!self.delivery.is_empty()).then_some(DiscountClass::Shipping);
        [product, order, delivery].into_iter().flatten()
    }

    /// Whether two discounts may meet in one cart: each must welcome every class of the other.
    pub fn combines_with(&self, other: &Self) -> bool {
        let welcomes = |a: &Self, b: &Self| b.classes().all(|class| a.node.combines_with.allows(class));
        welcomes(self, other) && welcomes(other, self)
    }

    /// Takes in the output of the lines target. What the node's classes do not cover is dropped and returned as a note.
    ///
    /// # Errors
    /// When the output is not one the platform takes; then nothing of it counts.
    pub fn take_lines(&mut self, output: &Value, basket: &Basket) -> Result<Option<String>, String> {
        let output = LinesOutput::deserialize_strictly(output)?;
        for operation in &output.operations {
            match operation {
                LinesOperation::ProductDiscountsAdd(add) => check_product(add, basket)?,
                LinesOperation::OrderDiscountsAdd(add) => check_order(add, basket)?,
            }
        }
        let mut dropped = Vec::new();
        for operation in output.operations {
            match operation {
                LinesOperation::ProductDiscountsAdd(add) => {
                    self.keep(DiscountClass::Product, add, |offers| &mut offers.product, &mut dropped);
                }
                LinesOperation::OrderDiscountsAdd(add) => {
                    self.keep(DiscountClass::Order, add, |offers| &mut offers.order, &mut dropped);
                }
            }
        }
        Ok(note(&dropped))
    }

    /// Takes in the output of the delivery target, as [`Offers::take_lines`].
    ///
    /// # Errors
    /// As [`Offers::take_lines`].
    pub fn take_delivery(&mut self, output: &Value, basket: &Basket) -> Result<Option<String>, String> {
        let output = DeliveryOutput::deserialize_strictly(output)?;
        for DeliveryOperation::DeliveryDiscountsAdd(add) in &output.operations {
            check_delivery(add, basket)?;
        }
        let mut dropped = Vec::new();
        for DeliveryOperation::DeliveryDiscountsAdd(add) in output.operations {
            self.keep(DiscountClass::Shipping, add, |offers| &mut offers.delivery, &mut dropped);
        }
        Ok(note(&dropped))
    }

    fn keep<T>(
        &mut self,
        class: DiscountClass,
        operation: T,
        list: impl Fn(&mut Self) -> &mut Vec<T>,
        dropped: &mut Vec<DiscountClass>,
    ) {
        if self.node.classes.contains(&class) {
            list(self).push(operation);
        } else {
            dropped.push(class);
        }
    }
}

trait Strictly: serde::de::DeserializeOwned {
    fn deserialize_strictly(output: &Value) -> Result<Self, String> {
        serde_json::from_value(output.clone()).map_err(|error| format!("the output is not valid: {error}"))
    }
}

impl Strictly for LinesOutput {}
impl Strictly for DeliveryOutput {}

fn note(dropped: &[DiscountClass]) -> Option<String> {
    (!dropped.is_empty()).then(|| format!("dropped, because the discount has not the class: {dropped:?}"))
}

fn check_product(add: &ProductDiscounts, basket: &Basket) -> Result<(), String> {
    for candidate in &add.candidates {
        for ProductTarget::CartLine { id, quantity } in &candidate.targets {
            known(id, basket)?;
            if *quantity == Some(0) {
                return Err("a target of no units".into());
            }
        }
        for Prerequisite::CartLine { id, .. } in candidate.prerequisites.iter().flatten() {
            known(id, basket)?;
        }
        if let ProductValue::Percentage { value } = candidate.value {
            percentage(value)?;
        }
    }
    Ok(())
}

fn check_order(add: &OrderDiscounts, basket: &Basket) -> Result<(), String> {
    if add.selection_strategy == Strategy::All {
        return Err("order discounts have no strategy ALL".into());
    }
    for candidate in &add.candidates {
        for OrderTarget::OrderSubtotal { excluded } in &candidate.targets {
            excluded.iter().try_for_each(|id| known(id, basket))?;
        }
        for condition in candidate.conditions.iter().flatten() {
            let ids = match condition {
                Condition::OrderMinimumSubtotal { excluded, .. } => excluded,
                Condition::CartLineMinimumSubtotal { ids, .. }
                | Condition::CartLineMinimumQuantity { ids, .. } => ids,
            };
            ids.iter().try_for_each(|id| known(id, basket))?;
        }
        plain(candidate.value)?;
    }
    Ok(())
}

fn check_delivery(add: &DeliveryDiscounts, basket: &Basket) -> Result<(), String> {
    if add.selection_strategy != Strategy::All {
        return Err("delivery discounts have the strategy ALL only".into());
    }
    for candidate in &add.candidates {
        for target in &candidate.targets {
            let known = basket.delivery.as_ref().is_some_and(|group| match target {
                DeliveryTarget::DeliveryGroup { id } => *id == group.gid,
                DeliveryTarget::DeliveryOption { handle } => {
                    group.options.iter().any(|o| o.handle == *handle)
                }
            });
            if !known {
                return Err(format!("no such delivery in the cart: {target:?}"));
            }
        }
        plain(candidate.value)?;
    }
    Ok(())
}

fn known(id: &str, basket: &Basket) -> Result<(), String> {
    basket.position(id).map(|_| ()).ok_or_else(|| format!("no line {id} in the cart"))
}

fn plain(value: PlainValue) -> Result<(), String> {
    match value {
        PlainValue::Percentage { value } => percentage(value),
        PlainValue::FixedAmount { .. } => Ok(()),
    }
}

/// Not above 100.
fn percentage(value: Decimal) -> Result<(), String> {
    match value.to_minor(Currency::GBP) {
        Ok(0..=10_000) => Ok(()),
        _ => Err("a percentage above 100".into()),
    }
}
