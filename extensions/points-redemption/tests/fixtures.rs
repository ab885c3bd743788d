//! Normal and edge cases, one file each, in the format of the Shopify CLI.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::cart::{account, delivery_input, full_hold, hold, lines, lines_input};
use crate::support::{DELIVERY, LINES, fixtures, folder, run, wasm};

#[test]
fn each_fixture_gives_its_output() {
    let fixtures = fixtures();
    assert!(fixtures.len() > 40);
    for (name, payload) in fixtures {
        let output = run(payload["export"].as_str().unwrap(), &payload["input"]);
        assert_eq!(output, payload["output"], "{name}");
    }
}

/// What carries the input may sort its members, or turn them around: the code must not depend on their order.
#[test]
fn the_order_of_members_does_not_matter() {
    fn reorder(value: &Value, order: fn(&mut Vec<(String, Value)>)) -> Value {
        match value {
            Value::Array(elements) => elements.iter().map(|element| reorder(element, order)).collect(),
            Value::Object(members) => {
                let reordered = members.iter().map(|(name, value)| (name.clone(), reorder(value, order)));
                let mut members: Vec<_> = reordered.collect();
                order(&mut members);
                members.into_iter().collect()
            }
            other => other.clone(),
        }
    }
    for (name, payload) in fixtures() {
        let export = payload["export"].as_str().unwrap();
        let sorted = reorder(&payload["input"], |members| members.sort_by(|a, b| a.0.cmp(&b.0)));
        assert_eq!(run(export, &sorted), payload["output"], "{name}, sorted");
        let reversed = reorder(&payload["input"], |members| members.reverse());
        assert_eq!(run(export, &reversed), payload["output"], "{name}, reversed");
    }
}

#[test]
fn schema_queries_and_fixtures_agree_with_what_shopify_publishes() {
    assert!(
        std::env::var_os("LOYALNEST_TEST_SCHEMAS").is_some(),
        "LOYALNEST_TEST_SCHEMAS must name the folder of the published schemas; `cargo xtask test` sets it"
    );
    let generated = tempfile::tempdir().unwrap();
    write_generated(generated.path());
    let output = Command::new("node")
        .arg(folder().join("../../tests/function-tests/published-schema.mjs"))
        .arg(folder())
        .arg("discount")
        .arg(folder().join("tests/fixtures"))
        .arg(generated.path())
        .output()
        .expect("node must be installed");
    let (said, problems) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{problems}{said}");
    let expected = fixtures().len() + 2 * SIZES.len();
    assert_eq!(said.trim(), format!("{expected} fixtures"));
}

const SIZES: [usize; 5] = [1, 10, 50, 200, 500];

/// What the budgets are measured on is checked, too.
fn write_generated(folder: &Path) {
    let full = account(Some(full_hold()));
    let mut shipping = hold();
    (shipping["kind"], shipping["value"], shipping["min"]) = (json!("shipping"), json!(0), json!(10_000_000));
    let shipping = account(Some(shipping));
    for size in SIZES {
        let lines = lines(size);
        let cases = [
            ("cart.lines.discounts.generate.run", LINES, lines_input(&full, &lines)),
            (
                "cart.delivery-options.discounts.generate.run",
                DELIVERY,
                delivery_input(&shipping, &[&["4.95", "9.9"]], &lines),
            ),
        ];
        for (target, export, input) in cases {
            let output = wasm(export, &input).output;
            let payload = json!({ "export": export, "target": target, "input": input, "output": output });
            let text = json!({ "payload": payload }).to_string();
            std::fs::write(folder.join(format!("{export}-{size}.json")), text).unwrap();
        }
    }
}
