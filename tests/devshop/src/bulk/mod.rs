//! Bulk operations: queries that the shop works off by itself, whose answer is a file of JSON lines.

mod file;
mod lines;

use std::collections::BTreeMap;

pub(crate) use file::serve;
pub(crate) use lines::lines;

/// At most this many run at once; one more is refused.
pub(crate) const AT_ONCE: usize = 5;

/// How bulk operations go wrong, from the next one on that is started, ends or is fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkFaults {
    /// They do not end before [`DevShop::release_bulk`](crate::DevShop::release_bulk).
    pub held: bool,
    /// No webhook tells of their end.
    pub silent: bool,
    /// They end like this, such as `FAILED`, with this code, such as `TIMEOUT`, and half of their file.
    pub ends: Option<(String, Option<String>)>,
    /// Customers whom the list of all of them lacks.
    pub left_out: Vec<u64>,
    /// Lines that stand before all others: of other types, or none at all.
    pub lines_before: Vec<String>,
    /// The lines come in another order.
    pub reversed: bool,
    /// The file itself ends after this many bytes. Its size is told as if it did not.
    pub cut_at: Option<usize>,
    /// This many times the connection breaks half-way.
    pub breaks: u32,
    /// The file cannot be had from the middle on.
    pub no_ranges: bool,
    /// The file is served compressed, unless a part of it is asked for.
    pub gzip: bool,
    /// The file is answered with this status instead.
    pub status: Option<u16>,
}

/// A bulk operation, as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub id: u64,
    pub query: String,
    /// `RUNNING`, `COMPLETED`, …
    pub status: String,
    pub error_code: Option<String>,
    /// What its file has, or will have.
    pub file: String,
}

impl Operation {
    /// Whether there is nothing in its file: then it has none.
    pub fn is_empty(&self) -> bool {
        self.file.is_empty()
    }
}

/// The shop's bulk operations.
#[derive(Debug, Default)]
pub(crate) struct Bulk {
    pub operations: BTreeMap<u64, Operation>,
    pub faults: BulkFaults,
    /// Requests for files: the first byte that each asked for.
    pub fetched: Vec<u64>,
}

impl Bulk {
    /// How many are under way.
    pub fn running(&self) -> usize {
        self.operations.values().filter(|operation| operation.status == "RUNNING").count()
    }

    /// Ends those that are under way; gives the id, the status and the code of each.
    pub fn end(&mut self) -> Vec<(u64, String, Option<String>)> {
        let (status, code) = self.faults.ends.clone().unwrap_or_else(|| ("COMPLETED".to_owned(), None));
        let ended = self.operations.values_mut().filter(|operation| operation.status == "RUNNING");
        let ended = ended.map(|operation| {
            (operation.status, operation.error_code) = (status.clone(), code.clone());
            if status != "COMPLETED" {
                let half = operation.file.len() / 2;
                let end = operation.file[half..].find('\n').map_or(half, |at| half + at + 1);
                operation.file.truncate(end);
            }
            (operation.id, status.clone(), code.clone())
        });
        ended.collect()
    }
}
