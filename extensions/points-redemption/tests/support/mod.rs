//! Runs the Function: the built `.wasm`, and the same code natively.

#[allow(dead_code)]
pub mod cart;

use std::sync::LazyLock;

use function_runner::Run;
use function_tests::{Extension, Target, native};
use points_redemption::{cart_delivery_options_discounts_generate_run, cart_lines_discounts_generate_run};
use serde_json::{Value, json};

pub const LINES: &str = "cart_lines_discounts_generate_run";
pub const DELIVERY: &str = "cart_delivery_options_discounts_generate_run";

pub static EXTENSION: LazyLock<Extension> = LazyLock::new(|| {
    let lines = |input: &Value| native(input, cart_lines_discounts_generate_run);
    let delivery = |input: &Value| native(input, cart_delivery_options_discounts_generate_run);
    Extension::open(
        env!("CARGO_MANIFEST_DIR"),
        [
            Target { name: "cart.lines.discounts.generate.run", native: lines },
            Target { name: "cart.delivery-options.discounts.generate.run", native: delivery },
        ],
    )
});

/// Runs the WebAssembly.
pub fn wasm(export: &str, input: &Value) -> Run {
    EXTENSION.wasm(export, input)
}

/// Runs both, which must agree.
pub fn run(export: &str, input: &Value) -> Value {
    EXTENSION.run(export, input)
}

/// What a Function answers that does nothing.
pub fn nothing() -> Value {
    json!({ "operations": [] })
}
