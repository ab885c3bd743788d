//! What a Function is shown: its query executed field by field, nothing more, everything as fresh as the switch says.

use std::sync::Arc;
use std::time::Duration;

use devshop::{
    Authentication, Channel, Clock, CombinesWith, DevShop, DiscountClass, Freshness, Function, HostFailure,
    NewCart, NewDiscount, NewProduct, PosCartProperties, Settings, Switches,
};
use serde_json::{Value, json};

use crate::support::Fixture;

const SCHEMA: &str = include_str!("../../discount.graphql");

/// Installs a Function that asks a query and does nothing; returns its discount's global id.
fn install(shop: &DevShop, query: &str) -> String {
    let idle = |_: &str, _: &Value| json!({"operations": []});
    let targets = [("cart.lines.discounts.generate.run", "run", query)];
    shop.install(Function::new("idle", SCHEMA, &targets, Arc::new(idle)).unwrap());
    let discount = shop.add_discount(NewDiscount {
        title: "Idle".into(),
        function_handle: "idle".into(),
        classes: vec![DiscountClass::Order],
        combines_with: CombinesWith::ALL,
    });
    discount.unwrap().gid()
}

/// What the Function was shown, as text: its order matters too.
fn shown(shop: &DevShop, cart: &str) -> String {
    let run = shop.quote(cart).unwrap().runs.remove(0);
    assert_eq!(run.error, None);
    serde_json::to_string(&run.input).unwrap()
}

#[tokio::test]
async fn exactly_what_is_selected_in_the_order_it_is_selected() {
    let fixture = Fixture::new().await;
    let cart = fixture.cart(2);
    fixture.shop.set_cart_attribute(&cart, "_mark", Some("h.1")).unwrap();
    install(
        &fixture.shop,
        r#"query Input { cart { mark: attribute(key: "_mark") { value } none: attribute(key: "x") { value }
           lines { quantity cost { subtotalAmount { currencyCode amount } amountPerQuantity { amount } }
                   merchandise { __typename ... on ProductVariant { product { isGiftCard } } } } }
           discount { discountClasses } }"#,
    );
    assert_eq!(
        shown(&fixture.shop, &cart),
        r#"{"cart":{"mark":{"value":"h.1"},"none":null,"lines":[{"quantity":2,"cost":{"subtotalAmount":{"currencyCode":"GBP","amount":"25.0"},"amountPerQuantity":{"amount":"12.5"}},"merchandise":{"__typename":"ProductVariant","product":{"isGiftCard":false}}}]},"discount":{"discountClasses":["ORDER"]}}"#
    );
}

