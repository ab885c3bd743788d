//! What `cargo xtask functions` reports of one Function.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Function, RunError, Scale};

/// The cart sizes that are measured.
pub const LINES: [usize; 5] = [1, 10, 50, 200, 500];

/// Size and instructions of one Function.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The extension's name.
    pub name: String,
    /// The size of the `.wasm` in bytes.
    pub wasm_bytes: usize,
    /// Instructions by the number of cart lines.
    pub instructions: BTreeMap<usize, u64>,
    /// Whether the counts are Shopify's to the instruction.
    pub exact: bool,
}

/// Measures one export of a Function on carts of each size.
pub fn report<I: Serialize>(
    name: &str,
    function: &Function,
    export: &str,
    input: impl Fn(usize) -> I,
) -> Result<Report, RunError> {
    let mut exact = true;
    let mut instructions = BTreeMap::new();
    for lines in LINES {
        let run = function.run(export, &input(lines), Scale::lines(lines))?;
        exact &= run.exact;
        instructions.insert(lines, run.instructions);
    }
    Ok(Report { name: name.to_owned(), wasm_bytes: function.wasm_bytes(), instructions, exact })
}
