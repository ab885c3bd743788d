//! Metafields: each is one that the product uses, and no more open than its readers need.

use loyalty::rfm::Group;
use loyalty::{Account, Mark, Program};
use toml::{Table, Value};

/// Whose access it is, and what it may be.
type Access = (&'static str, &'static str);

/// Owner, key, and who may read it beside the app and the merchant.
const USED: [(&str, &str, &[Access]); 5] = [
    ("customer", Account::METAFIELD, &[("storefront", "public_read"), ("customer_account", "read")]),
    ("customer", Group::METAFIELD, &[]),
    ("shop", Program::METAFIELD, &[]),
    ("shop", Program::UI_METAFIELD, &[("storefront", "public_read")]),
    ("order", Mark::METAFIELD, &[]),
];

pub fn complaints(app: &Table) -> Vec<String> {
    let mut all = Vec::new();
    let mut declared = Vec::new();
    for (owner, table) in app {
        let fields = table.get("metafields").and_then(|all| all.get("app")).and_then(Value::as_table);
        for (key, field) in fields.into_iter().flatten() {
            declared.push((owner.as_str(), key.as_str()));
            let Some((.., readers)) = USED.iter().find(|(of, name, _)| of == owner && name == key) else {
                all.push(format!("{owner}.{key} is declared, and nothing uses it"));
                continue;
            };
            let kind = if key == Group::METAFIELD { "single_line_text_field" } else { "json" };
            if field.get("type").and_then(Value::as_str) != Some(kind) {
                all.push(format!("{owner}.{key} must be {kind}"));
            }
            let access = field.get("access").and_then(Value::as_table);
            for (whom, what) in access.into_iter().flatten() {
                let what = what.as_str().unwrap_or_default();
                let least = (whom == "admin" && what == "merchant_read") || what == "none";
                if !least && !readers.contains(&(whom.as_str(), what)) {
                    all.push(format!("{owner}.{key}: access.{whom} is {what}, which nobody needs"));
                }
            }
            for (whom, what) in *readers {
                if access.and_then(|access| access.get(*whom)).and_then(Value::as_str) != Some(what) {
                    all.push(format!("{owner}.{key}: access.{whom} must be {what}"));
                }
            }
        }
    }
    let missing = USED.iter().filter(|(owner, key, _)| !declared.contains(&(owner, key)));
    all.extend(missing.map(|(owner, key, _)| format!("{owner}.{key} is used, and not declared")));
    all
}
