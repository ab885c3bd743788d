//! One Function, compiled, and one run of it.

use std::io;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use wasmtime::{Instance, Memory, Module, Store, Trap};

use crate::error::MemoryExceeded;
use crate::link::{Import, Link, State, words};
use crate::runner::Shared;
use crate::{BINARY_BYTES, INPUT_BYTES, INSTRUCTIONS, LOG_BYTES, LoadError, OUTPUT_BYTES, RunError, Scale};

/// What an estimate adds, in percent, when the provider was not built with the compiler of production's.
const ESTIMATE_PERCENT: u64 = 15;

/// A compiled Function. Clones are cheap, and runs can go on in several threads at once.
#[derive(Clone)]
pub struct Function {
    shared: Arc<Shared>,
    module: Module,
    imports: Arc<[Import]>,
    wasm_bytes: usize,
}

/// What a run brought forth.
#[derive(Clone, Debug)]
pub struct Run {
    /// What the Function answered.
    pub output: Value,
    /// Instructions as Shopify counts them; an upper estimate unless `exact`.
    pub instructions: u64,
    /// Whether the count is Shopify's to the instruction: whether the provider was built with production's compiler.
    pub exact: bool,
    /// What the Function logged: the newest [`LOG_BYTES`] bytes.
    pub logs: String,
    /// Whether it logged more than that.
    pub logs_cut: bool,
    /// The largest linear memory, in bytes.
    pub memory_bytes: usize,
    /// The input's size, in bytes of JSON.
    pub input_bytes: u64,
    /// The output's size, in bytes of JSON.
    pub output_bytes: u64,
}

impl Function {
    pub(crate) fn new(shared: Arc<Shared>, wasm: &[u8]) -> Result<Function, LoadError> {
        if wasm.len() > BINARY_BYTES {
            return Err(LoadError::Binary { bytes: wasm.len() });
        }
        let module = Module::from_binary(&shared.engine, wasm).map_err(LoadError::Module)?;
        let imports = module
            .imports()
            .map(|import| Import::resolve(shared.provider.module(), import.module(), import.name()))
            .collect::<Result<_, _>>()?;
        Ok(Function { shared, module, imports, wasm_bytes: wasm.len() })
    }

    /// The size of its `.wasm`, in bytes.
    pub fn wasm_bytes(&self) -> usize {
        self.wasm_bytes
    }

    /// Runs one of the Function's exports, such as `cart_lines_discounts_generate_run`, on an input.
    ///
    /// The input's members keep their order, which should be that of the input query: the provider reads in order, so
    /// it matters to the count. Every run starts from fresh memories.
    pub fn run(&self, export: &str, input: &impl Serialize, scale: Scale) -> Result<Run, RunError> {
        let input_bytes = json_bytes(input).map_err(|error| RunError::Encode(error.to_string()))?;
        let limit = scale.of(INPUT_BYTES);
        if input_bytes > limit {
            return Err(RunError::Input { bytes: input_bytes, limit });
        }
        let input = rmp_serde::to_vec(input).map_err(|error| RunError::Encode(error.to_string()))?;

        let mut store = Store::new(&self.shared.engine, State::default());
        store.limiter(|state| state);
        let (provider, memory) = self.start_provider(&mut store, &input).map_err(RunError::Engine)?;
        let used = self.call(&mut store, &provider, export, scale.of(INSTRUCTIONS))?;
        let written = finish(&mut store, &provider, memory).map_err(RunError::Engine)?;

        let output: Value =
            rmp_serde::from_slice(&written.output).map_err(|error| RunError::Malformed(error.to_string()))?;
        let output_bytes = json_bytes(&output).map_err(|error| RunError::Malformed(error.to_string()))?;
        let limit = scale.of(OUTPUT_BYTES);
        if output_bytes > limit {
            return Err(RunError::Output { bytes: output_bytes, limit });
        }
        Ok(Run {
            output,
            instructions: self.as_shopify_counts(used),
            exact: self.shared.exact,
            logs: written.logs,
            logs_cut: written.logs_cut,
            memory_bytes: store.data().memory_bytes,
            input_bytes,
            output_bytes,
        })
    }

    /// Instantiates the provider and hands it the input; none of this counts.
    fn start_provider(
        &self,
        mut store: &mut Store<State>,
        input: &[u8],
    ) -> wasmtime::Result<(Instance, Memory)> {
        store.set_fuel(u64::MAX)?;
        let provider = self.shared.provider.instantiate(&mut store)?;
        let link = Link::new(store, &provider)?;
        let memory = link.provider;
        store.data_mut().link = Some(link);

        let initialize = provider.get_typed_func::<u32, u32>(&mut store, "initialize")?;
        let address = initialize.call(&mut store, u32::try_from(input.len())?)?;
        memory.write(&mut store, address as usize, input)?;
        Ok((provider, memory))
    }

