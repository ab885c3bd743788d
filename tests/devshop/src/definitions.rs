//! Definitions of orders' metafields: whether an order takes over what its cart has under the same name.

use serde::Serialize;

use crate::metafields::resolve_namespace;
use crate::settings::App;
use crate::shop::DevShop;
use crate::state::State;

/// A definition of an order's metafield.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// Its number.
    pub id: u64,
    /// Whether an order takes over what its cart has under the same name.
    pub copies_from_cart: bool,
    /// Whether only the app's file can change it.
    pub managed: bool,
}

impl State {
    /// Defines the orders' metafields that the app's file declares, as a deploy does.
    pub fn define_order_metafields<'f>(
        &mut self,
        declared: impl Iterator<Item = (&'f str, bool)>,
        app: &App,
    ) {
        let namespace = resolve_namespace(None, app.id);
        let definition = |(id, (key, copies_from_cart)): (u64, (&str, bool))| {
            ((namespace.clone(), key.to_owned()), Definition { id, copies_from_cart, managed: false })
        };
        self.order_definitions = (1..).zip(declared).map(definition).collect();
    }
}

impl DevShop {
    /// The definition of an order's metafield in the app's namespace, if there is one.
    pub fn order_definition(&self, key: &str) -> Option<Definition> {
        self.state().order_definitions.get(&(self.namespace("$app"), key.to_owned())).cloned()
    }

    /// Makes the definition of an order's metafield in the app's namespace another one, or takes it away: nobody promises
    /// what a deploy does with the file.
    pub fn redefine_order_metafield(&self, key: &str, definition: Option<Definition>) {
        let name = (self.namespace("$app"), key.to_owned());
        let mut state = self.state();
        match definition {
            Some(definition) => state.order_definitions.insert(name, definition),
            None => state.order_definitions.remove(&name),
        };
    }
}
