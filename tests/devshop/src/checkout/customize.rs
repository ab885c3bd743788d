//! What customizations make of a checkout: errors that keep it from going on, and delivery options that look another way.

use std::sync::Arc;

use apollo_compiler::response::JsonValue;
use serde::Deserialize;
use serde_json::Value;

use super::{Basket, DeliveryOption, FunctionRun, run_host};
use crate::customizations::Customized;
use crate::functions::Function;

/// A customization's Function about to run.
pub(super) struct Asked {
    pub id: u64,
    pub of: Customized,
    pub function: Arc<Function>,
    pub input: Result<JsonValue, String>,
}

/// What the customizations said.
#[derive(Default)]
pub(super) struct Outcome {
    pub errors: Vec<String>,
    pub options: Vec<DeliveryOption>,
    pub runs: Vec<FunctionRun>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Validated {
    operations: Vec<ValidationOperation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum ValidationOperation {
    ValidationAdd { errors: Vec<ValidationError> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidationError {
    message: String,
    target: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Transformed {
    operations: Vec<DeliveryOperation>,
}

#[derive(Deserialize)]
#[serde(rename_all_fields = "camelCase")]
enum DeliveryOperation {
    #[serde(rename = "deliveryOptionRename")]
    Rename { delivery_option_handle: String, title: String },
    #[serde(rename = "deliveryOptionMove")]
    Move { delivery_option_handle: String, index: usize },
    #[serde(rename = "deliveryOptionHide")]
    Hide { delivery_option_handle: String },
}

/// Runs them all. What one says that is not valid counts for nothing, and is noted on its run.
pub(super) fn run(asked: Vec<Asked>, basket: &Basket) -> Outcome {
    let options = basket.delivery.iter().flat_map(|group| group.options.clone()).collect();
    let mut outcome = Outcome { options, ..Outcome::default() };
    for Asked { id, of, function, input } in asked {
        let mut run = run_host(id, &function, of.target(), input, basket);
        if run.error.is_none() {
            let taken = match of {
                Customized::Checkout => validate(&run.output, &mut outcome.errors),
                Customized::Delivery => transform(&run.output, &mut outcome.options),
            };
            run.error = taken.err();
        }
        outcome.runs.push(run);
    }
    outcome
}

fn validate(output: &Value, errors: &mut Vec<String>) -> Result<(), String> {
    let output: Validated = read(output)?;
    for ValidationOperation::ValidationAdd { errors: said } in output.operations {
        for ValidationError { message, target } in said {
            if !target.starts_with("$.") {
                return Err(format!("{target} is no target"));
            }
            errors.push(message);
        }
    }
    Ok(())
}

/// A checkout is never left without an option: what would do so is refused whole.
fn transform(output: &Value, options: &mut Vec<DeliveryOption>) -> Result<(), String> {
    let output: Transformed = read(output)?;
    let mut changed = options.clone();
    for operation in output.operations {
        let (DeliveryOperation::Rename { delivery_option_handle: handle, .. }
        | DeliveryOperation::Move { delivery_option_handle: handle, .. }
        | DeliveryOperation::Hide { delivery_option_handle: handle }) = &operation;
        let at = changed.iter().position(|option| option.handle == *handle);
        let at = at.ok_or_else(|| format!("no such delivery option: {handle}"))?;
        match operation {
            DeliveryOperation::Rename { title, .. } => changed[at].title = title,
            DeliveryOperation::Move { index, .. } => {
                let option = changed.remove(at);
                changed.insert(index.min(changed.len()), option);
            }
            DeliveryOperation::Hide { .. } => {
                changed.remove(at);
            }
        }
    }
    if changed.is_empty() && !options.is_empty() {
        return Err("every delivery option would be hidden".into());
    }
    *options = changed;
    Ok(())
}

fn read<T: for<'de> Deserialize<'de>>(output: &Value) -> Result<T, String> {
    T::deserialize(output).map_err(|error| format!("the output is not valid: {error}"))
}
