//! A shop's languages: its own, which Shopify tells, and those that its program is offered in.

mod routes;
mod store;

use crate::db::{self, Read, Timestamp, Tx};
use crate::ids::ShopId;
use crate::languages::{Language, negotiate};

pub use routes::api;

/// How many languages a program may be offered in.
pub const MOST: usize = 20;

/// The languages of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages {
    /// The shop's own; none until Shopify has told it.
    primary: Option<Language>,
    /// All that the program is offered in, the primary one first.
    offered: Vec<Language>,
}

impl Languages {
    /// The primary one is always among them.
    fn new(primary: Option<Language>, others: impl IntoIterator<Item = Language>) -> Self {
        let mut offered: Vec<Language> = primary.iter().cloned().collect();
        for language in others {
            if !offered.contains(&language) {
                offered.push(language);
            }
        }
        Languages { primary, offered }
    }

    /// The shop's own language.
    pub fn primary(&self) -> Option<&Language> {
        self.primary.as_ref()
    }

    /// All that the program is offered in, the primary one first.
    pub fn offered(&self) -> &[Language] {
        &self.offered
    }

    /// Which to speak to someone who asks for these, in this order: one of them, else the primary one, else English.
    pub fn negotiate<'a>(&self, asked: impl IntoIterator<Item = &'a Language>) -> Language {
        negotiate(asked, &self.offered, self.primary())
    }
}

/// The languages of a shop.
///
/// # Errors
/// Any error of the database.
pub async fn languages(read: &mut Read, shop: ShopId) -> Result<Languages, db::Error> {
    store::of_shop(read, shop).await
}

/// Takes note of the shop's own language, as Shopify tells it (`primary_locale`), and says whether it was another.
/// What is not a language changes nothing.
///
/// # Errors
/// Any error of the database.
pub async fn set_primary_locale(
    tx: &mut Tx,
    shop: ShopId,
    locale: &str,
    now: Timestamp,
) -> Result<bool, db::Error> {
    match locale.parse() {
        Ok(primary) => store::set_primary(tx, shop, &primary, now).await,
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_language_is_first_and_none_is_there_twice() {
        let of = |tag: &str| tag.parse::<Language>().unwrap();
        let languages = Languages::new(Some(of("fr")), ["de", "fr", "de", "en"].map(of));
        assert_eq!(languages.offered(), ["fr", "de", "en"].map(of));
        assert_eq!(languages.negotiate(&[of("de-AT")]), of("de"));
        assert_eq!(languages.negotiate(&[of("nl")]), of("fr"));
        let silent = Languages::new(None, [of("de")]);
        assert_eq!((silent.negotiate(&[of("nl")]), silent.primary()), (of("en"), None));
    }
}
