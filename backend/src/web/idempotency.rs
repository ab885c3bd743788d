//! Keys by which requests can be repeated.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use super::Problem;
use crate::app::App;

/// The header that carries the key.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key of a request that does its work once, however often it is sent.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The name of what is done under it. A digest, because callers may write into a key whatever they know of a person.
    pub fn name(&self) -> String {
        format!("key:{}", &hex::encode(Sha256::digest(&self.0))[..32])
    }
}

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let mut keys = parts.headers.get_all(IDEMPOTENCY_KEY).into_iter();
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return Err(Problem::bad_request(
                "idempotency_key_missing",
                "This request needs one header Idempotency-Key, so that it can be repeated.",
            ));
        };
        read(key).ok_or_else(|| {
            Problem::bad_request(
                "idempotency_key_malformed",
                "An Idempotency-Key has 1 to 255 visible ASCII characters.",
            )
        })
    }
}

fn read(key: &HeaderValue) -> Option<IdempotencyKey> {
    let text = key.to_str().ok().filter(|text| (1..=255).contains(&text.len()))?;
    text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| IdempotencyKey(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_text_and_its_name_tells_nothing_of_it() {
        let name =
            |text: &str| read(&HeaderValue::from_bytes(text.as_bytes()).unwrap()).map(|key| key.name());
        assert!(name("order-7-review").is_some_and(|name| name.len() == 36 && name.starts_with("key:")));
        assert_eq!(name("a"), name("a"));
        assert_ne!(name("a"), name("A"));
        for text in ["", "a b", "ü", &"a".repeat(256)] {
            assert_eq!(name(text), None, "{text:?}");
        }
    }
}
