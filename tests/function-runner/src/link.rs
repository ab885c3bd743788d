//! Links a Function with the provider: fourteen imports go straight to the provider's exports, five that pass strings
//! go through host functions that copy between the two memories.

use wasmtime::{
    AsContextMut, Caller, Extern, Func, Instance, Memory, Module, ModuleExport, ResourceLimiter, Store, Trap,
    TypedFunc, format_err,
};

use crate::error::MemoryExceeded;
use crate::{LoadError, MEMORY_BYTES};

const PROVIDER: &str = "shopify_function_v2";

/// What Shopify's trampoline spends on a call that the host does here, in instructions; the instructions of the
/// provider's own function come on top, in both cases.
mod charge {
    pub const READ_UTF8_STR: u64 = 11;
    pub const GET_OBJ_PROP: u64 = 19;
    pub const NEW_UTF8_STR: u64 = 17;
    pub const INTERN_UTF8_STR: u64 = 17;
    pub const LOG_UTF8_STR: u64 = 28;
    /// On top, when the message does not fit into the log's ring in one piece.
    pub const LOG_WRAPS: u64 = 17;
}

/// Where one import of a Function comes from.
pub enum Import {
    /// An export of the provider. Also what a module imports that already went through Shopify's trampoline.
    Provider(ModuleExport),
    /// A host function.
    Host(HostCall),
}

/// The five calls that pass strings.
#[derive(Clone, Copy)]
pub enum HostCall {
    ReadUtf8Str,
    GetObjProp,
    NewUtf8Str,
    InternUtf8Str,
    LogUtf8Str,
}

impl Import {
    /// Finds what an import means.
    pub fn resolve(provider: &Module, module: &str, name: &str) -> Result<Import, LoadError> {
        let unknown = || LoadError::Import { module: module.to_owned(), name: name.to_owned() };
        if module != PROVIDER {
            return Err(unknown());
        }
        Ok(match name {
            "shopify_function_input_read_utf8_str" => Import::Host(HostCall::ReadUtf8Str),
            "shopify_function_input_get_obj_prop" => Import::Host(HostCall::GetObjProp),
            "shopify_function_output_new_utf8_str" => Import::Host(HostCall::NewUtf8Str),
            "shopify_function_intern_utf8_str" => Import::Host(HostCall::InternUtf8Str),
            "shopify_function_log_new_utf8_str" => Import::Host(HostCall::LogUtf8Str),
            "memory" => Import::Provider(provider.get_export_index(name).ok_or_else(unknown)?),
            _ => {
                let export = if name.starts_with('_') { name.to_owned() } else { format!("_{name}") };
                Import::Provider(provider.get_export_index(&export).ok_or_else(unknown)?)
            }
        })
    }

    /// What to link in this store.
    pub fn link(&self, store: &mut Store<State>, provider: &Instance) -> wasmtime::Result<Extern> {
        match self {
            Import::Provider(export) => provider
                .get_module_export(store, export)
                .ok_or_else(|| format_err!("the provider lost an export")),
            Import::Host(call) => Ok(call.func(store).into()),
        }
    }
}

impl HostCall {
    fn func(self, store: &mut Store<State>) -> Func {
        match self {
            HostCall::ReadUtf8Str => Func::wrap(store, read_utf8_str),
            HostCall::GetObjProp => Func::wrap(store, get_obj_prop),
            HostCall::NewUtf8Str => Func::wrap(store, new_utf8_str),
            HostCall::InternUtf8Str => Func::wrap(store, intern_utf8_str),
            HostCall::LogUtf8Str => Func::wrap(store, log_utf8_str),
        }
    }
}

/// The state of one run.
#[derive(Default)]
pub struct State {
    /// The largest memory so far, in bytes.
    pub memory_bytes: usize,
    pub link: Option<Link>,
}

/// What the host functions need of the provider and of the Function. Handles, cheap to copy.
#[derive(Clone)]
pub struct Link {
    pub provider: Memory,
    /// The Function's own memory; a Function without one cannot pass strings.
    pub function: Option<Memory>,
    get_utf8_str_addr: TypedFunc<u32, u32>,
    alloc: TypedFunc<u32, u32>,
    get_obj_prop: TypedFunc<(u64, u32, u32), u64>,
    new_utf8_str: TypedFunc<u32, u64>,
    intern_utf8_str: TypedFunc<u32, u64>,
    log_new_utf8_str: TypedFunc<u32, u32>,
}

