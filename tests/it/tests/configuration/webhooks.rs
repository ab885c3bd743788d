//! Webhook subscriptions and scopes: real topics, acted upon, with what is read of them, and nothing personal.

use std::collections::BTreeSet;
use std::path::Path;

use devshop::{
    API_VERSION, DevShop, NewCart, NewProduct, OrderEdit, PlaceOptions, RefundRequest, Settings, ShopChange,
};
use loyalnest::config::Config;
use serde_json::{Value, json};
use toml::Table;

use super::published::Published;

const COMPLIANCE: [&str; 3] = ["customers/data_request", "customers/redact", "shop/redact"];

/// Names of members that say something about a person, or hold others that do.
const PERSONAL: &[&str] = &[
    "address1",
    "address2",
    "addresses",
    "billing_address",
    "browser_ip",
    "city",
    "client_details",
    "contact_email",
    "customer_email",
    "default_address",
    "email",
    "errors",
    "first_name",
    "last_name",
    "latitude",
    "longitude",
    "note",
    "order_status_url",
    "phone",
    "properties",
    "shipping_address",
    "shop_owner",
    "staff_note",
    "zip",
];

/// Members that hold a person whole, unless one of their own is named.
const PERSONS: &[&str] =
    &["customer", "line_items", "shipping_lines", "refunds", "refund_line_items", "order_edit"];

/// Topics that tell of nobody, and come whole.
const IMPERSONAL: &[&str] = &["app/scopes_update", "app_subscriptions/update", "bulk_operations/finish"];

/// The scope that each operation in `graphql/` needs.
const OPERATIONS: &[(&str, &[&str])] = &[
    ("account_metafields", &["read_customers"]),
    ("accounts_in_bulk", &["read_customers"]),
    ("bulk_operation", &[]),
    ("bulk_operation_run_query", &[]),
    ("bulk_operations", &[]),
    ("customer_emails", &["read_customers"]),
    ("customer_tags_in_bulk", &["read_customers"]),
    ("customers_in_bulk", &["read_customers"]),
    ("app_discount", &["read_discounts"]),
    ("app_discounts", &["read_discounts"]),
    ("delivery_customization_create", &["write_delivery_customizations"]),
    ("delivery_customizations", &["read_delivery_customizations"]),
    ("discount_automatic_app_create", &["write_discounts"]),
    ("discount_automatic_app_update", &["write_discounts"]),
    ("gift_card_create", &["write_gift_cards"]),
    ("gift_cards", &["read_gift_cards"]),
    ("metafields_set", &["write_customers"]),
    ("order_now", &["read_orders"]),
    ("order_refund", &["read_orders"]),
    ("order_redemption", &["read_orders"]),
    ("orders_changed", &["read_orders"]),
    ("orders_in_bulk", &["read_orders"]),
    ("products_found", &["read_products"]),
    ("products_listed", &["read_products"]),
    ("products_in", &["read_products"]),
    ("program_metafields", &[]),
    ("redemption_definition", &["read_orders"]),
    ("redemption_definition_create", &["write_orders"]),
    ("redemption_definition_update", &["write_orders"]),
    ("shop_details", &[]),
    ("shopify_functions", &[]),
    ("store_credit_account_credit", &["write_store_credit_account_transactions"]),
    ("store_credits", &["read_store_credit_accounts", "read_store_credit_account_transactions"]),
    ("rfm_groups_in_bulk", &["read_customers"]),
    ("tags_add", &["write_orders", "write_customers"]),
    ("tags_remove", &["write_customers"]),
    ("validation_create", &["write_validations"]),
    ("validations", &["read_validations"]),
];

struct Subscription {
    topics: Vec<String>,
    compliance: Vec<String>,
    uri: String,
    include_fields: Option<Vec<String>>,
}

fn subscriptions(app: &Table) -> Vec<Subscription> {
    let list = app["webhooks"]["subscriptions"].as_array().unwrap().iter();
    let texts = |value: &toml::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    list.map(|table| Subscription {
        topics: table.get("topics").map(texts).unwrap_or_default(),
        compliance: table.get("compliance_topics").map(texts).unwrap_or_default(),
        uri: table["uri"].as_str().unwrap().to_owned(),
        include_fields: table.get("include_fields").map(texts),
    })
    .collect()
}

