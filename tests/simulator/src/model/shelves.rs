//! What is known of the collections and tags that rules name: which things are in them, as they were read last and as was told
//! since.

use super::Model;
use super::earn::Things;

/// The things of a collection, or with a tag.
#[derive(Debug, Clone)]
pub struct Shelf {
    pub of: Things,
    pub read_at: i64,
    pub products: Vec<u64>,
}

impl Model {
    pub fn shelf(&self, of: &Things) -> Option<&Shelf> {
        self.shelves.iter().find(|shelf| shelf.of == *of)
    }

    /// The backend has read what is on a shelf.
    pub fn shelf_read(&mut self, of: Things, products: Vec<u64>, read_at: i64) {
        self.shelves.retain(|shelf| shelf.of != of);
        self.shelves.push(Shelf { of, read_at, products });
    }

    /// The shop tells of a thing, and which tags it has. Collections are read again.
    pub fn told_product(&mut self, product: u64, updated_at: i64, tags: &[String]) {
        let known = self.products.iter_mut().find(|known| known.0 == product);
        match known {
            Some(known) if known.1 >= updated_at => return,
            Some(known) => known.1 = updated_at,
            None => self.products.push((product, updated_at)),
        }
        for shelf in &mut self.shelves {
            let Things::Tag(tag) = shelf.of else { continue };
            shelf.products.retain(|known| *known != product);
            if tags.iter().any(|one| one.eq_ignore_ascii_case(tag)) {
                shelf.products.push(product);
            }
        }
    }

    /// Where a thing is known to be.
    pub fn shelves_of(&self, product: u64) -> Vec<Things> {
        let theirs = self.shelves.iter().filter(|shelf| shelf.products.contains(&product));
        theirs.map(|shelf| shelf.of.clone()).collect()
    }
}