impl Link {
    pub fn new(mut store: &mut Store<State>, provider: &Instance) -> wasmtime::Result<Link> {
        let memory = provider
            .get_memory(&mut store, "memory")
            .ok_or_else(|| format_err!("the provider exports no memory"))?;
        Ok(Link {
            provider: memory,
            function: None,
            get_utf8_str_addr: provider
                .get_typed_func(&mut store, "_shopify_function_input_get_utf8_str_addr")?,
            alloc: provider.get_typed_func(&mut store, "_shopify_function_alloc")?,
            get_obj_prop: provider.get_typed_func(&mut store, "_shopify_function_input_get_obj_prop")?,
            new_utf8_str: provider.get_typed_func(&mut store, "_shopify_function_output_new_utf8_str")?,
            intern_utf8_str: provider.get_typed_func(&mut store, "_shopify_function_intern_utf8_str")?,
            log_new_utf8_str: provider.get_typed_func(&mut store, "_shopify_function_log_new_utf8_str")?,
        })
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > MEMORY_BYTES {
            return Err(MemoryExceeded { bytes: desired }.into());
        }
        self.memory_bytes = self.memory_bytes.max(desired);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// Copies a string of the input from the provider's memory to `out` in the Function's.
fn read_utf8_str(mut caller: Caller<'_, State>, src: u32, out: u32, len: u32) -> wasmtime::Result<()> {
    let (link, function) = enter(&mut caller, charge::READ_UTF8_STR)?;
    let addr = link.get_utf8_str_addr.call(&mut caller, src)?;
    copy(&mut caller, (link.provider, addr), (function, out), len)
}

/// Looks up a property by a name that stands in the Function's memory.
fn get_obj_prop(mut caller: Caller<'_, State>, scope: u64, name: u32, len: u32) -> wasmtime::Result<u64> {
    let (link, function) = enter(&mut caller, charge::GET_OBJ_PROP)?;
    let addr = link.alloc.call(&mut caller, len)?;
    copy(&mut caller, (function, name), (link.provider, addr), len)?;
    link.get_obj_prop.call(&mut caller, (scope, addr, len))
}

/// Writes a string to the output; returns the provider's result code.
fn new_utf8_str(mut caller: Caller<'_, State>, src: u32, len: u32) -> wasmtime::Result<u32> {
    let (link, function) = enter(&mut caller, charge::NEW_UTF8_STR)?;
    let packed = link.new_utf8_str.call(&mut caller, len)?;
    copy(&mut caller, (function, src), (link.provider, low(packed)), len)?;
    Ok(high(packed))
}

/// Keeps a string in the provider for later use by its id.
fn intern_utf8_str(mut caller: Caller<'_, State>, src: u32, len: u32) -> wasmtime::Result<u32> {
    let (link, function) = enter(&mut caller, charge::INTERN_UTF8_STR)?;
    let packed = link.intern_utf8_str.call(&mut caller, len)?;
    copy(&mut caller, (function, src), (link.provider, low(packed)), len)?;
    Ok(high(packed))
}

/// Appends to the log's ring, in one piece or two.
fn log_utf8_str(mut caller: Caller<'_, State>, src: u32, len: u32) -> wasmtime::Result<()> {
    let (link, function) = enter(&mut caller, charge::LOG_UTF8_STR)?;
    let area = link.log_new_utf8_str.call(&mut caller, len)?;
    let [skip, first, first_len, second, second_len] = words(link.provider, &caller, area)?;

    let src = src.wrapping_add(skip);
    copy(&mut caller, (function, src), (link.provider, first), first_len)?;
    if first_len != len {
        charge(&mut caller, charge::LOG_WRAPS)?;
        copy(&mut caller, (function, src.wrapping_add(first_len)), (link.provider, second), second_len)?;
    }
    Ok(())
}

/// Charges for the call and returns what it needs.
fn enter(caller: &mut Caller<'_, State>, cost: u64) -> wasmtime::Result<(Link, Memory)> {
    charge(caller, cost)?;
    let link = caller.data().link.clone().ok_or_else(|| format_err!("called outside a run"))?;
    let function = link.function.ok_or_else(|| format_err!("the Function exports no memory"))?;
    Ok((link, function))
}

fn charge(caller: &mut Caller<'_, State>, cost: u64) -> wasmtime::Result<()> {
    match caller.get_fuel()?.checked_sub(cost) {
        Some(left) => caller.set_fuel(left),
        None => {
            caller.set_fuel(0)?;
            Err(Trap::OutOfFuel.into())
        }
    }
}

/// Copies between memories, or traps as `memory.copy` does when a range lies outside.
fn copy(
    caller: &mut Caller<'_, State>,
    (from, src): (Memory, u32),
    (to, dst): (Memory, u32),
    len: u32,
) -> wasmtime::Result<()> {
    let range = src as usize..(src as usize).saturating_add(len as usize);
    let bytes = from.data(&caller).get(range).ok_or(Trap::MemoryOutOfBounds)?.to_vec();
    to.write(caller.as_context_mut(), dst as usize, &bytes).map_err(|_| Trap::MemoryOutOfBounds.into())
}

/// Reads consecutive 32-bit words.
pub fn words<const N: usize>(
    memory: Memory,
    store: impl wasmtime::AsContext,
    address: u32,
) -> wasmtime::Result<[u32; N]> {
    let mut words = [0; N];
    for (word, offset) in words.iter_mut().zip((address as usize..).step_by(4)) {
        let mut bytes = [0; 4];
        memory.read(&store, offset, &mut bytes)?;
        *word = u32::from_le_bytes(bytes);
    }
    Ok(words)
}

/// The provider packs two words into its answers: a result or id above, an address below.
fn low(packed: u64) -> u32 {
    packed as u32
}

fn high(packed: u64) -> u32 {
    (packed >> 32) as u32
}
