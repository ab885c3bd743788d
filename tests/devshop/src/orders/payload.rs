//! Orders and refunds as webhooks carry them, traps included: no customer tags, `checkout_token` but no `checkout_id`,
//! refund subtotals as floats beside their exact `_set` twins, a refund without its customer.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::edit::Committed;
use super::{Order, OrderLine, Refund};
use crate::checkout::{Allocation, AppliedDiscount, DiscountValue, tax_in};
use crate::clock::local_text;
use crate::discounts::DiscountClass;
use crate::facts::Facts;
use crate::ids::gid;
use crate::money::MoneySet;
use crate::webhooks::payloads;

/// Members of an order that this shop has no use for.
const NEVER_SET: &[&str] = &[
    "browser_ip",
    "client_details",
    "closed_at",
    "current_total_additional_fees_set",
    "current_total_duties_set",
    "device_id",
    "landing_site",
    "landing_site_ref",
    "merchant_of_record_app_id",
    "note",
    "original_total_additional_fees_set",
    "original_total_duties_set",
    "payment_terms",
    "phone",
    "po_number",
    "reference",
    "referring_site",
    "source_identifier",
    "source_url",
    "user_id",
];

/// The payload of `orders/*`.
pub(crate) fn order(order: &Order, facts: &Facts) -> Value {
    let writer = Writer { order, facts };
    let shop = facts.settings.currency;
    let time = |at: Timestamp| local_text(at, &facts.zone);
    let zero = MoneySet::default();

    let tax = |net: MoneySet| tax_in(net, order.tax_included_bp);
    let total_tax =
        order.lines.iter().map(|line| tax(line.net())).sum::<MoneySet>() + tax(order.shipping_net());
    let current_lines: MoneySet = order.lines.iter().map(OrderLine::kept).sum();
    let current_discounts: MoneySet = order
        .lines
        .iter()
        .map(|line| {
            let discount = line.discount();
            let gone = line.item.quantity - line.current_quantity();
            discount - discount.portion(gone.into(), line.item.quantity.into())
        })
        .sum();
    let shipping_now = order.shipping_now();
    let shipping_gross =
        order.shipping.as_ref().map(|shipping| shipping.quote.option.price).unwrap_or_default();
    let shipping_discount =
        order.shipping.as_ref().map(|shipping| shipping.quote.discount()).unwrap_or_default();
    let discounts = order.discounts.iter().map(|discount| discount.total).sum();
    let current_tax = order.lines.iter().map(|line| tax(line.kept())).sum::<MoneySet>() + tax(shipping_now);

    let mut payload: Map<String, Value> =
        NEVER_SET.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    let mut amount = |name: &str, set: MoneySet| {
        payload.insert(name.into(), json!(shop.text(set.shop)));
        payload.insert(format!("{name}_set"), writer.set(set));
    };
    amount("subtotal_price", order.subtotal());
    amount("total_discounts", discounts);
    amount("total_line_items_price", order.gross());
    amount("total_price", order.total());
    amount("total_tax", total_tax);
    amount("current_subtotal_price", current_lines);
    amount("current_total_discounts", current_discounts + shipping_discount);
    amount("current_total_price", current_lines + shipping_now);
    amount("current_total_tax", current_tax);

    let email = order.customer.as_ref().map(|customer| customer.email.as_str());
    let fulfilled = order.fulfilled_at.map(|_| "fulfilled");
    let who_and_when = json!({
        "id": order.id,
        "admin_graphql_api_id": order.gid(),
        "app_id": 580_111,
        "buyer_accepts_marketing": false,
        "cancel_reason": order.cancel_reason,
        "cancelled_at": order.cancelled_at.map(time),
        "cart_token": order.cart_token,
        "checkout_token": order.checkout_token,
        "confirmation_number": order.token[..9].to_uppercase(),
        "confirmed": true,
        "contact_email": email,
        "created_at": time(order.created_at),
        "currency": shop,
        "customer_locale": "en",
        "email": email,
        "financial_status": order.financial_status(),
        "fulfillment_status": fulfilled,
        "location_id": order.location,
        "merchant_business_entity_id": "MTU0ODM4MDAwOQ",
        "name": order.name(),
        "number": order.number - 1000,
        "order_number": order.number,
        "order_status_url":
            format!("https://{}/{}/orders/{}/authenticate", facts.settings.domain, crate::state::SHOP_ID, order.token),
        "presentment_currency": order.presentment_currency,
        "processed_at": time(order.created_at),
        "source_name": order.source_name,
        "test": order.test,
        "token": order.token,
        "updated_at": time(order.updated_at),
    });
    let what = json!({
        "current_shipping_price_set": writer.set(shipping_now),
        "discount_applications": order.discounts.iter().map(|d| writer.application(d)).collect::<Vec<_>>(),
        "discount_codes": order.discounts.iter().filter(|d| d.is_code).map(|d| writer.code(d)).collect::<Vec<_>>(),
        "duties_included": false,
        "estimated_taxes": false,
        "fulfillments": writer.fulfillments(),
        "line_item_groups": [],
        "line_items": order.lines.iter().map(|line| writer.line(line)).collect::<Vec<_>>(),
        "note_attributes": order.note_attributes,
        "payment_gateway_names": if order.paid_at.is_some() { json!(["bogus"]) } else { json!([]) },
        "refunds": order.refunds.iter().map(|given| refund(given, order, facts)).collect::<Vec<_>>(),
        "returns": [],
        "shipping_lines": writer.shipping_lines(),
        "tags": order.tags.join(", "),
        "tax_exempt": false,
        "tax_lines": writer.tax_lines(total_tax),
        "taxes_included": order.tax_included_bp > 0,
        "total_cash_rounding_payment_adjustment_set": writer.set(zero),
        "total_cash_rounding_refund_adjustment_set": writer.set(zero),
        "total_outstanding": shop.text(order.outstanding().shop),
        "total_shipping_price_set": writer.set(shipping_gross),
        "total_tip_received": shop.text(0),
        "total_weight": order.lines.iter().map(|line| line.item.grams * line.item.quantity).sum::<u32>(),
    });
    for part in [who_and_when, what] {
        payload.extend(part.as_object().cloned().unwrap_or_default());
    }
    // A guest's order has no `customer` at all.
    if let Some(customer) = &order.customer {
        payload.insert("customer".into(), payloads::customer(customer, facts));
    }
    Value::Object(payload)
}

