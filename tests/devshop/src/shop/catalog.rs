//! What a shop sells and to whom.

use super::{DevShop, ShopError};
use crate::catalog::{Customer, NewProduct, Product};
use crate::webhooks::payloads;

impl DevShop {
    /// Adds a product.
    pub fn add_product(&self, product: NewProduct) -> Product {
        let now = self.clock().now();
        let mut state = self.state();
        let product = state.add_product(product, now);
        self.tell("products/create", payloads::product(&product, self.facts()));
        product
    }

    /// All products, in the order they were added.
    pub fn products(&self) -> Vec<Product> {
        self.state().products.clone()
    }

    /// Changes a product by a closure.
    ///
    /// # Errors
    /// When there is no such product.
    pub fn update_product(&self, id: u64, change: impl FnOnce(&mut Product)) -> Result<Product, ShopError> {
        let mut state = self.state();
        let product = state.products.iter_mut().find(|product| product.id == id);
        let product = product.ok_or(ShopError::NotFound("product"))?;
        change(product);
        product.updated_at = self.clock().now();
        self.tell("products/update", payloads::product(product, self.facts()));
        Ok(product.clone())
    }

    /// Deletes a product; orders keep what they know of it.
    ///
    /// # Errors
    /// When there is no such product.
    pub fn delete_product(&self, id: u64) -> Result<(), ShopError> {
        let mut state = self.state();
        let at = state.products.iter().position(|product| product.id == id);
        state.products.remove(at.ok_or(ShopError::NotFound("product"))?);
        self.tell("products/delete", payloads::product_deleted(id));
        Ok(())
    }

    /// Puts these products into a collection and takes all others out, by hand: the collection tells of it, the products
    /// do not.
    pub fn set_collection(&self, id: u64, products: &[u64]) {
        let now = self.clock().now();
        for product in &mut self.state().products {
            product.collections.retain(|known| *known != id);
            if products.contains(&product.id) {
                product.collections.push(id);
            }
        }
        self.tell("collections/update", payloads::collection(id, now, self.facts()));
    }

    /// Deletes a collection; its products stay.
    pub fn delete_collection(&self, id: u64) {
        for product in &mut self.state().products {
            product.collections.retain(|known| *known != id);
        }
        self.tell("collections/delete", payloads::collection_deleted(id));
    }

    /// Changes a variant's price, in minor units of the shop's currency. Orders keep the price they were placed at.
    ///
    /// # Errors
    /// When there is no such variant.
    pub fn set_price(&self, variant: u64, price: i64) -> Result<(), ShopError> {
        let product = self.state().variant(variant).map(|(product, _)| product.id);
        let product = product.ok_or(ShopError::NotFound("variant"))?;
        self.update_product(product, |product| {
            for known in product.variants.iter_mut().filter(|known| known.id == variant) {
                known.price = price;
            }
        })?;
        Ok(())
    }

    /// Opens an account.
    pub fn add_customer(&self, first_name: &str, last_name: &str, email: &str) -> Customer {
        self.add_somebody((first_name, last_name), email, "enabled")
    }

    /// Takes note of somebody without an account, as a checkout does of whoever buys there.
    pub fn add_guest(&self, first_name: &str, last_name: &str, email: &str) -> Customer {
        self.add_somebody((first_name, last_name), email, "disabled")
    }

    fn add_somebody(&self, name: (&str, &str), email: &str, account: &str) -> Customer {
        let now = self.clock().now();
        let mut state = self.state();
        let customer = state.add_customer(name, email, account, now);
        self.tell("customers/create", payloads::customer(&customer, self.facts()));
        customer
    }

    /// All customers, oldest first.
    pub fn customers(&self) -> Vec<Customer> {
        self.state().customers.values().cloned().collect()
    }

    /// A customer.
    pub fn customer(&self, id: u64) -> Option<Customer> {
        self.state().customers.get(&id).cloned()
    }

    /// Changes a customer by a closure.
    ///
    /// # Errors
    /// When there is no such customer.
    pub fn update_customer(
        &self,
        id: u64,
        change: impl FnOnce(&mut Customer),
    ) -> Result<Customer, ShopError> {
        let mut state = self.state();
        let customer = state.customers.get_mut(&id).ok_or(ShopError::NotFound("customer"))?;
        let before = customer.tags.clone();
        change(customer);
        customer.updated_at = self.clock().now();
        let customer = customer.clone();
        for theirs in state.orders.values_mut().filter_map(|order| order.customer.as_mut()) {
            if theirs.id == id {
                *theirs = customer.clone();
            }
        }
        self.tell("customers/update", payloads::customer(&customer, self.facts()));
        self.tell_of_tags(id, &before, &customer.tags);
        Ok(customer)
    }

    /// Tells which tags a customer got and lost.
    pub(crate) fn tell_of_tags(&self, id: u64, before: &[String], now: &[String]) {
        let lacking = |of: &[String], from: &[String]| -> Vec<String> {
            of.iter().filter(|tag| !from.contains(tag)).cloned().collect()
        };
        let (added, removed) = (lacking(now, before), lacking(before, now));
        for (topic, tags) in [("customer.tags_added", added), ("customer.tags_removed", removed)] {
            if !tags.is_empty() {
                self.tell(topic, payloads::customer_tags(id, &tags, self.clock().now()));
            }
        }
    }

    /// Deletes a customer; orders keep what they know.
    pub fn delete_customer(&self, id: u64) {
        let mut state = self.state();
        if state.customers.remove(&id).is_some() {
            self.tell("customers/delete", payloads::customer_deleted(id));
        }
    }

    /// Makes one customer of two: orders, carts and what was spent go to the one that is kept, metafields do not.
    ///
    /// # Errors
    /// When there are not two such customers.
    pub fn merge_customers(&self, kept: u64, gone: u64) -> Result<Customer, ShopError> {
        let now = self.clock().now();
        let mut state = self.state();
        if kept == gone || !state.customers.contains_key(&kept) {
            return Err(ShopError::NotFound("customer"));
        }
        let from = state.customers.remove(&gone).ok_or(ShopError::NotFound("customer"))?;
        let into = state.customers.get_mut(&kept).ok_or(ShopError::NotFound("customer"))?;
        into.orders += from.orders;
        into.spent += from.spent;
        into.updated_at = now;
        let into = into.clone();
        for cart in state.carts.values_mut().filter(|cart| cart.customer == Some(gone)) {
            cart.customer = Some(kept);
        }
        for order in state.orders.values_mut() {
            if order.customer.as_ref().is_some_and(|customer| customer.id == gone) {
                order.customer = Some(into.clone());
            }
        }
        let job = state.ids.uuid();
        self.tell("customers/merge", payloads::customers_merged(kept, gone, &job));
        Ok(into)
    }
}
