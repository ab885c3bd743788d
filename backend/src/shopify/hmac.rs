//! Proof that something comes from Shopify: HMAC-SHA256 with the app's secret, compared in constant time.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use sha2::Sha256;

use super::ShopDomain;
use crate::config::Secret;
use crate::db::Timestamp;
use crate::ids::CustomerId;

/// Checks signatures, and makes them for tests and the local shop.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The secret, and while a rotation is under way the one before it.
    secrets: Vec<Secret>,
}

impl Signer {
    /// Accepts signatures made with any of these secrets, and signs with the first.
    pub fn new(secrets: Vec<Secret>) -> Self {
        Signer { secrets }
    }

    /// Whether `header` (`X-Shopify-Hmac-Sha256`, base64) signs the raw body of a webhook.
    pub fn verify_webhook(&self, header: &[u8], body: &[u8]) -> bool {
        BASE64.decode(header).is_ok_and(|signature| self.verify(&signature, body))
    }

    /// Reads and checks the query of a storefront request that came through Shopify's app proxy. It proves that
    /// Shopify sent it, for this shop and customer and about now; it does not prove that the customer meant it.
    ///
    /// # Errors
    /// [`QueryRefusal`] says what is wrong with it.
    pub fn verify_proxy(
        &self,
        query: &str,
        now: Timestamp,
        tolerance: SignedDuration,
    ) -> Result<ProxyQuery, QueryRefusal> {
        let query = Query::parse(query);
        let signature = query.only("signature")?.ok_or(QueryRefusal::NotSigned)?;
        let shop = query.only("shop")?;
        let timestamp = query.only("timestamp")?;
        query.only("hmac")?;

        let signature = hex_of(signature).ok_or(QueryRefusal::WrongSignature)?;
        if !self.verify(&signature, query.signed_text().as_bytes()) {
            return Err(QueryRefusal::WrongSignature);
        }
        about_now(timestamp, now, tolerance)?;
        let shop = shop.and_then(|text| text.parse().ok()).ok_or(QueryRefusal::Shop)?;
        let customer = match query.joined("logged_in_customer_id").as_deref() {
            None | Some("") => None,
            Some(id) => Some(customer_id(id).ok_or(QueryRefusal::Customer)?),
        };
        Ok(ProxyQuery { shop, customer })
    }

    /// Reads and checks the query of a page that Shopify opens in the app, or sends a merchant back to.
    ///
    /// # Errors
    /// [`QueryRefusal`] says what is wrong with it.
    pub fn verify_oauth(
        &self,
        query: &str,
        now: Timestamp,
        tolerance: SignedDuration,
    ) -> Result<OAuthQuery, QueryRefusal> {
        let query = Query::parse(query);
        let hmac = query.only("hmac")?.ok_or(QueryRefusal::NotSigned)?;
        let mut seen = HashSet::new();
        if !query.0.iter().all(|(key, _)| seen.insert(key)) {
            return Err(QueryRefusal::Repeated);
        }
        let hmac = hex_of(hmac).ok_or(QueryRefusal::WrongSignature)?;
        if !self.verify(&hmac, query.oauth_text().as_bytes()) {
            return Err(QueryRefusal::WrongSignature);
        }
        about_now(query.only("timestamp")?, now, tolerance)?;
        let shop = query.only("shop")?.and_then(|text| text.parse().ok()).ok_or(QueryRefusal::Shop)?;
        let text = |name| Ok(query.only(name)?.map(str::to_owned));
        Ok(OAuthQuery { shop, code: text("code")?, state: text("state")? })
    }

    /// A text of our own that nobody can change, for one purpose: the text, a dot and its signature.
    pub fn seal(&self, purpose: &str, text: &str) -> String {
        format!("{text}.{}", hex::encode(self.sign(sealed_text(purpose, text).as_bytes())))
    }

    /// The text that [`seal`](Signer::seal) made for the same purpose.
    pub fn open<'a>(&self, purpose: &str, sealed: &'a str) -> Option<&'a str> {
        let (text, signature) = sealed.rsplit_once('.')?;
        let signature = hex_of(signature)?;
        self.verify(&signature, sealed_text(purpose, text).as_bytes()).then_some(text)
    }

    /// The header that signs the body of a webhook.
    pub fn sign_webhook(&self, body: &[u8]) -> String {
        BASE64.encode(self.sign(body))
    }

    fn verify(&self, signature: &[u8], message: &[u8]) -> bool {
        // `|` and not `||`: how long it takes must not tell which secret it was.
        self.secrets.iter().fold(false, |accepted, secret| {
            accepted | mac(secret, message).is_some_and(|mac| mac.verify_slice(signature).is_ok())
        })
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.secrets.first().and_then(|secret| mac(secret, message));
        signature.map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
    }
}

