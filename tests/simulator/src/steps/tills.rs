//! A till that is offline now and then: what it did is sent later, in pieces, again, with gaps.

use anyhow::Context;
use devshop::Surface;
use serde_json::{Value, json};

use super::widgets::OWNER;
use super::{DOWN, Outcome, Trouble, World};
use crate::model::tills::Act;
use crate::plan::AtTill;
use crate::process::Died;

impl World {
    /// Somebody is served at the till; it remembers that.
    pub(super) fn at_till(&mut self, who: usize, order: usize, what: AtTill) -> String {
        let customer = self.customers[who % self.customers.len()];
        let order = order.checked_rem(self.orders.len()).map(|at| self.orders[at]);
        let act = match (what, order) {
            (AtTill::Earn, Some(order)) => Act::Earn { order, customer },
            (AtTill::Redeem, _) => Act::Redeem { customer },
            (AtTill::Lose, _) => Act::Lost,
            (AtTill::Enrol | AtTill::Earn, _) => Act::Enrol { customer },
        };
        self.till.push((self.clock.now().to_string(), act));
        format!("operation {}", self.till.len())
    }

    /// The till sends some of what it remembers.
    pub(super) fn flush(&mut self, from: usize, many: usize) -> Outcome {
        let Some(from) = from.checked_rem(self.till.len()) else { return Ok("it remembers nothing".into()) };
        let sent: Vec<(usize, String, Act)> = (from + 1..)
            .zip(&self.till[from..])
            .take(many)
            .map(|(sequence, (at, act))| (sequence, at.clone(), act.clone()))
            .collect();
        let operations: Vec<Value> =
            sent.iter().map(|(sequence, at, act)| told(*sequence, at, act)).collect();
        let body = json!({"device": "till-1", "operations": operations});
        let mut answered = self.tell_till(&body)?;
        if answered.is_err() {
            self.pass(DOWN);
            answered = self.tell_till(&body)?;
        }
        let (status, answer) =
            answered.map_err(|Died| Trouble::Violation("it died without a cause".into()))?;
        let results = answer["results"].as_array().with_context(|| format!("{status} {answer}"))?;
        for (result, (sequence, _, act)) in results.iter().zip(&sent) {
            let must = self.model.take(*sequence, act);
            let has = (result["state"].as_str(), result["code"].as_str(), result["points"].as_i64());
            if has != (Some(must.0), Some(must.1), must.2) {
                let text = format!("a till is told {has:?} of {act:?}; by the model {must:?}");
                return Err(Trouble::Disagreement(text));
            }
        }
        Ok(format!("{} operations", results.len()))
    }

    fn tell_till(&mut self, body: &Value) -> Result<Result<(u16, Value), Died>, Trouble> {
        let token = self.shop.session_token(Surface::Admin(OWNER));
        let request =
            axum::http::Request::post("/api/pos/queue").header("authorization", format!("Bearer {token}"));
        self.ask(request, Some(body))
    }
}

fn told(sequence: usize, at: &str, act: &Act) -> Value {
    match act {
        Act::Enrol { customer } => {
            json!({"sequence": sequence, "at": at, "kind": "enrol", "customer": customer})
        }
        Act::Earn { order, customer } => {
            json!({"sequence": sequence, "at": at, "kind": "earn", "order": order, "customer": customer})
        }
        Act::Redeem { customer } => {
            json!({"sequence": sequence, "at": at, "kind": "redeem", "customer": customer, "reward": "points"})
        }
        Act::Lost => json!({"sequence": sequence, "at": at, "kind": "lost"}),
    }
}
