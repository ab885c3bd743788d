//! How the Admin API goes wrong when told to.

use std::collections::{BTreeSet, VecDeque};

/// What happens to one of the next requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdminFault {
    /// What the client meets.
    pub kind: AdminFaultKind,
    /// Whether the request took effect all the same: the answer is what was lost.
    pub applied: bool,
}

/// What the client meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminFaultKind {
    /// This HTTP status, such as 500 or 503, and no GraphQL.
    Status(u16),
    /// No answer at all, for as long as the client cares to wait.
    Timeout,
    /// `THROTTLED`, however full the bucket is; never applied.
    Throttled,
}

impl AdminFault {
    /// A failure before anything happened.
    pub fn before(kind: AdminFaultKind) -> Self {
        Self { kind, applied: false }
    }

    /// A failure after everything happened.
    pub fn after(kind: AdminFaultKind) -> Self {
        Self { kind, applied: true }
    }
}

impl AdminFaults {
    /// What happens to this request.
    pub fn take(&mut self, operation: &str) -> Option<AdminFault> {
        match self.of.iter().position(|(name, _)| name == operation) {
            Some(at) => Some(self.of.remove(at).1),
            None => self.next.pop_front(),
        }
    }
}

/// The faults to come and the things the app may not see.
#[derive(Debug, Default)]
pub(crate) struct AdminFaults {
    pub next: VecDeque<AdminFault>,
    /// By the operation's name.
    pub of: Vec<(String, AdminFault)>,
    pub hidden: BTreeSet<String>,
}
