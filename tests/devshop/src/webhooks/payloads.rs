//! What webhooks say of customers, products and the shop itself.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::catalog::{Customer, Product, Variant};
use crate::clock::local_text;
use crate::facts::Facts;
use crate::ids::gid;
use crate::state::{About, SHOP_ID};

/// The payload of `customers/create` and `customers/update`, and the customer of an order: no tags, no consent, no
/// totals.
pub(crate) fn customer(customer: &Customer, facts: &Facts) -> Value {
    json!({
        "id": customer.id,
        "addresses": [],
        "admin_graphql_api_id": gid("Customer", customer.id),
        "created_at": local_text(customer.created_at, &facts.zone),
        "currency": facts.settings.currency,
        "default_address": null,
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "multipass_identifier": null,
        "note": null,
        "phone": null,
        "state": customer.state,
        "tax_exempt": false,
        "tax_exemptions": [],
        "updated_at": local_text(customer.updated_at, &facts.zone),
        "verified_email": true,
    })
}

/// The payload of `customer.tags_added` and `customer.tags_removed`.
pub(crate) fn customer_tags(id: u64, tags: &[String], at: Timestamp) -> Value {
    json!({"customerId": gid("Customer", id), "tags": tags, "occurredAt": at.to_string()})
}

/// The payload of `customers/delete`.
pub(crate) fn customer_deleted(id: u64) -> Value {
    json!({"id": id, "admin_graphql_api_id": gid("Customer", id), "tax_exemptions": []})
}

/// The payload of `customers/merge`. `status` is `completed`, or `failed` with the reason.
pub(crate) fn customers_merged(kept: u64, gone: u64, job: &str) -> Value {
    json!({
        "admin_graphql_api_customer_kept_id": gid("Customer", kept),
        "admin_graphql_api_customer_deleted_id": gid("Customer", gone),
        "admin_graphql_api_job_id": format!("gid://shopify/Job/{job}"),
        "status": "completed",
        "errors": [],
    })
}

/// The payload of `products/create` and `products/update`.
pub(crate) fn product(product: &Product, facts: &Facts) -> Value {
    let time = |at: Timestamp| local_text(at, &facts.zone);
    let variant = |(at, variant): (usize, &Variant)| {
        json!({
            "id": variant.id,
            "admin_graphql_api_id": gid("ProductVariant", variant.id),
            "barcode": null,
            "compare_at_price": null,
            "created_at": time(product.created_at),
            "inventory_policy": "deny",
            "option1": variant.title,
            "option2": null,
            "option3": null,
            "position": at + 1,
            "price": facts.settings.currency.text(variant.price),
            "product_id": product.id,
            "sku": variant.sku,
            "taxable": !product.gift_card,
            "title": variant.title,
            "updated_at": time(product.updated_at),
        })
    };
    json!({
        "id": product.id,
        "admin_graphql_api_id": gid("Product", product.id),
        "body_html": product.description,
        "created_at": time(product.created_at),
        "handle": product.handle,
        "has_variants_that_requires_components": false,
        "image": null,
        "images": [],
        "media": [],
        "options": [{"name": "Title", "position": 1, "product_id": product.id,
                     "values": product.variants.iter().map(|variant| &variant.title).collect::<Vec<_>>()}],
        "product_type": product.product_type,
        "published_at": time(product.created_at),
        "published_scope": "global",
        "status": product.status,
        "tags": product.tags.join(", "),
        "template_suffix": null,
        "title": product.title,
        "updated_at": time(product.updated_at),
        "variant_gids": product.variants.iter()
            .map(|variant| json!({"admin_graphql_api_id": gid("ProductVariant", variant.id),
                                  "updated_at": time(product.updated_at)})).collect::<Vec<_>>(),
        "variants": product.variants.iter().enumerate().map(variant).collect::<Vec<_>>(),
        "vendor": product.vendor,
    })
}

/// The payload of `products/delete`.
pub(crate) fn product_deleted(id: u64) -> Value {
    json!({"id": id})
}

/// The payload of `collections/update`.
pub(crate) fn collection(id: u64, at: Timestamp, facts: &Facts) -> Value {
    let at = local_text(at, &facts.zone);
    json!({
        "id": id,
        "admin_graphql_api_id": gid("Collection", id),
        "body_html": null,
        "handle": format!("collection-{id}"),
        "published_at": at,
        "published_scope": "web",
        "sort_order": "manual",
        "template_suffix": null,
        "title": format!("Collection {id}"),
        "updated_at": at,
    })
}

/// The payload of `collections/delete`.
pub(crate) fn collection_deleted(id: u64) -> Value {
    json!({"id": id, "published_scope": null})
}

/// The payload of `shop/update` and `app/uninstalled`.
pub(crate) fn shop(about: &About, facts: &Facts) -> Value {
    let settings = &facts.settings;
    json!({
        "id": SHOP_ID,
        "address1": "1 Hill Road",
        "city": "London",
        "country": "GB",
        "currency": settings.currency,
        "customer_email": "owner@example.com",
        "domain": settings.domain,
        "email": "owner@example.com",
        "enabled_presentment_currencies":
            std::iter::once(&settings.currency).chain(settings.rates.keys()).collect::<Vec<_>>(),
        "has_gift_cards": true,
        "iana_timezone": about.time_zone,
        "myshopify_domain": settings.domain,
        "name": about.name,
        "phone": null,
        "plan_display_name": "Basic",
        "plan_name": "basic",
        "primary_locale": about.locale,
        "shop_owner": "The Owner",
        "taxes_included": settings.tax_included_bp > 0,
        "weight_unit": "kg",
    })
}

/// The payload of `app_subscriptions/update`.
pub(crate) fn plan(id: u64, name: &str, handle: &str, status: &str, at: Timestamp, facts: &Facts) -> Value {
    let at = local_text(at, &facts.zone);
    json!({"app_subscription": {
        "admin_graphql_api_id": gid("AppSubscription", id),
        "admin_graphql_api_shop_id": gid("Shop", SHOP_ID),
        "capped_amount": null,
        "created_at": at,
        "currency": "USD",
        "interval": "every_30_days",
        "name": name,
        "plan_handle": handle,
        "price": "29.00",
        "status": status,
        "updated_at": at,
    }})
}

/// The payload of `bulk_operations/finish`.
pub(crate) fn bulk_operation(
    id: u64,
    kind: &str,
    status: &str,
    error: Option<&str>,
    at: Timestamp,
    facts: &Facts,
) -> Value {
    let at = local_text(at, &facts.zone);
    json!({
        "admin_graphql_api_id": gid("BulkOperation", id),
        "completed_at": at,
        "created_at": at,
        "error_code": error,
        "status": status,
        "type": kind,
    })
}

/// The payload of `customers/data_request` or `customers/redact`, whose list of orders has the name `orders`.
pub(crate) fn privacy(
    customer: &Customer,
    orders: (&str, &[u64]),
    request: Option<u64>,
    facts: &Facts,
) -> Value {
    let mut payload = json!({
        "shop_id": SHOP_ID,
        "shop_domain": facts.settings.domain,
        "customer": {"id": customer.id, "email": customer.email, "phone": null},
    });
    payload[orders.0] = json!(orders.1);
    if let Some(id) = request {
        payload["data_request"] = json!({"id": id});
    }
    payload
}

/// The payload of `shop/redact`.
pub(crate) fn shop_redact(facts: &Facts) -> Value {
    json!({"shop_id": SHOP_ID, "shop_domain": facts.settings.domain})
}
