//! What Shopify publishes of itself in its schemas: topics with their scopes, Functions' targets, versions.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::sync::LazyLock;

use loyalnest::config::Config;
use serde_json::Value;

pub struct Published {
    /// Every topic, and the scopes of which one is needed; none where the list is empty.
    pub topics: BTreeMap<String, Vec<String>>,
    /// Every target of a Function, as the schemas write it.
    pub targets: BTreeSet<String>,
    /// Every version of the Admin API that there is a schema of.
    pub versions: BTreeSet<String>,
}

/// As of the version that the backend speaks.
pub static PUBLISHED: LazyLock<Published> = LazyLock::new(Published::load);

impl Published {
    fn load() -> Self {
        let folder = std::env::var_os("LOYALNEST_TEST_SCHEMAS").expect(
            "LOYALNEST_TEST_SCHEMAS must name the folder of the published schemas (dist/data of npm's \
             @shopify/dev-mcp 1.16.0); `cargo xtask test` sets it",
        );
        let version = Config::load(None, &[]).unwrap().shopify.api_version;
        let (mut targets, mut versions) = (BTreeSet::new(), BTreeSet::new());
        for entry in std::fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if let Some(version) = name.strip_prefix("admin_").and_then(|rest| rest.strip_suffix(".json.gz"))
            {
                versions.insert(version.to_owned());
            }
            if name.starts_with("functions_") && name.ends_with(&format!("_{version}.json.gz")) {
                let schema = schema(Path::new(&folder), &name);
                let root = ty(&schema, schema["mutationType"]["name"].as_str().unwrap());
                targets.extend(root["fields"].as_array().unwrap().iter().map(|field| text(&field["name"])));
            }
        }
        let admin = schema(Path::new(&folder), &format!("admin_{version}.json.gz"));
        let topics = ty(&admin, "WebhookSubscriptionTopic")["enumValues"].as_array().unwrap();
        let topics = topics.iter().map(|topic| read(&text(&topic["description"]))).collect();
        Published { topics, targets, versions }
    }
}

/// A topic's name and scopes, from what the schema says of it: "The webhook topic for `a/b` events. … Requires …".
fn read(description: &str) -> (String, Vec<String>) {
    let name = description.split('`').nth(1).filter(|name| name.contains(['/', '.']));
    let name = name.unwrap_or_else(|| panic!("no topic in: {description}")).to_owned();
    let Some((_, needs)) = description.split_once("Requires ") else { return (name, Vec::new()) };
    let words = needs.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
    let is_scope = |word: &&str| word.starts_with("read_") || word.starts_with("write_");
    (name, words.filter(is_scope).map(str::to_owned).collect())
}

fn schema(folder: &Path, name: &str) -> Value {
    let file = std::fs::File::open(folder.join(name)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    all["data"]["__schema"].take()
}

fn ty<'s>(schema: &'s Value, name: &str) -> &'s Value {
    schema["types"].as_array().unwrap().iter().find(|ty| ty["name"] == name).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn topics_are_read_with_their_scopes() {
    let published = &PUBLISHED;
    let scopes = |topic: &str| published.topics[topic].join(" ");
    assert_eq!(scopes("customers/merge"), "read_customer_merge");
    assert_eq!(scopes("orders/create"), "read_orders read_marketplace_orders");
    assert_eq!(scopes("app/uninstalled"), "");
    assert!(published.topics.len() > 100 && published.versions.contains("2026-10"));
}
