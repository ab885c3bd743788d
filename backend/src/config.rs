//! Settings: the documented default file, a file of the operator's own, the environment. Nonsense is refused at
//! start with a sentence that names the key.

mod check;
mod layers;
mod secret;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

pub use secret::Secret;

/// The default file: every key, its default and what it means.
pub const DEFAULT_FILE: &str = include_str!("default.toml");

/// A setting that cannot be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub(crate) String);

/// Every setting. `default.toml` says what each means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Config {
    pub database: Database,
    pub web: Web,
    pub shopify: Shopify,
    pub security: Security,
    pub inbox: Inbox,
    pub events: Events,
    pub sync: Sync,
    pub tasks: Tasks,
    pub operator: Operator,
    pub metrics: Metrics,
    pub log: Log,
}

/// Where the data is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Database {
    /// May carry a password.
    pub url: Secret,
    pub max_connections: u32,
    pub acquire_timeout: SignedDuration,
    pub statement_timeout: SignedDuration,
    pub migrate_at_start: bool,
}

/// How requests are served.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Web {
    pub address: std::net::IpAddr,
    pub port: u16,
    pub public_url: String,
    pub request_timeout: SignedDuration,
    pub body_limit: usize,
    pub body_timeout: SignedDuration,
    pub headers: usize,
    pub header_limit: usize,
    pub header_timeout: SignedDuration,
    pub connections: usize,
    pub concurrency: usize,
    pub rate: u32,
    pub burst: u32,
    pub customer_rate: u32,
    pub customer_burst: u32,
    pub shutdown_timeout: SignedDuration,
}

/// The app at Shopify.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Shopify {
    pub api_key: String,
    pub api_secret: Secret,
    pub api_secret_previous: Secret,
    pub scopes: String,
    pub url: String,
    pub api_version: String,
    pub timeout: SignedDuration,
    pub clock_tolerance: SignedDuration,
}

/// Keys of our own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Security {
    pub encryption_key: Secret,
    pub encryption_keys_old: Vec<Secret>,
}

/// How webhooks are taken in and worked off.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Inbox {
    pub body_limit: usize,
    pub queue: usize,
    pub accept_timeout: SignedDuration,
    pub stale_after: SignedDuration,
    pub workers: usize,
    pub batch: usize,
    pub poll_every: SignedDuration,
    pub lease: SignedDuration,
    pub retry: Vec<SignedDuration>,
    pub payloads_kept: SignedDuration,
    pub messages_kept: SignedDuration,
    pub behind_after: SignedDuration,
}

/// How domain events are delivered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Events {
    pub batch: usize,
    pub lease: SignedDuration,
    pub retry: Vec<SignedDuration>,
    pub kept: SignedDuration,
}

/// How metafields are written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Sync {
    pub workers: usize,
}

/// How tasks are run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Tasks {
    pub workers: usize,
    pub poll_every: SignedDuration,
    pub lease: SignedDuration,
    pub retry: Vec<SignedDuration>,
    pub kept: SignedDuration,
    pub dead_kept: SignedDuration,
}

/// Who may see what belongs to no shop.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Operator {
    pub token: Secret,
    pub session: SignedDuration,
}

/// Who may read the metrics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Metrics {
    pub listen: String,
    pub token: Secret,
}

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented key by key in default.toml")]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

/// For people or for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line each.
    Text,
    /// One JSON object each.
    Json,
}

