//! Pages that stand where Shopify's checkout, its thank-you page and the customer account would, and run the app's own
//! extensions: the bundles that would be deployed, each in a worker.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Path as PathParam, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use devshop::{DevShop, current_cart, gid, shop_gid, signed_in};
use loyalty::{Account, Mark, Program};
use serde_json::{Value, json};

use super::pages;

/// The shop, and the folder of the bundles.
#[derive(Clone)]
struct Stage {
    shop: DevShop,
    bundles: Option<Arc<Path>>,
}

/// The pages, the bundles that they run, and what a surface shows to an extension.
pub fn router(shop: &DevShop, bundles: Option<PathBuf>) -> Router {
    Router::new()
        .route("/demo/checkout", get(page))
        .route("/demo/thanks", get(page))
        .route("/demo/account", get(page))
        .route("/demo/bundles/{file}", get(bundle))
        .route("/demo/api/surface", get(surface))
        .with_state(Stage { shop: shop.clone(), bundles: bundles.map(Into::into) })
}

async fn page(headers: HeaderMap) -> Response {
    pages::answer(pages::SURFACE.0, &headers)
}

/// `GET /demo/bundles/{file}`: what `tests/ui/bundle.mjs` made. A worker lives by the content policy that it came with.
async fn bundle(State(stage): State<Stage>, PathParam(name): PathParam<String>) -> Response {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let kind = match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "json")) => "application/json",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let Some(folder) = stage.bundles.filter(|_| is_plain) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(text) = tokio::fs::read(folder.join(name)).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let app = stage.shop.app_url().unwrap_or_default();
    let policy = format!("default-src 'none'; script-src 'self'; connect-src 'self' {app}");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, text).into_response()
}

/// `GET /demo/api/surface`: the app's metafields as an extension of the request's cart and customer sees them, and where
/// the app is.
async fn surface(State(Stage { shop, .. }): State<Stage>, headers: HeaderMap) -> Json<Value> {
    let mut entries = vec![entry(&shop, "shop", &shop_gid(), Program::UI_METAFIELD)];
    if let Some(customer) = signed_in(&shop, &headers) {
        entries.push(entry(&shop, "customer", &gid("Customer", customer), Account::METAFIELD));
    }
    if let Ok(cart) = current_cart(&shop, &headers) {
        entries.push(entry(&shop, "cart", &format!("cart:{cart}"), Mark::METAFIELD));
    }
    let entries: Vec<Value> = entries.into_iter().flatten().collect();
    Json(json!({"app_metafields": entries, "app_url": shop.app_url()}))
}

/// A metafield as `shopify.appMetafields` has it.
fn entry(shop: &DevShop, owner: &str, id: &str, key: &str) -> Option<Value> {
    let metafield = shop.metafield(id, "$app", key)?;
    Some(json!({
        "target": {"type": owner, "id": id},
        "metafield": {
            "namespace": "$app", "key": key, "type": metafield.kind, "valueType": "json_string",
            "value": metafield.value,
        },
    }))
}

#[cfg(test)]
mod tests {
    use devshop::{NewCart, Settings};

    use super::*;

    #[tokio::test]
    async fn bundles_come_with_a_policy_and_nothing_else_comes() {
        let folder = std::env::temp_dir().join(format!("bundles-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("inner")).unwrap();
        for name in ["a.js", "secret.toml", "inner/b.js"] {
            std::fs::write(folder.join(name), "1").unwrap();
        }
        let bundles = folder.join("inner");
        let shop =
            DevShop::start_with_pages(Settings::default(), |shop| router(shop, Some(bundles))).await.unwrap();
        shop.set_app_url(Some("http://127.0.0.1:9"));
        let get =
            async |path: &str| reqwest::get(format!("{}/demo/bundles/{path}", shop.url())).await.unwrap();
        let bundle = get("b.js").await;
        assert_eq!(bundle.status(), 200);
        let policy = bundle.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert_eq!(policy, "default-src 'none'; script-src 'self'; connect-src 'self' http://127.0.0.1:9");
        for path in ["c.js", "..%2Fa.js", "..%2Fsecret.toml", "inner", ".js%00"] {
            assert_eq!(get(path).await.status(), 404, "{path}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn an_extension_sees_the_apps_metafields_of_shop_customer_and_cart() {
        let shop = DevShop::start_with_pages(Settings::default(), |shop| router(shop, None)).await.unwrap();
        let customer = shop.add_customer("Ada", "Okafor", "ada@example.com").id;
        let cart = shop.new_cart(NewCart::of(customer)).unwrap().token;
        shop.put_metafield(&gid("Customer", customer), "$app", Account::METAFIELD, "{}");
        shop.put_metafield(&gid("Customer", customer), "theirs", Account::METAFIELD, "{}");
        shop.set_cart_metafield(&cart, Mark::METAFIELD, Some("{}")).unwrap();
        let surface = async |cookies: String| -> Value {
            let request = reqwest::Client::new().get(format!("{}/demo/api/surface", shop.url()));
            request.header("cookie", cookies).send().await.unwrap().json().await.unwrap()
        };
        let seen = surface(format!("devshop_customer={customer}; devshop_cart={cart}")).await;
        let entries = seen["app_metafields"].as_array().unwrap();
        let owners: Vec<_> = entries.iter().map(|entry| entry["target"]["type"].as_str().unwrap()).collect();
        assert_eq!(owners, ["customer", "cart"]);
        assert_eq!(surface(String::new()).await["app_metafields"], json!([]), "a guest sees nobody's");
    }
}
