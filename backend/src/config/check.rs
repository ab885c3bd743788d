//! Nonsense is refused at start, with a sentence that names the key.

use jiff::SignedDuration;
use url::Url;

use super::{Config, ConfigError, refuse};

/// A task that the clock starts is known by its day; a day is not over everywhere for two.
const TASKS_REMEMBERED: SignedDuration = SignedDuration::from_hours(48);
/// Every shop at its own host.
const SHOPS: &str = "https://{shop}";
/// The fewest characters that cannot be guessed.
const OPERATOR_TOKEN: usize = 20;

impl Config {
    /// Whether every setting can be right.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.metrics_address()?;
        let url = self.database.url.expose();
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return refuse("database.url (DATABASE_URL)", "must start with sqlite: or postgres://");
        }
        self.check_addresses()?;
        let inbox = &self.inbox;
        for (key, number) in [
            ("database.max_connections", self.database.max_connections as usize),
            ("web.body_limit", self.web.body_limit),
            ("web.headers", self.web.headers),
            ("web.header_limit", self.web.header_limit),
            ("web.connections", self.web.connections),
            ("web.concurrency", self.web.concurrency),
            ("web.rate", self.web.rate as usize),
            ("web.burst", self.web.burst as usize),
            ("web.customer_rate", self.web.customer_rate as usize),
            ("web.customer_burst", self.web.customer_burst as usize),
            ("inbox.body_limit", inbox.body_limit),
            ("inbox.queue", inbox.queue),
            ("inbox.workers", inbox.workers),
            ("inbox.batch", inbox.batch),
            ("events.batch", self.events.batch),
            ("sync.workers", self.sync.workers),
            ("tasks.workers", self.tasks.workers),
        ] {
            if number == 0 {
                return refuse(key, "must be at least 1");
            }
        }
        for (key, duration) in [
            ("database.acquire_timeout", self.database.acquire_timeout),
            ("database.statement_timeout", self.database.statement_timeout),
            ("web.request_timeout", self.web.request_timeout),
            ("web.shutdown_timeout", self.web.shutdown_timeout),
            ("web.body_timeout", self.web.body_timeout),
            ("web.header_timeout", self.web.header_timeout),
            ("shopify.timeout", self.shopify.timeout),
            ("shopify.clock_tolerance", self.shopify.clock_tolerance),
            ("inbox.accept_timeout", inbox.accept_timeout),
            ("inbox.stale_after", inbox.stale_after),
            ("inbox.poll_every", inbox.poll_every),
            ("inbox.lease", inbox.lease),
            ("inbox.payloads_kept", inbox.payloads_kept),
            ("inbox.messages_kept", inbox.messages_kept),
            ("inbox.behind_after", inbox.behind_after),
            ("events.lease", self.events.lease),
            ("events.kept", self.events.kept),
            ("tasks.poll_every", self.tasks.poll_every),
            ("tasks.lease", self.tasks.lease),
            ("operator.session", self.operator.session),
        ] {
            if !duration.is_positive() {
                return refuse(key, "must be longer than nothing");
            }
        }
        for (key, waits) in [
            ("inbox.retry", &inbox.retry),
            ("events.retry", &self.events.retry),
            ("tasks.retry", &self.tasks.retry),
        ] {
            if waits.iter().any(|wait| !wait.is_positive()) {
                return refuse(key, "must have waits longer than nothing");
            }
        }
        if inbox.stale_after >= inbox.messages_kept {
            return refuse("inbox.stale_after", "must be shorter than inbox.messages_kept");
        }
        if inbox.payloads_kept > inbox.messages_kept {
            return refuse("inbox.payloads_kept", "must not be longer than inbox.messages_kept");
        }
        for (key, kept) in [("tasks.kept", self.tasks.kept), ("tasks.dead_kept", self.tasks.dead_kept)] {
            if kept < TASKS_REMEMBERED {
                return refuse(key, "must be at least 48h, or a task of today could be started again");
            }
        }
        let token = self.operator.token.expose();
        if !token.is_empty() && token.len() < OPERATOR_TOKEN {
            return refuse("operator.token", "must be at least 20 characters long");
        }
        if !self.security.encryption_key.is_empty() {
            self.encryption_key()?;
        }
        self.old_encryption_keys()?;
        Ok(())
    }

    /// Whether it is plain whom requests go to.
    fn check_addresses(&self) -> Result<(), ConfigError> {
        let shops =
            self.shopify.url.strip_prefix(SHOPS).is_some_and(|path| path.is_empty() || path.starts_with('/'));
        if !shops && !is_base(&self.shopify.url) {
            let why = "must be https://{shop}, or an address with https:// or http:// and no password, query or fragment";
            return refuse("shopify.url (LOYALNEST_SHOPIFY_URL)", why);
        }
        let version = &self.shopify.api_version;
        if version.is_empty() || !version.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return refuse("shopify.api_version", "must be letters, digits and hyphens, such as 2026-10");
        }
        Ok(())
    }
}

/// An address at which others begin.
fn is_base(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.contains('{'))
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}
