//! What is on the shop's shelves: things get other tags, and come into collections or out of them.

use std::fmt;

use fastrand::Rng;

use super::{Act, Kind, PRODUCTS, Touches, one};
use crate::world::{Outcome, World};

/// Shopify's numbers of the collections there are.
pub const COLLECTIONS: [u64; 2] = [501, 502];
/// The tags there are: as the merchant's rules name them, and as things bear them.
pub const TAGS: [(&str, &str); 2] = [("sale", "Sale"), ("new in", "NEW In")];

pub const KINDS: &[Kind] = &[
    (1, |rng| one(Collect { collection: rng.usize(0..COLLECTIONS.len()), things: some(rng) })),
    (1, |rng| one(Tag { thing: rng.usize(0..PRODUCTS), tags: tags(rng) })),
];

/// These things are in a collection, and no others. One with nothing in it is gone.
struct Collect {
    collection: usize,
    things: Vec<usize>,
}

/// A thing has these tags.
struct Tag {
    thing: usize,
    tags: Vec<String>,
}

/// Some of the things there are.
fn some(rng: &mut Rng) -> Vec<usize> {
    (0..PRODUCTS).filter(|_| rng.bool()).collect()
}

/// Some of the tags there are, and one that no rule names.
pub fn tags(rng: &mut Rng) -> Vec<String> {
    let known = TAGS.iter().map(|(_, tag)| *tag);
    known.chain(["Sale rack"]).filter(|_| rng.bool()).map(str::to_owned).collect()
}

/// Some of the collections there are.
pub fn collections(rng: &mut Rng) -> Vec<u64> {
    COLLECTIONS.into_iter().filter(|_| rng.bool()).collect()
}

impl Act for Collect {
    fn take(&self, world: &mut World) -> Outcome {
        let (shop, collection) = (world.here(), COLLECTIONS[self.collection]);
        if self.things.is_empty() {
            shop.local.delete_collection(collection);
            return Ok("it is gone".into());
        }
        let products: Vec<u64> = self.things.iter().map(|thing| shop.products[*thing]).collect();
        shop.local.set_collection(collection, &products);
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Act for Tag {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let change = |product: &mut devshop::Product| product.tags = self.tags.clone();
        shop.local.update_product(shop.products[self.thing], change).map_err(anyhow::Error::from)?;
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl fmt::Display for Collect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "collection {} has things {:?}", self.collection, self.things)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thing {} has tags {:?}", self.thing, self.tags)
    }
}
