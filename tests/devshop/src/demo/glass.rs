//! What a shopper could not see: the account metafield with its past, and the webhooks on their way.

use devshop::{Attempt, Customer, DevShop, Metafield, Outcome, gid};
use loyalty::Account;
use serde_json::{Value, json};

use super::offer;

/// How many webhooks are shown.
const WEBHOOKS: usize = 14;

/// What lies behind the shop, for a customer: the account metafield as it is and as it was before, and the newest
/// webhooks.
pub(super) fn look(shop: &DevShop, customer: Option<u64>) -> Value {
    json!({"account": customer.map(|customer| account(shop, customer)), "webhooks": webhooks(shop)})
}

/// Who may sign in, with the points that the shop itself knows of.
pub(super) fn customers(shop: &DevShop) -> Vec<Value> {
    let card = |customer: Customer| {
        json!({
            "id": customer.id.to_string(),
            "name": customer.display_name(),
            "first_name": customer.first_name,
            "points": offer::account(shop, customer.id).map(|account| account.points),
        })
    };
    shop.customers().into_iter().map(card).collect()
}

fn account(shop: &DevShop, customer: u64) -> Value {
    let history = shop.metafield_history(&gid("Customer", customer), "$app", Account::METAFIELD);
    let mut newest = history.iter().rev().map(|version| version.metafield.as_ref());
    let (now, before) = (newest.next().flatten(), newest.next().flatten());
    json!({
        "value": now.map(|metafield| &metafield.value),
        "digest": now.map(Metafield::compare_digest),
        "at": now.map(|metafield| metafield.updated_at),
        "before": before.map(|metafield| &metafield.value),
        "writes": history.len(),
    })
}

fn webhooks(shop: &DevShop) -> Value {
    let webhooks = shop.webhooks();
    let attempts = webhooks.attempts();
    let newest = webhooks.events().into_iter().rev().take(WEBHOOKS).map(|event| {
        let tries = attempts.iter().filter(|attempt| attempt.webhook_id == event.webhook_id);
        let outcomes: Vec<Value> = tries.map(outcome).collect();
        json!({
            "id": event.webhook_id,
            "topic": event.topic,
            "order": order_of(&event.payload).and_then(|id| shop.order(id)).map(|order| order.name()),
            "at": event.triggered_at,
            "attempts": outcomes,
        })
    });
    json!({"pending": webhooks.pending(), "paused": webhooks.is_paused(), "newest": newest.collect::<Vec<_>>()})
}

/// The order that a payload is about; a refund names it, an order is it.
fn order_of(payload: &Value) -> Option<u64> {
    payload.get("order_id").or_else(|| payload.get("id"))?.as_u64()
}

fn outcome(attempt: &Attempt) -> Value {
    let status = match attempt.outcome {
        Outcome::Status(status) => Some(status),
        _ => None,
    };
    json!({"status": status, "ms": attempt.milliseconds})
}
