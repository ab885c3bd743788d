//! Webhooks on their way to the backend: out of order, twice, late, answered into the void.

use axum::body::Body;
use axum::http::Request;
use devshop::Delivery;
use fastrand::Rng;
use loyalnest::db;
use serde_json::Value;
use tower::ServiceExt;

use super::{DOWN, Outcome, Trouble, World};
use crate::model::told;
use crate::plan::Fate;
use crate::process::Died;

impl World {
    /// One webhook that waits is sent.
    pub(super) fn deliver(&mut self, which: usize, fate: Fate) -> Outcome {
        if self.waiting.is_empty() {
            return Ok("none waits".into());
        }
        let delivery = self.waiting.remove(which % self.waiting.len());
        let topic = delivery.event.topic.clone();
        let arrived = match fate {
            Fate::Lost => false,
            Fate::Well | Fate::AnswerLost => self.send(&delivery)?,
            Fate::Twice => self.send(&delivery)? && self.send(&delivery)?,
        };
        if !arrived || fate == Fate::AnswerLost {
            self.waiting.push(delivery);
        }
        Ok(format!("{topic}, {}", if arrived { "taken in" } else { "not answered" }))
    }

    pub(super) fn deliver_all(&mut self, seed: u64) -> Outcome {
        let mut all = std::mem::take(&mut self.waiting);
        Rng::with_seed(seed).shuffle(&mut all);
        let mut sent = 0;
        for delivery in all {
            if self.send(&delivery)? {
                sent += 1;
            } else {
                self.waiting.push(delivery);
            }
        }
        Ok(format!("{sent} taken in"))
    }

    /// Sends a webhook, and says whether it was answered well.
    fn send(&mut self, delivery: &Delivery) -> Result<bool, Trouble> {
        let mut request = Request::post(delivery.path.as_ref());
        for (name, value) in self.shop.webhooks().headers(delivery) {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(delivery.body.to_vec())).map_err(anyhow::Error::from)?;
        let router = self.process.router.clone();
        let answered = self.backend(async |_| Ok(router.oneshot(request).await?.status()))?;
        match answered {
            Ok(status) if status.is_success() => Ok(true),
            Ok(status) => {
                Err(Trouble::Violation(format!("a webhook ({}) was answered {status}", delivery.event.topic)))
            }
            Err(Died) => {
                self.pass(DOWN);
                Ok(false)
            }
        }
    }

    /// Tells the model of the webhooks that the backend has acted upon since, in the order in which it took them in. Says
    /// how many those were.
    pub(super) fn tell_the_model(&mut self) -> Result<usize, Trouble> {
        let (shop, db) = (self.shop_id, self.process.app.db.clone());
        let settled: Vec<(String, String)> = self.process.finish(async move {
            let mut read = db.read(shop).await?;
            Ok(db!(
                read.all,
                "select webhook_id, state from inbox_messages where shop_id = $1 and state <> 'ready'
                 order by message_id",
                shop
            )?)
        })?;
        let new: Vec<_> = settled.into_iter().filter(|(id, _)| !self.told.contains(id)).collect();
        let events = if new.is_empty() { Vec::new() } else { self.shop.webhooks().events() };
        for (id, state) in &new {
            let event = events.iter().find(|event| event.webhook_id == *id);
            let Some(event) = event.filter(|_| state == "done") else {
                return Err(Trouble::Violation(format!("a webhook is {state}")));
            };
            self.tell_one(&event.topic, &event.payload);
            self.told.insert(id.clone());
        }
        Ok(new.len())
    }

    fn tell_one(&mut self, topic: &str, payload: &Value) {
        let title = self.model.rules.title.clone();
        match topic {
            "orders/edited" => {
                // It says little more than that it happened: the backend reads the order as it is now.
                let order = self.shop.order(told::number(&payload["order_edit"]["order_id"]));
                if let Some(order) = order {
                    self.model.told_order(told::order(&self.shop.order_payload(&order), &title));
                }
            }
            topic if topic.starts_with("orders/") => self.model.told_order(told::order(payload, &title)),
            "refunds/create" => {
                self.model.told_refund(told::number(&payload["order_id"]), told::refund(payload));
            }
            "customers/create" => {
                self.model.member_of(told::number(&payload["id"]));
            }
            "customers/delete" => self.model.deleted(told::number(&payload["id"])),
            "customers/merge" => {
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
}
