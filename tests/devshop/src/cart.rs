//! Carts: what a customer is about to buy.

use serde::{Deserialize, Serialize};

use crate::money::Currency;

/// A cart on its way to an order.
#[derive(Debug, Clone, Serialize)]
pub struct Cart {
    /// Names it; the order carries it on as `cart_token`.
    pub token: String,
    /// Names its checkout; the order carries it on as `checkout_token`.
    pub checkout_token: String,
    /// The signed-in customer.
    pub customer: Option<u64>,
    /// What the customer pays in.
    pub currency: Currency,
    /// Where it is.
    pub channel: Channel,
    /// Goes through Shop Pay.
    pub shop_pay: bool,
    /// What is in it, in order.
    pub lines: Vec<CartLine>,
    /// Cart attributes (cart properties at POS), in order, each name once.
    pub attributes: Vec<Attribute>,
    /// Discount codes that were entered, whether or not there are such ones.
    pub discount_codes: Vec<String>,
    /// The handle of the chosen shipping rate.
    pub shipping: Option<String>,
}

/// What the customer wants of one variant.
#[derive(Debug, Clone, Serialize)]
pub struct CartLine {
    /// A UUID; its global id is `gid://shopify/CartLine/{id}`.
    pub id: String,
    /// The variant.
    pub variant: u64,
    /// How many, at least 1.
    pub quantity: u32,
    /// Line item properties.
    pub properties: Vec<Attribute>,
}

impl CartLine {
    /// Its global id, as a Function sees it.
    pub fn gid(&self) -> String {
        format!("gid://shopify/CartLine/{}", self.id)
    }
}

/// A name and a value that go with a cart or a line and reach the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Where a cart is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The online store.
    #[default]
    Online,
    /// A shop with a door: the location's number.
    Pos(u64),
}

/// What a cart starts with.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewCart {
    /// The signed-in customer.
    pub customer: Option<u64>,
    /// What the customer pays in; the shop's own currency when `None`.
    pub currency: Option<Currency>,
    /// Where it is.
    pub channel: Channel,
    /// Goes through Shop Pay.
    pub shop_pay: bool,
}

impl NewCart {
    /// An online cart of a customer in the shop's currency.
    pub fn of(customer: u64) -> Self {
        Self { customer: Some(customer), ..Self::default() }
    }
}

/// Sets a value, or takes it away with `None`; the order of the rest stays.
pub(crate) fn set_attribute(attributes: &mut Vec<Attribute>, name: &str, value: Option<&str>) {
    let at = attributes.iter().position(|attribute| attribute.name == name);
    match (at, value) {
        (Some(at), Some(value)) => value.clone_into(&mut attributes[at].value),
        (Some(at), None) => {
            attributes.remove(at);
        }
        (None, Some(value)) => attributes.push(Attribute { name: name.into(), value: value.into() }),
        (None, None) => {}
    }
}
