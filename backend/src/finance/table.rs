//! Reports as tables for spreadsheets.

use serde::Serialize;

/// The lines below their names.
///
/// # Errors
/// Never while memory lasts; the library says that it may.
pub(super) fn table<T: Serialize>(lines: &[T]) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    lines.iter().try_for_each(|line| table.serialize(line))?;
    table.into_inner().map_err(|error| error.into_error().into())
}
