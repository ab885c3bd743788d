//! Who sends whom: codes are asked for and told, and staff decide about what they are to look at.

use std::fmt;
use std::rc::Rc;

use axum::http::{Method, Request};
use devshop::Surface;
use fastrand::Rng;
use serde_json::json;

use super::backend::Turn;
use super::checkout::Buy;
use super::people::Arrive;
use super::post::DeliverAll;
use super::rules::{Change, Set, referring};
use super::settle::Wait;
use super::staff::OWNER;
use super::{Act, CUSTOMERS, Kind, MANY, one};
use crate::process::Died;
use crate::world::{DOWN, Outcome, Shop, Trouble, World};

pub const KINDS: &[Kind] = &[
    (1, |rng| one(AskForCode { who: rng.usize(0..CUSTOMERS) })),
    (1, |rng| one(SayWho::draw(rng))),
    (4, referral),
    (1, |rng| one(Decide { which: rng.usize(0..MANY), counts: rng.bool() })),
];

/// A customer looks at what they may hand on.
struct AskForCode {
    who: usize,
}

/// A customer says by whose code they came, counted from the last that was handed on.
pub struct SayWho {
    who: usize,
    code: usize,
}

/// Staff say that a referral counts, or that it does not.
struct Decide {
    which: usize,
    counts: bool,
}

impl SayWho {
    pub fn draw(rng: &mut Rng) -> SayWho {
        SayWho { who: rng.usize(0..CUSTOMERS), code: rng.usize(0..MANY) }
    }
}

/// An advocate hands a code on; a friend says so, or comes by the link, and buys, while the backend does some of its work.
fn referral(rng: &mut Rng) -> Vec<Rc<dyn Act>> {
    let (advocate, friend) = (rng.usize(0..CUSTOMERS), rng.usize(0..CUSTOMERS));
    let mut steps: Vec<Rc<dyn Act>> = Vec::new();
    if rng.u32(0..3) == 0 {
        steps.push(Rc::new(Set(Change::Referring(Some(referring(rng))))));
    }
    if rng.bool() {
        steps.push(Rc::new(Arrive { is_guest: rng.bool() }));
    }
    steps.push(Rc::new(AskForCode { who: advocate }));
    if rng.bool() {
        steps.push(Rc::new(SayWho { who: friend, code: 0 }));
    }
    let link = rng.bool().then_some(0);
    steps.push(Rc::new(Buy { who: friend, ..Buy::draw(rng) }.by_link(link)));
    for _ in 0..rng.usize(0..6) {
        steps.push(match rng.u32(0..6) {
            0 => Rc::new(DeliverAll { seed: rng.u64(..) }),
            1 => Rc::new(Turn::Chores),
            2 => Rc::new(Wait { minutes: rng.i64(1..8 * 60) }),
            3 => Rc::new(Buy { who: friend, ..Buy::draw(rng) }),
            _ => Rc::new(Turn::Work),
        });
    }
    steps
}

fn died(_: Died) -> Trouble {
    Trouble::Violation("it died without a cause".into())
}

impl Act for AskForCode {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let customer = shop.customers[self.who % shop.customers.len()];
        let (status, answer) =
            world.storefront(Method::GET, "/proxy/referral", customer, None)?.map_err(died)?;
        let shop = world.here();
        if shop.model.rules.referring.is_none() {
            return match answer["code"] == "no_referrals" {
                true => Ok("there are none".into()),
                false => Err(Trouble::Disagreement(format!("a code without referrals: {answer}"))),
            };
        }
        let Some(code) = answer["code"].as_str().filter(|_| status == 200) else {
            return Err(Trouble::Disagreement(format!("a code is {status} {answer}")));
        };
        if !shop.model.has_code(customer, code) {
            return Err(Trouble::Disagreement("the code is another's".into()));
        }
        shop.model.signed_in(customer);
        // By its number: codes are drawn anew in every run.
        let known = shop.codes.iter().position(|known| known == code);
        if known.is_none() {
            shop.codes.push(code.to_owned());
        }
        Ok(format!("code {}", known.unwrap_or(shop.codes.len() - 1)))
    }
}

