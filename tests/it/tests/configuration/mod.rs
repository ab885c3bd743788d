//! `shopify.app.toml`, `shopify.web.toml` and the extensions' files: what Shopify's command line does not notice.
//!
//! It reads the files by its own schemas (`cargo xtask test` has it do so), but says nothing of unknown keys, topics,
//! targets and versions, of files that are not there, and it cannot know what the backend does with a webhook. Each
//! check here is a list of complaints; for each there is a file that is broken and complained of.

mod files;
mod keys;
mod metafields;
mod published;
mod webhooks;

use std::collections::BTreeSet;

use loyalnest::app::App;

use crate::support::on_engine;
use files::Files;
use published::Published;

/// All that is wrong with the files; `knows` says whether the backend acts on a topic.
fn complaints(files: &Files, published: &Published, knows: impl Fn(&str) -> bool) -> Vec<String> {
    let mut all = keys::complaints(files);
    all.extend(files.extensions.iter().flat_map(|extension| extension.complaints(published)));
    all.extend(webhooks::complaints(&files.app, published, knows));
    all.extend(metafields::complaints(&files.app));
    all
}

#[test]
fn shopify_gets_what_it_knows_and_we_get_what_we_act_on() {
    on_engine(loyalnest::db::Engine::Sqlite, async |test| {
        let config = crate::support::app::config(&[]);
        let app = App::builder(config).db(test.db.clone()).build().await.unwrap();
        let found = complaints(&Files::read(), &published::PUBLISHED, |topic| app.inbox.knows(topic));
        assert!(found.is_empty(), "{found:#?}");
    });
}

/// Topics as the files have them, so that tests of other complaints do not need the backend.
fn subscribed(files: &Files) -> BTreeSet<String> {
    webhooks::topics(&files.app).into_iter().collect()
}

/// Changes the files, and gives what is complained of then.
fn broken(change: impl FnOnce(&mut Files)) -> Vec<String> {
    let mut files = Files::read();
    let known = subscribed(&files);
    change(&mut files);
    complaints(&files, &published::PUBLISHED, |topic| known.contains(topic))
}

fn assert_complains(change: impl FnOnce(&mut Files), says: &str) {
    let found = broken(change);
    assert!(found.iter().any(|complaint| complaint.contains(says)), "not `{says}`: {found:#?}");
}

#[test]
fn what_stands_in_the_files_has_no_complaints() {
    let found = broken(|_| {});
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn unknown_keys_are_complained_of() {
    for (from, to, says) in [
        ("embedded = true", "embeded = true", "shopify.app.toml: Shopify knows no embeded"),
        ("subpath =", "sub_path =", "app_proxy.sub_path"),
        ("include_fields =", "include_field =", "webhooks.subscriptions.include_field"),
        ("access.storefront =", "access.store_front =", "customer.metafields.app.account.access.store_front"),
        ("[customer.metafields", "[custommer.metafields", "custommer.metafields"),
        ("[shop.metafields.app.program]", "[cart.metafields.app.program]", "cart.metafields.app.program"),
        ("cart_to_order_copyable", "cart_to_order_copiable", "capabilities.cart_to_order_copiable"),
    ] {
        assert_complains(|files| files.change_app(from, to), says);
    }
    assert_complains(
        |files| files.change_web("predev", "pre_dev"),
        "shopify.web.toml: Shopify knows no commands.pre_dev",
    );
    for (from, to, says) in [
        ("input_query", "input_querry", "extensions.targeting.input_querry"),
        ("watch =", "watches =", "extensions.build.watches"),
        ("type = \"function\"", "type = \"funktion\"", "there is no type of extension funktion"),
    ] {
        assert_complains(|files| files.change_extension(from, to), says);
    }
}

#[test]
fn what_an_extension_names_must_be_there() {
    for (from, to, says) in [
        (
            "cart.lines.discounts.generate.run",
            "cart.lines.discount.generate.run",
            "a target cart.lines.discount.",
        ),
        ("api_version = \"2026-10\"", "api_version = \"2026-13\"", "version 2026-13"),
        ("src/cart_lines_", "src/carts_lines_", "no file src/carts_lines_"),
    ] {
        assert_complains(|files| files.change_extension(from, to), says);
    }
}

#[test]
fn topics_must_exist_and_be_acted_upon() {
    for (from, to, says) in [
        ("\"orders/paid\"", "\"orders/payed\"", "Shopify has no topic orders/payed"),
        (
            "\"orders/paid\"",
            "\"orders/payed\"",
            "the backend acts on orders/paid, which is not subscribed to",
        ),
        (
            "\"orders/paid\"",
            "\"orders/risk_assessment_changed\"",
            "nobody acts on orders/risk_assessment_changed",
        ),
        ("\"customers/redact\", ", "", "customers/redact, which is not subscribed to"),
        ("\"orders/paid\"", "\"customers/redact\"", "customers/redact is a compliance topic"),
        (
            "api_version = \"2026-10\"",
            "api_version = \"2026-07\"",
            "webhooks come as of 2026-07, the backend",
        ),
    ] {
        assert_complains(|files| files.change_app(from, to), says);
    }
}

#[test]
fn webhooks_go_where_the_backend_takes_them_with_what_it_reads_and_nothing_personal() {
    for (from, to, says) in [
        ("uri = \"/webhooks\"", "uri = \"/hooks\"", "orders/create goes to /hooks"),
        ("  \"customer.id\",", "  \"customer.id\",\n  \"email\",", "orders/create brings email"),
        ("\"customer.id\"", "\"customer\"", "orders/create brings customer"),
        ("\"customer.id\"", "\"customer.first_name\"", "orders/create brings customer.first_name"),
        ("include_fields = [\"order_edit.order_id\"]\n", "", "orders/edited comes whole"),
        ("\"line_items.price_set\"", "\"line_items.prize_set\"", "orders/create has no line_items.prize_set"),
        ("\"refunds.id\"", "\"refund.id\"", "orders/create has no refund.id"),
    ] {
        assert_complains(|files| files.change_app(from, to), says);
    }
}

#[test]
fn scopes_are_those_that_are_needed_and_no_more() {
    for (from, to, says) in [
        ("scopes = \"read_customer_merge,", "scopes = \"", "customers/merge needs read_customer_merge"),
        ("read_products,read_s", "read_s", "products/update needs read_products"),
        ("write_customers,", "read_customers,", "metafields_set needs write_customers"),
        ("write_discounts,", "", "discount_automatic_app_create needs write_discounts"),
        ("read_products,read_s", "read_products,read_themes,read_s", "nothing needs read_themes"),
        ("read_products,read_s", "write_products,read_s", "nothing needs write_products"),
    ] {
        assert_complains(|files| files.change_app(from, to), says);
    }
}

#[test]
fn metafields_are_no_more_open_than_their_readers_need() {
    for (from, to, says) in [
        ("access.customer_account = \"read\"", "access.customer_account = \"read_write\"", "read_write"),
        ("access.admin = \"merchant_read\"", "access.admin = \"merchant_read_write\"", "merchant_read_write"),
        (
            "name = \"Loyalty program\"",
            "name = \"Loyalty program\"\naccess.storefront = \"public_read\"",
            "shop.program: access.storefront",
        ),
        ("[order.metafields.app.redemption]", "[order.metafields.app.redeemed]", "order.redeemed"),
        ("[order.metafields.app.redemption]", "[order.metafields.app.redeemed]", "order.redemption is used"),
        ("type = \"json\"", "type = \"text\"", "customer.account must be json"),
    ] {
        assert_complains(|files| files.change_app(from, to), says);
    }
}
