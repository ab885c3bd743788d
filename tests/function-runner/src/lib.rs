//! Runs Shopify Functions as Shopify runs them: the unmodified release `.wasm`, linked with Shopify's own provider of
//! the Function API, under the platform's limits, with instructions counted the platform's way.
//!
//! ```no_run
//! use function_runner::{Runner, Scale};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let function = Runner::new()?.load_named("points-redemption")?;
//! let input = serde_json::json!({ "cart": { "lines": [] } });
//! let run = function.run("cart_lines_discounts_generate_run", &input, Scale::lines(0))?;
//! println!("{} in {} instructions", run.output, run.instructions);
//! # Ok(())
//! # }
//! ```
//!
//! **How the count equals Shopify's.** A Function imports its API from a second module, the *provider*, which has a
//! memory of its own. Shopify rewrites the Function before running it (the *trampoline*): five imports that pass
//! strings become small functions that copy between the two memories. Every executed instruction of the Function, of
//! those five and of the provider costs one, but for `nop`, `drop`, `block`, `loop`, `else`, `end`, `return` and
//! `unreachable`, which cost none; entering a function costs one; bulk operations cost one whatever their length.
//! Here the five are host functions that charge what the trampoline's would have ([`Run::instructions`]); the tests
//! check each charge against such a trampoline written by hand. The provider is the same crate, built by the same
//! compiler: see `provider/Cargo.toml`.

mod artefacts;
mod error;
mod function;
mod limits;
mod link;
pub mod measure;
mod runner;

pub use artefacts::folder as artefacts_folder;
pub use error::{LoadError, RunError};
pub use function::{Function, Run};
pub use limits::{
    BINARY_BYTES, INPUT_BYTES, INSTRUCTIONS, LOG_BYTES, MEMORY_BYTES, OUTPUT_BYTES, STACK_BYTES, Scale,
};
pub use runner::Runner;
