//! Metafields of every owner, each with its digest and its whole history.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The owner's global id (or `cart:{token}`), the resolved namespace, the key.
pub type MetafieldKey = (String, String, String);

/// A metafield as it is, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metafield {
    /// Its number.
    pub id: u64,
    /// Such as `json`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value as text.
    pub value: String,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When this value was written.
    pub updated_at: Timestamp,
}

impl Metafield {
    /// What `compareDigest` says of this value: 64 hexadecimal digits, the same for the same value.
    pub fn compare_digest(&self) -> String {
        hex::encode(Sha256::digest(self.value.as_bytes()))
    }
}

/// One moment in a metafield's life; no metafield: it was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Since when.
    pub at: Timestamp,
    /// What it was from then on.
    pub metafield: Option<Metafield>,
}

/// All metafields of a shop.
#[derive(Debug, Default)]
pub struct Metafields {
    histories: BTreeMap<MetafieldKey, Vec<Version>>,
}

impl Metafields {
    /// As it is now.
    pub fn get(&self, owner: &str, namespace: &str, key: &str) -> Option<&Metafield> {
        self.history(owner, namespace, key).last()?.metafield.as_ref()
    }

    /// As it was this long before `now`: what a cache that lags sees.
    pub fn get_stale(&self, key: &MetafieldKey, now: Timestamp, lag: Duration) -> Option<&Metafield> {
        let (owner, namespace, key) = key;
        let seen = now.checked_sub(lag).unwrap_or(Timestamp::MIN);
        self.history(owner, namespace, key)
            .iter()
            .rev()
            .find(|version| version.at <= seen)?
            .metafield
            .as_ref()
    }

    /// All its versions, oldest first.
    pub fn history(&self, owner: &str, namespace: &str, key: &str) -> &[Version] {
        let key = (owner.to_owned(), namespace.to_owned(), key.to_owned());
        self.histories.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Writes a value; `new_id` is taken when the metafield did not exist.
    pub fn set(
        &mut self,
        key: MetafieldKey,
        kind: &str,
        value: &str,
        now: Timestamp,
        new_id: u64,
    ) -> &Metafield {
        let versions = self.histories.entry(key).or_default();
        let before = versions.last().and_then(|version| version.metafield.as_ref());
        let metafield = Metafield {
            id: before.map_or(new_id, |metafield| metafield.id),
            kind: kind.to_owned(),
            value: value.to_owned(),
            created_at: before.map_or(now, |metafield| metafield.created_at),
            updated_at: now,
        };
        versions.push(Version { at: now, metafield: None });
        let at = versions.len() - 1;
        versions[at].metafield.insert(metafield)
    }

    /// Takes it away; its history stays.
    pub fn delete(&mut self, owner: &str, namespace: &str, key: &str, now: Timestamp) {
        let key = (owner.to_owned(), namespace.to_owned(), key.to_owned());
        if let Some(versions) = self.histories.get_mut(&key) {
            versions.push(Version { at: now, metafield: None });
        }
    }

    /// Every metafield an owner has or had, as namespace, key and history.
    pub fn of_owner<'a>(&'a self, owner: &'a str) -> impl Iterator<Item = (&'a str, &'a str, &'a [Version])> {
        self.histories
            .range((owner.to_owned(), String::new(), String::new())..)
            .take_while(move |((of, _, _), _)| of == owner)
            .map(|((_, namespace, key), versions)| (namespace.as_str(), key.as_str(), versions.as_slice()))
    }
}

/// The namespace an app means: its own reserved one when it names none or `$app`.
pub fn resolve_namespace(namespace: Option<&str>, app_id: u64) -> String {
    match namespace {
        None | Some("$app") => format!("app--{app_id}"),
        Some(named) => match named.strip_prefix("$app:") {
            Some(part) => format!("app--{app_id}--{part}"),
            None => named.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> MetafieldKey {
        ("gid://shopify/Customer/1".into(), "app--1".into(), "account".into())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_lagging_reader_sees_what_was() {
        let mut metafields = Metafields::default();
        metafields.set(key(), "json", "1", at(10), 7);
        metafields.set(key(), "json", "2", at(20), 8);
        let seen = |now: i64, lag: u64| {
            metafields.get_stale(&key(), at(now), Duration::from_secs(lag)).map(|m| m.value.clone())
        };
        assert_eq!(seen(20, 0).as_deref(), Some("2"));
        assert_eq!(seen(22, 3).as_deref(), Some("1"));
        assert_eq!(seen(23, 3).as_deref(), Some("2"));
        assert_eq!(seen(12, 3), None);
    }

    #[test]
    fn an_id_stays_and_a_digest_follows_the_value() {
        let mut metafields = Metafields::default();
        let first = metafields.set(key(), "json", "1", at(10), 7).clone();
        let second = metafields.set(key(), "json", "2", at(20), 8).clone();
        let third = metafields.set(key(), "json", "1", at(30), 9).clone();
        assert_eq!((second.id, second.created_at), (7, at(10)));
        assert_ne!(first.compare_digest(), second.compare_digest());
        assert_eq!(first.compare_digest(), third.compare_digest());
        metafields.delete(&key().0, "app--1", "account", at(40));
        assert_eq!(metafields.get(&key().0, "app--1", "account"), None);
        assert_eq!(metafields.of_owner(&key().0).map(|(_, _, versions)| versions.len()).sum::<usize>(), 4);
    }

    #[test]
    fn an_apps_namespace_is_resolved() {
        assert_eq!(resolve_namespace(None, 5), "app--5");
        assert_eq!(resolve_namespace(Some("$app"), 5), "app--5");
        assert_eq!(resolve_namespace(Some("$app:x"), 5), "app--5--x");
        assert_eq!(resolve_namespace(Some("custom"), 5), "custom");
    }
}
