//! The input queries: what they cost, and that the code knows where their members stand.

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use points_redemption::Member;
use points_redemption::members as at;

use crate::support::folder;

const QUERIES: [&str; 2] =
    ["cart_lines_discounts_generate_run", "cart_delivery_options_discounts_generate_run"];

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(format!("src/{name}.graphql"))).unwrap()
}

fn query(name: &str) -> Valid<ExecutableDocument> {
    let schema = std::fs::read_to_string(folder().join("schema.graphql")).unwrap();
    let schema =
        Schema::parse_and_validate(schema, "schema.graphql").unwrap_or_else(|errors| panic!("{errors}"));
    ExecutableDocument::parse_and_validate(&schema, text(name), name)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn root(query: &ExecutableDocument) -> &SelectionSet {
    &query.operations.iter().next().unwrap().selection_set
}

/// Shopify's rule: a metafield 3, `hasAnyTag` and `inAnyCollection` 3, any other leaf 1. Whether the leaves of a
/// metafield count as well is not documented; here they do.
fn cost(set: &SelectionSet) -> u32 {
    let of = |selection: &Selection| match selection {
        Selection::Field(field) => {
            let own = match field.name.as_str() {
                "metafield" | "hasAnyTag" | "inAnyCollection" => 3,
                _ if field.selection_set.selections.is_empty() => 1,
                _ => 0,
            };
            own + cost(&field.selection_set)
        }
        Selection::InlineFragment(fragment) => cost(&fragment.selection_set),
        Selection::FragmentSpread(_) => panic!("fragments are not counted"),
    };
    set.selections.iter().map(of).sum()
}

#[test]
fn queries_stay_within_the_platforms_limits() {
    for name in QUERIES {
        let cost = cost(root(&query(name)));
        assert!(cost <= 27, "{name} costs {cost} of 30");
        let bytes = text(name).len();
        assert!(bytes <= 3_000, "{name} has {bytes} bytes");
    }
}

/// The members of every object, one list per object, in the order of the query, by the path to it.
fn objects(set: &SelectionSet, path: &str, found: &mut Vec<(String, Vec<String>)>) {
    let mut members = Vec::new();
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => {
                let name = field.response_key().to_string();
                if !field.selection_set.selections.is_empty() {
                    objects(&field.selection_set, &format!("{path}/{name}"), found);
                }
                members.push(name);
            }
            Selection::InlineFragment(fragment) => objects(&fragment.selection_set, path, found),
            Selection::FragmentSpread(_) => panic!("fragments are not looked into"),
        }
    }
    if !members.is_empty() {
        found.push((path.to_owned(), members));
    }
}

fn assert_places(name: &str, expected: &[(&str, &[&Member])]) {
    let mut found = Vec::new();
    objects(root(&query(name)), "", &mut found);
    for (path, members) in found {
        // A single member is read as such: there is no place to know.
        if let [_] = members.as_slice() {
            continue;
        }
        let (_, known) =
            expected.iter().find(|(known, _)| *known == path).unwrap_or_else(|| panic!("{name}{path}"));
        let names: Vec<_> = known.iter().map(|member| member.name).collect();
        assert_eq!(names, members, "{name}{path}");
        for (place, member) in known.iter().enumerate() {
            assert_eq!(member.place, place, "{name}{path}/{}", member.name);
        }
    }
}

#[test]
fn the_code_knows_the_place_of_each_member() {
    let root: (&str, &[&Member]) = ("", &[&at::DISCOUNT, &at::CART]);
    let discount: (&str, &[&Member]) = ("/discount", &[&at::DISCOUNT_CLASSES, &at::PERKS]);
    let buyer: (&str, &[&Member]) = ("/cart/buyerIdentity", &[&at::IS_AUTHENTICATED, &at::CUSTOMER]);
    let [till, who, mark, other_mark, sum] =
        [&at::RETAIL_LOCATION, &at::BUYER_IDENTITY, &at::ATTRIBUTE, &at::REDEMPTION, &at::SUBTOTAL];
    assert_places(
        QUERIES[0],
        &[
            root,
            discount,
            buyer,
            (
                "/cart",
                &[
                    till,
                    who,
                    mark,
                    other_mark,
                    sum,
                    &at::GIFT_CARDS,
                    &at::LINES,
                    &at::VARIANTS,
                    &at::COLLECTED,
                ],
            ),
            ("/cart/subtotal/subtotalAmount", &[&at::CURRENCY_CODE, &at::AMOUNT]),
            ("/cart/lines", &[&at::COST, &at::ID]),
            ("/cart/variants", &[&at::QUANTITY, &at::MERCHANDISE]),
        ],
    );
    assert_places(
        QUERIES[1],
        &[
            root,
            discount,
            buyer,
            ("/cart", &[till, who, mark, other_mark, sum, &at::DELIVERY_GROUPS, &at::LINES]),
            ("/cart/deliveryGroups/deliveryOptions", &[&at::COST, &at::HANDLE]),
            ("/cart/lines", &[&at::COST, &at::MERCHANDISE]),
        ],
    );
}

/// [`points_redemption::Input`] takes this name in the first place for a sign that the input was sorted.
#[test]
fn the_last_member_would_be_first_if_sorted() {
    assert_eq!(at::CART.name, function_input::CART);
    assert!(at::CART.name < at::DISCOUNT.name);
}
