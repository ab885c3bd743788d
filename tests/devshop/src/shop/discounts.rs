//! Functions and what they are put to work for, without the Admin API.

use std::sync::Arc;

use super::{DevShop, ShopError};
use crate::checkout::ACTIVE_FUNCTIONS;
use crate::customizations::Customization;
use crate::discounts::{CombinesWith, DiscountCode, DiscountNode, NewDiscount};
use crate::functions::Function;

impl DevShop {
    /// Installs a Function, or replaces the one with the same handle.
    pub fn install(&self, function: impl Into<Arc<Function>>) {
        let (function, mut state) = (function.into(), self.state());
        state.functions.retain(|installed| installed.handle != function.handle);
        state.functions.push(function);
    }

    /// Takes a Function back, as when a release of the app no longer has it. Its discounts stay and do nothing.
    pub fn withdraw(&self, handle: &str) {
        self.state().functions.retain(|installed| installed.handle != handle);
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

    /// The merchant makes a code that takes so many per cent off the subtotal.
    pub fn add_code(&self, code: &str, percent: u32, combines_with: CombinesWith) -> DiscountCode {
        let now = self.clock().now();
        let mut state = self.state();
        let (id, code) = (state.ids.id(), code.to_owned());
        let code = DiscountCode { id, code, percent, combines_with, created_at: now };
        state.codes.push(code.clone());
        code
    }

    /// All discounts, oldest first.
    pub fn discounts(&self) -> Vec<DiscountNode> {
        self.state().discounts.clone()
    }

    /// The merchant deletes a discount.
    ///
    /// # Errors
    /// When there is none with this number.
    pub fn delete_discount(&self, id: u64) -> Result<(), ShopError> {
        let mut state = self.state();
        let before = state.discounts.len();
        state.discounts.retain(|discount| discount.id != id);
        if state.discounts.len() == before { Err(ShopError::NotFound("discount")) } else { Ok(()) }
    }

    /// The merchant switches a discount off: it ends now.
    ///
    /// # Errors
    /// When there is none with this number.
    pub fn switch_off_discount(&self, id: u64) -> Result<(), ShopError> {
        let now = self.clock().now();
        self.change_discount(id, |discount| discount.ends_at = Some(now))
    }

    /// The merchant switches a discount on again.
    ///
    /// # Errors
    /// When there is none with this number.
    pub fn switch_on_discount(&self, id: u64) -> Result<(), ShopError> {
        self.change_discount(id, |discount| discount.ends_at = None)
    }

    /// The merchant changes a discount.
    ///
    /// # Errors
    /// When there is none with this number.
    pub fn change_discount(&self, id: u64, change: impl FnOnce(&mut DiscountNode)) -> Result<(), ShopError> {
        let mut state = self.state();
        let found = state.discounts.iter_mut().find(|discount| discount.id == id);
        change(found.ok_or(ShopError::NotFound("discount"))?);
        Ok(())
    }

    /// The next lists of discounts, this many, do not show the newest one yet, as Shopify's search does.
    pub fn lag_discount_lists(&self, lists: u32) {
        self.state().lagging_lists = lists;
    }

    /// Customizations of checkout and delivery, oldest first.
    pub fn customizations(&self) -> Vec<Customization> {
        self.state().customizations.clone()
    }

    /// The merchant switches a customization on or off.
    ///
    /// # Errors
    /// When there is none with this number.
    pub fn switch_customization(&self, id: u64, enabled: bool) -> Result<(), ShopError> {
        let mut state = self.state();
        let found = state.customizations.iter_mut().find(|customization| customization.id == id);
        found.ok_or(ShopError::NotFound("customization"))?.enabled = enabled;
        Ok(())
    }

    /// The merchant deletes a customization.
    ///
    /// # Errors
    /// When there is none with this number.
    pub fn delete_customization(&self, id: u64) -> Result<(), ShopError> {
        let mut state = self.state();
        let before = state.customizations.len();
        state.customizations.retain(|customization| customization.id != id);
        if state.customizations.len() == before { Err(ShopError::NotFound("customization")) } else { Ok(()) }
    }

    /// Ends all discounts.
    pub fn clear_discounts(&self) {
        self.state().discounts.clear();
    }
}
