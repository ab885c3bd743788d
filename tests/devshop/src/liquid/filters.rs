//! Shopify's own filters.

use std::fmt;
use std::sync::Arc;

use liquid_core::model::ScalarCow;
use liquid_core::parser::{FilterArguments, ParameterReflection};
use liquid_core::{
    Expression, Filter, FilterReflection, Language, ParseFilter, Result, Runtime, Value, ValueView,
};

use super::locale::{Locale, escaped};

/// Makes them known.
pub(super) fn register(
    language: &mut Language,
    locale: Locale,
    assets: &str,
    money: impl Fn(i64) -> String + Send + Sync + 'static,
) {
    let mut add = |name: &'static str, apply: Arc<Apply>| {
        language.filters.register(name.to_owned(), Custom { name, apply }.into());
    };
    let assets = assets.to_owned();
    add("asset_url", Arc::new(move |input, _| format!("{assets}{}", input.to_kstr())));
    add(
        "json",
        Arc::new(|input, _| serde_json::to_string(&input.to_value()).unwrap_or_else(|_| "null".into())),
    );
    add("money", Arc::new(move |input, _| integer(&input.to_value()).map(&money).unwrap_or_default()));
    add("t", Arc::new(move |input, named| translated(&locale, &input.to_kstr(), named)));
}

/// What comes in and the named arguments make what comes out.
type Apply = dyn Fn(&dyn ValueView, &[(String, Value)]) -> String + Send + Sync;

fn integer(value: &Value) -> Option<i64> {
    value.as_scalar().as_ref().and_then(ScalarCow::to_integer)
}

/// A sentence of the locale. Everything is escaped unless the key ends in `_html`.
fn translated(locale: &Locale, key: &str, named: &[(String, Value)]) -> String {
    let count = named.iter().find(|(name, _)| name == "count").and_then(|(_, count)| integer(count));
    let Some(sentence) = locale.sentence(key, count) else {
        return format!("Translation missing: {}.{key}", locale.tag());
    };
    let mut text = sentence.to_owned();
    for (name, value) in named {
        text = text.replace(&format!("{{{{ {name} }}}}"), &value.to_kstr());
    }
    if key.ends_with("_html") { text } else { escaped(&text) }
}

/// A filter from a function.
#[derive(Clone)]
struct Custom {
    name: &'static str,
    apply: Arc<Apply>,
}

impl ParseFilter for Custom {
    fn parse(&self, arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>> {
        let named = arguments.keyword.map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Box::new(Applied { filter: self.clone(), named }))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self
    }
}

impl FilterReflection for Custom {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &'static str {
        "one of Shopify's own"
    }

    fn positional_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }

    fn keyword_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }
}

/// It with its arguments.
struct Applied {
    filter: Custom,
    named: Vec<(String, Expression)>,
}

impl Filter for Applied {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let named =
            self.named.iter().map(|(name, value)| Ok((name.clone(), value.evaluate(runtime)?.into_owned())));
        let named = named.collect::<Result<Vec<_>>>()?;
        Ok(Value::scalar((self.filter.apply)(input, &named)))
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.filter.name)
    }
}

impl fmt::Debug for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.filter.name).field("named", &self.named).finish()
    }
}