/// None never happens: HMAC takes keys of any length. An empty secret is refused by the configuration.
fn mac(secret: &Secret, message: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(message);
    Some(mac)
}

/// The bytes of a signature as Shopify writes it: in lower case. Each signature has one text, so that nobody can make
/// another one of it.
fn hex_of(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok().filter(|_| !text.bytes().any(|byte| byte.is_ascii_uppercase()))
}

fn about_now(timestamp: Option<&str>, now: Timestamp, tolerance: SignedDuration) -> Result<(), QueryRefusal> {
    let second: i64 = timestamp.and_then(|text| text.parse().ok()).ok_or(QueryRefusal::Timestamp)?;
    let near = now.as_second().abs_diff(second) <= tolerance.as_secs().unsigned_abs();
    if near { Ok(()) } else { Err(QueryRefusal::Timestamp) }
}

/// Nothing that Shopify signs begins like this, so no signature of one kind is one of the other.
fn sealed_text(purpose: &str, text: &str) -> String {
    format!("loyalnest\0{purpose}\0{text}")
}

fn customer_id(text: &str) -> Option<CustomerId> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&id| digits && id > 0).map(CustomerId)
}

/// Who a storefront request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyQuery {
    /// The shop.
    pub shop: ShopDomain,
    /// The customer who is signed in there; none for a guest.
    pub customer: Option<CustomerId>,
}

/// What Shopify says when it opens the app, or sends a merchant back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthQuery {
    /// The shop.
    pub shop: ShopDomain,
    /// What an approval gave, to be redeemed for a token.
    pub code: Option<String>,
    /// What the app sent along to the approval.
    pub state: Option<String>,
}

/// Why a signed query is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryRefusal {
    /// There is no `signature`, or no `hmac`.
    #[error("the request is not signed")]
    NotSigned,
    /// The signature is not that of this query.
    #[error("the signature is wrong")]
    WrongSignature,
    /// A parameter that must stand alone stands there more than once.
    #[error("a parameter is repeated")]
    Repeated,
    /// The timestamp is missing, no number, or not about now.
    #[error("the timestamp is missing or not about now")]
    Timestamp,
    /// The shop is missing or no shop.
    #[error("the shop is missing or none")]
    Shop,
    /// The customer is not a number.
    #[error("the customer is none")]
    Customer,
}

/// A query, decoded, in its order.
struct Query(Vec<(String, String)>);

impl Query {
    fn parse(query: &str) -> Self {
        Query(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn values<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    fn only<'a>(&'a self, key: &str) -> Result<Option<&'a str>, QueryRefusal> {
        let mut values = self.values(key);
        let first = values.next();
        if values.next().is_some() { Err(QueryRefusal::Repeated) } else { Ok(first) }
    }

