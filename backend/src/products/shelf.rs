//! The name of a shelf.

use std::fmt;

/// A collection or a tag that earning rules name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shelf {
    /// Shopify's id of a collection.
    Collection(i64),
    /// A tag in lower case: Shopify's do not differ by case.
    Tag(String),
}

impl Shelf {
    /// The shelf of a tag, as a merchant wrote it.
    pub fn tag(tag: &str) -> Shelf {
        Shelf::Tag(tag.to_lowercase())
    }

    /// Reads a name.
    pub fn read(name: &str) -> Option<Shelf> {
        match name.split_once(':')? {
            ("collection", id) => id.parse().ok().map(Shelf::Collection),
            ("tag", tag) => Some(Shelf::Tag(tag.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shelf::Collection(id) => write!(f, "collection:{id}"),
            Shelf::Tag(tag) => write!(f, "tag:{tag}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for shelf in [Shelf::Collection(9_007_199_254_740_993), Shelf::tag("Summer: Sale")] {
            assert_eq!(Shelf::read(&shelf.to_string()), Some(shelf));
        }
        for name in ["", "tag", "collection:x", "shelf:1"] {
            assert_eq!(Shelf::read(name), None, "{name}");
        }
    }
}
