//! An object whose fields are all known beforehand.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;

/// An object of leaves.
pub(crate) struct Plain {
    type_name: &'static str,
    fields: Vec<(&'static str, JsonValue)>,
}

impl Plain {
    pub fn new(type_name: &'static str) -> Self {
        Self { type_name, fields: Vec::new() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<JsonValue>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

impl ObjectValue for Plain {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let field = self.fields.iter().find(|(name, _)| *name == info.field_name());
        field
            .map(|(_, value)| ResolvedValue::leaf(value.clone()))
            .ok_or_else(|| self.unknown_field_error(info))
    }
}
