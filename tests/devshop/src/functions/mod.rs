//! The Functions installed in the shop and what runs them.

mod manifest;
mod wasm;

pub mod input;
pub mod output;

use std::path::PathBuf;
use std::sync::Arc;

use apollo_compiler::response::JsonValue;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema, executable};
use serde_json::Value;

pub use wasm::WasmHost;

/// The target that discounts lines and the subtotal.
pub const LINES_TARGET: &str = "cart.lines.discounts.generate.run";
/// The target that discounts shipping.
pub const DELIVERY_TARGET: &str = "cart.delivery-options.discounts.generate.run";

/// Something that can run a Function's exports: the WebAssembly, or a stand-in written in Rust.
pub trait FunctionHost: Send + Sync {
    /// Runs one export on an input, whose members stand in the order of the input query. `lines` is how many lines the
    /// cart has, when the query asks for them: the platform's limits grow with it.
    ///
    /// # Errors
    /// When the Function fails or exceeds a limit: the checkout goes on without its discounts.
    fn run(&self, export: &str, input: &JsonValue, lines: Option<usize>) -> Result<HostRun, HostFailure>;
}

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct HostRun {
    /// What the Function decided.
    pub output: Value,
    /// What it took, as the platform counts.
    pub instructions: u64,
    /// Whether that count is the platform's own to the instruction, or an estimate.
    pub exact: bool,
    /// What it logged.
    pub logs: String,
}

/// Why a run gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct HostFailure(pub String);

impl<F: Fn(&str, &Value) -> Value + Send + Sync> FunctionHost for F {
    fn run(&self, export: &str, input: &JsonValue, _lines: Option<usize>) -> Result<HostRun, HostFailure> {
        let input = serde_json::to_value(input).map_err(|error| HostFailure(error.to_string()))?;
        Ok(HostRun { output: self(export, &input), ..HostRun::default() })
    }
}

/// Why a Function could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// A file is not there or cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The extension's TOML is not one of a Function.
    #[error("{path} is not the configuration of a Function: {reason}")]
    Manifest {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The schema is not valid GraphQL.
    #[error("the Function's schema is not valid:\n{0}")]
    Schema(String),
    /// An input query is not valid for the schema.
    #[error("the input query of {target} is not valid:\n{reason}")]
    Query {
        /// Of which target.
        target: String,
        /// Why.
        reason: String,
    },
    /// The WebAssembly could not be loaded.
    #[error("cannot load the WebAssembly: {0}")]
    Wasm(String),
}

/// An installed Function.
pub struct Function {
    /// Names it within its app.
    pub handle: String,
    schema: Valid<Schema>,
    targets: Vec<Target>,
    host: Arc<dyn FunctionHost>,
    /// Namespace and key of the discount's metafield that holds the input queries' variables.
    variables: Option<(String, String)>,
}

/// Where a Function takes part and what it asks for there.
pub struct Target {
    /// Such as [`LINES_TARGET`].
    pub name: String,
    /// What the WebAssembly calls it.
    pub export: String,
    query: Valid<ExecutableDocument>,
}

impl Function {
    /// A Function from its schema, its targets (`(target, export, input query)`) and what runs it.
    ///
    /// # Errors
    /// When the schema or a query is not valid.
    pub fn new(
        handle: &str,
        schema: &str,
        targets: &[(&str, &str, &str)],
        host: Arc<dyn FunctionHost>,
    ) -> Result<Self, FunctionError> {
        let schema = Schema::parse_and_validate(schema, "schema.graphql")
            .map_err(|errors| FunctionError::Schema(errors.errors.to_string()))?;
        let targets = targets.iter().map(|&(name, export, query)| {
            let query = ExecutableDocument::parse_and_validate(&schema, query, "input.graphql").map_err(
                |errors| FunctionError::Query { target: name.into(), reason: errors.errors.to_string() },
            )?;
            Ok(Target { name: name.into(), export: export.into(), query })
        });
        let targets = targets.collect::<Result<_, _>>()?;
        Ok(Self { handle: handle.into(), schema, targets, host, variables: None })
    }

    /// What it asks for at a target, if it takes part there.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// Runs one target on an input.
    ///
    /// # Errors
    /// As [`FunctionHost::run`].
    pub fn run(&self, target: &Target, input: &JsonValue, lines: usize) -> Result<HostRun, HostFailure> {
        self.host.run(&target.export, input, target.asks_for_lines().then_some(lines))
    }
}

impl Target {
    /// Whether the query selects the cart's lines, which is what raises the platform's limits for large carts.
    fn asks_for_lines(&self) -> bool {
        fn within(document: &ExecutableDocument, set: &executable::SelectionSet) -> bool {
            set.selections.iter().any(|selection| match selection {
                executable::Selection::Field(field) => {
                    matches!((set.ty.as_str(), field.name.as_str()), ("Cart", "lines") | (_, "cartLines"))
                        || within(document, &field.selection_set)
                }
                executable::Selection::InlineFragment(fragment) => within(document, &fragment.selection_set),
                executable::Selection::FragmentSpread(spread) => spread
                    .fragment_def(document)
                    .is_some_and(|fragment| within(document, &fragment.selection_set)),
            })
        }
        self.query.operations.iter().any(|operation| within(&self.query, &operation.selection_set))
    }
}
