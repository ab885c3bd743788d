//! Functions and the discounts they decide, without the Admin API.

use std::sync::Arc;

use super::{DevShop, ShopError};
use crate::checkout::ACTIVE_FUNCTIONS;
use crate::discounts::{DiscountNode, NewDiscount};
use crate::functions::Function;

impl DevShop {
    /// Installs a Function, or replaces the one with the same handle.
    pub fn install(&self, function: Function) {
        let mut state = self.state();
        state.functions.retain(|installed| installed.handle != function.handle);
        state.functions.push(Arc::new(function));
    }

    /// Puts a Function to work from now on, without the Admin API.
    ///
    /// # Errors
    /// When the Function is not installed or there are too many discounts.
    pub fn add_discount(&self, new: NewDiscount) -> Result<DiscountNode, ShopError> {
        let now = self.clock().now();
        let mut state = self.state();
        if !state.functions.iter().any(|function| function.handle == new.function_handle) {
            return Err(ShopError::NotFound("Function of this handle"));
        }
        if state.discounts.iter().filter(|discount| discount.is_active(now)).count() >= ACTIVE_FUNCTIONS {
            return Err(ShopError::TooManyDiscounts);
        }
        let node = DiscountNode {
            id: state.ids.id(),
            title: new.title,
            function_handle: new.function_handle,
            classes: new.classes,
            combines_with: new.combines_with,
            created_at: now,
            starts_at: now,
            ends_at: None,
        };
        state.discounts.push(node.clone());
        Ok(node)
    }

    /// All discounts, oldest first.
    pub fn discounts(&self) -> Vec<DiscountNode> {
        self.state().discounts.clone()
    }

    /// Ends all discounts.
    pub fn clear_discounts(&self) {
        self.state().discounts.clear();
    }
}
