//! `shopify.extension.toml`: the Shopify CLI does not notice unknown targets, versions, exports or missing files.

use function_runner::{RunError, Scale};
use serde_json::json;
use toml::{Table, Value};

use crate::support::{FUNCTION, folder};

fn manifest() -> Table {
    std::fs::read_to_string(folder().join("shopify.extension.toml")).unwrap().parse().unwrap()
}

fn extension() -> Table {
    let extensions = manifest()["extensions"].as_array().unwrap().clone();
    assert_eq!(extensions.len(), 1);
    extensions[0].as_table().unwrap().clone()
}

fn names(table: &Table) -> Vec<&str> {
    table.keys().map(String::as_str).collect()
}

#[test]
fn it_says_nothing_that_the_cli_does_not_know() {
    assert_eq!(names(&manifest()), ["api_version", "extensions"]);
    assert_eq!(names(&extension()), ["build", "description", "handle", "input", "name", "targeting", "type"]);
    assert_eq!(names(extension()["build"].as_table().unwrap()), ["command", "path", "watch"]);
    let variables = extension()["input"]["variables"].clone();
    assert_eq!(
        variables,
        toml::toml! { namespace = "$app"
        key = "variables" }
        .into()
    );
}

#[test]
fn version_type_and_handle_are_right() {
    assert_eq!(manifest()["api_version"].as_str(), Some("2026-10"));
    assert_eq!(extension()["type"].as_str(), Some("function"));
    assert_eq!(extension()["handle"].as_str(), folder().file_name().unwrap().to_str());
}

#[test]
fn each_target_has_its_query_and_its_export() {
    let mut targets = Vec::new();
    for targeting in extension()["targeting"].as_array().unwrap() {
        let targeting = targeting.as_table().unwrap();
        assert_eq!(names(targeting), ["export", "input_query", "target"]);
        let text = |name: &str| targeting[name].as_str().unwrap().to_owned();
        assert!(folder().join(text("input_query")).is_file(), "{}", text("input_query"));
        let run = FUNCTION.run(&text("export"), &json!({}), Scale::ONE);
        assert!(!matches!(run, Err(RunError::Export(_))), "no export {}", text("export"));
        targets.push(text("target"));
    }
    assert_eq!(
        targets,
        ["cart.lines.discounts.generate.run", "cart.delivery-options.discounts.generate.run"]
    );
}

#[test]
fn the_build_makes_the_file_that_it_names() {
    let extension = extension();
    let build = extension["build"].as_table().unwrap();
    let command = build["command"].as_str().unwrap();
    assert!(command.contains("--profile function") && command.contains("--target wasm32-unknown-unknown"));
    let path = "../../target/wasm32-unknown-unknown/function/points_redemption.wasm";
    assert_eq!(build["path"].as_str(), Some(path));
    for watched in build["watch"].as_array().unwrap().iter().map(Value::as_str) {
        let start = watched.unwrap().split('*').next().unwrap();
        assert!(folder().join(start).exists(), "{start}");
    }
}
