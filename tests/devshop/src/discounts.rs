//! Automatic discounts that a Function decides, and codes that take a percentage off the order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::gid;

/// An automatic discount node: a Function at work under a title.
#[derive(Debug, Clone, Serialize)]
pub struct DiscountNode {
    /// Its number.
    pub id: u64,
    /// What the merchant calls it.
    pub title: String,
    /// Which Function decides.
    pub function_handle: String,
    /// What it may discount; a Function's other operations are dropped.
    pub classes: Vec<DiscountClass>,
    /// What it may meet in one cart.
    pub combines_with: CombinesWith,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it runs.
    pub starts_at: Timestamp,
    /// Until when, exclusive.
    pub ends_at: Option<Timestamp>,
}

impl DiscountNode {
    /// Its global id.
    pub fn gid(&self) -> String {
        gid("DiscountAutomaticNode", self.id)
    }

    /// Whether it runs at an instant.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.starts_at <= now && self.ends_at.is_none_or(|end| now < end)
    }
}

/// What a discount lowers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DiscountClass {
    /// Single lines.
    Product,
    /// The subtotal.
    Order,
    /// Shipping.
    Shipping,
}

/// Which other discounts a discount may meet in one cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CombinesWith {
    /// Discounts on the subtotal.
    #[serde(default)]
    pub order_discounts: bool,
    /// Discounts on lines.
    #[serde(default)]
    pub product_discounts: bool,
    /// Discounts on shipping.
    #[serde(default)]
    pub shipping_discounts: bool,
}

impl CombinesWith {
    /// All three.
    pub const ALL: Self = Self { order_discounts: true, product_discounts: true, shipping_discounts: true };
    /// None.
    pub const NONE: Self =
        Self { order_discounts: false, product_discounts: false, shipping_discounts: false };

    /// Whether a discount of this class is welcome.
    pub fn allows(&self, class: DiscountClass) -> bool {
        match class {
            DiscountClass::Order => self.order_discounts,
            DiscountClass::Product => self.product_discounts,
            DiscountClass::Shipping => self.shipping_discounts,
        }
    }
}

/// A discount to be made without the Admin API.
#[derive(Debug, Clone)]
pub struct NewDiscount {
    /// What the merchant calls it.
    pub title: String,
    /// Which Function decides.
    pub function_handle: String,
    /// What it may discount.
    pub classes: Vec<DiscountClass>,
    /// What it may meet in one cart.
    pub combines_with: CombinesWith,
}

/// A code of the merchant's: so much off the subtotal for whoever enters it.
#[derive(Debug, Clone, Serialize)]
pub struct DiscountCode {
    /// Its number.
    pub id: u64,
    /// What customers enter.
    pub code: String,
    /// Per cent.
    pub percent: u32,
    /// What it may meet in one cart.
    pub combines_with: CombinesWith,
    /// When it was made.
    pub created_at: Timestamp,
}