impl Config {
    /// Reads the default file, then `file`, then the environment.
    ///
    /// # Errors
    /// An unknown key, a value of the wrong type, or nonsense; the sentence names the key and where it came from.
    pub fn load(file: Option<&Path>, environment: &[(String, String)]) -> Result<Config, ConfigError> {
        let text = match file {
            Some(path) => Some((
                path.display().to_string(),
                std::fs::read_to_string(path)
                    .map_err(|error| ConfigError(format!("cannot read {}: {error}", path.display())))?,
            )),
            None => None,
        };
        let table = layers::merge(text, environment)?;
        let config: Config = table
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError(error.to_string().trim().into()))?;
        config.check()?;
        Ok(config)
    }

    /// The 32 bytes of the encryption key.
    ///
    /// # Errors
    /// When it is missing or not 64 hexadecimal digits.
    pub fn encryption_key(&self) -> Result<[u8; 32], ConfigError> {
        key_of(&self.security.encryption_key, "security.encryption_key (LOYALNEST_ENCRYPTION_KEY)")
    }

    /// The keys that were used before it.
    ///
    /// # Errors
    /// When one is not 64 hexadecimal digits.
    pub fn old_encryption_keys(&self) -> Result<Vec<[u8; 32]>, ConfigError> {
        const NAME: &str = "security.encryption_keys_old (LOYALNEST_ENCRYPTION_KEYS_OLD)";
        let keys = self.security.encryption_keys_old.iter().filter(|key| !key.is_empty());
        keys.map(|key| key_of(key, NAME)).collect()
    }

    /// The app's secret, and the one before it if that is still accepted.
    ///
    /// # Errors
    /// When there is none.
    pub fn api_secrets(&self) -> Result<Vec<Secret>, ConfigError> {
        if self.shopify.api_secret.is_empty() {
            return refuse("shopify.api_secret (SHOPIFY_API_SECRET)", "is not set");
        }
        let secrets = [&self.shopify.api_secret, &self.shopify.api_secret_previous];
        Ok(secrets.into_iter().filter(|secret| !secret.is_empty()).cloned().collect())
    }

    /// Where metrics are served to the machine itself; none if they are not.
    ///
    /// # Errors
    /// When it is no address, or one that others reach.
    pub fn metrics_address(&self) -> Result<Option<SocketAddr>, ConfigError> {
        if self.metrics.listen.is_empty() {
            return Ok(None);
        }
        match self.metrics.listen.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Some(address)),
            _ => refuse("metrics.listen", "must be a loopback address and a port, such as 127.0.0.1:9464"),
        }
    }
}

fn key_of(secret: &Secret, name: &str) -> Result<[u8; 32], ConfigError> {
    let mut key = [0; 32];
    match hex::decode_to_slice(secret.expose(), &mut key) {
        Ok(()) => Ok(key),
        Err(_) => refuse(name, "must be 64 hexadecimal digits"),
    }
}

fn refuse<T>(key: &str, why: &str) -> Result<T, ConfigError> {
    Err(ConfigError(format!("{key} {why}")))
}

