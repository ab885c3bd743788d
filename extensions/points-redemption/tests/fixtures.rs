//! Normal and edge cases, one file each, in the format of the Shopify CLI.

use std::path::Path;

use serde_json::json;

use crate::support::cart::{account, delivery_input, full_hold, hold, lines, lines_input};
use crate::support::{DELIVERY, EXTENSION, LINES, wasm};

#[test]
fn each_fixture_gives_its_output() {
    assert!(EXTENSION.fixtures().len() > 40);
    EXTENSION.check_fixtures();
}

#[test]
fn schema_queries_and_fixtures_agree_with_what_shopify_publishes() {
    let generated = tempfile::tempdir().unwrap();
    write_generated(generated.path());
    assert_eq!(std::fs::read_dir(generated.path()).unwrap().count(), 2 * SIZES.len());
    EXTENSION.check_published("discount", &[generated.path()]);
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
