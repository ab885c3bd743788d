//! What a merchant, or fate, would do: payments, refunds, cancellations, switches, faults, time.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::session::signed_in;
use super::{Refused, id, views};
use crate::discounts::CombinesWith;
use crate::ids::gid;
use crate::orders::{RefundRequest, ShippingRefund};
use crate::shop::{DevShop, ShopError};
use crate::switches::Switches;
use crate::webhooks::WebhookFaults;

/// `GET /shop/orders`: the signed-in customer's, or all when nobody is signed in; newest first.
pub(super) async fn orders(State(shop): State<DevShop>, headers: HeaderMap) -> Json<Value> {
    let customer = signed_in(&shop, &headers);
    let mut orders = shop.orders();
    orders.reverse();
    orders.retain(|order| customer.is_none() || order.customer.as_ref().map(|known| known.id) == customer);
    Json(json!({"orders": orders.iter().map(|order| views::order(&shop, order)).collect::<Vec<_>>()}))
}

/// `GET /shop/orders/{order}`: with the payload its webhook would carry now.
pub(super) async fn order(
    State(shop): State<DevShop>,
    Path(order): Path<String>,
) -> Result<Json<Value>, Refused> {
    let order = shop.order(id(&order, "order")?).ok_or(ShopError::NotFound("order"))?;
    Ok(Json(json!({"order": views::order(&shop, &order), "payload": shop.order_payload(&order)})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewCode {
    code: String,
    percent: u32,
    #[serde(default = "none")]
    combines_with: CombinesWith,
}

fn none() -> CombinesWith {
    CombinesWith::NONE
}

/// `POST /shop/codes` `{"code": "SUMMER", "percent": 10, "combinesWith": {"orderDiscounts": true}?}`
pub(super) async fn add_code(State(shop): State<DevShop>, Json(new): Json<NewCode>) -> Json<Value> {
    Json(json!({"code": shop.add_code(&new.code, new.percent, new.combines_with)}))
}

/// `POST /shop/orders/{order}/pay`
pub(super) async fn pay(
    State(shop): State<DevShop>,
    Path(order): Path<String>,
) -> Result<Json<Value>, Refused> {
    let order = shop.pay(id(&order, "order")?)?;
    Ok(Json(json!({"order": views::order(&shop, &order)})))
}

/// `POST /shop/orders/{order}/cancel`
pub(super) async fn cancel(
    State(shop): State<DevShop>,
    Path(order): Path<String>,
) -> Result<Json<Value>, Refused> {
    let order = shop.cancel(id(&order, "order")?, "customer")?;
    Ok(Json(json!({"order": views::order(&shop, &order)})))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RefundBody {
    lines: Vec<RefundLine>,
    all: bool,
    shipping: Option<i64>,
    note: Option<String>,
}

#[derive(Deserialize)]
struct RefundLine {
    line: String,
    quantity: u32,
}

/// `POST /shop/orders/{order}/refund` `{"lines": [{"line": "<id>", "quantity": 1}], "shipping": 495?, "note": "…"?}`, or
/// `{"all": true}` for everything that is left.
pub(super) async fn refund(
    State(shop): State<DevShop>,
    Path(order): Path<String>,
    Json(body): Json<RefundBody>,
) -> Result<Json<Value>, Refused> {
    let order_id = id(&order, "order")?;
    let mut request = RefundRequest { note: body.note, ..RefundRequest::default() };
    if body.all {
        let order = shop.order(order_id).ok_or(ShopError::NotFound("order"))?;
        request = RefundRequest { note: request.note, ..order.everything_left() };
    } else {
        for line in body.lines {
            request.lines.push((id(&line.line, "order line")?, line.quantity));
        }
        request.shipping = body.shipping.map_or(ShippingRefund::None, ShippingRefund::Amount);
    }
    shop.refund(order_id, &request)?;
    let order = shop.order(order_id).ok_or(ShopError::NotFound("order"))?;
    Ok(Json(json!({"order": views::order(&shop, &order)})))
}

/// `GET /shop/customers/{customer}/metafields`: each with its history, oldest first.
pub(super) async fn metafields(
    State(shop): State<DevShop>,
    Path(customer): Path<String>,
) -> Result<Json<Value>, Refused> {
    let owner = gid("Customer", id(&customer, "customer")?);
    let all = shop.metafields_of(&owner).into_iter().map(|(namespace, key, versions)| {
        let value = |version: &crate::metafields::Version| {
            let value = version.metafield.as_ref().map(|metafield| metafield.value.clone());
            json!({"at": version.at, "value": value})
        };
        let history: Vec<_> = versions.iter().map(value).collect();
        json!({"namespace": namespace, "key": key, "value": history.last().map(|last| &last["value"]), "history": history})
    });
    Ok(Json(json!({"metafields": all.collect::<Vec<_>>()})))
}

/// `GET /shop/switches`
pub(super) async fn switches(State(shop): State<DevShop>) -> Json<Switches> {
    Json(shop.switches())
}

/// `PUT /shop/switches`: what is not named is at its default.
pub(super) async fn set_switches(State(shop): State<DevShop>, Json(body): Json<Switches>) -> Json<Switches> {
    shop.set_switches(body);
    Json(body)
}

/// `GET /shop/webhooks`: what was sent and every attempt to deliver it.
pub(super) async fn webhooks(State(shop): State<DevShop>) -> Json<Value> {
    let webhooks = shop.webhooks();
    Json(json!({
        "pending": webhooks.pending(),
        "paused": webhooks.is_paused(),
        "events": webhooks.events(),
        "attempts": webhooks.attempts(),
    }))
}

/// `PUT /shop/webhooks/faults`
pub(super) async fn webhook_faults(
    State(shop): State<DevShop>,
    Json(body): Json<WebhookFaults>,
) -> Json<WebhookFaults> {
    shop.webhooks().set_faults(body);
    Json(body)
}

/// `PUT /shop/webhooks/paused` `true` or `false`
pub(super) async fn webhooks_paused(State(shop): State<DevShop>, Json(paused): Json<bool>) -> Json<bool> {
    if paused {
        shop.webhooks().pause();
    } else {
        shop.webhooks().resume();
    }
    Json(paused)
}

/// `POST /shop/webhooks/flush`: answers when everything is delivered, and names what could not be.
pub(super) async fn flush(State(shop): State<DevShop>) -> Json<Value> {
    let left = shop.webhooks().flush().await.err().unwrap_or_default();
    let left: Vec<_> = left.iter().map(|delivery| &delivery.event.topic).collect();
    Json(json!({"undelivered": left}))
}

#[derive(Deserialize)]
pub(super) struct Advance {
    advance_seconds: u64,
}

/// `POST /shop/clock` `{"advance_seconds": 86400}`
pub(super) async fn advance(State(shop): State<DevShop>, Json(body): Json<Advance>) -> Json<Value> {
    shop.clock().advance(Duration::from_secs(body.advance_seconds));
    Json(json!({"time": shop.clock().now()}))
}
