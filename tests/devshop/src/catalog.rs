//! What the shop sells and to whom.

use jiff::Timestamp;
use serde::Serialize;

/// A product with its variants.
#[derive(Debug, Clone, Serialize)]
pub struct Product {
    /// Its number.
    pub id: u64,
    /// Its place in URLs.
    pub handle: String,
    /// Its name.
    pub title: String,
    /// A sentence about it.
    pub description: String,
    /// Who makes it.
    pub vendor: String,
    /// What kind of thing it is.
    pub product_type: String,
    /// Labels.
    pub tags: Vec<String>,
    /// Collections it is in.
    pub collections: Vec<u64>,
    /// Sold as a gift card: worth money, not shipped.
    pub gift_card: bool,
    /// What can be bought; at least one.
    pub variants: Vec<Variant>,
    /// `active`, `archived` or `draft`.
    pub status: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
}

/// One thing that can be put in a cart.
#[derive(Debug, Clone, Serialize)]
pub struct Variant {
    /// Its number.
    pub id: u64,
    /// `Default Title` when the product has only this one.
    pub title: String,
    /// Stock code.
    pub sku: String,
    /// Minor units of the shop's currency.
    pub price: i64,
    /// Needs shipping.
    pub requires_shipping: bool,
    /// Weight of one.
    pub grams: u32,
}

/// A product to be added; the shop gives the ids.
#[derive(Debug, Clone, Default)]
pub struct NewProduct {
    /// Its name; the handle follows from it.
    pub title: String,
    /// A sentence about it.
    pub description: String,
    /// Who makes it.
    pub vendor: String,
    /// What kind of thing it is.
    pub product_type: String,
    /// Labels.
    pub tags: Vec<String>,
    /// Collections it is in.
    pub collections: Vec<u64>,
    /// Sold as a gift card.
    pub gift_card: bool,
    /// Title, stock code and price (minor units of the shop's currency) of each variant.
    pub variants: Vec<(String, String, i64)>,
    /// Weight of one.
    pub grams: u32,
}

impl NewProduct {
    /// A product with one variant at a price in minor units of the shop's currency.
    pub fn simple(title: &str, price: i64) -> Self {
        let sku = handle(title).to_uppercase();
        Self { title: title.into(), variants: vec![("Default Title".into(), sku, price)], ..Self::default() }
    }
}

/// The handle that follows from a title: `Mid-century lounger` is `mid-century-lounger`.
pub fn handle(title: &str) -> String {
    let lower = title.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    words.join("-")
}

/// Someone who has an account, or has bought something without one.
#[derive(Debug, Clone, Serialize)]
pub struct Customer {
    /// Its number.
    pub id: u64,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
    /// Labels; never in an order's payload.
    pub tags: Vec<String>,
    /// `enabled`, `disabled`, `invited` or `declined`.
    pub state: String,
    /// The group that Shopify's own statistics have it in, such as `CHAMPIONS`, if they have it in one.
    pub rfm_group: Option<String>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
    /// Orders placed.
    pub orders: u32,
    /// What they came to, minor units of the shop's currency.
    pub spent: i64,
}

impl Customer {
    /// First and last name.
    pub fn display_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn handles_follow_titles() {
        assert_eq!(super::handle("Mid-century  Lounger (Oak)"), "mid-century-lounger-oak");
    }
}
