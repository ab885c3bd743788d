//! `shopify.extension.toml`.

use crate::support::EXTENSION;

#[test]
fn the_manifest_is_right() {
    EXTENSION.check_manifest(&["input"]);
}

#[test]
fn the_queries_variables_come_from_where_the_app_notes_them() {
    let manifest = EXTENSION.manifest();
    let input = manifest["extensions"][0]["input"].as_table().unwrap();
    assert_eq!(input.keys().collect::<Vec<_>>(), ["variables"]);
    let variables = input["variables"].as_table().unwrap();
    assert_eq!(variables.keys().collect::<Vec<_>>(), ["key", "namespace"]);
    let text = |key: &str| variables[key].as_str().unwrap();
    assert_eq!((text("namespace"), text("key")), ("$app", "variables"));
}
