//! In what a schema is not exactly a part of another.

use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};
use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Node, Schema};

use crate::published::Published;

/// One sentence for each difference: what is in the subset must be in the published schema, the same, not deprecated;
/// and nothing may be left out that a caller must give.
pub fn differences(subset: &Schema, published: &Published) -> Vec<String> {
    let mut found = Vec::new();
    for (name, ty) in subset.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        match published.schema.types.get(name) {
            None => found.push(format!("{name} is not published")),
            Some(real) => compare(name, subset, ty, real, published, &mut found),
        }
    }
    found
}

fn compare(
    name: &str,
    subset: &Schema,
    ty: &ExtendedType,
    real: &ExtendedType,
    published: &Published,
    found: &mut Vec<String>,
) {
    match (ty, real) {
        (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => {}
        (ExtendedType::Enum(ty), ExtendedType::Enum(real)) => {
            for value in ty.values.keys() {
                present(real.values.contains_key(value), &format!("{name}.{value}"), published, found);
            }
        }
        (ExtendedType::Union(ty), ExtendedType::Union(real)) => {
            for member in ty.members.iter().filter(|member| !real.members.contains(*member)) {
                found.push(format!("{name} has no member {member}"));
            }
        }
        (ExtendedType::InputObject(ty), ExtendedType::InputObject(real)) => {
            let given = ty.fields.values().map(|field| &field.node);
            inputs(name, ".", given, real.fields.values().map(|field| &field.node), published, found);
        }
        (ExtendedType::Object(ty), ExtendedType::Object(real)) => {
            for interface in &ty.implements_interfaces {
                if !real.implements_interfaces.contains(interface) {
                    found.push(format!("{name} does not implement {interface}"));
                }
            }
            // An interface the subset knows must not be forgotten where it is implemented.
            for interface in
                real.implements_interfaces.iter().filter(|i| subset.types.contains_key(i.as_str()))
            {
                if !ty.implements_interfaces.contains(interface) {
                    found.push(format!("{name} implements {interface}"));
                }
            }
            for field in ty.fields.values() {
                fields(name, field, real.fields.get(&field.name).map(|field| &field.node), published, found);
            }
        }
        (ExtendedType::Interface(ty), ExtendedType::Interface(real)) => {
            for field in ty.fields.values() {
                fields(name, field, real.fields.get(&field.name).map(|field| &field.node), published, found);
            }
        }
        _ => found.push(format!("{name} is of another kind")),
    }
}

fn fields(
    of: &str,
    field: &Node<FieldDefinition>,
    real: Option<&Node<FieldDefinition>>,
    published: &Published,
    found: &mut Vec<String>,
) {
    let coordinate = format!("{of}.{}", field.name);
    present(real.is_some(), &coordinate, published, found);
    let Some(real) = real else { return };
    if field.ty != real.ty {
        found.push(format!("{coordinate} is {}, not {}", real.ty, field.ty));
    }
    inputs(&coordinate, "(", field.arguments.iter(), real.arguments.iter(), published, found);
}

/// Arguments, or fields of an input object.
fn inputs<'s>(
    of: &str,
    separator: &str,
    given: impl Iterator<Item = &'s Node<InputValueDefinition>> + Clone,
    real: impl Iterator<Item = &'s Node<InputValueDefinition>> + Clone,
    published: &Published,
    found: &mut Vec<String>,
) {
    let coordinate = |name: &str| match separator {
        "(" => format!("{of}({name}:)"),
        _ => format!("{of}.{name}"),
    };
    for input in given.clone() {
        let at = coordinate(&input.name);
        let twin = real.clone().find(|real| real.name == input.name);
        present(twin.is_some(), &at, published, found);
        if let Some(twin) =
            twin.filter(|twin| twin.ty != input.ty || twin.default_value != input.default_value)
        {
            found.push(format!("{at} is {twin}, not {input}"));
        }
    }
    for needed in real.filter(|real| real.ty.is_non_null() && real.default_value.is_none()) {
        if !given.clone().any(|input| input.name == needed.name) {
            found.push(format!("{} must be given", coordinate(&needed.name)));
        }
    }
}

fn present(is_there: bool, coordinate: &str, published: &Published, found: &mut Vec<String>) {
    if !is_there {
        found.push(format!("{coordinate} is not published"));
    } else if published.deprecated.contains(coordinate) {
        found.push(format!("{coordinate} is deprecated"));
    }
}

/// The fields a document selects that are deprecated.
pub fn deprecated_fields(document: &ExecutableDocument, published: &Published) -> Vec<String> {
    fn walk(set: &SelectionSet, published: &Published, found: &mut Vec<String>) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let coordinate = format!("{}.{}", set.ty, field.name);
                    found.extend(published.deprecated.get(&coordinate).cloned());
                    for argument in &field.arguments {
                        let coordinate = format!("{coordinate}({}:)", argument.name);
                        found.extend(published.deprecated.get(&coordinate).cloned());
                    }
                    walk(&field.selection_set, published, found);
                }
                Selection::InlineFragment(fragment) => walk(&fragment.selection_set, published, found),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    let mut found = Vec::new();
    for operation in document.operations.iter() {
        walk(&operation.selection_set, published, &mut found);
    }
    for fragment in document.fragments.values() {
        walk(&fragment.selection_set, published, &mut found);
    }
    found
}
