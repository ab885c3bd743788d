//! Runs the Function: the built `.wasm`, and the same code natively.

#[allow(dead_code)]
pub mod cart;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use function_runner::{Function, Run, Runner, Scale};
use points_redemption::{cart_delivery_options_discounts_generate_run, cart_lines_discounts_generate_run};
use serde_json::{Value, json};
use shopify_function::wasm_api::{Context, Deserialize, Serialize};

pub const LINES: &str = "cart_lines_discounts_generate_run";
pub const DELIVERY: &str = "cart_delivery_options_discounts_generate_run";

/// The built Function.
pub static FUNCTION: LazyLock<Function> = LazyLock::new(|| {
    let function = Runner::new().and_then(|runner| runner.load_named("points-redemption"));
    function.unwrap_or_else(|error| panic!("{error}"))
});

/// The extension's folder.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Runs the WebAssembly.
pub fn wasm(export: &str, input: &Value) -> Run {
    let lines = input["cart"]["lines"].as_array().map_or(0, Vec::len);
    FUNCTION.run(export, input, Scale::lines(lines)).unwrap_or_else(|error| panic!("{error}\n{input:#}"))
}

/// Runs the same code natively.
pub fn native(export: &str, input: &Value) -> Value {
    fn answer<O: Serialize>(
        input: &Value,
        target: impl Fn(points_redemption::Input) -> shopify_function::Result<O>,
    ) -> Value {
        let mut context = Context::new_with_input(input.clone());
        let input = points_redemption::Input::deserialize(&context.input_get().unwrap()).unwrap();
        target(input).unwrap().serialize(&mut context).unwrap();
        context.finalize_output_and_return().unwrap()
    }
    match export {
        LINES => answer(input, cart_lines_discounts_generate_run),
        DELIVERY => answer(input, cart_delivery_options_discounts_generate_run),
        other => panic!("no export {other}"),
    }
}

/// Runs both, which must agree.
pub fn run(export: &str, input: &Value) -> Value {
    let output = wasm(export, input).output;
    assert_eq!(output, native(export, input), "WebAssembly and native must agree on\n{input:#}");
    output
}

/// What a Function answers that does nothing.
pub fn nothing() -> Value {
    json!({ "operations": [] })
}

/// The fixtures: name, and what Shopify calls the payload.
pub fn fixtures() -> Vec<(String, Value)> {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let mut fixture: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), fixture["payload"].take())
    };
    std::fs::read_dir(folder().join("tests/fixtures")).unwrap().map(read).collect()
}
