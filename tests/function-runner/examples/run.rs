//! Runs a Function once: `cargo run -p function-runner --example run -- FILE.wasm EXPORT INPUT.json`.
//!
//! The input is what the input query gave, or a fixture that holds it as `payload.input`. Prints output, instructions
//! and sizes as JSON.

use std::error::Error;
use std::path::Path;

use function_runner::{Runner, Scale};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [wasm, export, input] = arguments.as_slice() else {
        return Err("usage: run FILE.wasm EXPORT INPUT.json".into());
    };
    let mut input: Value = serde_json::from_slice(&std::fs::read(input)?)?;
    if let Some(payload) = input.pointer_mut("/payload/input") {
        input = payload.take();
    }
    let lines = input.pointer("/cart/lines").and_then(Value::as_array);
    let scale = lines.map_or(Scale::ONE, |lines| Scale::lines(lines.len()));

    let run = Runner::new()?.load(Path::new(wasm))?.run(export, &input, scale)?;
    let report = json!({
        "output": run.output, "instructions": run.instructions, "exact": run.exact, "logs": run.logs,
        "memory_bytes": run.memory_bytes, "input_bytes": run.input_bytes, "output_bytes": run.output_bytes,
    });
    println!("{report:#}");
    Ok(())
}
