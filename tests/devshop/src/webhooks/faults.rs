//! How webhooks go wrong on their way.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How webhooks go wrong on their way; the default is not at all. Chances are per mille and drawn from the shop's seed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFaults {
    /// Chance that a webhook is sent twice, under the same webhook id.
    pub duplicate: u16,
    /// Chance that the first attempt is lost and only a retry arrives.
    pub lose: u16,
    /// Chance that the first attempt arrives but its answer is lost, so that it comes again.
    pub lose_answer: u16,
    /// How late every webhook is.
    pub delay: Duration,
    /// How much later still, at most: each waits a random part of it, so that they overtake each other.
    pub reorder: Duration,
}

impl WebhookFaults {
    /// Everything at once: a third duplicated, a third lost, a third answered into the void, all out of order.
    pub fn all() -> Self {
        Self {
            duplicate: 333,
            lose: 333,
            lose_answer: 333,
            delay: Duration::ZERO,
            reorder: Duration::from_millis(200),
        }
    }
}
