//! Session tokens, which Shopify signs as JWT.

use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{OTHER_SHOP, hex, open};
use crate::support::door::{KEY, SECRET, SHOP, jwt, jwt_that_says};
use crate::support::on_both_engines;

#[test]
fn a_session_token_is_shopifys_own_or_refused() {
    on_both_engines(async |test| {
        let door = open(test, &[]).await;
        let now = door.now().as_second();
        let admin = || door.admin_claims();
        let checkout =
            || json!({"dest": SHOP, "aud": KEY, "sub": "gid://shopify/Customer/7", "exp": now + 300});
        let set = |mut claims: Value, name: &str, value: Value| {
            claims[name] = value;
            jwt(&claims, SECRET)
        };
        let good = jwt(&checkout(), SECRET);
        assert_eq!(door.me(&good).await.status, 200);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (_, others) = jwt(&json!({"dest": OTHER_SHOP, "aud": KEY, "exp": now + 300}), SECRET)
            .rsplit_once('.')
            .map(|(signed, signature)| (signed.to_owned(), signature.to_owned()))
            .unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let mut forged = vec![
            ("another key".to_owned(), jwt(&checkout(), "other")),
            ("no key".to_owned(), jwt(&checkout(), "")),
            ("another shop's signature".to_owned(), format!("{signed}.{others}")),
            ("truncated".to_owned(), format!("{signed}.{}", &signature[..42])),
            ("hex".to_owned(), format!("{signed}.{}", hex(&bytes))),
            ("upper-case hex".to_owned(), format!("{signed}.{}", hex(&bytes).to_uppercase())),
            ("padded".to_owned(), format!("{signed}.{signature}=")),
            ("no signature".to_owned(), format!("{signed}.")),
            ("two parts".to_owned(), signed.to_owned()),
            ("four parts".to_owned(), format!("{good}.{signature}")),
        ];
        for algorithm in ["none", "None", "NONE", "RS256", "HS384", "HS512", "ES256", "hs256", ""] {
            let token = jwt_that_says(algorithm, &checkout(), SECRET);
            let (unsigned, _) = token.rsplit_once('.').unwrap();
            forged.push((format!("{algorithm:?}, unsigned"), format!("{unsigned}.")));
            forged.push((format!("{algorithm:?}, signed with HS256"), token));
        }
        for (why, claims, name, value) in [
            ("over", checkout(), "exp", json!(now - 10)),
            ("over since 1970", checkout(), "exp", json!(-1)),
            ("an end that is a text", checkout(), "exp", json!((now + 300).to_string())),
            ("no end", checkout(), "exp", Value::Null),
            ("not yet", checkout(), "nbf", json!(now + 11)),
            ("another app", checkout(), "aud", json!("other")),
            ("two other apps", checkout(), "aud", json!(["other", "another"])),
            ("no app", checkout(), "aud", Value::Null),
            ("nobody", checkout(), "sub", json!("")),
            ("an order", checkout(), "sub", json!("gid://shopify/Order/7")),
            ("a number", checkout(), "sub", json!(7)),
            ("an id no shop has", checkout(), "sub", json!("gid://shopify/Customer/9223372036854775808")),
            ("staff without a number", admin(), "sub", json!("gid://shopify/Customer/7")),
            ("another shop's issuer", admin(), "iss", json!(format!("https://{OTHER_SHOP}/admin"))),
        ] {
            forged.push((why.to_owned(), set(claims, name, value)));
        }
        for dest in [
            "https://evil.example",
            "https://evil.example/.myshopify.com",
            &format!("https://{SHOP}.evil.example"),
            &format!("https://user@{SHOP}"),
            &format!("https://{SHOP}@evil.example"),
            &format!("https://{SHOP}."),
            &format!("https://{SHOP}:443"),
            &format!("https://{SHOP}/"),
            &format!("http://{SHOP}"),
            "https://löcal-shop.myshopify.com",
            "https://local-shop\u{3002}myshopify.com",
            "",
        ] {
            forged.push((dest.to_owned(), set(admin(), "dest", json!(dest))));
            let bare = dest.strip_prefix("https://").unwrap_or(dest);
            forged.push((bare.to_owned(), set(checkout(), "dest", json!(bare))));
        }
        for (why, token) in forged {
            let answered = door.me(&token).await;
            assert_eq!(answered.problem(), (401, "invalid_session_token".to_owned()), "{why}");
            let answered = door.extension(&token, Method::GET, "/account", &Value::Null).await;
            assert_eq!(answered.problem(), (401, "invalid_session_token".to_owned()), "an extension, {why}");
        }
        let upper = set(checkout(), "dest", json!(SHOP.to_uppercase()));
        assert_eq!(door.me(&upper).await.status, 200, "one shop, however it is written");
        let large = set(checkout(), "sub", json!("gid://shopify/Customer/9007199254740993"));
        assert!(door.me(&large).await.body.contains("gid://shopify/Customer/9007199254740993"));

        let twice = Request::get("/api/me").header("authorization", format!("Bearer {good}"));
        let twice = twice.header("authorization", format!("Bearer {good}")).body(Body::empty()).unwrap();
        assert_eq!(door.send(twice).await.problem(), (401, "session_token_missing".to_owned()));
        assert_eq!(door.shop.token_calls(), [], "what is forged is not shown to Shopify");
    });
}
