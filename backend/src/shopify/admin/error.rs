//! Why a call failed, and whether it may succeed later.

use std::time::Duration;

use crate::outgoing;

/// A failed call to the Admin API.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No answer: no connection, or none in time. It is not known whether the call took effect.
    #[error("Shopify does not answer")]
    Unreachable(#[source] outgoing::Error),
    /// The shop's cost bucket is empty and does not fill up before the deadline.
    #[error("Shopify asks to wait {}ms", .wait.as_millis())]
    Throttled {
        /// How long until there is enough for this call.
        wait: Duration,
    },
    /// Shopify failed (5xx, or INTERNAL_SERVER_ERROR in the answer).
    #[error("Shopify failed with status {status}")]
    Server {
        /// The HTTP status.
        status: u16,
    },
    /// The access token is not, or no longer, accepted (401, 403).
    #[error("Shopify does not accept the access token (status {status})")]
    Unauthorized {
        /// The HTTP status.
        status: u16,
    },
    /// Another refusal of the request as a whole.
    #[error("Shopify refused the request with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// More than any operation returns.
    #[error("Shopify's answer is too large")]
    TooLarge,
    /// The operation failed and there is no data.
    #[error("Shopify refused the operation: {0}")]
    Operation(String),
    /// An answer that is not the operation's.
    #[error("Shopify's answer is not what the operation returns")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AdminError {
    /// Whether Shopify has not begun with the call for sure, so that even what must not be done twice may be sent again.
    pub fn is_untouched(&self) -> bool {
        matches!(self, AdminError::Throttled { .. } | AdminError::Unauthorized { .. })
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            AdminError::Unreachable(_) | AdminError::Throttled { .. } | AdminError::Server { .. } => true,
            AdminError::Unauthorized { .. }
            | AdminError::Refused { .. }
            | AdminError::TooLarge
            | AdminError::Operation(_)
            | AdminError::Malformed(_) => false,
        }
    }
}

impl From<outgoing::Error> for AdminError {
    fn from(error: outgoing::Error) -> AdminError {
        match error {
            outgoing::Error::TooLarge => AdminError::TooLarge,
            error => AdminError::Unreachable(error),
        }
    }
}

/// What Shopify says is wrong with the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// Where in the input, e.g. `["metafields", "3", "compareDigest"]`.
    pub field: Vec<String>,
    /// For a person.
    pub message: String,
    /// For a program, e.g. `STALE_OBJECT`; not every mutation gives one.
    pub code: Option<String>,
}

impl UserError {
    /// The position in the input list that the error is about. Shopify's `elementIndex` is null: the position
    /// stands in `field`.
    pub fn index(&self) -> Option<usize> {
        self.field.get(1)?.parse().ok()
    }

    /// Whether a compare-and-set found another version than the one named.
    pub fn is_stale(&self) -> bool {
        self.code.as_deref() == Some("STALE_OBJECT")
    }
}