/// Every topic that is subscribed to.
pub fn topics(app: &Table) -> Vec<String> {
    subscriptions(app).into_iter().flat_map(|one| [one.topics, one.compliance].concat()).collect()
}

pub fn complaints(app: &Table, published: &Published, knows: impl Fn(&str) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    let version = app["webhooks"]["api_version"].as_str().unwrap();
    let ours = Config::load(None, &[]).unwrap().shopify.api_version;
    if version != ours || version != API_VERSION {
        all.push(format!(
            "webhooks come as of {version}, the backend speaks {ours}, the local shop {API_VERSION}"
        ));
    }
    let subscribed: BTreeSet<String> = topics(app).into_iter().collect();
    for topic in published.topics.keys().map(String::as_str).chain(COMPLIANCE) {
        match (knows(topic), subscribed.contains(topic)) {
            (true, false) => all.push(format!("the backend acts on {topic}, which is not subscribed to")),
            (false, true) => all.push(format!("nobody acts on {topic}")),
            _ => {}
        }
    }
    for subscription in subscriptions(app) {
        all.extend(subscription.complaints(published));
    }
    all.extend(scopes(app, &subscribed, published));
    all
}

impl Subscription {
    fn complaints(&self, published: &Published) -> Vec<String> {
        let mut all = Vec::new();
        for topic in self.topics.iter().chain(&self.compliance) {
            // Where web::router has the inbox.
            if self.uri != "/webhooks" {
                all.push(format!("{topic} goes to {}", self.uri));
            }
        }
        for topic in &self.compliance {
            if !COMPLIANCE.contains(&topic.as_str()) {
                all.push(format!("{topic} is no compliance topic"));
            }
        }
        for topic in &self.topics {
            if COMPLIANCE.contains(&topic.as_str()) {
                all.push(format!("{topic} is a compliance topic"));
            } else if !published.topics.contains_key(topic) {
                all.push(format!("Shopify has no topic {topic}"));
            }
            let Some(fields) = &self.include_fields else {
                if !IMPERSONAL.contains(&topic.as_str()) {
                    all.push(format!("{topic} comes whole, with whatever is personal in it"));
                }
                continue;
            };
            for field in fields {
                let last = field.split('.').next_back().unwrap_or_default();
                let shows = field.split('.').any(|name| PERSONAL.contains(&name)) || PERSONS.contains(&last);
                if shows {
                    all.push(format!("{topic} brings {field}, and with it what is personal"));
                }
            }
        }
        all.extend(self.missing_fields());
        all
    }

    /// Fields that no payload of the local shop has.
    fn missing_fields(&self) -> Vec<String> {
        let mut all = Vec::new();
        for topic in &self.topics {
            let sent: Vec<_> = SENT.iter().filter(|(known, _)| known == topic).collect();
            for field in self.include_fields.iter().flatten() {
                let path: Vec<&str> = field.split('.').collect();
                if !sent.is_empty() && !sent.iter().any(|(_, payload)| has(payload, &path)) {
                    all.push(format!("{topic} has no {field}"));
                }
            }
        }
        all
    }
}

/// Whether a payload has a member; of an empty list nobody can say.
fn has(value: &Value, path: &[&str]) -> bool {
    match (value, path) {
        (_, []) => true,
        (Value::Array(list), _) => list.is_empty() || list.iter().any(|value| has(value, path)),
        (Value::Object(object), [name, rest @ ..]) => object.get(*name).is_some_and(|value| has(value, rest)),
        _ => false,
    }
}

