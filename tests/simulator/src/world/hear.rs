//! What the backend has acted upon, as the model hears of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use devshop::Event;
use loyalnest::db::Db;
use serde_json::{Value, json};

use super::{Shop, Trouble, World};
use crate::model::told::{self, Told};

/// Webhooks that were acted upon from some time on, in the order in which they were taken in.
const SETTLED: &str = "select webhook_id, topic, lane, state, reason, settled_at from inbox_messages
    where shop_id = $1 and settled_at >= $2 order by message_id";

/// Requests to erase a customer that are settled.
const ERASED: &str = "select webhook_id, settled_at from privacy_requests
    where shop_id = $1 and kind = 'customers/redact' and state = 'done' order by settled_at";

/// When friends were sent of whom the backend knew by history that they had bought before.
const NOT_NEW: &str = "select sent_at from referrals_referrals where shop_id = $1 and reason = 'not_new'";

/// An order that the backend has found by itself, because nobody told of it.
const MISSED: &str = "orders/missed";

/// What a lane is called whose customer was erased.
const REDACTED: &str = "redacted";

/// A webhook that was acted upon.
#[derive(sqlx::FromRow)]
struct Settled {
    webhook_id: String,
    topic: String,
    lane: String,
    state: String,
    reason: Option<String>,
    settled_at: i64,
    /// Whether the backend asked the shop before it acted upon it.
    #[sqlx(default)]
    asks: bool,
}

/// The order in which the backend acts upon what it takes together: what needs no answer first, then what asks and whatever
/// is behind that in its lane; each room's messages in one go, in as few goes as keep every lane in order. Between lanes
/// nothing is promised, and it may matter all the same: on which day's cap an order counts depends on whether its customer
/// was merged before, and who was sent on whether the advocate was deleted.
fn in_goes(mut settled: Vec<Settled>) -> Vec<(i64, Vec<Settled>)> {
    let mut asking: HashSet<(i64, String)> = HashSet::new();
    for message in &mut settled {
        let lane = (message.settled_at, message.lane.clone());
        message.asks |= asking.contains(&lane);
        if message.asks {
            asking.insert(lane);
        }
    }
    settled.sort_by_key(|message| (message.settled_at, message.asks));
    let mut goes: Vec<Go> = Vec::new();
    let mut lanes: HashMap<String, usize> = HashMap::new();
    for message in settled {
        let (at, room) = ((message.settled_at, message.asks), room(&message.topic));
        let last = lanes.entry(message.lane.clone()).or_default();
        let fitting = goes.iter().skip(*last).position(|go| (go.at, go.room) == (at, room));
        *last = fitting.map_or(goes.len(), |after| *last + after);
        match goes.get_mut(*last) {
            Some(go) => go.messages.push(message),
            None => goes.push(Go { at, room, messages: vec![message] }),
        }
    }
    goes.into_iter().map(|go| (go.at.0, go.messages)).collect()
}

/// What one room acts upon in one go.
struct Go {
    /// When, and whether the backend asked the shop before.
    at: (i64, bool),
    room: &'static str,
    messages: Vec<Settled>,
}

/// Who acts upon messages of a topic.
fn room(topic: &str) -> &'static str {
    match topic.split(['/', '.']).next().unwrap_or_default() {
        _ if topic.ends_with("/redact") => "privacy",
        "orders" | "refunds" => "orders",
        "customers" | "customer" => "customers",
        "products" | "collections" => "products",
        "bulk_operations" => "bulk",
        _ => "merchants",
    }
}

/// Whether the backend asks the shop before it acts upon a message: for an order that was edited or missed, and for the mark
/// of one that is discounted.
fn asks(topic: &str, payload: &Value) -> bool {
    let is_discounted = |line: &Value| {
        let allocations = line["discount_allocations"].as_array();
        let amounts = allocations.into_iter().flatten().filter_map(|one| one["amount"].as_str());
        line["is_removed"] != true
            && amounts.into_iter().any(|amount| amount.contains(|digit| ('1'..='9').contains(&digit)))
    };
    let lines = ["line_items", "shipping_lines"].map(|lines| payload[lines].as_array());
    matches!(topic, "orders/edited" | MISSED)
        || (topic.starts_with("orders/") && lines.into_iter().flatten().flatten().any(is_discounted))
}

impl World {
    /// Tells the models whom the backend has erased.
    pub fn hear_of_erasures(&mut self) -> Result<(), Trouble> {
        let Db::Sqlite { readers, .. } = self.process.app.db.clone() else {
            return Err(anyhow::anyhow!("not on SQLite").into());
        };
        for shop in &mut self.shops {
            let settled: Vec<(String, i64)> = self
                .process
                .finish(async { Ok(sqlx::query_as(ERASED).bind(shop.id.0).fetch_all(&readers).await?) })?;
            for (webhook, settled_at) in settled {
                let event = shop.local.webhooks().event(&webhook);
                let Some(event) = event.filter(|_| shop.erased.insert(webhook)) else { continue };
                let customer = told::number(&event.payload["customer"]["id"]);
                shop.model.as_of(settled_at, |model| model.erased(customer));
            }
        }
        Ok(())
    }