#[tokio::test]
async fn metafields_of_customer_cart_shop_and_discount_are_found_by_namespace_and_key() {
    let fixture = Fixture::new().await;
    let cart = fixture.cart(1);
    let query = r#"query Input { cart { metafield(namespace: "$app", key: "redemption") { jsonValue }
        buyerIdentity { isAuthenticated customer { metafield(namespace: "$app", key: "account") { value jsonValue } } } }
        discount { metafield(namespace: "$app", key: "role") { value } }
        shop { metafield(namespace: "$app", key: "program") { value } localTime { date } } }"#;
    let discount = install(&fixture.shop, query);
    fixture.shop.put_metafield(&fixture.ada_gid(), "$app", "account", r#"{"v":1,"points":12}"#);
    fixture.shop.put_metafield(&discount, "$app", "role", "points");
    fixture.shop.set_cart_metafield(&cart, "redemption", Some(r#"{"hold":"h"}"#)).unwrap();
    let input: Value = serde_json::from_str(&shown(&fixture.shop, &cart)).unwrap();
    assert_eq!(input["cart"]["metafield"]["jsonValue"]["hold"], "h");
    assert_eq!(input["cart"]["buyerIdentity"]["isAuthenticated"], true);
    let account = &input["cart"]["buyerIdentity"]["customer"]["metafield"];
    assert_eq!(
        (&account["value"], &account["jsonValue"]["points"]),
        (&json!(r#"{"v":1,"points":12}"#), &json!(12))
    );
    assert_eq!(input["discount"]["metafield"]["value"], "points");
    assert!(input["shop"]["metafield"].is_null());
    assert_eq!(input["shop"]["localTime"]["date"].as_str().unwrap().len(), 10);
}

/// A query that selects every field of a type, with arguments where they are required.
fn everything(schema: &apollo_compiler::Schema, ty: &str, within: &[&str]) -> String {
    use apollo_compiler::schema::ExtendedType;
    let fields = match &schema.types[ty] {
        ExtendedType::Object(object) => &object.fields,
        ExtendedType::Union(union) => {
            let on = |member: &str| format!("... on {member} {}", everything(schema, member, within));
            let all: Vec<_> = union.members.iter().map(|member| on(member.as_str())).collect();
            return format!("{{ {} }}", all.join(" "));
        }
        _ => return String::new(),
    };
    let select = |field: &apollo_compiler::schema::FieldDefinition| {
        let inner = field.ty.inner_named_type().as_str();
        if within.contains(&inner) {
            return None;
        }
        let argument = |argument: &apollo_compiler::ast::InputValueDefinition| match argument.name.as_str() {
            "tags" => r#"tags: ["coffee"]"#.to_owned(),
            "ids" => r#"ids: ["gid://shopify/Collection/1"]"#.to_owned(),
            "key" | "namespace" => format!(r#"{}: "app""#, argument.name),
            name if name.to_lowercase().contains("date") => format!(r#"{name}: "2026-11-22T00:00:00""#),
            name => format!(r#"{name}: "00:00:00""#),
        };
        let arguments: Vec<_> = field.arguments.iter().map(|given| argument(given)).collect();
        let arguments =
            if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        let within = [within, &[inner]].concat();
        Some(format!("{}{arguments} {}", field.name, everything(schema, inner, &within)))
    };
    let all: Vec<_> = fields.values().filter_map(|field| select(field)).collect();
    format!("{{ {} }}", all.join(" "))
}

#[tokio::test]
async fn every_field_the_shop_claims_to_know_has_an_answer() {
    let fixture = Fixture::new().await;
    let schema = apollo_compiler::Schema::parse_and_validate(SCHEMA, "discount.graphql").unwrap();
    let query = format!("query Input {}", everything(&schema, "Input", &["Input"]));
    install(&fixture.shop, &query);
    let input: Value = serde_json::from_str(&shown(&fixture.shop, &fixture.cart(1))).unwrap();
    assert_eq!(input["cart"]["lines"][0]["merchandise"]["product"]["handle"], "mug");
    assert_eq!(input["cart"]["buyerIdentity"]["customer"]["displayName"], "Ada Byron");
    assert_eq!(input["cart"]["deliveryGroups"][0]["selectedDeliveryOption"]["title"], "Standard");
    assert_eq!(input["shop"]["localTime"]["dateTimeAfter"], true);
    assert_eq!(input["presentmentCurrencyRate"], "1.0");

    let till =
        fixture.shop.new_cart(NewCart { channel: Channel::Pos(5), ..NewCart::of(fixture.ada.id) }).unwrap();
    let input: Value = serde_json::from_str(&shown(&fixture.shop, &till.token)).unwrap();
    assert_eq!(input["cart"]["retailLocation"]["handle"], "location-5");
}

#[tokio::test]
async fn a_metafield_too_large_is_null() {
    let fixture = Fixture::new().await;
    let cart = fixture.cart(1);
    install(
        &fixture.shop,
        r#"query Input { cart { buyerIdentity { customer { metafield(namespace: "$app", key: "account") { value } } } } }"#,
    );
    let value = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    fixture.shop.put_metafield(&fixture.ada_gid(), "$app", "account", &value(10_000));
    assert!(shown(&fixture.shop, &cart).contains("xxx"));
    fixture.shop.put_metafield(&fixture.ada_gid(), "$app", "account", &value(10_001));
    assert_eq!(shown(&fixture.shop, &cart), r#"{"cart":{"buyerIdentity":{"customer":{"metafield":null}}}}"#);
}

#[tokio::test]
async fn a_stale_metafield_is_seen_as_it_was() {
    let clock = Clock::standing_at("2026-11-22T12:00:00Z".parse().unwrap());
    let fixture = Fixture::with(Settings { clock: clock.clone(), ..Settings::default() }).await;
    let cart = fixture.cart(1);
    install(
        &fixture.shop,
        r#"query Input { cart { metafield(key: "redemption") { value }
           buyerIdentity { customer { metafield(key: "account") { value } } } } }"#,
    );
    fixture.shop.put_metafield(&fixture.ada_gid(), "$app", "account", "1");
    clock.advance(Duration::from_secs(60));
    fixture.shop.put_metafield(&fixture.ada_gid(), "$app", "account", "2");
    fixture.shop.set_cart_metafield(&cart, "redemption", Some("7")).unwrap();
    let seen = || {
        let input: Value = serde_json::from_str(&shown(&fixture.shop, &cart)).unwrap();
        let customer = input["cart"]["buyerIdentity"]["customer"]["metafield"]["value"].clone();
        (customer, input["cart"]["metafield"]["value"].clone())
    };
    assert_eq!(seen(), (json!("2"), json!("7")));
    let stale = Freshness::StaleFor(3);
    fixture.shop.set_switches(Switches { metafield_freshness: stale, ..Switches::default() });
    assert_eq!(seen(), (json!("1"), json!("7")));
    fixture.shop.set_switches(Switches { cart_metafield_freshness: stale, ..Switches::default() });
    assert_eq!(seen(), (json!("2"), json!(null)));
    clock.advance(Duration::from_secs(3));
    assert_eq!(seen(), (json!("2"), json!("7")));
}

#[tokio::test]
async fn guests_shop_pay_and_tills_are_who_they_are() {
    let fixture = Fixture::new().await;
    install(
        &fixture.shop,
        r#"query Input { cart { retailLocation { id } attribute(key: "hold") { value }
           buyerIdentity { isAuthenticated customer { id } } } }"#,
    );
    let shown_to = |new: NewCart| -> Value {
        let cart = fixture.shop.new_cart(new).unwrap();
        fixture.shop.set_cart_attribute(&cart.token, "hold", Some("h")).unwrap();
        serde_json::from_str::<Value>(&shown(&fixture.shop, &cart.token)).unwrap()["cart"].clone()
    };
    let shop_pay = NewCart { shop_pay: true, ..NewCart::of(fixture.ada.id) };
    let till = NewCart { channel: Channel::Pos(5), ..NewCart::of(fixture.ada.id) };

    assert!(shown_to(NewCart::default())["buyerIdentity"].is_null());
    assert_eq!(shown_to(shop_pay)["buyerIdentity"]["isAuthenticated"], true);
    assert_eq!(shown_to(till)["retailLocation"]["id"], "gid://shopify/Location/5");
    assert_eq!(shown_to(till)["buyerIdentity"]["isAuthenticated"], false);
    assert_eq!(shown_to(till)["attribute"]["value"], "h");

    fixture.shop.set_switches(Switches {
        authentication: Authentication::FalseUnderShopPay,
        pos_cart_properties: PosCartProperties::Hidden,
        ..Switches::default()
    });
    let under_shop_pay = shown_to(shop_pay)["buyerIdentity"].clone();
    assert_eq!(under_shop_pay, json!({"isAuthenticated": false, "customer": {"id": fixture.ada_gid()}}));
    assert!(shown_to(till)["attribute"].is_null());
    assert_eq!(shown_to(NewCart::of(fixture.ada.id))["attribute"]["value"], "h");
}

#[tokio::test]
async fn delivery_groups_and_options_are_there_when_something_ships() {
    let fixture = Fixture::new().await;
    install(
        &fixture.shop,
        r#"query Input { cart { deliveryGroups { id deliveryOptions { handle cost { amount } } } } }"#,
    );
    let cart = fixture.cart(1);
    let input: Value = serde_json::from_str(&shown(&fixture.shop, &cart)).unwrap();
    let group = &input["cart"]["deliveryGroups"][0];
    assert!(group["id"].as_str().unwrap().starts_with("gid://shopify/CartDeliveryGroup/"));
    assert_eq!(group["deliveryOptions"], json!([{"handle": "standard", "cost": {"amount": "4.95"}}]));

    let gift = NewProduct { gift_card: true, ..NewProduct::simple("Gift card", 1000) };
    let gift = fixture.shop.add_product(gift);
    let cart = fixture.shop.new_cart(NewCart::of(fixture.ada.id)).unwrap();
    fixture.shop.add_to_cart(&cart.token, gift.variants[0].id, 1).unwrap();
    assert_eq!(shown(&fixture.shop, &cart.token), r#"{"cart":{"deliveryGroups":[]}}"#);
}

#[tokio::test]
async fn a_query_that_does_not_fit_the_schema_is_not_installed() {
    let idle = |_: &str, _: &Value| json!({"operations": []});
    let targets = [("cart.lines.discounts.generate.run", "run", "query Input { cart { weather } }")];
    assert!(Function::new("idle", SCHEMA, &targets, Arc::new(idle)).is_err());
}

#[tokio::test]
async fn the_built_functions_of_the_extensions_run() {
    let extensions = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extensions");
    let functions = Function::load_all(&extensions).unwrap();
    assert!(!functions.is_empty());
    let fixture = Fixture::new().await;
    for function in functions {
        let handle = function.handle.clone();
        fixture.shop.install(function);
        let new = NewDiscount {
            title: handle.clone(),
            function_handle: handle,
            classes: vec![DiscountClass::Order],
            combines_with: CombinesWith::ALL,
        };
        fixture.shop.add_discount(new).unwrap();
    }
    let quote = fixture.shop.quote(&fixture.cart(1)).unwrap();
    assert!(quote.runs.len() >= 2, "lines and delivery");
    for run in quote.runs {
        assert_eq!(run.error, None, "{} at {}", run.function, run.target);
        assert!(run.instructions > 100 && run.output["operations"].is_array(), "{:?}", run.output);
    }
}

#[tokio::test]
async fn a_function_that_fails_gives_no_discount_and_the_checkout_goes_on() {
    struct Broken;
    impl devshop::FunctionHost for Broken {
        fn run(
            &self,
            _: &str,
            _: &apollo_compiler::response::JsonValue,
            _: Option<usize>,
        ) -> Result<devshop::HostRun, HostFailure> {
            Err(HostFailure("out of fuel".into()))
        }
    }
    let fixture = Fixture::new().await;
    let targets = [(
        "cart.lines.discounts.generate.run",
        "run",
        "query Input { cart { cost { totalAmount { amount } } } }",
    )];
    fixture.shop.install(Function::new("broken", SCHEMA, &targets, Arc::new(Broken)).unwrap());
    fixture
        .shop
        .add_discount(NewDiscount {
            title: "Broken".into(),
            function_handle: "broken".into(),
            classes: vec![DiscountClass::Order],
            combines_with: CombinesWith::ALL,
        })
        .unwrap();
    let quote = fixture.shop.quote(&fixture.cart(1)).unwrap();
    assert_eq!(quote.runs[0].error.as_deref(), Some("out of fuel"));
    assert_eq!((quote.discounts.len(), quote.total().presentment), (0, 1745));
}
