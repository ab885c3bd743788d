//! The engine and the provider: made once, shared by all Functions and threads.

use std::path::Path;
use std::sync::Arc;

use wasmtime::{Config, Engine, InstancePre, Linker, Module, OperatorCost};

use crate::artefacts::{self, ProviderInfo};
use crate::function::Function;
use crate::link::State;
use crate::{LoadError, STACK_BYTES};

/// The engine with the compiled provider. Making one takes about a second in a debug build; clones share it, and it can
/// be used from several threads at once.
#[derive(Clone)]
pub struct Runner {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub engine: Engine,
    pub provider: InstancePre<State>,
    /// Whether counts are Shopify's to the instruction.
    pub exact: bool,
}

impl Runner {
    /// A runner with the provider that `cargo xtask build` made.
    pub fn new() -> Result<Runner, LoadError> {
        Runner::from_folder(&artefacts::folder())
    }

    /// A runner with the `provider.wasm` and `provider.json` of a folder.
    pub fn from_folder(folder: &Path) -> Result<Runner, LoadError> {
        let wasm = artefacts::read(&folder.join("provider.wasm"))?;
        let info = ProviderInfo::read(&folder.join("provider.json"))?;
        Runner::with_provider(&wasm, info.exact).map_err(LoadError::Module)
    }

    /// A runner with the given provider; `exact` says that it was built as production's was.
    pub fn with_provider(wasm: &[u8], exact: bool) -> wasmtime::Result<Runner> {
        let engine = Engine::new(&config())?;
        let module = Module::from_binary(&engine, wasm)?;
        let provider = Linker::new(&engine).instantiate_pre(&module)?;
        Ok(Runner { shared: Arc::new(Shared { engine, provider, exact }) })
    }

    /// Loads a Function that `cargo xtask build` made, by the name of its extension.
    pub fn load_named(&self, name: &str) -> Result<Function, LoadError> {
        self.load(&artefacts::folder().join(format!("{name}.wasm")))
    }

    /// Loads a Function from its `.wasm`.
    pub fn load(&self, path: &Path) -> Result<Function, LoadError> {
        self.load_bytes(&artefacts::read(path)?)
    }

    /// Loads a Function from the bytes of its `.wasm`.
    pub fn load_bytes(&self, wasm: &[u8]) -> Result<Function, LoadError> {
        Function::new(Arc::clone(&self.shared), wasm)
    }
}

fn config() -> Config {
    let mut cost = OperatorCost::new();
    // Shopify's engine charges bulk operations flat, whatever their length.
    cost.variable.memory_copy_per_byte = 0;
    cost.variable.memory_fill_per_byte = 0;
    cost.variable.memory_init_per_byte = 0;
    cost.variable.memory_grow_per_page = 0;
    cost.variable.table_copy_per_element = 0;
    cost.variable.table_fill_per_element = 0;
    cost.variable.table_init_per_element = 0;
    cost.variable.table_grow_per_element = 0;

    let mut config = Config::new();
    config.consume_fuel(true).operator_cost(cost).wasm_multi_memory(true).max_wasm_stack(STACK_BYTES);
    config
}
