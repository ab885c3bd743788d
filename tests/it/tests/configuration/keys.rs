//! The keys that Shopify knows. It ignores others, so that a key misspelt is a setting not made.

use toml::{Table, Value};

use super::files::{Extension, Files};

/// Keys of `shopify.app.toml`; `*` is a name of our own.
const APP: &[&str] = &[
    "client_id",
    "name",
    "handle",
    "application_url",
    "embedded",
    "extension_directories",
    "web_directories",
    "build.automatically_update_urls_on_dev",
    "build.include_config_on_deploy",
    "access_scopes.scopes",
    "access_scopes.optional_scopes",
    "access_scopes.use_legacy_install_flow",
    "auth.redirect_urls",
    "webhooks.api_version",
    "webhooks.subscriptions.topics",
    "webhooks.subscriptions.compliance_topics",
    "webhooks.subscriptions.uri",
    "webhooks.subscriptions.include_fields",
    "webhooks.subscriptions.filter",
    "webhooks.subscriptions.name",
    "app_proxy.url",
    "app_proxy.prefix",
    "app_proxy.subpath",
    "app_preferences.url",
    "pos.embedded",
];

/// What can own a metafield that is declared here. A cart cannot.
const OWNERS: &[&str] = &[
    "article",
    "blog",
    "cart_transform",
    "collection",
    "company",
    "company_location",
    "customer",
    "delivery_customization",
    "delivery_method",
    "delivery_option_generator",
    "discount",
    "draft_order",
    "fulfillment_constraint_rule",
    "gift_card_transaction",
    "location",
    "market",
    "order",
    "order_routing_location_rule",
    "page",
    "payment_customization",
    "product",
    "selling_plan",
    "shop",
    "validation",
    "variant",
];

/// Keys of a metafield.
const METAFIELD: &[&str] = &[
    "name",
    "type",
    "description",
    "access.admin",
    "access.storefront",
    "access.customer_account",
    "capabilities.admin_filterable",
    "capabilities.cart_to_order_copyable",
    "validations.*",
];

const WEB: &[&str] = &[
    "name",
    "roles",
    "type",
    "auth_callback_path",
    "webhooks_path",
    "port",
    "commands.predev",
    "commands.dev",
    "commands.build",
    "hmr_server.http_paths",
];

/// Keys of every extension that has an `[[extensions]]`.
const EXTENSION: &[&str] = &[
    "api_version",
    "extensions.type",
    "extensions.handle",
    "extensions.name",
    "extensions.description",
    "extensions.uid",
    "extensions.targeting.target",
];

const FUNCTION: &[&str] = &[
    "extensions.targeting.input_query",
    "extensions.targeting.export",
    "extensions.build.command",
    "extensions.build.path",
    "extensions.build.watch",
    "extensions.build.wasm_opt",
    "extensions.input.variables.namespace",
    "extensions.input.variables.key",
    "extensions.ui.handle",
];

const UI_EXTENSION: &[&str] = &[
    "extensions.targeting.module",
    "extensions.metafields.namespace",
    "extensions.metafields.key",
    "extensions.capabilities.api_access",
    "extensions.capabilities.network_access",
    "extensions.capabilities.block_progress",
    "extensions.supported_features.runs_offline",
    "extensions.settings.fields.key",
    "extensions.settings.fields.type",
    "extensions.settings.fields.name",
    "extensions.settings.fields.description",
    "extensions.settings.fields.validations.name",
    "extensions.settings.fields.validations.value",
];

/// A theme app extension: its file has no `[[extensions]]`.
const THEME: &[&str] = &["name", "type", "uid"];

pub fn complaints(files: &Files) -> Vec<String> {
    let mut all = unknown("shopify.app.toml", &files.app, |key| {
        listed(APP, key) || metafield(key).is_some_and(|key| listed(METAFIELD, key))
    });
    all.extend(unknown("shopify.web.toml", &files.web, |key| listed(WEB, key)));
    all.extend(files.extensions.iter().flat_map(extension));
    all
}

fn extension(extension: &Extension) -> Vec<String> {
    let (file, name) = (&extension.file, extension.name());
    let inner = file.get("extensions").and_then(Value::as_array).cloned().unwrap_or_default();
    let kinds: Vec<&str> = if inner.is_empty() {
        file.get("type").and_then(Value::as_str).into_iter().collect()
    } else {
        inner.iter().map(|one| one.get("type").and_then(Value::as_str).unwrap_or_default()).collect()
    };
    let mut known: Vec<&str> = EXTENSION.to_vec();
    let mut all = Vec::new();
    for kind in kinds {
        match kind {
            "function" => known.extend(FUNCTION),
            "ui_extension" => known.extend(UI_EXTENSION),
            "theme" => known = THEME.to_vec(),
            other => {
                all.push(format!("{name}: there is no type of extension {other}, or it is not listed here"))
            }
        }
    }
    all.extend(unknown(&format!("{name}/shopify.extension.toml"), file, |key| listed(&known, key)));
    all
}

/// The part of a key after `{owner}.metafields.app.{key}.`.
fn metafield(key: &str) -> Option<&str> {
    let (owner, rest) = key.split_once(".metafields.app.")?;
    OWNERS.contains(&owner).then_some(rest.split_once('.')?.1)
}

fn listed(known: &[&str], key: &str) -> bool {
    known.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => *known == key,
    })
}

fn unknown(file: &str, table: &Table, is_known: impl Fn(&str) -> bool) -> Vec<String> {
    let mut keys = Vec::new();
    for (key, value) in table {
        leaves(key, value, &mut keys);
    }
    keys.dedup();
    keys.retain(|key| !is_known(key));
    keys.into_iter().map(|key| format!("{file}: Shopify knows no {key}")).collect()
}

/// Every key that holds a value, with the keys of the tables it stands in.
fn leaves(key: &str, value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Table(table) => {
            table.iter().for_each(|(name, value)| leaves(&format!("{key}.{name}"), value, keys));
        }
        Value::Array(list) if list.iter().any(Value::is_table) => {
            list.iter().for_each(|value| leaves(key, value, keys));
        }
        _ => keys.push(key.to_owned()),
    }
}
