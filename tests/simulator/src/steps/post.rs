//! Webhooks on their way to the backend: out of order, twice, late, answered into the void, or given up.

use std::fmt;

use axum::body::Body;
use axum::http::Request;
use devshop::Delivery;
use fastrand::Rng;
use tower::ServiceExt;

use super::{Act, Kind, MANY, Touches, one};
use crate::process::Died;
use crate::world::{DOWN, Outcome, Trouble, World};

pub const KINDS: &[Kind] = &[
    (5, |rng| {
        let fates = [Fate::Well, Fate::Well, Fate::Twice, Fate::AnswerLost, Fate::Lost, Fate::GivenUp];
        let fate = fates[rng.usize(0..6)];
        one(Deliver { which: rng.usize(0..MANY), fate })
    }),
    (8, |rng| one(DeliverAll { seed: rng.u64(..) })),
    (1, |_| one(GiveUp)),
];

/// One webhook that waits is sent.
struct Deliver {
    which: usize,
    fate: Fate,
}

/// All that wait are sent, in any order.
pub struct DeliverAll {
    pub seed: u64,
}

/// The shop gives up on all that tell of orders.
struct GiveUp;

/// How a delivery goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It comes, and is answered.
    Well,
    /// It comes twice.
    Twice,
    /// It comes, and the answer is lost: it will come again.
    AnswerLost,
    /// It does not come: it will.
    Lost,
    /// It does not come, and the shop gives up on it, if it tells of an order.
    GivenUp,
}

/// What the backend finds out by itself, where it was not told.
fn tells_of_an_order(delivery: &Delivery) -> bool {
    let topic = delivery.event.topic.as_str();
    topic.starts_with("orders/") || topic.starts_with("refunds/")
}

impl Act for Deliver {
    fn take(&self, world: &mut World) -> Outcome {
        let waiting = &mut world.here().waiting;
        if waiting.is_empty() {
            return Ok("none waits".into());
        }
        let delivery = waiting.remove(self.which % waiting.len());
        let topic = delivery.event.topic.clone();
        if self.fate == Fate::GivenUp && tells_of_an_order(&delivery) {
            world.here().given_up = true;
            return Ok(format!("{topic}, given up"));
        }
        let arrived = match self.fate {
            Fate::Lost | Fate::GivenUp => false,
            Fate::Well | Fate::AnswerLost => world.send(&delivery)?,
            Fate::Twice => world.send(&delivery)? && world.send(&delivery)?,
        };
        if !arrived || self.fate == Fate::AnswerLost {
            world.here().waiting.push(delivery);
        }
        Ok(format!("{topic}, {}", if arrived { "taken in" } else { "not answered" }))
    }
}

impl Act for DeliverAll {
    fn take(&self, world: &mut World) -> Outcome {
        let mut all = std::mem::take(&mut world.here().waiting);
        Rng::with_seed(self.seed).shuffle(&mut all);
        let mut sent = 0;
        for delivery in all {
            if world.send(&delivery)? {
                sent += 1;
            } else {
                world.here().waiting.push(delivery);
            }
        }
        Ok(format!("{sent} taken in"))
    }
}

impl Act for GiveUp {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let before = shop.waiting.len();
        shop.waiting.retain(|delivery| !tells_of_an_order(delivery));
        let given_up = before - shop.waiting.len();
        shop.given_up |= given_up > 0;
        Ok(format!("{given_up} given up"))
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl World {
    /// Sends all that waits in every shop.
    pub fn deliver_everything(&mut self, seed: u64) -> Result<(), Trouble> {
        let here = self.here;
        for at in 0..self.shops.len() {
            self.here = at;
            self.collect();
            DeliverAll { seed }.take(self)?;
        }
        self.here = here;
        Ok(())
    }

    /// Sends a webhook, and says whether it was answered well.
    fn send(&mut self, delivery: &Delivery) -> Result<bool, Trouble> {
        let mut request = Request::post(delivery.path.as_ref());
        for (name, value) in self.here().local.webhooks().headers(delivery) {
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
}

impl fmt::Display for Deliver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "webhook {} is delivered: {:?}", self.which, self.fate)
    }
}

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shop gives up on its webhooks about orders")
    }
}

impl fmt::Display for DeliverAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("all webhooks that wait are delivered, shuffled")
    }
}
