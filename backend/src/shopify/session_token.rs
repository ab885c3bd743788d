//! Session tokens: who asks from inside Shopify's admin, its point of sale, its checkout or its account pages.
//!
//! A token is a JWT that Shopify signs with the app's secret and that lives for a minute (admin, POS) or five
//! (checkout, customer account). Two surfaces share one shape, and nothing in a token tells them apart:
//!
//! | surface | `iss` | `dest` | `sub` |
//! |---|---|---|---|
//! | admin, POS | `https://{shop}/admin` | `https://{shop}` | a user's number |
//! | checkout, customer account | absent | `{shop}` | a customer's global id; absent for guests |

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::{Deserialize, Serialize};

use super::ShopDomain;
use crate::config::Secret;
use crate::db::Timestamp;
use crate::ids::CustomerId;

/// How far Shopify's clock may be from ours, in seconds.
const LEEWAY: f64 = 10.0;

/// Checks session tokens. Cheap to clone.
#[derive(Clone)]
pub struct SessionTokens {
    /// The secret, and while a rotation is under way the one before it.
    keys: Vec<DecodingKey>,
    validation: Validation,
}

/// Where a token is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// The merchant's side: the embedded admin, or the point of sale.
    Merchant,
    /// The shopper's side: the checkout, or the customer account.
    Shopper,
}

/// Shopify's number of a member of staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// Whom a token, or a signed request, speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// A member of the shop's staff.
    User(UserId),
    /// A customer who is signed in.
    Customer(CustomerId),
    /// A shopper who is not.
    Guest,
}

/// What a token proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The shop.
    pub shop: ShopDomain,
    /// Who in it.
    pub bearer: Bearer,
    /// When the token was made, to the second.
    pub issued_at: Timestamp,
}

impl Bearer {
    /// The side the token is from.
    pub fn surface(self) -> Surface {
        match self {
            Bearer::User(_) => Surface::Merchant,
            Bearer::Customer(_) | Bearer::Guest => Surface::Shopper,
        }
    }
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionRefusal {
    /// Not a token, not signed by Shopify, or with another algorithm than HS256.
    #[error("the session token is not signed by Shopify for this app")]
    Forged,
    /// Its time is over, or has not come.
    #[error("the session token is not valid at this time")]
    Time,
    /// Another app's.
    #[error("the session token is for another app")]
    Audience,
    /// It names no shop, or two.
    #[error("the session token does not name a shop")]
    Shop,
    /// It names nobody that its surface knows.
    #[error("the session token names nobody")]
    Subject,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    dest: String,
    sub: Option<String>,
    /// Seconds since 1970; JWT allows fractions.
    exp: f64,
    iat: Option<f64>,
    nbf: Option<f64>,
}

impl SessionTokens {
    /// Accepts tokens for the app with this client id, signed with any of these secrets.
    pub fn new(api_key: &str, secrets: &[Secret]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[api_key]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        // Times are checked against the application's clock, not the machine's.
        validation.validate_exp = false;
        // An app that does not know its client id cannot tell whether a token is for it.
        let secrets = if api_key.is_empty() { &[] } else { secrets };
        let keys = secrets.iter().map(|secret| DecodingKey::from_secret(secret.expose().as_bytes()));
        SessionTokens { keys: keys.collect(), validation }
    }

    /// Reads and checks a token.
    ///
    /// # Errors
    /// [`SessionRefusal`] says what is wrong with it.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Session, SessionRefusal> {
        let claims = self.claims(token)?;
        let now = now.as_second() as f64;
        if claims.exp <= now - LEEWAY || claims.nbf.is_some_and(|from| from > now + LEEWAY) {
            return Err(SessionRefusal::Time);
        }
        let (shop, bearer) = session(&claims)?;
        // A token that does not say is as old as can be.
        let second = claims.iat.or(claims.nbf).unwrap_or_default();
        let issued_at = Timestamp::from_microsecond((second as i64).saturating_mul(1_000_000));
        Ok(Session { shop, bearer, issued_at: issued_at.unwrap_or(Timestamp::UNIX_EPOCH) })
    }