    /// Tells the model of a shop of the webhooks that the backend has acted upon since, in the order in which it did. Says
    /// how many those were.
    pub fn tell_the_model(&mut self, at: usize) -> Result<usize, Trouble> {
        let (id, since) = (self.shops[at].id, self.shops[at].heard_at);
        let Db::Sqlite { readers, .. } = self.process.app.db.clone() else {
            return Err(anyhow::anyhow!("not on SQLite").into());
        };
        let (settled, not_new): (Vec<Settled>, Vec<i64>) = self.process.finish(async {
            let settled = sqlx::query_as(SETTLED).bind(id.0).bind(since).fetch_all(&readers).await?;
            Ok((settled, sqlx::query_scalar(NOT_NEW).bind(id.0).fetch_all(&readers).await?))
        })?;
        // Where the app is out, whoever asks is refused, and asks again until the backend knows that nobody can be asked.
        let can_ask = matches!(self.installed_at(at)?, (Some(_), true));
        let shop = &mut self.shops[at];
        let now = shop.model.now;
        let (mut heard, mut signed_up) = (0, Vec::new());
        let settled = settled.into_iter().filter(|message| !shop.told.contains(&message.webhook_id));
        let settled: Vec<Settled> = settled.map(|message| shop.as_it_was(message)).collect();
        for (settled_at, go) in in_goes(settled) {
            // It is booked as of then, however much later this is.
            shop.model.now = settled_at;
            shop.heard_at = shop.heard_at.max(settled_at);
            let mut events = Vec::with_capacity(go.len());
            for Settled { webhook_id: webhook, topic, state, reason, .. } in go {
                let event = shop.event(&webhook);
                let Some(event) = event.filter(|_| state == "done" || shop.was_out) else {
                    return Err(Trouble::Violation(format!("a webhook ({topic}) is {state}: {reason:?}")));
                };
                // What is read beside it could not be read for a long time.
                if state != "done" {
                    shop.untold.insert(told::number(&event.payload["id"]));
                    shop.told.insert(webhook);
                    continue;
                }
                let order = shop.order_told(&event.topic, &event.payload, can_ask);
                events.push((event, order));
                shop.told.insert(webhook);
                heard += 1;
            }
            // What opens an order has the rest of what is told of it at once taken on, too.
            let told = events.iter().filter_map(|(_, order)| order.as_ref());
            let opened: HashSet<u64> = told.filter(|told| !told.is_change).map(|told| told.order).collect();
            for told in events.iter_mut().filter_map(|(_, order)| order.as_mut()) {
                told.is_change &= !opened.contains(&told.order);
            }
            let not_new = if shop.has_history() { not_new.as_slice() } else { &[] };
            shop.model.sent_by_orders(events.iter().filter_map(|(_, order)| order.as_ref()), not_new);
            let guests = shop.model.note_guests(events.iter().filter_map(|(_, order)| order.as_ref()));
            for (event, order) in events {
                match order {
                    Some(order) => shop.model.told_order(order, &guests),
                    None => shop.hear(&event, &mut signed_up),
                }
            }
            shop.follow(&mut signed_up);
        }
        shop.model.now = now;
        if self.shops[at].was_out && self.shops[at].model.installed_at != self.installed_at(at)?.0 {
            return Err(Trouble::Disagreement("whether the app is in the shop".into()));
        }
        Ok(heard)
    }
}

impl Shop {
    /// What a message is about: what the shop has sent, or what the backend has found in its stead.
    fn event(&self, webhook: &str) -> Option<Arc<Event>> {
        let Some(missed) = webhook.strip_prefix("missed:") else {
            return self.local.webhooks().event(webhook);
        };
        let (order, changed_at) = missed.split_once(':')?;
        Some(Arc::new(Event {
            topic: MISSED.into(),
            webhook_id: webhook.into(),
            event_id: String::new(),
            triggered_at: changed_at.parse().ok()?,
            payload: json!({"id": order.parse::<u64>().ok()?}),
        }))
    }

    /// Whether there are orders that the backend may know by files only.
    pub fn has_history(&self) -> bool {
        let is_booked = |id: &u64| {
            self.model.orders.iter().any(|order| order.id == *id && order.is_told() && order.member.is_some())
        };
        self.has_past || !self.orders.iter().all(is_booked)
    }