    /// Calls the export and returns how many instructions it took, here.
    fn call(
        &self,
        mut store: &mut Store<State>,
        provider: &Instance,
        export: &str,
        limit: u64,
    ) -> Result<u64, RunError> {
        // One more than allowed: fuel that is used up to the last drop means that the limit was passed.
        let fuel = self.as_counted_here(limit) + 1;
        let result = self.instantiate(store, provider).and_then(|instance| {
            // Counting starts with the call: how the engine initialises memories is not the Function's doing.
            store.set_fuel(fuel)?;
            let Ok(function) = instance.get_typed_func::<(), ()>(&mut store, export) else {
                return Ok(false);
            };
            function.call(&mut store, ())?;
            Ok(true)
        });
        let left = store.get_fuel().map_err(RunError::Engine)?;
        match result {
            Ok(_) if left == 0 => Err(RunError::Instructions { limit }),
            Ok(true) => Ok(fuel - left),
            Ok(false) => Err(RunError::Export(export.to_owned())),
            Err(error) => Err(failure(store, provider, limit, &error)),
        }
    }

    fn instantiate(&self, mut store: &mut Store<State>, provider: &Instance) -> wasmtime::Result<Instance> {
        let imports = self
            .imports
            .iter()
            .map(|import| import.link(store, provider))
            .collect::<wasmtime::Result<Vec<_>>>()?;
        let instance = Instance::new(&mut store, &self.module, &imports)?;
        let memory = instance.get_memory(&mut store, "memory");
        if let Some(link) = &mut store.data_mut().link {
            link.function = memory;
        }
        Ok(instance)
    }

    fn as_shopify_counts(&self, used: u64) -> u64 {
        if self.shared.exact { used } else { (used * (100 + ESTIMATE_PERCENT)).div_ceil(100) }
    }

    fn as_counted_here(&self, limit: u64) -> u64 {
        if self.shared.exact { limit } else { limit * 100 / (100 + ESTIMATE_PERCENT) }
    }
}

/// What a failed call means.
fn failure(store: &mut Store<State>, provider: &Instance, limit: u64, error: &wasmtime::Error) -> RunError {
    if let Some(memory) = error.downcast_ref::<MemoryExceeded>() {
        return RunError::Memory { bytes: memory.bytes };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => RunError::Instructions { limit },
        Some(Trap::StackOverflow) => RunError::Stack,
        _ => RunError::Trapped { message: error.root_cause().to_string(), logs: logs(store, provider) },
    }
}

/// What a Function that trapped had logged: its panic message, as a rule. Nothing, if the provider itself trapped.
fn logs(store: &mut Store<State>, provider: &Instance) -> String {
    let Some(memory) = store.data().link.as_ref().map(|link| link.provider) else {
        return String::new();
    };
    finish(store, provider, memory).map(|written| written.logs).unwrap_or_default()
}

/// What the provider holds after a run.
struct Written {
    output: Vec<u8>,
    logs: String,
    logs_cut: bool,
}

fn finish(mut store: &mut Store<State>, provider: &Instance, memory: Memory) -> wasmtime::Result<Written> {
    store.set_fuel(u64::MAX)?;
    let finalize = provider.get_typed_func::<(), u32>(&mut store, "finalize")?;
    let area = finalize.call(&mut store, ())?;
    let [output, output_len, old, old_len, new, new_len] = words(memory, &store, area)?;

    let mut bytes = |address: u32, len: u32| -> wasmtime::Result<Vec<u8>> {
        let mut bytes = vec![0; len as usize];
        memory.read(&mut store, address as usize, &mut bytes)?;
        Ok(bytes)
    };
    let output = bytes(output, output_len)?;
    let mut logs = bytes(old, old_len)?;
    logs.extend(bytes(new, new_len)?);
    // The ring holds one byte more than is kept, so that a full ring shows that something was cut off.
    let logs_cut = logs.len() > LOG_BYTES;
    let kept = &logs[logs.len().saturating_sub(LOG_BYTES)..];
    Ok(Written { output, logs: String::from_utf8_lossy(kept).into_owned(), logs_cut })
}

/// The length of a value's JSON.
fn json_bytes(value: &impl Serialize) -> serde_json::Result<u64> {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value)?;
    Ok(count.0)
}