/// The payload of `refunds/create`.
pub(crate) fn refund(refund: &Refund, order: &Order, facts: &Facts) -> Value {
    let writer = Writer { order, facts };
    let shop = facts.settings.currency;
    let at = local_text(refund.at, &facts.zone);
    let lines = refund.lines.iter().filter_map(|refunded| {
        let line = order.lines.iter().find(|line| line.id == refunded.line)?;
        let tax = tax_in(refunded.subtotal, order.tax_included_bp);
        Some(json!({
            "id": refunded.id,
            "line_item": writer.line(line),
            "line_item_id": line.id,
            "location_id": null,
            "quantity": refunded.quantity,
            "restock_type": "no_restock",
            "subtotal": as_float(&shop.text(refunded.subtotal.shop)),
            "subtotal_set": writer.set(refunded.subtotal),
            "total_tax": as_float(&shop.text(tax.shop)),
            "total_tax_set": writer.set(tax),
        }))
    });
    let lines: Vec<Value> = lines.collect();
    let mut shipping = Vec::new();
    let mut adjustments = Vec::new();
    let adjustment = |id: u64, (kind, reason): (&str, &str), amount: MoneySet| {
        json!({
            "id": id,
            "order_id": order.id,
            "refund_id": refund.id,
            "kind": kind,
            "reason": reason,
            "amount": shop.text(amount.shop),
            "amount_set": writer.set(amount),
            "tax_amount": shop.text(0),
            "tax_amount_set": writer.set(MoneySet::default()),
        })
    };
    if let (Some(line), true) = (&order.shipping, refund.shipping != MoneySet::default()) {
        let tax = tax_in(refund.shipping, order.tax_included_bp);
        shipping.push(json!({
            "id": refund.shipping_ids[0],
            "shipping_line_id": line.id,
            "subtotal_amount_set": writer.set(refund.shipping),
            "tax_amount_set": writer.set(tax),
        }));
        let kind = ("shipping_refund", "Shipping refund");
        adjustments.push(adjustment(refund.shipping_ids[1], kind, MoneySet::default() - refund.shipping));
    }
    if refund.difference != MoneySet::default() {
        let kind = ("refund_discrepancy", "Refund discrepancy");
        adjustments.push(adjustment(refund.difference_id, kind, MoneySet::default() - refund.difference));
    }
    let total = refund.total();
    let gateway = if refund.to_store_credit { "shopify_store_credit" } else { "bogus" };
    let transactions: Vec<Value> = refund
        .transaction
        .iter()
        .map(|id| {
            json!({
                "id": id,
                "admin_graphql_api_id": gid("OrderTransaction", *id),
                "amount": order.presentment_currency.text(total.presentment),
                "authorization": null,
                "created_at": at,
                "currency": order.presentment_currency,
                "error_code": null,
                "gateway": gateway,
                "kind": "refund",
                "location_id": null,
                "message": null,
                "order_id": order.id,
                "parent_id": null,
                "processed_at": at,
                "receipt": {},
                "source_name": order.source_name,
                "status": "success",
                "test": order.test,
                "user_id": null,
            })
        })
        .collect();
    json!({
        "id": refund.id,
        "admin_graphql_api_id": gid("Refund", refund.id),
        "created_at": at,
        "duties": [],
        "note": refund.note,
        "order_adjustments": adjustments,
        "order_id": order.id,
        "processed_at": at,
        "refund_line_items": lines,
        "refund_shipping_lines": shipping,
        "restock": false,
        "return": null,
        "total_duties_set": writer.set(MoneySet::default()),
        "transactions": transactions,
        "user_id": null,
    })
}

