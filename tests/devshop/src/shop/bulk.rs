//! Bulk operations: what goes wrong with them, and when they end.

use super::DevShop;
use crate::bulk::BulkFaults;
use crate::webhooks::payloads;

impl DevShop {
    /// Makes bulk operations go wrong from now on.
    pub fn set_bulk_faults(&self, faults: BulkFaults) {
        self.bulk().faults = faults;
    }

    /// Ends the operations that are held, and holds no further ones.
    pub fn release_bulk(&self) {
        self.bulk().faults.held = false;
        self.end_bulk();
    }

    /// How many bulk operations were started.
    pub fn bulk_operations(&self) -> usize {
        self.bulk().operations.len()
    }

    /// What the file of a bulk operation has; none of one that was not started.
    pub fn bulk_file(&self, operation: u64) -> Option<String> {
        self.bulk().operations.get(&operation).map(|operation| operation.file.clone())
    }

    /// Every request for a bulk operation's file: the first byte that it asked for.
    pub fn bulk_fetches(&self) -> Vec<u64> {
        self.bulk().fetched.clone()
    }

    pub(crate) fn end_bulk(&self) {
        let now = self.clock().now();
        let (ended, silent) = {
            let mut bulk = self.bulk();
            (bulk.end(), bulk.faults.silent)
        };
        for (id, status, code) in ended {
            if !silent {
                let status = status.to_lowercase();
                let payload =
                    payloads::bulk_operation(id, "query", &status, code.as_deref(), now, self.facts());
                self.tell("bulk_operations/finish", payload);
            }
        }
    }
}