    fn claims(&self, token: &str) -> Result<Claims, SessionRefusal> {
        let mut refusal = SessionRefusal::Forged;
        for key in &self.keys {
            match decode::<Claims>(token, key, &self.validation) {
                Ok(token) => return Ok(token.claims),
                Err(error) => match error.kind() {
                    ErrorKind::InvalidSignature => {}
                    ErrorKind::InvalidAudience => refusal = SessionRefusal::Audience,
                    ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => {
                        refusal = SessionRefusal::Audience;
                    }
                    _ => {}
                },
            }
        }
        Err(refusal)
    }
}

/// Whom verified claims are about. `dest` is a shop before it is anything else.
fn session(claims: &Claims) -> Result<(ShopDomain, Bearer), SessionRefusal> {
    let Some(issuer) = &claims.iss else {
        let shop = claims.dest.parse().map_err(|_| SessionRefusal::Shop)?;
        let bearer = match &claims.sub {
            None => Bearer::Guest,
            Some(gid) => {
                let id = gid.strip_prefix("gid://shopify/Customer/").and_then(number);
                Bearer::Customer(CustomerId(id.ok_or(SessionRefusal::Subject)?))
            }
        };
        return Ok((shop, bearer));
    };
    let shop = shop_of_url(&claims.dest).ok_or(SessionRefusal::Shop)?;
    if shop_of_url(issuer.strip_suffix("/admin").unwrap_or(issuer)).as_ref() != Some(&shop) {
        return Err(SessionRefusal::Shop);
    }
    let user = claims.sub.as_deref().and_then(number).ok_or(SessionRefusal::Subject)?;
    Ok((shop, Bearer::User(UserId(user))))
}

fn shop_of_url(url: &str) -> Option<ShopDomain> {
    url.strip_prefix("https://")?.parse().ok()
}

