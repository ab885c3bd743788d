//! What the app pays out to customers: store credit and gift cards.

use jiff::Timestamp;

use crate::money::Currency;

/// Store credit that came to a customer.
#[derive(Debug, Clone)]
pub struct StoreCredit {
    /// Its number.
    pub id: u64,
    /// Whose.
    pub customer: u64,
    /// Its currency.
    pub currency: Currency,
    /// Minor units.
    pub minor: i64,
    /// When it came.
    pub created_at: Timestamp,
}

/// A gift card that was sent to a customer.
#[derive(Debug, Clone)]
pub struct GiftCard {
    /// Its number.
    pub id: u64,
    /// Whose.
    pub customer: u64,
    /// Its currency.
    pub currency: Currency,
    /// Minor units.
    pub minor: i64,
    /// What is noted on it.
    pub note: Option<String>,
}