fn scopes(app: &Table, subscribed: &BTreeSet<String>, published: &Published) -> Vec<String> {
    let granted: Vec<&str> = app["access_scopes"]["scopes"].as_str().unwrap().split(',').collect();
    // Who may write may read.
    let covers = |granted: &str, needed: &str| {
        granted == needed
            || granted.strip_prefix("write_").is_some_and(|what| needed.strip_prefix("read_") == Some(what))
    };
    let mut needs: Vec<(String, Vec<String>)> = Vec::new();
    for topic in subscribed {
        needs.extend(published.topics.get(topic).map(|scopes| (topic.clone(), scopes.clone())));
    }
    let mut all = Vec::new();
    for name in operations() {
        match OPERATIONS.iter().find(|(known, _)| *known == name) {
            Some((_, scopes)) => {
                needs.extend(scopes.iter().map(|scope| (name.clone(), vec![(*scope).to_owned()])));
            }
            None => all.push(format!("which scope does graphql/{name}.graphql need?")),
        }
    }
    for (what, one_of) in &needs {
        if !one_of.is_empty()
            && !one_of.iter().any(|needed| granted.iter().any(|scope| covers(scope, needed)))
        {
            all.push(format!("{what} needs {}", one_of.join(" or ")));
        }
    }
    for scope in &granted {
        let is_needed =
            |needed: &String| needed == scope || (scope.starts_with("read_") && covers(scope, needed));
        if !needs.iter().any(|(_, one_of)| one_of.iter().any(is_needed)) {
            all.push(format!("nothing needs {scope}"));
        }
    }
    all
}

/// The names of the files in `graphql/` that hold an operation.
fn operations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../graphql");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names = files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    names.filter(|name| name != "schema").collect()
}

/// Topic and whole payload of everything that the local shop sends.
static SENT: std::sync::LazyLock<Vec<(String, Value)>> = std::sync::LazyLock::new(|| {
    // A thread of its own: tests may be inside a runtime already.
    let run = || tokio::runtime::Runtime::new().unwrap().block_on(everything_sent());
    std::thread::spawn(run).join().unwrap()
});

async fn everything_sent() -> Vec<(String, Value)> {
    let shop = DevShop::start(Settings::default()).await.unwrap();
    let mug = shop.add_product(NewProduct::simple("Mug", 1000));
    let ada = shop.add_customer("Ada", "Byron", "ada@example.com").id;
    let place = || {
        let cart = shop.new_cart(NewCart::of(ada)).unwrap().token;
        shop.add_to_cart(&cart, mug.variants[0].id, 3).unwrap();
        shop.place_order(&cart, PlaceOptions { tip: 100, ..PlaceOptions::default() }).unwrap()
    };
    let order = place();
    let line = order.lines[0].id;
    shop.refund(order.id, &RefundRequest { lines: vec![(line, 1)], ..Default::default() }).unwrap();
    shop.edit_order(order.id, &OrderEdit { quantities: vec![(line, 1)], ..Default::default() }).unwrap();
    shop.fulfil_order(order.id).unwrap();
    let cancelled = shop.cancel(place().id, "customer").unwrap();
    shop.delete_order(cancelled.id);
    shop.update_customer(ada, |ada| ada.state = "disabled".into()).unwrap();
    shop.update_customer(ada, |ada| ada.tags = vec!["new".into()]).unwrap();
    shop.update_customer(ada, |ada| ada.tags = vec![]).unwrap();
    let ben = shop.add_customer("Ben", "L", "ben@example.com").id;
    shop.request_customer_data(ada).unwrap();
    shop.redact_customer(ada).unwrap();
    shop.merge_customers(ben, ada).unwrap();
    shop.delete_customer(ben);
    shop.update_product(mug.id, |mug| mug.tags = vec!["new".into()]).unwrap();
    shop.delete_product(mug.id).unwrap();
    shop.set_collection(7, &[]);
    shop.delete_collection(7);
    shop.update_shop(ShopChange { name: Some("Tea".into()), ..ShopChange::default() });
    shop.set_plan("Growth", "growth", "ACTIVE");
    shop.finish_bulk_operation("query", "completed", None);
    shop.grant_scopes("read_orders");
    shop.uninstall_app();
    shop.redact_shop();
    shop.webhooks().events().into_iter().map(|event| (event.topic, event.payload)).collect()
}

#[test]
fn the_local_shop_sends_every_topic_that_is_subscribed_to() {
    let app = super::Files::read().app;
    let sent: BTreeSet<String> = SENT.iter().map(|(topic, _)| topic.clone()).collect();
    assert_eq!(sent, topics(&app).into_iter().collect());
}

#[test]
fn members_are_found_in_objects_and_lists() {
    let payload = json!({"a": [{"b": {"c": 1}}], "d": [], "e": null});
    for (path, found) in [("a.b.c", true), ("a.c", false), ("d.x", true), ("e", true), ("e.x", false)] {
        assert_eq!(has(&payload, &path.split('.').collect::<Vec<_>>()), found, "{path}");
    }
}
