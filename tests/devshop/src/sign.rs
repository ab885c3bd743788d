//! The signatures a shop puts on what it sends: on webhooks, on app proxy requests, on pages it opens in the app.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// `X-Shopify-Hmac-Sha256`: HMAC-SHA256 of the raw body, base64.
pub fn webhook(secret: &str, body: &[u8]) -> String {
    STANDARD.encode(mac(secret, body))
}

/// `signature` of an app proxy query: decoded pairs, values of one key joined by commas, `key=value` sorted bytewise,
/// joined by nothing, HMAC-SHA256, hexadecimal.
pub fn proxy_query(secret: &str, pairs: &[(String, String)]) -> String {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (key, value) in pairs.iter().filter(|(key, _)| key != "signature") {
        match joined.iter_mut().find(|(known, _)| known == key) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(value);
            }
            None => joined.push((key.clone(), value.clone())),
        }
    }
    let mut texts: Vec<String> = joined.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    texts.sort_unstable();
    hex::encode(mac(secret, texts.concat().as_bytes()))
}

/// `hmac` of an OAuth query: pairs sorted by key, form-encoded with `%20` for a space, joined by `&`, HMAC-SHA256,
/// hexadecimal.
pub fn oauth_query(secret: &str, pairs: &[(String, String)]) -> String {
    let mut pairs: Vec<_> = pairs.iter().filter(|(key, _)| key != "hmac" && key != "signature").collect();
    pairs.sort_unstable_by_key(|(key, _)| key);
    let mut text = form_urlencoded::Serializer::new(String::new());
    pairs.iter().for_each(|(key, value)| {
        text.append_pair(key, value);
    });
    hex::encode(mac(secret, text.finish().replace('+', "%20").as_bytes()))
}

/// HMAC-SHA256.
pub fn mac(secret: &str, message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length: the error it can return does not occur.
    Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_are_signed_as_shopify_signs_them() {
        assert_eq!(
            webhook("test_secret_key", br#"{"foo": "bar"}"#),
            "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g="
        );
    }

    #[test]
    fn oauth_queries_are_signed_as_shopify_signs_them() {
        let query = "code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com&timestamp=1337178173";
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let hmac = "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20";
        assert_eq!(oauth_query("hush", &pairs), hmac);
    }

    #[test]
    fn proxy_queries_are_signed_as_shopify_signs_them() {
        let sign = |query: &str| {
            let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            proxy_query("hush", &pairs)
        };
        let common = "shop=shop-name.myshopify.com&path_prefix=/apps/awesome_reviews&timestamp=1317327555";
        assert_eq!(
            sign(&format!("extra=1&extra=2&logged_in_customer_id=1&{common}")),
            "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"
        );
        assert_eq!(
            sign(&format!("extra=1&extra=2&logged_in_customer_id=&{common}")),
            "e072b6d7e6622d85912a5214b860d3100dc1e73d9bc29f43796ac8c9ff8093cb"
        );
    }
}