/// A configured duration for the timers of the runtime.
pub fn duration(configured: SignedDuration) -> Duration {
    configured.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        Config::load(None, &environment.iter().map(owned).collect::<Vec<_>>())
    }

    fn refusal(environment: &[(&str, &str)]) -> String {
        load(environment).unwrap_err().to_string()
    }

    #[test]
    fn the_default_file_is_complete_and_sane() {
        let config = load(&[]).unwrap();
        assert_eq!(config.database.url.expose(), "sqlite://loyalnest.db");
        assert_eq!(config.inbox.retry.len(), 6);
        assert_eq!(config.web.body_limit, 65_536);
    }

    #[test]
    fn the_environment_wins_and_has_the_names_of_the_shopify_cli() {
        let config = load(&[
            ("SHOPIFY_API_KEY", "key"),
            ("SHOPIFY_API_SECRET", "hush"),
            ("HOST", "https://app.example"),
            ("PORT", "8080"),
            ("DATABASE_URL", "postgres://localhost/x"),
            ("LOYALNEST_SHOPIFY_URL", "http://127.0.0.1:9393"),
            ("LOYALNEST_INBOX__RETRY", "1s, 2s"),
            ("LOYALNEST_DATABASE__MIGRATE_AT_START", "false"),
            ("LOYALNEST_TEST_POSTGRES", "for the tests"),
        ])
        .unwrap();
        assert_eq!((config.web.port, config.web.public_url.as_str()), (8080, "https://app.example"));
        assert_eq!(config.shopify.url, "http://127.0.0.1:9393");
        assert_eq!(config.inbox.retry, [SignedDuration::from_secs(1), SignedDuration::from_secs(2)]);
        assert!(!config.database.migrate_at_start);
        assert_eq!(config.api_secrets().unwrap().len(), 1);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (key, value, says) in [
            ("DATABASE_URL", "mysql://x", "database.url (DATABASE_URL) must start with sqlite:"),
            ("PORT", "eighty", "PORT (web.port) must be a whole number"),
            ("PORT", "70000", "web.port"),
            ("LOYALNEST_INBOX__QUEUE", "0", "inbox.queue must be at least 1"),
            ("LOYALNEST_INBOX__QUEUE", "-1", "inbox.queue"),
            ("LOYALNEST_INBOX__QUEU", "1", "LOYALNEST_INBOX__QUEU: there is no setting inbox.queu"),
            ("LOYALNEST_ENCRIPTION_KEY", "1", "LOYALNEST_ENCRIPTION_KEY"),
            ("LOYALNEST_INBOX__POLL_EVERY", "soon", "inbox.poll_every"),
            ("LOYALNEST_INBOX__POLL_EVERY", "-1s", "inbox.poll_every must be longer than nothing"),
            ("LOYALNEST_INBOX__STALE_AFTER", "721h", "inbox.stale_after must be shorter"),
            ("LOYALNEST_ENCRYPTION_KEY", "00", "security.encryption_key (LOYALNEST_ENCRYPTION_KEY)"),
            (
                "LOYALNEST_ENCRYPTION_KEYS_OLD",
                "00",
                "security.encryption_keys_old (LOYALNEST_ENCRYPTION_KEYS_OLD)",
            ),
            ("LOYALNEST_WEB__ADDRESS", "nowhere", "web.address"),
            ("LOYALNEST_SHOPIFY_URL", "127.0.0.1", "shopify.url (LOYALNEST_SHOPIFY_URL) must be"),
            ("LOYALNEST_SHOPIFY_URL", "ftp://127.0.0.1", "shopify.url (LOYALNEST_SHOPIFY_URL) must be"),
            ("LOYALNEST_SHOPIFY_URL", "http://{shop}", "shopify.url (LOYALNEST_SHOPIFY_URL) must be"),
            (
                "LOYALNEST_SHOPIFY_URL",
                "https://{shop}.example",
                "shopify.url (LOYALNEST_SHOPIFY_URL) must be",
            ),
            (
                "LOYALNEST_SHOPIFY_URL",
                "https://me:word@shops.example",
                "shopify.url (LOYALNEST_SHOPIFY_URL) must be",
            ),
            (
                "LOYALNEST_SHOPIFY_URL",
                "https://shops.example?a=b",
                "shopify.url (LOYALNEST_SHOPIFY_URL) must be",
            ),
            ("LOYALNEST_SHOPIFY__API_VERSION", "../../etc", "shopify.api_version must be"),
            ("LOYALNEST_SHOPIFY__API_VERSION", "", "shopify.api_version must be"),
            ("LOYALNEST_LOG__FORMAT", "xml", "log.format"),
            ("LOYALNEST_METRICS__LISTEN", "0.0.0.0:9464", "metrics.listen must be a loopback address"),
            ("LOYALNEST_METRICS__LISTEN", "here", "metrics.listen must be a loopback address"),
            ("LOYALNEST_WEB__RATE", "0", "web.rate must be at least 1"),
            ("LOYALNEST_WEB__CUSTOMER_BURST", "0", "web.customer_burst must be at least 1"),
            ("LOYALNEST_TASKS__WORKERS", "0", "tasks.workers must be at least 1"),
            ("LOYALNEST_TASKS__RETRY", "0s", "tasks.retry must have waits longer than nothing"),
            ("LOYALNEST_TASKS__KEPT", "47h", "tasks.kept must be at least 48h"),
            ("LOYALNEST_OPERATOR__TOKEN", "short", "operator.token must be at least 20 characters"),
        ] {
            let refusal = refusal(&[(key, value)]);
            assert!(refusal.contains(says), "{key}={value}: {refusal}");
        }
        assert!(load(&[]).unwrap().api_secrets().unwrap_err().to_string().contains("SHOPIFY_API_SECRET"));
        assert!(load(&[]).unwrap().encryption_key().is_err());
    }

    #[test]
    fn a_file_may_hold_some_settings_and_no_unknown_ones() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.toml");
        std::fs::write(&file, "[inbox]\nworkers = 2\n").unwrap();
        let config = Config::load(Some(&file), &[]).unwrap();
        assert_eq!((config.inbox.workers, config.inbox.batch), (2, 2_048));

        for (text, says) in [
            ("[inbox]\nworker = 2", "there is no setting inbox.worker"),
            ("[index]\nworkers = 2", "there is no setting index"),
            ("inbox = 3", "inbox must be a section"),
            ("[inbox]\nworkers = \"2\"", "inbox.workers must be a whole number"),
            ("[inbox", "shop.toml"),
        ] {
            std::fs::write(&file, text).unwrap();
            let refusal = Config::load(Some(&file), &[]).unwrap_err().to_string();
            assert!(refusal.contains(says), "{text}: {refusal}");
        }
        assert!(Config::load(Some(&folder.path().join("none.toml")), &[]).is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = load(&[
            ("SHOPIFY_API_SECRET", "hush"),
            ("DATABASE_URL", "postgres://me:hush@localhost/x"),
            ("LOYALNEST_ENCRYPTION_KEY", &"ab".repeat(32)),
        ])
        .unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("hush") && !shown.contains("abab"), "{shown}");
    }
}
