//! The Admin client against a server that is not ours: of the published schema, by graphql-js, with answers that are made
//! up and then bent (`tests/node/stranger.mjs`). Whatever the schema allows is read, or is an error with a name.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use loyalnest::config::Secret;
use loyalnest::db::Timestamp;
use loyalnest::ids::{CustomerId, OrderId};
use loyalnest::shopify::admin::{
    Admin, AdminApi, AdminError, CompareDigest, Customizes, DiscountClass, DiscountWrite, MetafieldWrite,
    Note,
};
use loyalty::{Currency, Money};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::app::{SHOP, config};

const TOKEN: &str = "shpat_of_a_stranger";

struct Stranger {
    url: String,
    // It ends with its standard input.
    _child: Child,
}

impl Stranger {
    async fn start() -> Stranger {
        let schemas = std::env::var_os("LOYALNEST_TEST_SCHEMAS").expect(
            "LOYALNEST_TEST_SCHEMAS must name the folder of the published schemas (dist/data of npm's \
             @shopify/dev-mcp 1.16.0); `cargo xtask test` sets it",
        );
        let version = config(&[]).shopify.api_version;
        let mut child = Command::new("node")
            .arg(root().join("tests/node/stranger.mjs"))
            .arg(schemas)
            .arg(version)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = said.next_line().await.unwrap().expect("it starts; `npm ci` installs what it needs");
        Stranger { url, _child: child }
    }

    /// Its Admin API, with answers bent that way.
    fn admin(&self, bent: &str, version: Option<&str>, token: &str) -> Admin {
        let url = format!("{}/{bent}", self.url);
        // To validate against the whole schema takes its time.
        let mut settings =
            vec![("LOYALNEST_SHOPIFY_URL", url.as_str()), ("LOYALNEST_SHOPIFY__TIMEOUT", "60s")];
        settings.extend(version.map(|version| ("LOYALNEST_SHOPIFY__API_VERSION", version)));
        let api = AdminApi::new(&config(&settings)).unwrap();
        api.shop(&SHOP.parse().unwrap(), &Secret::new(token)).within(Duration::from_secs(60))
    }

    /// The operations that it has executed.
    async fn asked(&self) -> BTreeSet<String> {
        reqwest::get(format!("{}/asked", self.url)).await.unwrap().json().await.unwrap()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The operations of `graphql/`, but for what Shopify is to work off by itself: that is no call.
fn operations() -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join("graphql")).unwrap().map(|entry| entry.unwrap().path());
    let is_called = |path: &PathBuf| {
        !path.ends_with("schema.graphql") && !path.to_string_lossy().ends_with("_in_bulk.graphql")
    };
    let operations = files.filter(is_called);
    operations.map(|path| std::fs::read_to_string(path).unwrap().trim().to_owned()).collect()
}

