//! `shopify.app.toml`, as far as a shop acts on it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::webhooks::Subscription;

/// What the app declared of itself. Members that only a deployment reads are left unread.
#[derive(Debug, Deserialize)]
pub(crate) struct AppFile {
    access_scopes: Scopes,
    webhooks: Webhooks,
    #[serde(default)]
    customer: Owner,
    #[serde(default)]
    order: Owner,
    #[serde(default)]
    shop: Owner,
}

/// Why a shop cannot act on the file.
#[derive(Debug, thiserror::Error)]
#[error("shopify.app.toml: {0}")]
pub struct AppFileError(String);

/// What is declared of an owner's metafields.
#[derive(Debug, Default, Deserialize)]
struct Owner {
    #[serde(default)]
    metafields: Namespaces,
}

#[derive(Debug, Default, Deserialize)]
struct Namespaces {
    #[serde(default)]
    app: BTreeMap<String, Metafield>,
}

#[derive(Debug, Deserialize)]
struct Metafield {
    #[serde(default)]
    access: Access,
    #[serde(default)]
    capabilities: Capabilities,
}

#[derive(Debug, Default, Deserialize)]
struct Access {
    #[serde(default)]
    storefront: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Capabilities {
    #[serde(default)]
    cart_to_order_copyable: bool,
}

#[derive(Debug, Deserialize)]
struct Scopes {
    scopes: String,
}

#[derive(Debug, Deserialize)]
struct Webhooks {
    api_version: String,
    #[serde(default)]
    subscriptions: Vec<Declared>,
}

/// One table of the file: some topics that go to the same place with the same fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    compliance_topics: Vec<String>,
    uri: String,
    include_fields: Option<Vec<String>>,
}

impl AppFile {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is no TOML, lacks what every app declares, subscribes with something this shop does not do, or
    /// subscribes to one topic twice with the same address, which Shopify refuses.
    pub fn parse(text: &str) -> Result<Self, AppFileError> {
        let file: Self = toml::from_str(text).map_err(|error| AppFileError(error.to_string()))?;
        let mut seen = BTreeMap::new();
        for subscription in file.subscriptions() {
            let key = (subscription.topic.clone(), subscription.path.clone());
            if seen.insert(key, ()).is_some() {
                return Err(AppFileError(format!("{} is subscribed to twice", subscription.topic)));
            }
        }
        Ok(file)
    }

    /// What the app is granted when it is installed.
    pub fn scopes(&self) -> &str {
        &self.access_scopes.scopes
    }

    /// The version that webhooks are written in.
    pub fn api_version(&self) -> &str {
        &self.webhooks.api_version
    }

    /// The keys of the orders' metafields in the app's namespace, and whether an order takes them over from its cart.
    pub fn order_metafields(&self) -> impl Iterator<Item = (&str, bool)> {
        let declared = self.order.metafields.app.iter();
        declared.map(|(key, metafield)| (key.as_str(), metafield.capabilities.cart_to_order_copyable))
    }

    /// The metafields in the app's namespace that the storefront, and so Liquid, may read: kind of owner and key.
    pub fn storefront_reads(&self) -> Vec<(&'static str, String)> {
        let owners = [("customer", &self.customer), ("shop", &self.shop)];
        let declared = owners.into_iter().flat_map(|(kind, owner)| {
            owner.metafields.app.iter().map(move |(key, metafield)| (kind, key.clone(), metafield))
        });
        let readable = declared.filter(|(_, _, it)| it.access.storefront.as_deref() == Some("public_read"));
        readable.map(|(kind, key, _)| (kind, key)).collect()
    }

    /// One for each topic, in the order of the file.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        let all = self.webhooks.subscriptions.iter().flat_map(|declared| {
            let topics = declared.topics.iter().chain(&declared.compliance_topics);
            topics.map(|topic| Subscription {
                topic: topic.clone(),
                path: declared.uri.clone(),
                include_fields: declared.include_fields.clone(),
            })
        });
        all.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::App;

    const SMALL: &str = r#"
        name = "Small"
        [access_scopes]
        scopes = "read_orders"
        [webhooks]
        api_version = "2026-10"
        [[webhooks.subscriptions]]
        topics = ["orders/create", "orders/paid"]
        uri = "/hooks"
        include_fields = ["id", "customer.id"]
        [[webhooks.subscriptions]]
        compliance_topics = ["shop/redact"]
        uri = "/privacy"
    "#;

    #[test]
    fn each_topic_is_a_subscription_of_its_own() {
        let file = AppFile::parse(SMALL).unwrap();
        assert_eq!((file.scopes(), file.api_version()), ("read_orders", "2026-10"));
        let all = file.subscriptions();
        let shown: Vec<_> = all.iter().map(|one| (one.topic.as_str(), one.path.as_str())).collect();
        assert_eq!(
            shown,
            [("orders/create", "/hooks"), ("orders/paid", "/hooks"), ("shop/redact", "/privacy")]
        );
        assert_eq!(all[1].include_fields.as_deref().unwrap(), ["id", "customer.id"]);
        assert_eq!(all[2].include_fields, None);
    }

    #[test]
    fn what_a_shop_cannot_act_on_is_refused() {
        for (from, to, says) in [
            ("[access_scopes]", "[access]", "access_scopes"),
            ("orders/paid", "orders/create", "orders/create is subscribed to twice"),
            ("include_fields", "include_feilds", "include_feilds"),
            ("uri = \"/hooks\"", "uri = \"/hooks\"\nfilter = \"id:1\"", "filter"),
            ("\"2026-10\"", "2026", "api_version"),
        ] {
            let broken = SMALL.replacen(from, to, 1);
            let complaint = AppFile::parse(&broken).unwrap_err().to_string();
            assert!(complaint.contains(says), "{complaint}");
        }
    }

    #[test]
    fn the_apps_own_file_is_read_and_its_proxy_is_where_the_shop_has_it() {
        let app = App::default();
        assert!(AppFile::parse(&app.config).unwrap().subscriptions().len() > 3);
        let table: toml::Table = app.config.parse().unwrap();
        let proxy = &table["app_proxy"];
        assert_eq!(proxy["prefix"].as_str(), Some("apps"));
        assert_eq!(proxy["subpath"].as_str(), Some(app.proxy_subpath.as_str()));
        assert_eq!(proxy["url"].as_str(), Some(app.proxy_path.as_str()));
    }
}
