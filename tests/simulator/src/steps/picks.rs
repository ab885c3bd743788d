//! What shoppers ask by their widgets: they pick, take back, and look.

use std::fmt;
use std::rc::Rc;

use anyhow::Context;
use axum::http::Method;
use fastrand::Rng;
use serde_json::json;

use super::backend::Turn;
use super::checkout::{Buy, Cart, GoThrough, Open};
use super::post::DeliverAll;
use super::settle::Wait;
use super::{Act, CUSTOMERS, Kind, one};
use crate::model::redemptions::{Gives, Offer};
use crate::process::Died;
use crate::world::{DOWN, FREE_DELIVERY, FREE_THING, Outcome, POUND_OFF, TENTH_OFF, Trouble, World};

pub const KINDS: &[Kind] = &[
    (9, |rng| {
        let (who, device) = (rng.usize(0..CUSTOMERS), rng.usize(0..2));
        one(Pick::draw(rng, who, device))
    }),
    (2, |rng| one(TakeBack { who: rng.usize(0..CUSTOMERS) })),
    (1, |rng| one(Visit { who: rng.usize(0..CUSTOMERS) })),
    (4, redemption),
];

/// A customer picks a reward on one of their devices, to pay in pounds or in euros.
pub struct Pick {
    pub who: usize,
    pub device: usize,
    pub wish: Wish,
    pub euros: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum Wish {
    /// So many pounds off, or so many times what is offered for a pound.
    Pounds(i64),
    TenthOff,
    FreeDelivery,
    FreeThing,
}

/// A customer takes back what they picked.
struct TakeBack {
    who: usize,
}

/// A widget shows what the member has; the pick that stands lives on.
struct Visit {
    who: usize,
}

/// A customer picks something and buys with it, on one device or on two, while the backend does some of its work.
fn redemption(rng: &mut Rng) -> Vec<Rc<dyn Act>> {
    let who = rng.usize(0..CUSTOMERS);
    let mut steps: Vec<Rc<dyn Act>> = vec![Rc::new(Pick::draw(rng, who, 0))];
    if rng.bool() {
        // The same pick, or another one, on the other device.
        steps.push(if rng.bool() { Rc::new(Visit { who }) } else { Rc::new(Pick::draw(rng, who, 1)) });
        steps.push(Rc::new(Open { who, device: rng.usize(0..2), cart: Cart::draw(rng) }));
    }
    if rng.u32(0..4) == 0 {
        steps.push(Rc::new(Wait { minutes: rng.i64(1..120) }));
        steps.push(Rc::new(Turn::Advance));
        steps.push(Rc::new(Turn::Publish));
    }
    steps.push(Rc::new(Buy { who, ..Buy::draw(rng) }));
    steps.push(Rc::new(GoThrough { who, device: rng.usize(0..2) }));
    for _ in 0..rng.usize(0..4) {
        steps.push(match rng.u32(0..4) {
            0 => Rc::new(Turn::Publish),
            1 => Rc::new(DeliverAll { seed: rng.u64(..) }),
            2 => Rc::new(Buy { who, ..Buy::draw(rng) }),
            _ => Rc::new(Turn::Work),
        });
    }
    steps
}

impl Pick {
    pub fn draw(rng: &mut Rng, who: usize, device: usize) -> Pick {
        let wish = match rng.u32(0..8) {
            0 => Wish::TenthOff,
            1 => Wish::FreeDelivery,
            2 => Wish::FreeThing,
            _ => Wish::Pounds(rng.i64(1..8)),
        };
        Pick { who, device, wish, euros: rng.u32(0..6) == 0 }
    }