/// Every call there is, and what became of it. (A call that is missing here is missed at the end of the test.)
async fn every_call(admin: &Admin) -> Vec<(&'static str, Result<String, AdminError>)> {
    fn shown<T: Debug>(answer: Result<T, AdminError>) -> Result<String, AdminError> {
        answer.map(|answer| format!("{answer:?}"))
    }
    let customers = [CustomerId(1), CustomerId(2)];
    let amount = Money::new(500, Currency::parse("GBP").unwrap()).unwrap();
    let metafield = MetafieldWrite {
        owner_id: customers[0].gid(),
        namespace: "$app".into(),
        key: "account".into(),
        r#type: "json".into(),
        value: "{}".into(),
        compare_digest: CompareDigest::New,
    };
    let notes = [Note::Kind("perks"), Note::Perks("{}".into()), Note::Variables("{}".into())];
    let discount = DiscountWrite { title: "Points", classes: &[DiscountClass::Order] };
    let (id, starts_at) = ("gid://shopify/DiscountNode/1", "2026-11-23T12:00:00Z");
    vec![
        ("shop_details", shown(admin.shop_details().await)),
        ("order_redemption", shown(admin.order_redemption(OrderId(1)).await)),
        ("order_now", shown(admin.order_now(OrderId(1)).await)),
        ("order_refund", shown(admin.order_refund("gid://shopify/Refund/1").await)),
        ("orders_changed", shown(admin.orders_changed(Timestamp::UNIX_EPOCH, None).await)),
        ("products_in", shown(admin.products_in(7).await)),
        ("products_after", shown(admin.products_after(None).await)),
        ("products_tagged", shown(admin.products_tagged("sale").await)),
        ("tag", shown(admin.tag(&OrderId(1).gid(), &["loyalty".to_owned()]).await)),
        ("untag", shown(admin.untag(&customers[0].gid(), &["loyalty".to_owned()]).await)),
        ("metafields_set", shown(admin.metafields_set(&[metafield]).await)),
        ("customer_emails", shown(admin.customer_emails(&customers).await)),
        ("account_metafields", shown(admin.account_metafields(&customers).await)),
        ("bulk_run_query", shown(admin.bulk_run_query("query { shop { id } }").await)),
        ("bulk_operation", shown(admin.bulk_operation("gid://shopify/BulkOperation/1").await)),
        ("bulk_operations", shown(admin.bulk_operations().await)),
        ("redemption_definition", shown(admin.redemption_definition().await)),
        ("create_redemption_definition", shown(admin.create_redemption_definition().await)),
        ("let_orders_copy_redemptions", shown(admin.let_orders_copy_redemptions().await)),
        ("program_metafields", shown(admin.program_metafields().await)),
        ("credit_store_credit", shown(admin.credit_store_credit(customers[0], amount).await)),
        ("create_gift_card", shown(admin.create_gift_card(customers[0], amount, "LoyalNest 1").await)),
        ("store_credits", shown(admin.store_credits(customers[0]).await)),
        ("gift_cards", shown(admin.gift_cards(customers[0]).await)),
        ("shopify_functions", shown(admin.shopify_functions().await)),
        ("app_discount", shown(admin.app_discount(id).await)),
        ("app_discounts", shown(admin.app_discounts().await)),
        (
            "create_app_discount",
            shown(admin.create_app_discount("points", &discount, &notes, starts_at).await),
        ),
        ("update_app_discount", shown(admin.update_app_discount(id, &discount).await)),
        ("validations", shown(admin.customizations(Customizes::Checkout).await)),
        ("delivery_customizations", shown(admin.customizations(Customizes::Delivery).await)),
        (
            "create_validation",
            shown(admin.create_customization(Customizes::Checkout, "redemption-guard", "Points").await),
        ),
        (
            "create_delivery_customization",
            shown(admin.create_customization(Customizes::Delivery, "tier-delivery", "Tiers").await),
        ),
    ]
}

#[tokio::test]
async fn whatever_the_published_schema_allows_is_read_or_is_an_error_with_a_name() {
    let stranger = Stranger::start().await;
    // Where nothing can be made of an answer that the schema allows.
    let mutations = [
        "bulk_run_query",
        "tag",
        "untag",
        "metafields_set",
        "create_app_discount",
        "update_app_discount",
        "create_validation",
        "create_delivery_customization",
        "create_redemption_definition",
        "let_orders_copy_redemptions",
        "credit_store_credit",
        "create_gift_card",
    ];
    for (bent, fail) in [
        ("plain", &[][..]),
        ("enums", &[]),
        ("huge", &[]),
        ("nulls", &mutations),
        ("denied", &["gift_cards"]),
        ("empty", &["account_metafields", "customer_emails"]),
        ("endless", &["order_now", "order_refund", "products_in", "products_tagged"]),
    ] {
        for (call, answer) in every_call(&stranger.admin(bent, None, TOKEN)).await {
            match answer {
                Ok(_) => assert!(!fail.contains(&call), "{bent} {call}: {answer:?}"),
                Err(AdminError::Operation(_) | AdminError::Malformed(_)) => {
                    assert!(fail.contains(&call), "{bent} {call}: {answer:?}");
                }
                Err(error) => panic!("{bent} {call}: {error:?}"),
            }
        }
    }
    let shop = stranger.admin("enums", None, TOKEN).shop_details().await.unwrap();
    assert_eq!(shop.currency, "NEWER_THAN_THIS_PROGRAM", "what is newer is kept as it is");
    assert_eq!(operations().difference(&stranger.asked().await).collect::<Vec<_>>(), [""; 0], "never called");

    let other = stranger.admin("plain", Some("2026-07"), TOKEN).shop_details().await;
    assert!(
        matches!(other, Err(AdminError::Refused { status: 404 })),
        "the version stands in the path: {other:?}"
    );
    let other = stranger.admin("plain", None, "shpat_other").shop_details().await;
    assert!(matches!(other, Err(AdminError::Unauthorized { status: 401 })), "{other:?}");
}
