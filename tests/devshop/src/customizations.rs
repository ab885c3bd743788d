//! Functions at work that are no discounts: validations of the checkout, and customizations of delivery.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::gid;

/// A Function at work under a title.
#[derive(Debug, Clone, Serialize)]
pub struct Customization {
    /// Its number.
    pub id: u64,
    /// What it customizes.
    pub of: Customized,
    /// What the merchant calls it.
    pub title: String,
    /// Which Function decides.
    pub function_handle: String,
    /// Whether it runs.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Customization {
    /// Its global id.
    pub fn gid(&self) -> String {
        gid(self.of.type_name(), self.id)
    }
}

/// What can be customized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Customized {
    /// Whether a checkout goes on.
    Checkout,
    /// How delivery options look.
    Delivery,
}

impl Customized {
    /// As the Admin API calls such a customization.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Checkout => "Validation",
            Self::Delivery => "DeliveryCustomization",
        }
    }

    /// The target that its Functions take part in.
    pub const fn target(self) -> &'static str {
        match self {
            Self::Checkout => "cart.validations.generate.run",
            Self::Delivery => "cart.delivery-options.transform.run",
        }
    }
}
