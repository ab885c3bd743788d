//! What a request may cost: one point for each object it may return (a connection as many as `first` asks for), ten for
//! a mutation.

use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::{ExecutableDocument, Schema, executable};

/// What a mutation costs, whatever it returns.
pub(crate) const MUTATION: u32 = 10;
/// No single request may cost more.
pub(crate) const MAXIMUM: u32 = 1000;

/// `requestedQueryCost` of an operation with its coerced variables.
pub(crate) fn requested(
    schema: &Schema,
    document: &ExecutableDocument,
    operation: &Operation,
    variables: &JsonMap,
) -> u32 {
    let pricing = Pricing { schema, document, variables };
    if operation.is_mutation() {
        let fields = u32::try_from(operation.selection_set.selections.len()).unwrap_or(u32::MAX);
        return fields.saturating_mul(MUTATION);
    }
    pricing.set(&operation.selection_set)
}

struct Pricing<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    variables: &'a JsonMap,
}

impl Pricing<'_> {
    /// Fields add up; of fragments only the dearest counts, since an object has one type.
    fn set(&self, set: &SelectionSet) -> u32 {
        let (mut fields, mut dearest) = (0u32, 0);
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => fields = fields.saturating_add(self.field(field)),
                Selection::InlineFragment(fragment) => {
                    dearest = dearest.max(self.set(&fragment.selection_set))
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = spread.fragment_def(self.document);
                    dearest = dearest.max(fragment.map_or(0, |fragment| self.set(&fragment.selection_set)));
                }
            }
        }
        fields.saturating_add(dearest)
    }

    fn field(&self, field: &executable::Field) -> u32 {
        let named = self.schema.types.get(field.definition.ty.inner_named_type());
        let is_leaf = named.is_none_or(|ty| ty.is_scalar() || ty.is_enum());
        if is_leaf || field.name.starts_with("__") {
            return 0;
        }
        let objects = if field.definition.ty.is_list() { self.listed(field) } else { 1 };
        objects.saturating_mul(1 + self.set(&field.selection_set).saturating_mul(self.first(field)))
    }

    /// How many things a page of a connection holds; 1 for what is no connection.
    fn first(&self, field: &executable::Field) -> u32 {
        let first = field.arguments.iter().find(|argument| argument.name == "first");
        let count = first.and_then(|argument| match argument.value.as_variable() {
            Some(variable) => self.variables.get(variable.as_str()).and_then(JsonValue::as_u64),
            None => argument.value.to_i32().and_then(|first| u64::try_from(first).ok()),
        });
        count.map_or(1, |count| u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// How many objects a list may hold: as many as ids were asked for.
    fn listed(&self, field: &executable::Field) -> u32 {
        let ids = field.arguments.iter().find(|argument| argument.name == "ids");
        let count = ids.map_or(1, |argument| match argument.value.as_variable() {
            Some(variable) => {
                self.variables.get(variable.as_str()).and_then(JsonValue::as_array).map_or(0, Vec::len)
            }
            None => argument.value.as_list().map_or(1, <[_]>::len),
        });
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}
