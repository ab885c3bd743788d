//! A cart with its prices: what checkout starts from.

use serde::Serialize;

use crate::cart::{Attribute, Cart, Channel};
use crate::catalog::{Product, Variant};
use crate::money::{Currency, MoneySet, Rate};
use crate::settings::ShippingRate;
use crate::state::State;

/// A cart with its prices, before any discount.
#[derive(Debug, Clone, Serialize)]
pub struct Basket {
    /// In the order of the cart.
    pub lines: Vec<BasketLine>,
    /// How it is shipped, if anything needs shipping.
    pub delivery: Option<DeliveryGroup>,
}

/// A cart line with its price and all an order keeps of its product.
#[derive(Debug, Clone, Serialize)]
pub struct BasketLine {
    /// The cart line's global id.
    pub gid: String,
    /// The variant's number.
    pub variant: u64,
    /// The product's number.
    pub product: u64,
    /// The product's name.
    pub title: String,
    /// The variant's name.
    pub variant_title: String,
    /// Stock code.
    pub sku: String,
    /// Who makes it.
    pub vendor: String,
    /// How many.
    pub quantity: u32,
    /// Price of one.
    pub unit: MoneySet,
    /// Price of all.
    pub gross: MoneySet,
    /// Sold as a gift card.
    pub gift_card: bool,
    /// Needs shipping.
    pub requires_shipping: bool,
    /// Weight of one.
    pub grams: u32,
    /// Line item properties.
    pub properties: Vec<Attribute>,
}

impl BasketLine {
    /// Units of a variant at a price.
    pub(crate) fn of(
        gid: String,
        (product, variant): (&Product, &Variant),
        unit: MoneySet,
        quantity: u32,
        properties: Vec<Attribute>,
    ) -> Self {
        let gross = MoneySet {
            shop: unit.shop * i64::from(quantity),
            presentment: unit.presentment * i64::from(quantity),
        };
        Self {
            gid,
            variant: variant.id,
            product: product.id,
            title: product.title.clone(),
            variant_title: variant.title.clone(),
            sku: variant.sku.clone(),
            vendor: product.vendor.clone(),
            quantity,
            unit,
            gross,
            gift_card: product.gift_card,
            requires_shipping: variant.requires_shipping,
            grams: variant.grams,
            properties,
        }
    }
}

/// All that is shipped together: everything, in this shop.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryGroup {
    /// Its global id.
    pub gid: String,
    /// What can be chosen; at least one.
    pub options: Vec<DeliveryOption>,
    chosen: usize,
}

impl DeliveryGroup {
    /// The chosen option.
    pub fn chosen(&self) -> &DeliveryOption {
        &self.options[self.chosen]
    }
}

/// A way to ship it.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryOption {
    /// Names it within the checkout.
    pub handle: String,
    /// What the customer reads.
    pub title: String,
    /// What it costs.
    pub price: MoneySet,
}

impl Basket {
    /// Prices a cart. Lines whose variant no longer exists are left out, as Shopify does.
    pub(crate) fn price(
        cart: &Cart,
        state: &State,
        shipping: &[ShippingRate],
        currency: Currency,
        rate: Rate,
    ) -> Self {
        let set = |shop: i64| MoneySet { shop, presentment: rate.convert(shop, currency, cart.currency) };
        let lines = cart.lines.iter().filter_map(|line| {
            let sold = state.variant(line.variant)?;
            let unit = set(sold.1.price);
            Some(BasketLine::of(line.gid(), sold, unit, line.quantity, line.properties.clone()))
        });
        let mut basket = Self { lines: lines.collect(), delivery: None };
        let ships = cart.channel == Channel::Online && basket.lines.iter().any(|line| line.requires_shipping);
        if ships && !shipping.is_empty() {
            let subtotal = basket.subtotal().shop;
            let option = |rate: &ShippingRate| {
                let free = rate.free_from.is_some_and(|from| subtotal >= from);
                let price = set(if free { 0 } else { rate.price });
                DeliveryOption { handle: rate.handle.clone(), title: rate.title.clone(), price }
            };
            let wanted = |rate: &ShippingRate| cart.shipping.as_deref() == Some(&rate.handle);
            basket.delivery = Some(DeliveryGroup {
                gid: format!("gid://shopify/CartDeliveryGroup/{}", cart.token),
                options: shipping.iter().map(option).collect(),
                chosen: shipping.iter().position(wanted).unwrap_or(0),
            });
        }
        basket
    }

    /// All lines together.
    pub fn subtotal(&self) -> MoneySet {
        self.lines.iter().map(|line| line.gross).sum()
    }

    /// Lines and shipping.
    pub fn total(&self) -> MoneySet {
        self.subtotal() + self.delivery.as_ref().map(|group| group.chosen().price).unwrap_or_default()
    }

    /// Where the line with this global id stands.
    pub fn position(&self, gid: &str) -> Option<usize> {
        self.lines.iter().position(|line| line.gid == gid)
    }
}
