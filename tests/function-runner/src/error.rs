//! Why a Function cannot be loaded, and how a run can fail.

use std::io;
use std::path::PathBuf;

/// Why a Function, or the provider, cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file that `cargo xtask build` makes is not there, or cannot be read.
    #[error("cannot read {}: {source}; `cargo xtask build` makes it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file beside the provider that says how it was built is not what it should be.
    #[error("cannot understand {}: {source}", path.display())]
    ProviderInfo {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The platform takes no Function of this size.
    #[error("the Function has {bytes} bytes, {} are allowed", crate::BINARY_BYTES)]
    Binary {
        /// Its size in bytes.
        bytes: usize,
    },
    /// Something the platform does not offer is imported.
    #[error("the platform does not offer the import {module}::{name}")]
    Import {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// The engine does not take the module.
    #[error("not a module that can be run: {0:#}")]
    Module(wasmtime::Error),
}

/// How a run failed. Shopify goes on without the Function in each of these cases.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The module exports no such function.
    #[error("the Function has no export `{0}`")]
    Export(String),
    /// More JSON than the platform passes in.
    #[error("the input has {bytes} bytes, {limit} are allowed")]
    Input {
        /// Its size in bytes of JSON.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// More instructions than allowed.
    #[error("more than {limit} instructions")]
    Instructions {
        /// The limit.
        limit: u64,
    },
    /// More linear memory than allowed.
    #[error("a memory of {bytes} bytes was asked for, {} are allowed", crate::MEMORY_BYTES)]
    Memory {
        /// The size that was asked for, in bytes.
        bytes: usize,
    },
    /// A deeper call stack than allowed.
    #[error("more than {} bytes of stack", crate::STACK_BYTES)]
    Stack,
    /// The Function panicked or did something it may not.
    #[error("the Function trapped: {message}{}{logs}", if logs.is_empty() { "" } else { "; it had logged: " })]
    Trapped {
        /// What the engine says.
        message: String,
        /// What the Function had logged until then.
        logs: String,
    },
    /// More JSON than the platform takes back.
    #[error("the output has {bytes} bytes, {limit} are allowed")]
    Output {
        /// Its size in bytes of JSON.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The Function wrote no complete value.
    #[error("the output is no complete value: {0}")]
    Malformed(String),
    /// The input could not be turned into what the provider reads.
    #[error("the input cannot be encoded: {0}")]
    Encode(String),
    /// The engine or the provider failed; not the Function's fault.
    #[error("the engine failed: {0:#}")]
    Engine(wasmtime::Error),
}

/// What the memory limiter raises inside a run.
#[derive(Debug, thiserror::Error)]
#[error("a memory of {bytes} bytes was asked for")]
pub(crate) struct MemoryExceeded {
    pub bytes: usize,
}
