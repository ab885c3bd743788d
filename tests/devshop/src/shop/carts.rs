//! Filling and marking carts.

use super::{DevShop, ShopError};
use crate::cart::{Cart, CartLine, NewCart, set_attribute};
use crate::state::cart_owner;

impl DevShop {
    /// Makes a cart.
    ///
    /// # Errors
    /// When there is no such customer or the shop does not take the currency.
    pub fn new_cart(&self, new: NewCart) -> Result<Cart, ShopError> {
        if let Some(currency) = new.currency.filter(|currency| !self.facts().takes(*currency)) {
            return Err(ShopError::Currency(currency.to_string()));
        }
        let mut state = self.state();
        if new.customer.is_some_and(|id| !state.customers.contains_key(&id)) {
            return Err(ShopError::NotFound("customer"));
        }
        Ok(state.add_cart(new, self.facts().settings.currency))
    }

    /// A cart.
    pub fn cart(&self, token: &str) -> Option<Cart> {
        self.state().carts.get(token).cloned()
    }

    /// Adds units of a variant and returns the line's id. Units without properties join a line of the same variant.
    ///
    /// # Errors
    /// When there is no such cart or variant.
    pub fn add_to_cart(&self, token: &str, variant: u64, quantity: u32) -> Result<String, ShopError> {
        let mut state = self.state();
        state.variant(variant).ok_or(ShopError::NotFound("variant"))?;
        let id = state.ids.uuid();
        let cart = state.carts.get_mut(token).ok_or(ShopError::NotFound("cart"))?;
        if let Some(line) =
            cart.lines.iter_mut().find(|line| line.variant == variant && line.properties.is_empty())
        {
            line.quantity = line.quantity.saturating_add(quantity);
            return Ok(line.id.clone());
        }
        cart.lines.push(CartLine {
            id: id.clone(),
            variant,
            quantity: quantity.max(1),
            properties: Vec::new(),
        });
        Ok(id)
    }

    /// Changes a cart by a closure, for whatever there is no call for.
    ///
    /// # Errors
    /// When there is no such cart.
    pub fn change_cart<T>(&self, token: &str, change: impl FnOnce(&mut Cart) -> T) -> Result<T, ShopError> {
        let mut state = self.state();
        let cart = state.carts.get_mut(token).ok_or(ShopError::NotFound("cart"))?;
        let result = change(cart);
        cart.lines.retain(|line| line.quantity > 0);
        Ok(result)
    }

    /// Sets a cart attribute, or takes it away with `None`.
    ///
    /// # Errors
    /// When there is no such cart.
    pub fn set_cart_attribute(&self, token: &str, name: &str, value: Option<&str>) -> Result<(), ShopError> {
        self.change_cart(token, |cart| set_attribute(&mut cart.attributes, name, value))
    }

    /// Sets a JSON cart metafield in the app's namespace, or takes it away with `None`.
    ///
    /// # Errors
    /// When there is no such cart.
    pub fn set_cart_metafield(&self, token: &str, key: &str, value: Option<&str>) -> Result<(), ShopError> {
        self.cart(token).ok_or(ShopError::NotFound("cart"))?;
        match value {
            Some(value) => self.put_metafield(&cart_owner(token), "$app", key, value),
            None => self.delete_metafield(&cart_owner(token), "$app", key),
        }
        Ok(())
    }
}
