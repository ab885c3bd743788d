//! Input queries: what they cost, and that the code knows where their members stand.

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::{ExecutableDocument, Schema};
use function_input::Member;

use crate::Extension;

impl Extension {
    /// The query stays within the platform's limits, and the code knows the place of each member that does not stand
    /// alone: lists of members by the path to their object.
    pub fn check_query(&self, name: &str, known: &[(&str, &[&Member])]) {
        let text = std::fs::read_to_string(self.folder.join(format!("src/{name}.graphql"))).unwrap();
        assert!(text.len() <= 3_000, "{} bytes", text.len());
        let schema = std::fs::read_to_string(self.folder.join("schema.graphql")).unwrap();
        let schema = Schema::parse_and_validate(schema, "schema.graphql").unwrap_or_else(|e| panic!("{e}"));
        let query =
            ExecutableDocument::parse_and_validate(&schema, text, name).unwrap_or_else(|e| panic!("{e}"));
        let root = &query.operations.iter().next().unwrap().selection_set;
        let cost = cost(root);
        assert!(cost <= 27, "the query costs {cost} of 30");

        let mut found = Vec::new();
        objects(root, "", &mut found);
        // Input takes this name in the first place for a sign that the input was sorted.
        let (_, names) = found.last().unwrap();
        assert_eq!(names.last().unwrap(), function_input::CART);
        assert!(names.iter().all(|name| name.as_str() >= function_input::CART));
        for (path, members) in found.iter().filter(|(_, members)| members.len() > 1) {
            let (_, known) =
                known.iter().find(|(known, _)| known == path).unwrap_or_else(|| panic!("{path}"));
            let names: Vec<_> = known.iter().map(|member| member.name).collect();
            assert_eq!(&names, members, "{path}");
            for (place, member) in known.iter().enumerate() {
                assert_eq!(member.place, place, "{path}/{}", member.name);
            }
        }
    }
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