/// The payload of `orders/edited`: what was committed, not the order.
pub(crate) fn edited(edit: &Committed, order: &Order, facts: &Facts) -> Value {
    let at = local_text(order.updated_at, &facts.zone);
    let deltas = |deltas: &[(u64, u32)]| -> Value {
        deltas.iter().map(|(line, delta)| json!({"id": line, "delta": delta})).collect()
    };
    let discounts_off: Value = edit.discounts_off.iter().map(|line| json!({"id": line})).collect();
    json!({"order_edit": {
        "id": edit.id,
        "app_id": null,
        "committed_at": at,
        "created_at": at,
        "discounts": {"line_item": {"additions": [], "removals": discounts_off}},
        "line_items": {"additions": deltas(&edit.more), "removals": deltas(&edit.fewer)},
        "notify_customer": false,
        "order_id": order.id,
        "shipping_lines": {"additions": [], "removals": []},
        "staff_note": edit.staff_note,
        "user_id": null,
    }})
}

/// The JSON number these digits spell. Shopify's own readers make a float of it.
fn as_float(text: &str) -> Value {
    let spelled = if text.contains('.') { text.to_owned() } else { format!("{text}.0") };
    serde_json::from_str(&spelled).unwrap_or(Value::Null)
}

struct Writer<'a> {
    order: &'a Order,
    facts: &'a Facts,
}

