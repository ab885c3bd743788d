//! How the storefront's JSON shows things.

use serde_json::{Value, json};

use crate::cart::Cart;
use crate::catalog::{Customer, Product};
use crate::checkout::{Allocation, AppliedDiscount, Quote};
use crate::orders::Order;
use crate::shop::DevShop;

/// `price` turns the shop's minor units into those of the currency shown.
pub(super) fn product(product: &Product, price: impl Fn(i64) -> i64) -> Value {
    let variants = product.variants.iter().map(|variant| {
        json!({
            "id": variant.id.to_string(),
            "title": variant.title,
            "price": price(variant.price),
            "requires_shipping": variant.requires_shipping,
        })
    });
    json!({
        "id": product.id.to_string(),
        "handle": product.handle,
        "title": product.title,
        "description": product.description,
        "type": product.product_type,
        "gift_card": product.gift_card,
        "variants": variants.collect::<Vec<_>>(),
    })
}

pub(super) fn customer(customer: &Customer) -> Value {
    json!({
        "id": customer.id.to_string(),
        "name": customer.display_name(),
        "first_name": customer.first_name,
        "email": customer.email,
        "orders": customer.orders,
    })
}

pub(super) fn cart(shop: &DevShop, cart: &Cart) -> Value {
    let rate = shop.facts().rate(cart.currency);
    let basket = crate::checkout::Basket::price(
        cart,
        &shop.state(),
        &shop.settings().shipping,
        shop.settings().currency,
        rate,
    );
    let lines = cart.lines.iter().filter_map(|line| {
        let priced = &basket.lines[basket.position(&line.gid())?];
        Some(json!({
            "id": line.id,
            "variant": line.variant.to_string(),
            "product": priced.product.to_string(),
            "title": priced.title,
            "variant_title": priced.variant_title,
            "quantity": line.quantity,
            "unit_price": priced.unit.presentment,
            "price": priced.gross.presentment,
            "gift_card": priced.gift_card,
            "properties": line.properties,
        }))
    });
    json!({
        "token": cart.token,
        "currency": cart.currency,
        "customer": cart.customer.map(|id| id.to_string()),
        "lines": lines.collect::<Vec<_>>(),
        "attributes": cart.attributes,
        "subtotal": basket.subtotal().presentment,
    })
}

/// Amounts in minor units of the cart's currency.
pub(super) fn quote(quote: &Quote) -> Value {
    let lines = quote.lines.iter().map(|line| {
        json!({
            "variant": line.line.variant.to_string(),
            "product": line.line.product.to_string(),
            "title": line.line.title,
            "variant_title": line.line.variant_title,
            "quantity": line.line.quantity,
            "unit_price": line.line.unit.presentment,
            "gift_card": line.line.gift_card,
            "price": line.line.gross.presentment,
            "net": line.net().presentment,
            "allocations": allocations(&line.allocations),
        })
    });
    let shipping = quote.shipping.as_ref().map(|shipping| {
        json!({
            "title": shipping.option.title,
            "price": shipping.option.price.presentment,
            "net": shipping.net().presentment,
            "allocations": allocations(&shipping.allocations),
        })
    });
    json!({
        "currency": quote.cart.currency,
        "lines": lines.collect::<Vec<_>>(),
        "shipping": shipping,
        "discounts": quote.discounts.iter().map(discount).collect::<Vec<_>>(),
        "subtotal": quote.subtotal().presentment,
        "total_discounts": quote.total_discounts().presentment,
        "total_tax": quote.total_tax().presentment,
        "total": quote.total().presentment,
        "runs": quote.runs,
    })
}

fn allocations(allocations: &[Allocation]) -> Value {
    let one = |allocation: &Allocation| json!({"discount": allocation.discount, "amount": allocation.amount.presentment});
    allocations.iter().map(one).collect()
}

fn discount(discount: &AppliedDiscount) -> Value {
    json!({"title": discount.title, "class": discount.class, "amount": discount.total.presentment})
}

/// Amounts in minor units of the currency it was paid in.
pub(super) fn order(shop: &DevShop, order: &Order) -> Value {
    let lines = order.lines.iter().map(|line| {
        json!({
            "id": line.id.to_string(),
            "variant": line.item.variant.to_string(),
            "product": line.item.product.to_string(),
            "title": line.item.title,
            "variant_title": line.item.variant_title,
            "quantity": line.item.quantity,
            "unit_price": line.item.unit.presentment,
            "refunded": line.refunded,
            "price": line.item.gross.presentment,
            "net": line.net().presentment,
            "gift_card": line.item.gift_card,
        })
    });
    let shipping = order.shipping.as_ref().map(|shipping| {
        json!({
            "title": shipping.quote.option.title,
            "price": shipping.quote.option.price.presentment,
            "net": shipping.quote.net().presentment,
            "refunded": shipping.refunded.presentment,
        })
    });
    json!({
        "id": order.id.to_string(),
        "name": order.name(),
        "at": order.created_at,
        "customer": order.customer.as_ref().map(|customer| customer.id.to_string()),
        "status": order.financial_status(),
        "cancelled": order.cancelled_at.is_some(),
        "currency": order.presentment_currency,
        "lines": lines.collect::<Vec<_>>(),
        "shipping": shipping,
        "discounts": order.discounts.iter().map(discount).collect::<Vec<_>>(),
        "subtotal": order.subtotal().presentment,
        "total": order.total().presentment,
        "refunded": order.refunded().presentment,
        "attributes": order.note_attributes,
        "tags": order.tags,
        "status_url": format!("{}/shop/orders/{}", shop.url(), order.id),
    })
}
