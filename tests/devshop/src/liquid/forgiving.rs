//! Variables that are not there: nil, as at Shopify.

use std::collections::BTreeSet;
use std::io::Write;

use liquid_core::model::{KString, KStringCow, KStringRef, ScalarCow};
use liquid_core::runtime::{PartialStore, Registers, Template};
use liquid_core::{Renderable, Result, Runtime, Value, ValueCow};

/// A runtime in which whatever is not there is nil.
pub(super) struct Forgiving<'r>(pub &'r dyn Runtime);

impl Runtime for Forgiving<'_> {
    fn try_get(&self, path: &[ScalarCow<'_>]) -> Option<ValueCow<'_>> {
        Some(self.0.try_get(path).unwrap_or(ValueCow::Owned(Value::Nil)))
    }

    fn get(&self, path: &[ScalarCow<'_>]) -> Result<ValueCow<'_>> {
        Ok(self.0.try_get(path).unwrap_or(ValueCow::Owned(Value::Nil)))
    }

    fn partials(&self) -> &dyn PartialStore {
        self.0.partials()
    }

    fn name(&self) -> Option<KStringRef<'_>> {
        self.0.name()
    }

    fn roots(&self) -> BTreeSet<KStringCow<'_>> {
        self.0.roots()
    }

    fn set_global(&self, name: KString, value: Value) -> Option<Value> {
        self.0.set_global(name, value)
    }

    fn set_index(&self, name: KString, value: Value) -> Option<Value> {
        self.0.set_index(name, value)
    }

    fn get_index<'a>(&'a self, name: &str) -> Option<ValueCow<'a>> {
        self.0.get_index(name)
    }

    fn registers(&self) -> &Registers {
        self.0.registers()
    }
}

/// A snippet, rendered in such a runtime.
#[derive(Debug)]
pub(super) struct Forgiven(pub Template);

impl Renderable for Forgiven {
    fn render_to(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        self.0.render_to(writer, &Forgiving(runtime))
    }
}
