//! What Liquid knows on a page.

use serde_json::{Map, Value, json};

use crate::catalog::{Customer, Product, Variant};
use crate::checkout::Quote;
use crate::ids::gid;
use crate::money::Currency;
use crate::shop::DevShop;
use crate::state::shop_gid;
use crate::storefront::ajax::{self, hundredths};

/// The variables of every page.
pub(super) fn all(shop: &DevShop, quote: &Quote, locale: &str) -> Map<String, Value> {
    let currency = quote.cart.currency;
    let customer = quote.cart.customer.and_then(|id| shop.customer(id));
    let mut cart = ajax::view(shop, quote);
    cart["currency"] = json!({"iso_code": currency});
    let variables = json!({
        "shop": {
            "name": shop.settings().name,
            "currency": shop.settings().currency,
            "metafields": metafields(shop, "shop", &shop_gid()),
        },
        "customer": customer.as_ref().map(|customer| self::customer(shop, customer)),
        "cart": cart,
        "request": {"locale": {"iso_code": locale}},
        "routes": {
            "root_url": super::HOME,
            "cart_url": "/cart",
            "cart_update_url": "/cart/update",
            "account_login_url": "/account/login",
        },
    });
    match variables {
        Value::Object(variables) => variables,
        _ => Map::new(),
    }
}

fn customer(shop: &DevShop, customer: &Customer) -> Value {
    json!({
        "id": customer.id,
        "first_name": customer.first_name,
        "name": customer.display_name(),
        "metafields": metafields(shop, "customer", &gid("Customer", customer.id)),
    })
}

/// The app's metafields that the storefront may read. One whose text is no JSON has no value.
fn metafields(shop: &DevShop, kind: &str, owner: &str) -> Value {
    let facts = shop.facts();
    let own = shop.namespace("$app");
    let readable = |key: &str| facts.storefront_reads.iter().any(|(of, known)| *of == kind && known == key);
    let app = shop
        .metafields_of(owner)
        .into_iter()
        .filter(|(namespace, key, _)| *namespace == own && readable(key));
    let app = app.filter_map(|(_, key, versions)| {
        let metafield = versions.last()?.metafield.as_ref()?;
        Some((key, json!({"value": serde_json::from_str::<Value>(&metafield.value).ok()})))
    });
    json!({"$app": app.collect::<Map<_, _>>()})
}

/// A product, priced in a currency; its variant is the one of this number, else the first.
pub(super) fn product(shop: &DevShop, product: &Product, currency: Currency, chosen: Option<u64>) -> Value {
    let own = shop.settings().currency;
    let rate = shop.facts().rate(currency);
    let variant = |variant: &Variant| {
        let price = hundredths(rate.convert(variant.price, own, currency), currency);
        json!({"id": variant.id, "title": variant.title, "price": price})
    };
    let selected =
        product.variants.iter().find(|variant| Some(variant.id) == chosen).or(product.variants.first());
    json!({
        "id": product.id,
        "title": product.title,
        "handle": product.handle,
        "description": product.description,
        "type": product.product_type,
        "url": format!("/products/{}", product.handle),
        "price": selected.map(|it| variant(it)["price"].clone()),
        "variants": product.variants.iter().map(variant).collect::<Vec<_>>(),
        "selected_or_first_available_variant": selected.map(variant),
        "gift_card?": product.gift_card,
    })
}
