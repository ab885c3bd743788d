//! What staff do by hand: they give points or take them, and say who belongs to which tier.

use std::fmt;

use axum::http::Request;
use devshop::Surface;
use serde_json::json;

use super::{Act, CUSTOMERS, Kind, one};
use crate::model::TIERS;
use crate::process::Died;
use crate::world::{DOWN, Outcome, Trouble, World};

/// The shop's owner.
pub const OWNER: u64 = 42;

pub const KINDS: &[Kind] = &[
    (3, |rng| {
        let points = rng.i64(1..400) * if rng.u32(0..3) == 0 { -1 } else { 1 };
        one(Adjust { who: rng.usize(0..CUSTOMERS), points, twice: rng.bool() })
    }),
    (2, |rng| one(Assign { who: rng.usize(0..CUSTOMERS), tier: rng.usize(0..3) })),
];

/// Staff adjust points; asked again under the same name, it is the same.
struct Adjust {
    who: usize,
    points: i64,
    twice: bool,
}

/// Staff say to which tier a customer belongs; the third is none.
struct Assign {
    who: usize,
    tier: usize,
}

impl Act for Adjust {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        if !world.staff_get_in()? {
            return Ok("Shopify does not let them in".into());
        }
        let (points, key) = (self.points, world.name("adjustment"));
        let shop = world.here();
        let customer = shop.customers[self.who % shop.customers.len()];
        let token = shop.local.session_token(Surface::Admin(OWNER));
        let body = json!({"points": points, "reason": "goodwill"});
        let ask = |world: &mut World| {
            let request = Request::post(format!("/api/members/{customer}/adjustments"))
                .header("authorization", format!("Bearer {token}"))
                .header("idempotency-key", &key);
            world.ask(request, Some(&body))
        };
        let mut answers = Vec::new();
        for _ in 0..if self.twice { 2 } else { 1 } {
            match ask(world)? {
                Ok(answer) => answers.push(answer),
                Err(Died) => {
                    world.pass(DOWN);
                    let again = ask(world)?;
                    answers.push(again.map_err(|Died| Trouble::Violation("it died without a cause".into()))?);
                }
            }
        }
        let (status, answer) = &answers[0];
        let code = answer["code"].as_str().unwrap_or_default();
        let model = &mut world.here().model;
        let expected = model.adjust(customer, points);
        let (available, _, _) = model.balance(customer);
        let agrees = match expected {
            Ok(()) => *status == 200 && answer["available"] == available,
            Err(expected) => code == expected,
        };
        if !agrees || answers.iter().any(|other| other != &answers[0]) {
            let text =
                format!("adjustments are {answers:?}; by the model {expected:?} with {available} points");
            return Err(Trouble::Disagreement(text));
        }
        Ok(code.to_owned())
    }
}

impl Act for Assign {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        if !world.staff_get_in()? {
            return Ok("Shopify does not let them in".into());
        }
        let tier = TIERS.get(self.tier).copied();
        let shop = world.here();
        let customer = shop.customers[self.who % shop.customers.len()];
        let expected = shop.model.assign(customer, tier);
        let token = shop.local.session_token(Surface::Admin(OWNER));
        let body = json!({"tier": tier});
        let ask = |world: &mut World| {
            let request = Request::put(format!("/api/members/{customer}/tier"))
                .header("authorization", format!("Bearer {token}"));
            world.ask(request, Some(&body))
        };
        let mut answered = ask(world)?;
        if answered.is_err() {
            world.pass(DOWN);
            answered = ask(world)?;
        }
        let (status, answer) =
            answered.map_err(|Died| Trouble::Violation("it died without a cause".into()))?;
        let code = answer["code"].as_str().unwrap_or_default();
        match expected {
            Ok(()) if status == 200 => Ok(String::new()),
            Err(expected) if code == expected => Ok(code.to_owned()),
            _ => Err(Trouble::Disagreement(format!("a tier is {status} {code}; by the model {expected:?}"))),
        }
    }
}

impl fmt::Display for Adjust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let twice = if self.twice { ", asked twice" } else { "" };
        write!(f, "staff adjust customer {} by {}{twice}", self.who, self.points)
    }
}

impl fmt::Display for Assign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tier = TIERS.get(self.tier).unwrap_or(&"no");
        write!(f, "staff give customer {} {tier} tier", self.who)
    }
}
