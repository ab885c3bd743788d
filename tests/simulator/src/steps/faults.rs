//! What Shopify answers badly, or late.

use std::fmt;

use devshop::{AdminFault, AdminFaultKind};

use super::{Act, Kind, Touches, one};
use crate::world::{Outcome, World};

pub const KINDS: &[Kind] = &[(3, |rng| {
    one(match rng.u32(0..5) {
        0 => Fault::Before,
        1 => Fault::After,
        2 => Fault::Throttled,
        3 => Fault::TooMany,
        _ => Fault::Slow { seconds: rng.i64(1..30) },
    })
})];

/// What becomes of the next request to Shopify.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It fails, and nothing happened.
    Before,
    /// All happened, and the answer is lost.
    After,
    /// The shop's bucket is said to be empty.
    Throttled,
    /// As somebody between says it: 429, and no GraphQL.
    TooMany,
    /// The answer takes its time.
    Slow { seconds: i64 },
}

impl Act for Fault {
    fn take(&self, world: &mut World) -> Outcome {
        let fault = match *self {
            Fault::Before => AdminFault::before(AdminFaultKind::Status(503)),
            Fault::After => AdminFault::after(AdminFaultKind::Status(502)),
            Fault::Throttled => AdminFault::before(AdminFaultKind::Throttled),
            Fault::TooMany => AdminFault::before(AdminFaultKind::Status(429)),
            Fault::Slow { seconds } => {
                world.line.slow_down(seconds);
                return Ok(String::new());
            }
        };
        world.here().local.fail_admin([fault]);
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the next request to Shopify: {self:?}")
    }
}
