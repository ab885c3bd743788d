//! The merchant takes the app out of the shop, and installs it again: in time, so that all is as it was, or after
//! everything of the shop was erased.

use std::fmt;

use anyhow::Context;
use jiff::SignedDuration;
use loyalnest::db::Db;

use super::post::DeliverAll;
use super::settle::Settle;
use super::{Act, Kind, Touches, one};
use crate::world::{Outcome, Trouble, World};

pub const KINDS: &[Kind] = &[(1, |rng| match rng.u32(0..4) {
    0 => one(Leave { for_good: rng.bool() }),
    _ => Vec::new(),
})];

/// What is left of a shop that was erased.
const LEFT: &str = "select (select count(*) from points_entries where shop_id = $1)
    + (select count(*) from points_accounts where shop_id = $1) + (select count(*) from orders_orders where shop_id = $1)
    + (select count(*) from customers_members where shop_id = $1)";

/// The app is uninstalled, and installed again.
struct Leave {
    for_good: bool,
}

impl Act for Leave {
    fn take(&self, world: &mut World) -> Outcome {
        Settle.take(world)?;
        // Shopify tells times in whole seconds.
        world.pass(SignedDuration::from_secs(1));
        world.here().local.uninstall_app();
        hear(world)?;
        if !self.for_good {
            world.pass(SignedDuration::from_hours(3));
            world.reinstall()?;
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
        world.reinstall()?;
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

impl fmt::Display for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let erased = if self.for_good { ", and all of it erased" } else { "" };
        write!(f, "the app is uninstalled{erased}")
    }
}
