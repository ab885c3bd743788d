//! Metafields past the Admin API: to look at, and to spoil.

use super::DevShop;
use crate::metafields::{Metafield, Version};

impl DevShop {
    /// Declares the type of a metafield of a kind of owner (such as `Customer`), as the app's TOML does.
    pub fn define_metafield(&self, owner_kind: &str, namespace: &str, key: &str, kind: &str) {
        let namespace = self.namespace(namespace);
        self.state().definitions.insert((owner_kind.into(), namespace, key.into()), kind.into());
    }

    /// A metafield as it is now; `$app` is the app's namespace.
    pub fn metafield(&self, owner: &str, namespace: &str, key: &str) -> Option<Metafield> {
        self.state().metafields.get(owner, &self.namespace(namespace), key).cloned()
    }

    /// A metafield's versions, oldest first.
    pub fn metafield_history(&self, owner: &str, namespace: &str, key: &str) -> Vec<Version> {
        self.state().metafields.history(owner, &self.namespace(namespace), key).to_vec()
    }

    /// All metafields of an owner that are or were: namespace, key, versions.
    pub fn metafields_of(&self, owner: &str) -> Vec<(String, String, Vec<Version>)> {
        let state = self.state();
        let all = state.metafields.of_owner(owner);
        all.map(|(namespace, key, versions)| (namespace.into(), key.into(), versions.to_vec())).collect()
    }

    /// Writes a JSON metafield past the Admin API and all its checks, malformed if need be.
    pub fn put_metafield(&self, owner: &str, namespace: &str, key: &str, value: &str) {
        let namespace = self.namespace(namespace);
        let now = self.clock().now();
        let mut state = self.state();
        let id = state.ids.id();
        state.metafields.set((owner.into(), namespace, key.into()), "json", value, now, id);
    }

    /// Takes a metafield away.
    pub fn delete_metafield(&self, owner: &str, namespace: &str, key: &str) {
        let namespace = self.namespace(namespace);
        let now = self.clock().now();
        self.state().metafields.delete(owner, &namespace, key, now);
    }
}
