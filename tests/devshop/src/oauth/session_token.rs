//! Session tokens, made by hand so that whoever reads them with a library is checked by something else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::ids::gid;
use crate::sign;

/// Where a session token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The embedded admin, by this member of staff.
    Admin(u64),
    /// The point of sale, by this member of staff.
    Pos(u64),
    /// The checkout, by this customer or a guest.
    Checkout(Option<u64>),
    /// The customer account.
    CustomerAccount(u64),
}

impl Surface {
    pub(super) fn claims(self, domain: &str, api_key: &str, now: i64) -> Value {
        match self {
            Surface::Admin(user) | Surface::Pos(user) => json!({
                "iss": format!("https://{domain}/admin"), "dest": format!("https://{domain}"), "aud": api_key,
                "sub": user.to_string(), "exp": now + 60, "nbf": now, "iat": now,
                "jti": format!("{user}-{now}"), "sid": format!("session-of-{user}"),
            }),
            Surface::Checkout(customer) => shopper(domain, api_key, now, customer),
            Surface::CustomerAccount(customer) => shopper(domain, api_key, now, Some(customer)),
        }
    }
}

/// No `iss`, a `dest` without scheme, and for guests no `sub`.
fn shopper(domain: &str, api_key: &str, now: i64, customer: Option<u64>) -> Value {
    let mut claims = json!({"dest": domain, "aud": api_key, "exp": now + 300, "nbf": now, "iat": now,
                            "jti": format!("{customer:?}-{now}")});
    if let Some(customer) = customer {
        claims["sub"] = json!(gid("Customer", customer));
    }
    claims
}

/// A JWT with HS256.
pub(super) fn sign(claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims));
    let signature = sign::mac(secret, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The claims of a token with a right signature whose time has come and is not over.
pub(super) fn verify(token: &str, secret: &str, api_key: &str, now: i64) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    if URL_SAFE_NO_PAD.encode(sign::mac(secret, signed.as_bytes())) != signature {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let live = claims["nbf"].as_i64()? <= now && now < claims["exp"].as_i64()?;
    (live && claims["aud"] == api_key).then_some(claims)
}