impl Act for SayWho {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let customer = shop.customers[self.who % shop.customers.len()];
        let Some(code) = shop.handed_on(self.code).cloned() else { return Ok("there is no code".into()) };
        let (asked_at, body) = (world.now(), json!({"code": code}));
        let Ok((status, answer)) =
            world.storefront(Method::POST, "/proxy/referrals", customer, Some(&body))?
        else {
            // Nobody heard what came of it: either nothing, or what was said.
            let ledger = world.ledger(world.here)?;
            if ledger.members.iter().any(|known| known.customer() == customer) {
                world.here().model.member_of(customer);
            }
            world.adopt_sign_in(customer, asked_at)?;
            if ledger.referrals.iter().any(|sent| sent.0 == asked_at) {
                let model = &mut world.here().model;
                model.as_of(asked_at, |model| _ = model.says_who_sent_them(customer, &code, false));
            }
            world.pass(DOWN);
            return Ok("died in it".into());
        };
        let shop = world.here();
        let said = answer["code"].as_str().or(answer["state"].as_str()).unwrap_or_default();
        let was_none = said == "not_new" && shop.has_history();
        let expected = shop.model.says_who_sent_them(customer, &code, was_none);
        shop.model.signed_in(customer);
        match expected {
            Ok(state) if status == 200 && state.name() == said => Ok(said.to_owned()),
            Err(code) if code == said => Ok(said.to_owned()),
            expected => {
                let text = format!("saying who sent them is {status} {said}; by the model {expected:?}");
                Err(Trouble::Disagreement(text))
            }
        }
    }
}

impl Act for Decide {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        if !world.staff_get_in()? {
            return Ok("Shopify does not let them in".into());
        }
        let token = world.here().local.session_token(Surface::Admin(OWNER));
        let ask = |world: &mut World, method: Method, path: String| {
            let request = Request::builder().method(method).uri(path);
            let request = request.header("authorization", format!("Bearer {token}"));
            world.ask(request, None)?.map_err(died)
        };
        let (_, listed) = ask(world, Method::GET, "/api/referrals".into())?;
        let listed = listed["referrals"].as_array().cloned().unwrap_or_default();
        let Some(at) = self.which.checked_rem(listed.len()) else { return Ok("there is none".into()) };
        let (id, was) = (listed[at]["id"].as_str().unwrap_or_default(), &listed[at]["state"]);
        let sent_at = listed[at]["sent_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let sent_at = sent_at.map(jiff::Timestamp::as_microsecond);
        let model = &mut world.here().model;
        let is_it = |known: &&usize| {
            let known = &model.referrals[**known];
            Some(known.sent_at) == sent_at && known.state.name() == was
        };
        let all: Vec<usize> = (0..model.referrals.len()).collect();
        let Some(known) = all.iter().find(is_it).copied() else {
            return Err(Trouble::Disagreement(format!("the model does not know of {}", listed[at])));
        };
        let expected = model.decide(known, self.counts);
        let what = if self.counts { "approve" } else { "refuse" };
        let (status, answer) = ask(world, Method::POST, format!("/api/referrals/{id}/{what}"))?;
        let state = world.here().model.referrals[known].state.name();
        match expected {
            Ok(()) if status == 200 && answer["state"] == state => Ok(format!("{was} to {state}")),
            Err(code) if answer["code"] == code => Ok(code.into()),
            expected => {
                let text = format!("the decision is {status} {answer}; by the model {expected:?}, {state}");
                Err(Trouble::Disagreement(text))
            }
        }
    }
}

impl Shop {
    /// A code that was handed on, counted from the last.
    pub fn handed_on(&self, which: usize) -> Option<&String> {
        let back = which.checked_rem(self.codes.len())?;
        self.codes.iter().rev().nth(back)
    }
}

impl fmt::Display for AskForCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {} looks at what they may hand on", self.who)
    }
}

impl fmt::Display for SayWho {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {} says that they came by code {}", self.who, self.code)
    }
}

impl fmt::Display for Decide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = if self.counts { "counts" } else { "gives nothing" };
        write!(f, "staff say that referral {} {counts}", self.which)
    }
}
