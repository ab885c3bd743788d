//! The theme's pages with the app's own blocks, and the cart API that themes use.

use std::path::Path;

use devshop::{DevShop, NewProduct, Placement, Rate, Settings, Theme, gid, seed, shop_gid};
use serde_json::{Value, json};

use crate::support::client;

const PLACEMENT: Placement =
    Placement { home: &["balance"], product: &[], cart: &[], pages: &[], embeds: &["launcher"], page: None };

/// A shop with a theme, and the number of one of its customers.
async fn shop() -> (DevShop, u64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extensions/storefront-rewards");
    let yen = ("JPY".parse().unwrap(), Rate::new(198, 1).unwrap());
    let settings = Settings { rates: [yen].into(), ..Settings::default() };
    let shop =
        DevShop::start_with_pages(settings, |shop| Theme::new(folder, PLACEMENT).router(shop)).await.unwrap();
    seed(&shop);
    let ada = shop.customers()[0].id;
    (shop, ada)
}

async fn page(shop: &DevShop, path: &str, cookie: &str) -> (u16, String) {
    let response =
        client().get(format!("{}{path}", shop.url())).header("cookie", cookie).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn liquid_reads_what_the_storefront_may_read_and_nothing_else() {
    let (shop, ada) = shop().await;
    shop.put_metafield(
        &gid("Customer", ada),
        "$app",
        "account",
        r#"{"v":1,"seq":1,"points":41234,"pending":0}"#,
    );
    shop.put_metafield(&shop_gid(), "$app", "program_ui", r#"{"v":1,"name":"for widgets"}"#);
    shop.put_metafield(&shop_gid(), "$app", "program", r#"{"v":1,"name":"for Functions"}"#);
    let (status, shown) = page(&shop, "/store", &format!("devshop_customer={ada}")).await;
    assert_eq!(status, 200, "{shown}");
    for there in ["41,234", "&quot;points&quot;:41234", "for widgets", "/cdn/app/loader.js"] {
        assert!(shown.contains(there), "{there} is missing: {shown}");
    }
    assert!(!shown.contains("for Functions"));
    let (_, guest) = page(&shop, "/store", "").await;
    assert!(!guest.contains("41,234") && guest.contains("Sign in to see your points"));
    let (_, german) = page(&shop, "/store?locale=de", &format!("devshop_customer={ada}")).await;
    assert!(german.contains("41.234 Punkte"), "{german}");
}

#[tokio::test]
async fn pages_languages_and_assets_that_are_not_there_are_not_found() {
    let (shop, _) = shop().await;
    for path in ["/products/none", "/pages/none", "/cdn/app/none.js", "/cdn/app/..%2Fshopify.extension.toml"]
    {
        assert_eq!(page(&shop, path, "").await.0, 404, "{path}");
    }
    assert_eq!(page(&shop, "/store?locale=no%20language", "").await.0, 400);
    assert_eq!(page(&shop, "/cdn/app/loader.js", "").await.0, 200);
}

/// Posts to the cart API and reads the answer.
async fn post(shop: &DevShop, path: &str, cart: &str, body: Value) -> (u16, Value) {
    let request = client().post(format!("{}{path}", shop.url())).header("x-cart", cart).json(&body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn themes_read_and_change_the_cart() {
    let (shop, _) = shop().await;
    let mug = shop.add_product(NewProduct::simple("Mug", 1_250)).variants[0].id;
    let cart = shop.new_cart(devshop::NewCart::default()).unwrap().token;
    let (status, said) =
        post(&shop, "/cart/add.js", &cart, json!({"items": [{"id": mug, "quantity": 2}]})).await;
    assert_eq!((status, &said["item_count"], &said["total_price"]), (200, &json!(2), &json!(2_500)));
    let item = &said["items"][0];
    assert_eq!((&item["variant_id"], &item["title"]), (&json!(mug), &json!("Mug")));
    assert_eq!((&item["price"], &item["final_line_price"]), (&json!(1_250), &json!(2_500)));

    let mark = json!({"attributes": {"_loyalty": "h.1"}});
    assert_eq!(post(&shop, "/cart/update.js", &cart, mark).await.1["attributes"], json!({"_loyalty": "h.1"}));
    let empty = post(&shop, "/cart/update.js", &cart, json!({"attributes": {"_loyalty": ""}})).await.1;
    assert_eq!(empty["attributes"], json!({"_loyalty": ""}));

    shop.change_cart(&cart, |cart| cart.currency = "JPY".parse().unwrap()).unwrap();
    let line = item["key"].clone();
    let (_, yen) = post(&shop, "/cart/change.js", &cart, json!({"id": line, "quantity": 1})).await;
    assert_eq!(
        (&yen["currency"], &yen["total_price"]),
        (&json!("JPY"), &json!(247_500)),
        "hundredths of a yen"
    );

    let (status, refused) = post(&shop, "/cart/change.js", &cart, json!({"id": "none", "quantity": 1})).await;
    assert_eq!((status, &refused["message"]), (422, &json!("Cart Error")));
    assert_eq!(post(&shop, "/cart/clear.js", &cart, json!({})).await.1["items"], json!([]));
}
