//! The schemas and operations in this repository agree with those Shopify publishes.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod published;
mod subset;

use std::path::{Path, PathBuf};

use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use published::Published;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read_schema(path: &str) -> Valid<Schema> {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    Schema::parse_and_validate(text, path).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The operations of `graphql/`, by file name.
fn operations() -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(root().join("graphql"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "graphql") && !path.ends_with("schema.graphql"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_admin_schema_is_exactly_a_subset_of_the_published_one() {
    let subset = read_schema("graphql/schema.graphql");
    let published = Published::load("admin_2026-10");
    let differences = subset::differences(&subset, &published);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_operation_is_valid_against_both_schemas_and_uses_nothing_deprecated() {
    let subset = read_schema("graphql/schema.graphql");
    let published = Published::load("admin_2026-10");
    let operations = operations();
    assert!(operations.len() >= 6, "the operations are gone");
    for (file, text) in operations {
        for schema in [&subset, &published.schema] {
            let document = ExecutableDocument::parse_and_validate(schema, text.as_str(), &file)
                .unwrap_or_else(|errors| panic!("{file}: {errors}"));
            assert_eq!(document.operations.iter().count(), 1, "{file}: one operation for each file");
            assert_eq!(subset::deprecated_fields(&document, &published), [""; 0], "{file}");
        }
    }
}

#[test]
fn the_discount_api_this_shop_answers_is_exactly_a_subset_of_the_published_one() {
    let subset = read_schema("tests/devshop/discount.graphql");
    let published = Published::load("functions_discount_2026-10");
    let differences = subset::differences(&subset, &published);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_discount_functions_schema_agrees_with_the_published_one() {
    let subset = read_schema("extensions/points-redemption/schema.graphql");
    let published = Published::load("functions_discount_2026-10");
    let mut differences = subset::differences(&subset, &published);
    // A shop may have a currency whose code is deprecated: the Function must be able to read it.
    differences.retain(|difference| {
        !(difference.starts_with("CurrencyCode.") && difference.ends_with("deprecated"))
    });
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn differences_are_found() {
    let published = Published::load("admin_2026-10");
    let altered = |from: &str, to: &str| {
        let text = std::fs::read_to_string(root().join("graphql/schema.graphql")).unwrap();
        assert!(text.contains(from), "{from}");
        let subset = Schema::parse_and_validate(text.replacen(from, to, 1), "altered").unwrap();
        subset::differences(&subset, &published)
    };
    for (from, to) in [
        ("compareDigest: String\n  key", "compareDigest: String!\n  key"),
        ("key: String!\n  namespace: String\n  ownerId: ID!", "namespace: String\n  ownerId: ID!"),
        ("orderDiscounts: Boolean = false", "orderDiscounts: Boolean = true"),
        ("tags: [String!]!): TagsAddPayload", "tags: [String!]!, loud: Boolean): TagsAddPayload"),
        ("  STALE_OBJECT\n", "  STALE_OBJECT\n  ROTTEN_OBJECT\n"),
        ("  functionHandle: String\n", "  functionHandle: String\n  functionId: String\n"),
        ("type UserError implements DisplayableError", "type UserError"),
        ("type DiscountAutomaticApp {", "type DiscountAutomaticApp {\n  discountClass: DiscountClass!"),
    ] {
        assert_eq!(altered(from, to).len(), 1, "{from} → {to}: {:?}", altered(from, to));
    }
}
