//! Everything the shop remembers.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cart::{Cart, NewCart};
use crate::catalog::{Customer, NewProduct, Product, Variant, handle};
use crate::customizations::Customization;
use crate::definitions::Definition;
use crate::discounts::{DiscountCode, DiscountNode};
use crate::functions::Function;
use crate::ids::{Ids, gid, parse_gid};
use crate::metafields::Metafields;
use crate::money::Currency;
use crate::orders::Order;
use crate::payouts::{GiftCard, StoreCredit};
use crate::settings::Settings;

/// The shop's number; there is only one shop.
pub(crate) const SHOP_ID: u64 = 548_380_009;

/// What a merchant may change about the shop while it is open.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub name: String,
    /// IANA name. What the shop says of its time zone; times are written in the one it opened in.
    pub time_zone: String,
    /// Such as `en`.
    pub locale: String,
}

impl About {
    pub fn of(settings: &Settings) -> Self {
        Self { name: settings.name.clone(), time_zone: settings.time_zone.clone(), locale: "en".into() }
    }
}

/// Everything the shop remembers, behind one lock.
pub(crate) struct State {
    pub about: About,
    pub ids: Ids,
    pub customers: BTreeMap<u64, Customer>,
    pub products: Vec<Product>,
    pub carts: BTreeMap<String, Cart>,
    pub orders: BTreeMap<u64, Order>,
    pub metafields: Metafields,
    /// Types of declared metafields, by owner's kind, namespace and key.
    pub definitions: BTreeMap<(String, String, String), String>,
    /// Definitions of orders' metafields, by namespace and key.
    pub order_definitions: BTreeMap<(String, String), Definition>,
    pub discounts: Vec<DiscountNode>,
    pub codes: Vec<DiscountCode>,
    pub customizations: Vec<Customization>,
    pub store_credits: Vec<StoreCredit>,
    pub gift_cards: Vec<GiftCard>,
    /// How many more lists of discounts do not show the newest one: Shopify's search lags.
    pub lagging_lists: u32,
    pub functions: Vec<Arc<Function>>,
    pub order_count: u32,
    /// The app's plans that the shop subscribed to: their numbers, by name.
    pub plans: BTreeMap<String, u64>,
}

impl State {
    pub fn new(ids: Ids, about: About) -> Self {
        Self {
            about,
            ids,
            customers: BTreeMap::new(),
            products: Vec::new(),
            carts: BTreeMap::new(),
            orders: BTreeMap::new(),
            metafields: Metafields::default(),
            definitions: BTreeMap::new(),
            order_definitions: BTreeMap::new(),
            discounts: Vec::new(),
            codes: Vec::new(),
            customizations: Vec::new(),
            store_credits: Vec::new(),
            gift_cards: Vec::new(),
            lagging_lists: 0,
            functions: Vec::new(),
            order_count: 0,
            plans: BTreeMap::new(),
        }
    }

    pub fn add_product(&mut self, new: NewProduct, now: Timestamp) -> Product {
        let id = self.ids.id();
        let requires_shipping = !new.gift_card;
        let variants = new.variants.into_iter().map(|(title, sku, price)| Variant {
            id: self.ids.id(),
            title,
            sku,
            price,
            requires_shipping,
            grams: new.grams,
        });
        let product = Product {
            id,
            handle: handle(&new.title),
            variants: variants.collect(),
            title: new.title,
            description: new.description,
            vendor: new.vendor,
            product_type: new.product_type,
            tags: new.tags,
            collections: new.collections,
            gift_card: new.gift_card,
            status: "active".into(),
            created_at: now,
            updated_at: now,
        };
        self.products.push(product.clone());
        product
    }

    pub fn add_customer(
        &mut self,
        (first_name, last_name): (&str, &str),
        email: &str,
        state: &str,
        now: Timestamp,
    ) -> Customer {
        let customer = Customer {
            id: self.ids.id(),
            first_name: first_name.into(),
            last_name: last_name.into(),
            email: email.into(),
            tags: Vec::new(),
            state: state.into(),
            rfm_group: None,
            created_at: now,
            updated_at: now,
            orders: 0,
            spent: 0,
        };
        self.customers.insert(customer.id, customer.clone());
        customer
    }

    pub fn add_cart(&mut self, new: NewCart, currency: Currency) -> Cart {
        let cart = Cart {
            token: self.ids.token(),
            checkout_token: self.ids.token(),
            customer: new.customer,
            currency: new.currency.unwrap_or(currency),
            channel: new.channel,
            shop_pay: new.shop_pay,
            lines: Vec::new(),
            attributes: Vec::new(),
            discount_codes: Vec::new(),
            shipping: None,
        };
        self.carts.insert(cart.token.clone(), cart.clone());
        cart
    }

    pub fn variant(&self, id: u64) -> Option<(&Product, &Variant)> {
        self.products
            .iter()
            .find_map(|product| Some((product, product.variants.iter().find(|v| v.id == id)?)))
    }

    /// Whether something that can own metafields has this global id.
    pub fn owner_exists(&self, owner: &str) -> bool {
        match parse_gid(owner) {
            Some(("Shop", id)) => id == SHOP_ID,
            Some(("Customer", id)) => self.customers.contains_key(&id),
            Some(("Order", id)) => self.orders.contains_key(&id),
            Some(("Product", id)) => self.products.iter().any(|product| product.id == id),
            Some(("ProductVariant", id)) => self.variant(id).is_some(),
            Some(("DiscountAutomaticNode", id)) => self.discounts.iter().any(|discount| discount.id == id),
            _ => false,
        }
    }
}

/// The owner under which a cart's metafields are kept.
pub(crate) fn cart_owner(token: &str) -> String {
    format!("cart:{token}")
}

/// The shop's global id.
pub fn shop_gid() -> String {
    gid("Shop", SHOP_ID)
}
