//! The real thing: a Function's WebAssembly under the platform's limits.

use std::path::Path;

use apollo_compiler::response::JsonValue;
use function_runner::{Runner, Scale};

use super::{FunctionError, FunctionHost, HostFailure, HostRun};

/// Runs a Function's release `.wasm`.
pub struct WasmHost {
    function: function_runner::Function,
}

impl WasmHost {
    /// Loads a `.wasm` file.
    ///
    /// # Errors
    /// When it is missing, too large, or not a Function.
    pub fn load(runner: &Runner, wasm: &Path) -> Result<Self, FunctionError> {
        let function = runner.load(wasm).map_err(|error| FunctionError::Wasm(error.to_string()))?;
        Ok(Self { function })
    }
}

impl FunctionHost for WasmHost {
    fn run(&self, export: &str, input: &JsonValue, lines: Option<usize>) -> Result<HostRun, HostFailure> {
        let scale = lines.map_or(Scale::ONE, Scale::lines);
        let run = self.function.run(export, input, scale).map_err(|error| HostFailure(error.to_string()))?;
        Ok(HostRun { output: run.output, instructions: run.instructions, exact: run.exact, logs: run.logs })
    }
}
