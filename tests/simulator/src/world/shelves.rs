//! Which collections and tags the backend has read, by its own word; what is in them the model takes from the shop.

use anyhow::{Context, Result, bail};
use loyalnest::db::Db;

use super::{Shop, Trouble, World};
use crate::model::earn::Things;
use crate::steps::TAGS;

/// The shelves that are kept, and when they were read.
const KEPT: &str = "select shelf, read_at from products_shelves where shop_id = $1";

impl World {
    /// Tells the models which shelves have been read, and which are not kept any more. Nothing has happened in the shops since.
    pub fn hear_of_shelves(&mut self) -> Result<()> {
        let Db::Sqlite { readers, .. } = self.process.app.db.clone() else { bail!("not on SQLite") };
        for shop in &mut self.shops {
            let kept: Vec<(String, i64)> = self
                .process
                .finish(async { Ok(sqlx::query_as(KEPT).bind(shop.id.0).fetch_all(&readers).await?) })?;
            let kept = kept.iter().map(|(name, read_at)| Ok((named(name)?, *read_at)));
            let kept: Vec<(Things, i64)> = kept.collect::<Result<_>>()?;
            shop.model.shelves.retain(|shelf| kept.iter().any(|(of, _)| *of == shelf.of));
            for (of, read_at) in kept {
                if shop.model.shelf(&of).is_none_or(|known| known.read_at < read_at) {
                    let products = shop.things_of(&of);
                    shop.model.shelf_read(of, products, read_at);
                }
            }
        }
        Ok(())
    }

    /// Every collection and tag that the rules name is known as it is.
    pub fn shelves_are_known(&self, at: usize) -> Result<(), Trouble> {
        let shop = &self.shops[at];
        for (of, _) in &shop.model.rules.earn.of_things {
            let (known, is) = (shop.model.shelf(of), shop.things_of(of));
            let mut known = known.map(|shelf| shelf.products.clone()).unwrap_or_default();
            known.sort_unstable();
            if !matches!(of, Things::Product(_)) && known != is {
                return Err(Trouble::Violation(format!("of {of:?} is known {known:?}, and it has {is:?}")));
            }
        }
        Ok(())
    }
}

impl Shop {
    /// The things that are there, by number.
    fn things_of(&self, of: &Things) -> Vec<u64> {
        let products = self.local.products();
        let theirs = products.iter().filter(|product| match of {
            Things::Product(id) => product.id == *id,
            Things::Collection(id) => product.collections.contains(id),
            Things::Tag(tag) => product.tags.iter().any(|one| one.eq_ignore_ascii_case(tag)),
        });
        let mut things: Vec<u64> = theirs.map(|product| product.id).collect();
        things.sort_unstable();
        things
    }
}

/// The shelf that the backend calls so.
fn named(name: &str) -> Result<Things> {
    let (kind, of) = name.split_once(':').context("a shelf has a kind")?;
    match (kind, TAGS.iter().find(|(tag, _)| *tag == of)) {
        ("collection", _) => Ok(Things::Collection(of.parse()?)),
        ("tag", Some((tag, _))) => Ok(Things::Tag(tag)),
        _ => bail!("nobody named the shelf {name}"),
    }
}
