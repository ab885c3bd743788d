//! The shop's customers and orders are read, by files that Shopify makes.

use std::fmt;
use std::rc::Rc;

use devshop::BulkFaults;
use loyalnest::history;

use super::backend::Turn;
use super::settle::Wait;
use super::{Act, Kind, Touches, one};
use crate::world::{Outcome, World};

pub const KINDS: &[Kind] = &[
    (2, |rng| {
        let mut steps: Vec<Rc<dyn Act>> = vec![Rc::new(Read)];
        // Shopify is asked to begin; its file is read once it is known to have ended.
        for _ in 0..rng.usize(0..4) {
            steps.push(Rc::new(Turn::Chores));
            steps.push(Rc::new(Wait { minutes: rng.i64(1..20) }));
        }
        steps
    }),
    (1, |rng| {
        let faults = BulkFaults {
            held: rng.bool(),
            silent: rng.bool(),
            reversed: rng.bool(),
            no_ranges: rng.bool(),
            gzip: rng.bool(),
            ..BulkFaults::default()
        };
        one(Files { faults })
    }),
];

/// Staff have both read, as the backend does by itself once the app was installed.
struct Read;

/// How files are from now on; those that are held end once others are not.
struct Files {
    faults: BulkFaults,
}

impl Act for Read {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here().id;
        let (asked, died) = world.backend_again(async |app| {
            let mut tx = app.db.begin(shop).await?;
            let asked = history::ask(&mut tx, shop, app.clock.now()).await?;
            tx.commit().await?;
            Ok(asked)
        })?;
        let new = asked.iter().filter(|asked| asked.new).count();
        Ok(format!("{new} files are to be made{died}"))
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Act for Files {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = &world.here().local;
        shop.set_bulk_faults(self.faults.clone());
        if !self.faults.held {
            shop.release_bulk();
        }
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("customers and orders are to be read")
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BulkFaults { held, silent, reversed, no_ranges, gzip, .. } = self.faults;
        let all = [
            (held, "are held"),
            (silent, "nobody tells of their end"),
            (reversed, "are reversed"),
            (no_ranges, "come whole"),
            (gzip, "come packed"),
        ];
        let what: Vec<&str> = all.into_iter().filter_map(|(is, what)| is.then_some(what)).collect();
        write!(f, "files of bulk operations: {}", what.join(", "))
    }
}
