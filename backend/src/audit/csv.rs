//! The log as a table for spreadsheets.

use serde_json::Value;
use sqlx::types::Json;

use super::store::Entry;
use super::words::sentence;
use crate::languages::Tongue;

const COLUMNS: [&str; 11] = [
    "at",
    "id",
    "actor_kind",
    "actor_id",
    "operator",
    "action",
    "text",
    "target",
    "before",
    "after",
    "request",
];

/// The table, with a line of names on top.
///
/// # Errors
/// Never while memory lasts; the library says that it may.
pub(super) fn table(tongue: Tongue, entries: &[Entry]) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for entry in entries {
        let json =
            |value: &Option<Json<Value>>| value.as_ref().map_or(String::new(), |value| value.0.to_string());
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let row = [
            entry.at.to_string(),
            entry.entry_id.to_string(),
            entry.actor_kind.to_string(),
            text(&entry.actor_id),
            text(&entry.operator),
            entry.action.clone(),
            sentence(tongue, entry),
            text(&entry.target),
            json(&entry.before),
            json(&entry.after),
            text(&entry.request_id),
        ];
        table.write_record(row.map(defused))?;
    }
    table.into_inner().map_err(|error| error.into_error().into())
}

/// A spreadsheet takes what begins like a formula for one; behind an apostrophe it is text.
fn defused(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(defused(formula.into()), format!("'{formula}"));
        }
        for plain in ["", "staff.joined", "42", "{\"a\":1}", "1=1"] {
            assert_eq!(defused(plain.into()), plain);
        }
    }
}
