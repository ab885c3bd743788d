//! What a shop sells and to whom.

use super::{DevShop, ShopError};
use crate::catalog::{Customer, NewProduct, Product};

impl DevShop {
    /// Adds a product.
    pub fn add_product(&self, product: NewProduct) -> Product {
        self.state().add_product(product)
    }

    /// All products, in the order they were added.
    pub fn products(&self) -> Vec<Product> {
        self.state().products.clone()
    }

    /// Changes a variant's price, in minor units of the shop's currency. Orders keep the price they were placed at.
    ///
    /// # Errors
    /// When there is no such variant.
    pub fn set_price(&self, variant: u64, price: i64) -> Result<(), ShopError> {
        let mut state = self.state();
        let mut variants = state.products.iter_mut().flat_map(|product| &mut product.variants);
        variants.find(|known| known.id == variant).ok_or(ShopError::NotFound("variant"))?.price = price;
        Ok(())
    }

    /// Opens an account.
    pub fn add_customer(&self, first_name: &str, last_name: &str, email: &str) -> Customer {
        self.state().add_customer(first_name, last_name, email, self.clock().now())
    }

    /// All customers, oldest first.
    pub fn customers(&self) -> Vec<Customer> {
        self.state().customers.values().cloned().collect()
    }

    /// A customer.
    pub fn customer(&self, id: u64) -> Option<Customer> {
        self.state().customers.get(&id).cloned()
    }

    /// Deletes a customer; orders keep what they know.
    pub fn delete_customer(&self, id: u64) {
        self.state().customers.remove(&id);
    }
}