    /// What follows from all that was acted upon together.
    fn follow(&mut self, signed_up: &mut Vec<u64>) {
        self.model.follow_orders();
        self.model.signed_up(&std::mem::take(signed_up));
    }

    /// A message with what is not stored of it: whether the shop was asked, and the lane in which it was, also where nothing may
    /// lead to its customer any more.
    fn as_it_was(&self, message: Settled) -> Settled {
        let Some(event) = self.event(&message.webhook_id) else { return message };
        let body = &event.payload;
        let message = Settled { asks: asks(&message.topic, body), ..message };
        if message.lane != REDACTED {
            return message;
        }
        let customer = match message.topic.as_str() {
            MISSED => self.local.order(told::number(&body["id"])).and_then(|order| Some(order.customer?.id)),
            topic if topic.starts_with("orders/") => body["customer"]["id"].as_u64(),
            "refunds/create" => {
                self.local.order(told::number(&body["order_id"])).and_then(|order| Some(order.customer?.id))
            }
            "customers/merge" => {
                let kept = body["admin_graphql_api_customer_kept_id"].as_str().unwrap_or_default();
                kept.rsplit('/').next().and_then(|number| number.parse().ok())
            }
            _ => body["id"].as_u64(),
        };
        let order = body["id"].as_u64().unwrap_or(0);
        let lane =
            customer.map_or_else(|| format!("order:{order}"), |customer| format!("customer:{customer}"));
        Settled { lane, ..message }
    }

    /// What a message tells of an order, if it is about one. More is asked of the shop, where somebody can be asked.
    fn order_told(&self, topic: &str, payload: &Value, can_ask: bool) -> Option<Told> {
        let title = &self.model.rules.title;
        let mut told = match topic {
            // It says little more than that it happened: the backend reads the order as it is now.
            "orders/edited" if can_ask => {
                self.order_asked(told::number(&payload["order_edit"]["order_id"]))?.without_refunds()
            }
            MISSED if can_ask => self.order_asked(told::number(&payload["id"]))?,
            topic if topic.starts_with("orders/") && !matches!(topic, "orders/edited" | MISSED) => {
                told::order(payload, title)
            }
            _ => return None,
        };
        told.is_change = topic != "orders/create";
        Some(if can_ask { self.marked(told) } else { told })
    }

    /// What the shop tells of an order that it is asked for: nothing of a customer whom it has deleted.
    fn order_asked(&self, order: u64) -> Option<Told> {
        let order = self.local.order(order)?;
        let told = told::order(&self.local.order_payload(&order), &self.model.rules.title);
        let customer = told.customer.filter(|customer| self.local.customer(*customer).is_some());
        Some(Told { customer, ..told })
    }

    fn hear(&mut self, event: &Event, signed_up: &mut Vec<u64>) {
        let (topic, payload) = (event.topic.as_str(), &event.payload);
        match topic {
            "app/uninstalled" => self.model.uninstalled(event.triggered_at.as_microsecond()),
            "refunds/create" => {
                self.model.told_refund(told::number(&payload["order_id"]), told::refund(payload));
            }
            "customers/create" | "customers/update" => {
                let customer = told::number(&payload["id"]);
                let state = payload["state"].as_str().unwrap_or_default();
                let updated_at = told::time(&payload["updated_at"]);
                if self.model.told_customer(customer, state, updated_at, topic == "customers/create") {
                    signed_up.push(customer);
                }
            }
            "products/create" | "products/update" => {
                let tags = payload["tags"].as_str().unwrap_or_default().split(',');
                let tags: Vec<String> = tags.map(|tag| tag.trim().to_owned()).collect();
                // What changed in the second of its creation is newer.
                let updated_at = told::time(&payload["updated_at"]) - i64::from(topic == "products/create");
                let product = told::number(&payload["id"]);
                self.model.told_product(product, updated_at, &tags);
            }
            "customers/delete" => self.model.deleted(told::number(&payload["id"])),
            "customers/merge" => {
                self.model.follow_orders();
                let number = |name: &str| {
                    let gid = payload[name].as_str().unwrap_or_default();
                    gid.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or(0)
                };
                let kept = number("admin_graphql_api_customer_kept_id");
                self.model.merge(kept, number("admin_graphql_api_customer_deleted_id"));
            }
            _ => {}
        }
    }

    /// The mark of a hold may stand in the order's metafield.
    fn marked(&self, mut told: Told) -> Told {
        let owner = format!("gid://shopify/Order/{}", told.order);
        let mark = self.local.metafield(&owner, "$app", "redemption");
        let mark = mark.and_then(|mark| serde_json::from_str::<Value>(&mark.value).ok());
        told.marks.extend(mark.and_then(|mark| Some(mark["hold"].as_str()?.to_owned())));
        told
    }
}
