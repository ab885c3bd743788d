//! Time, rest, and a ledger that is spoilt to prove that it is found.

use std::fmt;

use jiff::SignedDuration;
use loyalnest::db;

use super::{Act, Touches};
use crate::world::{Outcome, Trouble, World};

/// How often is looked whether everything has come to rest, and how long is waited in between: as long as a failed
/// message waits in the end.
const LOOKS: u32 = 12;
const BETWEEN: SignedDuration = SignedDuration::from_mins(20);

/// Time passes.
pub struct Wait {
    /// So much.
    pub minutes: i64,
}

/// Nothing goes wrong any more, and everything comes to rest: all webhooks arrive that were not given up, all of them are acted
/// upon, what nobody was told of is looked for, every metafield is written. Then the invariants hold, every order of a customer
/// is booked, and metafields show the ledger.
pub struct Settle;

/// Somebody gives everyone a point behind the ledger's back. Never drawn: it proves that a wrong ledger is found.
pub struct Spoil;

impl Act for Wait {
    fn take(&self, world: &mut World) -> Outcome {
        world.pass(SignedDuration::from_mins(self.minutes));
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Act for Settle {
    fn take(&self, world: &mut World) -> Outcome {
        world.line.slow_down(0);
        world.shops.iter().for_each(|shop| shop.local.heal_admin());
        world.shops.iter().for_each(|shop| shop.local.release_bulk());
        // What is new may be on its way, and is not looked for.
        if world.shops.iter().any(|shop| shop.given_up || shop.was_out) {
            world.pass(BETWEEN);
        }
        for look in 0..if world.shops.iter().any(|shop| shop.was_out) { 3 * LOOKS } else { LOOKS } {
            world.deliver_everything(u64::from(look))?;
            world.work()?;
            if look == 0 {
                world.come_back()?;
                world.look_for_missed()?;
            }
            world.advance()?;
            world.chores()?;
            world.publish()?;
            world.tell()?;
            if world.rests()? {
                for at in 0..world.shops.len() {
                    world.is_sound(at)?;
                    world.shops[at].was_out = world.shops[at].is_out;
                    // Of what was given up while the app is out, it hears when it comes back.
                    world.shops[at].given_up &= world.shops[at].is_out;
                }
                return Ok(format!("after {look} looks, {}", world.totals()));
            }
            world.pass(BETWEEN);
        }
        Err(Trouble::Violation("it does not come to rest".into()))
    }

    fn touches(&self) -> Touches {
        Touches::EveryShop
    }
}

impl Act for Spoil {
    fn touches(&self) -> Touches {
        Touches::EveryShop
    }

    fn take(&self, world: &mut World) -> Outcome {
        let (db, shops) = (world.process.app.db.clone(), world.shops.iter().map(|shop| shop.id));
        let shops: Vec<_> = shops.collect();
        let spoilt: u64 = world.process.finish(async move {
            let mut spoilt = 0;
            for shop in shops {
                let mut tx = db.begin(shop).await?;
                spoilt += db!(
                    tx.execute,
                    "update points_accounts set available = available + 1 where shop_id = $1",
                    shop
                )?;
                tx.commit().await?;
            }
            Ok(spoilt)
        })?;
        Ok(format!("{spoilt} accounts"))
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} minutes pass", self.minutes)
    }
}

impl fmt::Display for Settle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("everything comes to rest")
    }
}

impl fmt::Display for Spoil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ledger is spoilt")
    }
}
