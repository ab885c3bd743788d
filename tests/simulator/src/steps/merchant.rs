//! The merchant takes the app out of the shop, and installs it again: in time, so that all is as it was, or after
//! everything of the shop was erased.

use std::fmt;
use std::rc::Rc;

use anyhow::Context;
use fastrand::Rng;
use jiff::SignedDuration;
use loyalnest::db::Db;

use super::backend::Turn;
use super::checkout::Buy;
use super::post::DeliverAll;
use super::settle::{Settle, Wait};
use super::{Act, Kind, Touches, one, people};
use crate::world::{Outcome, Trouble, World};

pub const KINDS: &[Kind] = &[(2, |rng| match rng.u32(0..8) {
    0 => one(Leave { for_good: rng.bool() }),
    1 => one(TakeOut),
    2..=4 => one(Open),
    5 => come_and_go(rng),
    _ => Vec::new(),
})];

/// The app is taken out and installed again, and some of what was under way goes on meanwhile.
fn come_and_go(rng: &mut Rng) -> Vec<Rc<dyn Act>> {
    let mut steps: Vec<Rc<dyn Act>> = vec![Rc::new(TakeOut)];
    for _ in 0..rng.usize(0..5) {
        steps.push(match rng.u32(0..8) {
            0 => Rc::new(Turn::Publish),
            1 => Rc::new(Turn::Work),
            2 => Rc::new(Turn::Chores),
            3 => Rc::new(DeliverAll { seed: rng.u64(..) }),
            4 => Rc::new(Buy::draw(rng)),
            5 | 6 => people::account(rng),
            _ => Rc::new(Wait { minutes: rng.i64(1..300) }),
        });
    }
    steps.push(Rc::new(Open));
    // What happened meanwhile is in the files that are read now.
    for _ in 0..rng.usize(0..4) {
        steps.push(Rc::new(Turn::Chores));
        steps.push(Rc::new(Wait { minutes: rng.i64(1..20) }));
    }
    steps
}

/// What is left of a shop that was erased.
const LEFT: &str = "select (select count(*) from points_entries where shop_id = $1)
    + (select count(*) from points_accounts where shop_id = $1) + (select count(*) from orders_orders where shop_id = $1)
    + (select count(*) from customers_members where shop_id = $1)";

/// The app is uninstalled, whatever is under way: webhooks, redemptions, what tills remember.
struct TakeOut;

/// The app is installed again if it is not there, and opened.
struct Open;

/// The app is uninstalled, and installed again, when nothing is under way.
struct Leave {
    for_good: bool,
}

impl Act for TakeOut {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        if shop.is_out {
            return Ok("it is out".into());
        }
        (shop.is_out, shop.was_out) = (true, true);
        // What it has not found out by now is from before the app, when that comes back.
        if shop.given_up {
            let lost: Vec<u64> =
                shop.orders.iter().copied().filter(|order| !shop.is_known_as_it_is(*order)).collect();
            shop.untold.extend(lost);
        }
        shop.local.withdraw("points-redemption");
        shop.local.uninstall_app();
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Act for Open {
    fn take(&self, world: &mut World) -> Outcome {
        // What has happened without the app, it is not told.
        world.collect();
        let function = world.function.clone();
        let shop = world.here();
        let was_out = std::mem::take(&mut shop.is_out);
        if was_out {
            shop.local.install_app();
            shop.local.install(function);
        }
        let is_in = world.open_app()?;
        let outcome = if was_out { "it comes back" } else { "it is there" };
        Ok(format!("{outcome}{}", if is_in { "" } else { ", and Shopify does not let them in" }))
    }
}

impl Act for Leave {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        Settle.take(world)?;
        // Shopify tells times in whole seconds.
        world.pass(SignedDuration::from_secs(1));
        TakeOut.take(world)?;
        hear(world)?;
        if !self.for_good {
            world.pass(SignedDuration::from_hours(3));
            Open.take(world)?;
            return Ok("and comes back".into());
        }
        world.pass(SignedDuration::from_hours(48));
        world.here().local.redact_shop();
        hear(world)?;
        world.chores()?;
        let gone = world.here().id;
        let Db::Sqlite { readers, .. } = world.process.app.db.clone() else {
            return Err(anyhow::anyhow!("not on SQLite").into());
        };
        let left: i64 = world.process.finish(async move {
            sqlx::query_scalar(LEFT).bind(gone.0).fetch_one(&readers).await.context("what is left")
        })?;
        if left != 0 {
            return Err(Trouble::Violation(format!("{left} rows of a shop are left that was to be erased")));
        }
        world.here().forget();
        Open.take(world)?;
        world.set_rules()?;
        Ok("and comes back as another".into())
    }

    fn touches(&self) -> Touches {
        Touches::EveryShop
    }
}

/// The backend hears of it.
fn hear(world: &mut World) -> Result<(), Trouble> {
    world.collect();
    DeliverAll { seed: 0 }.take(world)?;
    world.work()?;
    Ok(())
}

impl fmt::Display for TakeOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the app is taken out")
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the merchant opens the app")
    }
}

impl fmt::Display for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let erased = if self.for_good { ", and all of it erased" } else { "" };
        write!(f, "the app is uninstalled{erased}")
    }
}