/// A positive number, of digits only.
fn number(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&id| digits && id > 0)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::{Value, json};
    use sha2::Sha256;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn tokens(secrets: &[&str]) -> SessionTokens {
        SessionTokens::new("key", &secrets.iter().map(|secret| Secret::new(*secret)).collect::<Vec<_>>())
    }

    /// Made by hand: the crate under test must not be its own witness.
    fn token(header: &Value, claims: &Value, secret: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&signed).finalize();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
    }

    fn hs256(claims: &Value, secret: &str) -> String {
        token(&json!({"alg": "HS256", "typ": "JWT"}), claims, secret)
    }

    fn admin() -> Value {
        json!({"iss": "https://tea.myshopify.com/admin", "dest": "https://tea.myshopify.com", "aud": "key",
               "sub": "42", "exp": NOW + 60, "nbf": NOW, "iat": NOW, "jti": "1", "sid": "2"})
    }

    fn checkout() -> Value {
        json!({"dest": "tea.myshopify.com", "aud": "key", "sub": "gid://shopify/Customer/7",
               "exp": NOW + 300, "nbf": NOW, "iat": NOW, "jti": "1"})
    }

    fn with(mut claims: Value, name: &str, value: Value) -> Value {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name).map(|_| ()).unwrap_or_default(),
            value => claims[name] = value,
        }
        claims
    }

    fn read(claims: &Value, after: i64) -> Result<Session, SessionRefusal> {
        let now = Timestamp::from_microsecond((NOW + after) * 1_000_000).unwrap();
        tokens(&["hush"]).verify(&hs256(claims, "hush"), now)
    }

    #[test]
    fn each_surface_says_who_asks() {
        let shop: ShopDomain = "tea.myshopify.com".parse().unwrap();
        let session = read(&admin(), 0).unwrap();
        let issued_at = Timestamp::from_microsecond(NOW * 1_000_000).unwrap();
        let expected = |bearer| Session { shop: shop.clone(), bearer, issued_at };
        assert_eq!(session, expected(Bearer::User(UserId(42))));
        assert_eq!(session.bearer.surface(), Surface::Merchant);
        let session = read(&checkout(), 0).unwrap();
        assert_eq!(session, expected(Bearer::Customer(CustomerId(7))));
        let session = read(&with(checkout(), "sub", Value::Null), 0).unwrap();
        assert_eq!(session, expected(Bearer::Guest));
        assert_eq!(session.bearer.surface(), Surface::Shopper);
    }

    #[test]
    fn a_token_says_when_it_was_made_or_is_as_old_as_can_be() {
        let issued = |claims: &Value| read(claims, 0).unwrap().issued_at.as_second();
        assert_eq!(issued(&with(admin(), "iat", json!(NOW - 3))), NOW - 3);
        assert_eq!(issued(&with(admin(), "iat", Value::Null)), NOW, "it is not used before it is made");
        let silent = with(with(admin(), "iat", Value::Null), "nbf", Value::Null);
        assert_eq!(issued(&silent), 0);
        assert_eq!(issued(&with(admin(), "iat", json!(1e300))), 0, "no time at all");
    }

    #[test]
    fn ten_seconds_are_tolerated_and_not_eleven() {
        assert!(read(&admin(), 69).is_ok() && read(&admin(), -10).is_ok());
        assert_eq!(read(&admin(), 70), Err(SessionRefusal::Time));
        assert_eq!(read(&admin(), -11), Err(SessionRefusal::Time));
        assert!(read(&with(admin(), "exp", json!(NOW as f64 + 60.5)), 70).is_ok(), "a fraction of a second");
        assert_eq!(read(&with(admin(), "exp", Value::Null), 0), Err(SessionRefusal::Forged));
        for text in [json!("soon"), json!((NOW + 60).to_string()), json!([NOW + 60]), json!(true)] {
            assert_eq!(read(&with(admin(), "exp", text.clone()), 0), Err(SessionRefusal::Forged), "{text}");
        }
        assert_eq!(read(&with(admin(), "nbf", json!("now")), 0), Err(SessionRefusal::Forged));
    }

    #[test]
    fn the_audience_is_checked_on_every_surface() {
        for claims in [admin(), checkout()] {
            let wrong =
                [json!("other"), json!(["other"]), json!([]), json!("KEY"), json!(""), json!(7), Value::Null];
            for audience in wrong {
                assert_eq!(read(&with(claims.clone(), "aud", audience), 0), Err(SessionRefusal::Audience));
            }
            // A list is whom it is for (RFC 7519); Shopify signed that we are among them.
            assert!(read(&with(claims, "aud", json!(["other", "key"])), 0).is_ok());
        }
    }

    #[test]
    fn dest_is_a_shop_and_the_issuers() {
        for dest in [
            "https://evil.example",
            "https://tea.myshopify.com.evil.example",
            "https://evil.example/tea.myshopify.com",
            "https://tea.myshopify.com@evil.example",
            "https://tea.myshopify.com/",
            "https://tea.myshopify.com.",
            "https://tea.myshopify.com:443",
            "https://user@tea.myshopify.com",
            "https://evil.example/.myshopify.com",
            "https://evil.example#.myshopify.com",
            "https://té.myshopify.com",
            "https://tea.myshopify.com\0",
            "HTTPS://tea.myshopify.com",
            "https:///tea.myshopify.com",
            "http://tea.myshopify.com",
            "tea.myshopify.com",
            "",
        ] {
            assert_eq!(read(&with(admin(), "dest", json!(dest)), 0), Err(SessionRefusal::Shop), "{dest}");
        }
        let upper = with(admin(), "dest", json!("https://TEA.MyShopify.com"));
        assert_eq!(
            read(&upper, 0).unwrap().shop.as_str(),
            "tea.myshopify.com",
            "one shop, however it is written"
        );
        for issuer in
            ["https://coffee.myshopify.com/admin", "https://evil.example/admin", "tea.myshopify.com"]
        {
            assert_eq!(read(&with(admin(), "iss", json!(issuer)), 0), Err(SessionRefusal::Shop), "{issuer}");
        }
        for dest in
            ["evil.example", "https://tea.myshopify.com", "tea.myshopify.com/x", "a@tea.myshopify.com"]
        {
            assert_eq!(read(&with(checkout(), "dest", json!(dest)), 0), Err(SessionRefusal::Shop), "{dest}");
        }
    }

    #[test]
    fn staff_have_numbers_and_customers_global_ids() {
        for subject in [
            json!("0"),
            json!("-1"),
            json!("+1"),
            json!(" 1"),
            json!("x"),
            json!(""),
            json!("9223372036854775808"),
            json!("gid://shopify/Customer/7"),
            Value::Null,
        ] {
            assert_eq!(
                read(&with(admin(), "sub", subject.clone()), 0),
                Err(SessionRefusal::Subject),
                "{subject}"
            );
        }
        for subject in ["7", "gid://shopify/Order/7", "gid://shopify/Customer/x", "gid://shopify/Customer/"] {
            assert_eq!(read(&with(checkout(), "sub", json!(subject)), 0), Err(SessionRefusal::Subject));
        }
        assert_eq!(
            read(&with(admin(), "sub", json!(42)), 0),
            Err(SessionRefusal::Forged),
            "a number is no text"
        );
        let large = with(admin(), "sub", json!("9007199254740993"));
        assert_eq!(read(&large, 0).unwrap().bearer, Bearer::User(UserId(9_007_199_254_740_993)));
        let large = with(checkout(), "sub", json!("gid://shopify/Customer/9007199254740993"));
        assert_eq!(read(&large, 0).unwrap().bearer, Bearer::Customer(CustomerId(9_007_199_254_740_993)));
    }

    #[test]
    fn only_shopifys_signature_counts() {
        let now = Timestamp::from_microsecond(NOW * 1_000_000).unwrap();
        let verify = |token: &str| tokens(&["hush"]).verify(token, now);
        let good = hs256(&admin(), "hush");
        assert!(verify(&good).is_ok());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        for algorithm in ["none", "None", "RS256", "HS384", "HS512"] {
            let header = json!({"alg": algorithm, "typ": "JWT"});
            assert_eq!(verify(&token(&header, &admin(), "hush")), Err(SessionRefusal::Forged), "{algorithm}");
            let unsigned = token(&header, &admin(), "hush");
            let (unsigned, _) = unsigned.rsplit_once('.').unwrap();
            assert_eq!(verify(&format!("{unsigned}.")), Err(SessionRefusal::Forged), "{algorithm}, unsigned");
        }
        for forged in [
            hs256(&admin(), "other"),
            hs256(&admin(), ""),
            format!("{signed}."),
            signed.to_owned(),
            format!("{signed}.{}", &signature[..20]),
            format!("{signed}.{signature}.{signature}"),
            format!(
                "{}{signature}",
                hs256(&with(admin(), "sub", json!("43")), "hush").rsplit_once('.').unwrap().0
            ),
            String::new(),
            "..".to_owned(),
            "a.b.c".to_owned(),
        ] {
            assert_eq!(verify(&forged), Err(SessionRefusal::Forged), "{forged}");
        }
        assert_eq!(tokens(&[]).verify(&good, now), Err(SessionRefusal::Forged));
        let nameless = SessionTokens::new("", &[Secret::new("hush")]);
        let claims = with(admin(), "aud", json!(""));
        assert_eq!(nameless.verify(&hs256(&claims, "hush"), now), Err(SessionRefusal::Forged));
    }

    #[test]
    fn two_secrets_are_accepted_while_one_is_rotated() {
        let now = Timestamp::from_microsecond(NOW * 1_000_000).unwrap();
        let both = tokens(&["new", "old"]);
        assert!(both.verify(&hs256(&admin(), "new"), now).is_ok());
        assert!(both.verify(&hs256(&admin(), "old"), now).is_ok());
        assert_eq!(both.verify(&hs256(&admin(), "older"), now), Err(SessionRefusal::Forged));
        let other = with(admin(), "aud", json!("other"));
        assert_eq!(both.verify(&hs256(&other, "old"), now), Err(SessionRefusal::Audience));
    }
}