    fn offer(&self) -> Offer {
        let in_euros = |minor: i64| if self.euros { minor + minor / 5 } else { minor };
        let (reward, points, gives) = match self.wish {
            Wish::Pounds(steps) => ("points", steps * POUND_OFF, Gives::Off(in_euros(steps * 100))),
            Wish::TenthOff => ("tenth-off", TENTH_OFF, Gives::Tenth(in_euros(2_000))),
            Wish::FreeDelivery => ("free-delivery", FREE_DELIVERY, Gives::Whole),
            Wish::FreeThing => ("free-thing", FREE_THING, Gives::Whole),
        };
        Offer { reward, points, gives, currency: if self.euros { "EUR" } else { "GBP" } }
    }
}

impl Act for Pick {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let who = self.who % shop.customers.len();
        let (customer, offer) = (shop.customers[who], self.offer());
        let before = shop.model.is_changed_by_a_visit(customer).then(|| shop.model.clone());
        shop.model.signed_in(customer);
        let expected = shop.model.may_pick(customer, &offer);
        let points = matches!(self.wish, Wish::Pounds(_)).then_some(offer.points);
        let body = json!({"reward": offer.reward, "points": points, "currency": offer.currency});
        let asked_at = world.now();
        let asked = world.storefront(Method::POST, "/proxy/redemptions", customer, Some(&body))?;
        let said = match asked {
            Err(Died) => {
                // Nobody heard what came of it: either nothing, or what was asked for.
                if let Some(before) = before {
                    world.here().model = before;
                    world.adopt_sign_in(customer, asked_at)?;
                }
                if expected.is_ok() {
                    world.adopt_pick(customer, &offer, asked_at)?;
                }
                world.pass(DOWN);
                "died in it".into()
            }
            Ok((200 | 202, answer)) => {
                if let Err(code) = expected {
                    return Err(Trouble::Disagreement(format!("the pick stands; by the model it is {code}")));
                }
                let id = answer["id"].as_str().context("a pick has a number")?;
                let shop = world.here();
                shop.model.as_of(asked_at, |model| model.picked(customer, &offer, id));
                match answer["mark"].as_str() {
                    Some(mark) => {
                        shop.marks.insert((who, self.device), mark.to_owned());
                        "live"
                    }
                    None => "not shown yet",
                }
                .into()
            }
            Ok((status, answer)) => {
                let code = answer["code"].as_str().unwrap_or_default();
                if expected != Err(code) {
                    let text = format!("the pick is {status} {code}; by the model it is {expected:?}");
                    return Err(Trouble::Disagreement(text));
                }
                code.to_owned()
            }
        };
        world.observe()?;
        Ok(said)
    }
}

impl Act for TakeBack {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let who = self.who % shop.customers.len();
        let customer = shop.customers[who];
        let member = shop.model.find_member(customer);
        let Some(id) = member.and_then(|member| shop.model.standing(member)).map(|hold| hold.id.clone())
        else {
            return Ok("nothing is picked".into());
        };
        shop.marks.retain(|(whose, _), _| *whose != who);
        let path = format!("/proxy/redemptions/{id}");
        match world.storefront(Method::DELETE, &path, customer, None)? {
            Err(Died) => {
                world.pass(DOWN);
                let again = world.storefront(Method::DELETE, &path, customer, None)?;
                again.map_err(|Died| Trouble::Violation("it died without a cause".into()))?;
            }
            Ok((200, _)) => {}
            Ok((status, answer)) => {
                let text = format!("taking back a pick is {status} {}", answer["code"]);
                return Err(Trouble::Disagreement(text));
            }
        }
        world.here().model.cancelled(&id);
        world.observe()?;
        Ok(String::new())
    }
}

impl Act for Visit {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let customer = shop.customers[self.who % shop.customers.len()];
        let asked_at = world.now();
        let Ok((status, account)) = world.storefront(Method::GET, "/proxy/account", customer, None)? else {
            world.adopt_sign_in(customer, asked_at)?;
            world.adopt_renewal(customer, asked_at)?;
            world.pass(DOWN);
            return Ok("died in it".into());
        };
        world.here().model.as_of(asked_at, |model| model.signed_in(customer));
        let number = |name: &str| account[name].as_i64();
        let shown = (number("points"), number("pending"), number("held"));
        let (points, pending, held) = world.here().model.balance(customer);
        if (status, shown) != (200, (Some(points), Some(pending), Some(held))) {
            let text =
                format!("a widget shows {shown:?} ({status}); by the model {:?}", (points, pending, held));
            return Err(Trouble::Disagreement(text));
        }
        world.here().model.as_of(asked_at, |model| model.visited(customer));
        Ok(format!("{points} points"))
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pick { who, device, wish, euros } = self;
        let currency = if *euros { "euros" } else { "pounds" };
        write!(f, "customer {who} picks {wish:?} in {currency} on device {device}")
    }
}

impl fmt::Display for TakeBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {} takes the pick back", self.who)
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {} visits a widget", self.who)
    }
}