impl Writer<'_> {
    fn set(&self, set: MoneySet) -> Value {
        self.facts.money_set(set, self.order.presentment_currency)
    }

    fn application(&self, discount: &AppliedDiscount) -> Value {
        let (value_type, value) = match discount.value {
            DiscountValue::Fixed(minor) => ("fixed_amount", self.order.presentment_currency.decimal(minor)),
            // Per cent with two digits look like pounds and pence.
            DiscountValue::BasisPoints(points) => ("percentage", crate::money::Currency::GBP.decimal(points)),
        };
        let shipping = discount.class == DiscountClass::Shipping;
        // A code has no title, and an automatic discount no code.
        let (kind, name) = if discount.is_code { ("discount_code", "code") } else { ("automatic", "title") };
        json!({
            name: discount.title,
            "type": kind,
            "allocation_method": if discount.each { "each" } else { "across" },
            "target_selection": match discount.class {
                DiscountClass::Product => "explicit",
                _ if discount.entitled => "entitled",
                _ => "all",
            },
            "target_type": if shipping { "shipping_line" } else { "line_item" },
            "value": value,
            "value_type": value_type,
        })
    }

    fn code(&self, discount: &AppliedDiscount) -> Value {
        let amount = self.order.presentment_currency.decimal(discount.total.presentment);
        json!({"code": discount.title, "amount": amount, "type": "percentage"})
    }

    fn allocations(&self, allocations: &[Allocation]) -> Vec<Value> {
        let shop = self.facts.settings.currency;
        let one = |allocation: &Allocation| {
            json!({
                "amount": shop.text(allocation.amount.shop),
                "amount_set": self.set(allocation.amount),
                "discount_application_index": allocation.discount,
            })
        };
        allocations.iter().map(one).collect()
    }

    fn line(&self, line: &OrderLine) -> Value {
        let shop = self.facts.settings.currency;
        let item = &line.item;
        let fulfilled = self.order.fulfilled_at.map(|_| "fulfilled");
        let only_one = item.variant_title == "Default Title";
        let name =
            if only_one { item.title.clone() } else { format!("{} - {}", item.title, item.variant_title) };
        let mut written = json!({
            "id": line.id,
            "admin_graphql_api_id": gid("LineItem", line.id),
            "attributed_staffs": [],
            "current_quantity": line.current_quantity(),
            "discount_allocations": self.allocations(&line.allocations),
            "duties": [],
            "fulfillable_quantity": if fulfilled.is_some() { 0 } else { line.current_quantity() },
            "fulfillment_service": if item.gift_card { "gift_card" } else { "manual" },
            "fulfillment_status": fulfilled,
            "gift_card": item.gift_card,
            "grams": item.grams,
            "name": name,
            "price": shop.text(item.unit.shop),
            "price_set": self.set(item.unit),
            "product_exists": !line.tip,
            "product_id": (!line.tip).then_some(item.product),
            "properties": item.properties,
            "quantity": item.quantity,
            "requires_shipping": item.requires_shipping,
            "sales_line_item_group_id": null,
            "sku": item.sku,
            "tax_lines": self.tax_lines(tax_in(line.net(), self.order.tax_included_bp)),
            "taxable": !item.gift_card,
            "title": item.title,
            // Only script discounts count here: an app's discount is in the allocations.
            "total_discount": shop.text(0),
            "total_discount_set": self.set(MoneySet::default()),
            "variant_id": (!line.tip).then_some(item.variant),
            "variant_inventory_management": null,
            "variant_title": if only_one { Value::Null } else { json!(item.variant_title) },
            "vendor": item.vendor,
        });
        // Other lines do not have them at all.
        if line.tip {
            written["tip_payment_gateway"] = json!("bogus");
            written["tip_payment_method"] = json!("Visa");
        }
        written
    }

    fn shipping_lines(&self) -> Vec<Value> {
        let shop = self.facts.settings.currency;
        let one = |shipping: &super::OrderShipping| {
            let (gross, net) = (shipping.quote.option.price, shipping.quote.net());
            json!({
                "id": shipping.id,
                "carrier_identifier": null,
                "code": shipping.quote.option.title,
                "current_discounted_price_set": self.set(net - shipping.refunded),
                "discount_allocations": self.allocations(&shipping.quote.allocations),
                "discounted_price": shop.text(net.shop),
                "discounted_price_set": self.set(net),
                "is_removed": false,
                "phone": null,
                "price": shop.text(gross.shop),
                "price_set": self.set(gross),
                "requested_fulfillment_service_id": null,
                "source": "shopify",
                "tax_lines": self.tax_lines(tax_in(net, self.order.tax_included_bp)),
                "title": shipping.quote.option.title,
            })
        };
        self.order.shipping.iter().map(one).collect()
    }

    fn tax_lines(&self, tax: MoneySet) -> Value {
        let points = self.order.tax_included_bp;
        if points == 0 {
            return json!([]);
        }
        let shop = self.facts.settings.currency;
        let rate = as_float(&format!("{}.{:04}", points / 10_000, points % 10_000));
        json!([{"title": "VAT", "rate": rate, "price": shop.text(tax.shop), "price_set": self.set(tax), "channel_liable": false}])
    }

    fn fulfillments(&self) -> Vec<Value> {
        let one = |at: Timestamp| {
            let at = local_text(at, &self.facts.zone);
            json!({
                "order_id": self.order.id,
                "created_at": at,
                "name": format!("{}.1", self.order.name()),
                "status": "success",
                "shipment_status": null,
                "tracking_numbers": [],
                "updated_at": at,
            })
        };
        self.order.fulfilled_at.into_iter().map(one).collect()
    }
}