    /// Repeated values stand together, with commas, where the first of them stood.
    fn joined(&self, key: &str) -> Option<String> {
        let values: Vec<_> = self.values(key).collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// What the `hmac` of an OAuth query is over: everything else, sorted by key, form-encoded with `%20` for a space.
    fn oauth_text(&self) -> String {
        let mut pairs: Vec<_> =
            self.0.iter().filter(|(key, _)| key != "hmac" && key != "signature").collect();
        pairs.sort_unstable_by_key(|(key, _)| key);
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(pairs);
        text.finish().replace('+', "%20")
    }

    /// What the signature of a proxied query is over: everything else as `key=value`, sorted bytewise, joined by nothing.
    fn signed_text(&self) -> String {
        // Once through: anybody may send a query of thousands of keys.
        let mut values: HashMap<&str, Vec<&str>> = HashMap::new();
        for (key, value) in self.0.iter().filter(|(key, _)| key != "signature") {
            values.entry(key).or_default().push(value);
        }
        let pair = |(key, values): (&str, Vec<&str>)| format!("{key}={}", values.join(","));
        let mut pairs: Vec<String> = values.into_iter().map(pair).collect();
        pairs.sort_unstable();
        pairs.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: SignedDuration = SignedDuration::from_secs(90);

    fn signer(secret: &str) -> Signer {
        Signer::new(vec![Secret::new(secret)])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_microsecond(second * 1_000_000).unwrap()
    }

    const SENT: i64 = 1_317_327_555;
    const CUSTOMER: &str = "extra=1&extra=2&shop=shop-name.myshopify.com&logged_in_customer_id=1\
                            &path_prefix=/apps/awesome_reviews&timestamp=1317327555";
    const GUEST: &str = "extra=1&extra=2&shop=shop-name.myshopify.com&logged_in_customer_id=\
                         &path_prefix=/apps/awesome_reviews&timestamp=1317327555";

    /// The query with its `signature` added, as Shopify's app proxy sends it.
    fn proxied(secret: &str, query: &str) -> String {
        let signature = hex::encode(signer(secret).sign(Query::parse(query).signed_text().as_bytes()));
        format!("{query}&signature={signature}")
    }

    fn read(query: &str, now: i64) -> Result<ProxyQuery, QueryRefusal> {
        signer("hush").verify_proxy(query, at(now), TOLERANCE)
    }

    #[test]
    fn webhooks_agree_with_shopifys_library() {
        let signer = signer("test_secret_key");
        let (body, header) = (br#"{"foo": "bar"}"#, "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=");
        assert_eq!(signer.sign_webhook(body), header);
        assert!(signer.verify_webhook(header.as_bytes(), body));
        assert!(!signer.verify_webhook(header.as_bytes(), br#"{"foo": "baz"}"#));
        for wrong in [
            "",
            "not base64!",
            "AAAA",
            "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7",
            "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g",
            "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7h=",
            "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g==",
            " B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=",
            "076ded5cdebcd60674a8858d46b82dcc113d5d20e8e72694bbac1f9a1bb76bb8",
        ] {
            assert!(!signer.verify_webhook(wrong.as_bytes(), body), "{wrong:?}");
        }
    }

    #[test]
    fn two_secrets_are_accepted_while_one_is_rotated() {
        let both = Signer::new(vec![Secret::new("new"), Secret::new("old")]);
        for secret in ["new", "old"] {
            assert!(both.verify_webhook(signer(secret).sign_webhook(b"x").as_bytes(), b"x"));
        }
        assert!(!both.verify_webhook(signer("older").sign_webhook(b"x").as_bytes(), b"x"));
        assert!(!Signer::new(vec![]).verify_webhook(signer("").sign_webhook(b"x").as_bytes(), b"x"));
    }

    #[test]
    fn proxy_queries_agree_with_shopifys_documentation_and_library() {
        let shop: ShopDomain = "shop-name.myshopify.com".parse().unwrap();
        for (query, signature, customer) in [
            (
                CUSTOMER,
                "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb",
                Some(CustomerId(1)),
            ),
            (GUEST, "e072b6d7e6622d85912a5214b860d3100dc1e73d9bc29f43796ac8c9ff8093cb", None),
        ] {
            let signed = proxied("hush", query);
            assert_eq!(signed, format!("{query}&signature={signature}"));
            assert_eq!(read(&signed, SENT), Ok(ProxyQuery { shop: shop.clone(), customer }));
        }
    }

    #[test]
    fn pairs_are_sorted_bytewise_as_whole_strings() {
        // "a-b=1" sorts before "a=2" ('-' < '='), although the key "a" sorts before "a-b"
        assert_eq!(Query::parse("a=2&a-b=1&B=3&a%20c=4").signed_text(), "B=3a c=4a-b=1a=2");
        // an empty value is signed, an absent one is not
        assert_eq!(Query::parse("b=&a").signed_text(), "a=b=");
    }

    #[test]
    fn what_is_not_signed_about_now_is_refused() {
        let sign = |query: &str| proxied("hush", query);
        let good = sign(CUSTOMER);
        assert_eq!(read(CUSTOMER, SENT), Err(QueryRefusal::NotSigned));
        assert_eq!(
            read(&good.replace("customer_id=1", "customer_id=2"), SENT),
            Err(QueryRefusal::WrongSignature)
        );
        assert_eq!(read(&proxied("other", CUSTOMER), SENT), Err(QueryRefusal::WrongSignature));
        assert_eq!(read(&format!("{CUSTOMER}&signature=zz"), SENT), Err(QueryRefusal::WrongSignature));

        for near in [-90, -89, 89, 90] {
            assert!(read(&good, SENT + near).is_ok(), "{near} s");
        }
        assert_eq!(read(&good, SENT + 91), Err(QueryRefusal::Timestamp));
        assert_eq!(read(&good, SENT - 91), Err(QueryRefusal::Timestamp));
        assert_eq!(read(&sign("shop=a.myshopify.com"), SENT), Err(QueryRefusal::Timestamp));
        assert_eq!(read(&sign("shop=a.myshopify.com&timestamp=1e9"), SENT), Err(QueryRefusal::Timestamp));

        assert_eq!(read(&sign("timestamp=1317327555"), SENT), Err(QueryRefusal::Shop));
        assert_eq!(read(&sign("shop=evil.example&timestamp=1317327555"), SENT), Err(QueryRefusal::Shop));
        for customer in [
            "x",
            "-1",
            "0",
            "%207",
            "7%20",
            "+7",
            "%2B7",
            "%EF%BC%97",
            "1.5",
            "0x7",
            "9223372036854775808",
            "1&logged_in_customer_id=2",
            "1&logged_in_customer_id=1",
            "&logged_in_customer_id=1",
        ] {
            let query = sign(&GUEST.replace("customer_id=", &format!("customer_id={}", customer)));
            assert_eq!(read(&query, SENT), Err(QueryRefusal::Customer), "{customer}");
        }
    }

    #[test]
    fn what_must_stand_alone_is_not_repeated() {
        for repeated in ["shop=a.myshopify.com", "timestamp=1317327555", "signature=00", "hmac=1&hmac=1"] {
            let query = proxied("hush", &format!("{CUSTOMER}&{repeated}"));
            assert_eq!(read(&query, SENT), Err(QueryRefusal::Repeated), "{repeated}");
        }
    }

    const OAUTH: &str =
        "code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com&timestamp=1337178173";
    const HMAC: &str = "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20";

    fn oauth(query: &str, now: i64) -> Result<OAuthQuery, QueryRefusal> {
        signer("hush").verify_oauth(query, at(now), TOLERANCE)
    }

    fn signed_oauth(query: &str) -> String {
        let hmac = hex::encode(signer("hush").sign(Query::parse(query).oauth_text().as_bytes()));
        format!("{query}&hmac={hmac}")
    }

    #[test]
    fn oauth_queries_agree_with_shopifys_documentation() {
        assert_eq!(signed_oauth(OAUTH), format!("{OAUTH}&hmac={HMAC}"));
        let read = oauth(&format!("hmac={HMAC}&{OAUTH}&signature=whatever"), 1_337_178_173).unwrap();
        assert_eq!(read.shop.as_str(), "some-shop.myshopify.com");
        assert_eq!(read.code.as_deref(), Some("0907a61c0c8d55e99db179b68161bc00"));
        assert_eq!(read.state, None);
        assert_eq!(Query::parse("b=a+b%2B%26&a=%C3%A9*").oauth_text(), "a=%C3%A9*&b=a%20b%2B%26");
    }

    #[test]
    fn what_is_not_shopifys_way_back_is_refused() {
        let now = 1_337_178_173;
        let good = signed_oauth(OAUTH);
        for near in [-90, -89, 89, 90] {
            assert!(oauth(&good, now + near).is_ok(), "{near} s");
        }
        assert_eq!(oauth(&good, now + 91), Err(QueryRefusal::Timestamp));
        assert_eq!(oauth(&good, now - 91), Err(QueryRefusal::Timestamp));
        assert_eq!(oauth(OAUTH, now), Err(QueryRefusal::NotSigned));
        for forged in [
            good.replace("some-shop", "my-shop"),
            good.replace("code=0", "code=1"),
            good[..good.len() - 2].to_owned(),
        ] {
            assert_eq!(oauth(&forged, now), Err(QueryRefusal::WrongSignature), "{forged}");
        }
        for base64 in ["", "not hex", "RxK/kv/CkX0V"] {
            assert_eq!(oauth(&format!("{OAUTH}&hmac={base64}"), now), Err(QueryRefusal::WrongSignature));
        }
        for repeated in ["shop=some-shop.myshopify.com", "code=1", "timestamp=1337178173", "hmac=00"] {
            assert_eq!(oauth(&format!("{good}&{repeated}"), now), Err(QueryRefusal::Repeated), "{repeated}");
        }
        for (query, refusal) in [
            ("shop=a.myshopify.com", QueryRefusal::Timestamp),
            ("shop=a.myshopify.com&timestamp=soon", QueryRefusal::Timestamp),
            ("shop=a.myshopify.com&timestamp=1337178173.0", QueryRefusal::Timestamp),
            ("shop=evil.example&timestamp=1337178173", QueryRefusal::Shop),
            ("timestamp=1337178173", QueryRefusal::Shop),
        ] {
            assert_eq!(oauth(&signed_oauth(query), now), Err(refusal), "{query}");
        }
    }

    #[test]
    fn what_is_sealed_opens_for_its_purpose_only() {
        let signer = signer("hush");
        let sealed = signer.seal("state", "a.b");
        assert_eq!(signer.open("state", &sealed), Some("a.b"));
        assert_eq!(signer.open("session", &sealed), None);
        assert_eq!(signer.open("state", &sealed.replace('a', "c")), None);
        assert_eq!(signer.open("state", "a.b"), None);
        assert_eq!(signer.open("state", ""), None);
    }
}
