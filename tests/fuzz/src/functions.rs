//! Inputs of the Functions: carts as the tests have them, in which the bytes change what they like.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use function_input::Input;
use serde_json::{Value, json};
use shopify_function::wasm_api::{Context, Deserialize, Serialize};

/// The fixtures of all Functions: the export and the input.
static FIXTURES: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let extensions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extensions");
    let mut files = Vec::new();
    for name in ["points-redemption", "redemption-guard", "tier-delivery"] {
        let folder = fs::read_dir(extensions.join(name).join("tests/fixtures")).unwrap();
        files.extend(folder.map(|file| file.unwrap().path()));
    }
    files.sort();
    let read = |file: &std::path::PathBuf| {
        let fixture: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let payload = &fixture["payload"];
        (payload["export"].as_str().unwrap().to_owned(), payload["input"].clone())
    };
    files.iter().map(read).collect()
});

/// What stands in carts that nobody planned for.
fn oddities() -> [Value; 16] {
    [
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(9_007_199_254_740_993_i64),
        json!(1.5),
        json!(""),
        json!("0"),
        json!("-0.01"),
        json!("99999999999999999999.999"),
        json!("0.0000000000000001"),
        json!("XXX"),
        json!("{\"v\":1}"),
        json!([]),
        json!({}),
    ]
}

/// Two bytes choose the fixture; each three after them a place in it and what is done there. What is left when a byte of
/// 255 comes is text.
pub fn function_inputs(data: &[u8]) {
    let Some((start, mut rest)) = data.split_at_checked(2) else { return };
    let which = usize::from(u16::from_le_bytes([start[0], start[1]])) % FIXTURES.len();
    let (export, mut input) = FIXTURES[which].clone();
    while let Some((&[at, also, what], after)) = rest.split_first_chunk() {
        rest = after;
        let mut place = usize::from(u16::from_le_bytes([at, also])) % size(&input);
        let text = if what == u8::MAX { std::mem::take(&mut rest) } else { &[] };
        change(&mut input, &mut place, &mut |value| match what {
            u8::MAX => *value = json!(String::from_utf8_lossy(text)),
            200..u8::MAX => damage(value, what - 200),
            _ => *value = oddities()[usize::from(what) % 16].clone(),
        });
    }
    let output = match export.as_str() {
        "cart_lines_discounts_generate_run" => {
            answer(&input, points_redemption::cart_lines_discounts_generate_run)
        }
        "cart_delivery_options_discounts_generate_run" => {
            answer(&input, points_redemption::cart_delivery_options_discounts_generate_run)
        }
        "cart_validations_generate_run" => answer(&input, redemption_guard::cart_validations_generate_run),
        "cart_delivery_options_transform_run" => {
            answer(&input, tier_delivery::cart_delivery_options_transform_run)
        }
        _ => panic!("no Function exports {export}"),
    };
    assert_sound(&output);
}

/// Runs a Function natively. It may find nothing to do; it may not fail, because then a checkout would not go on.
fn answer<O: Serialize>(input: &Value, target: impl Fn(Input) -> shopify_function::Result<O>) -> Value {
    let mut context = Context::new_with_input(input.clone());
    let input = Input::deserialize(&context.input_get().unwrap()).unwrap();
    let output = target(input).unwrap_or_else(|error| panic!("a Function failed: {error}"));
    output.serialize(&mut context).unwrap();
    context.finalize_output_and_return().unwrap()
}

/// Nobody pays more because of a discount, and nothing is discounted by more than all of it.
fn assert_sound(output: &Value) {
    match output {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("amount", Value::String(amount)) => {
                        assert!(amount.parse::<f64>().is_ok_and(|amount| amount > 0.0), "{amount}");
                    }
                    ("percentage", Value::Object(share)) => {
                        let share: f64 = share["value"].as_str().unwrap().parse().unwrap();
                        assert!(share > 0.0 && share <= 100.0, "{share}");
                    }
                    _ => assert_sound(member),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(assert_sound),
        _ => {}
    }
}

/// How many values there are in a value, itself among them.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Object(members) => members.values().map(size).sum(),
        Value::Array(elements) => elements.iter().map(size).sum(),
        _ => 0,
    }
}

/// Changes the value at a place, counted from the outside in; says whether it came by it.
fn change(value: &mut Value, place: &mut usize, to: &mut dyn FnMut(&mut Value)) -> bool {
    let Some(next) = place.checked_sub(1) else {
        to(value);
        return true;
    };
    *place = next;
    match value {
        Value::Object(members) => members.values_mut().any(|member| change(member, place, to)),
        Value::Array(elements) => elements.iter_mut().any(|element| change(element, place, to)),
        _ => false,
    }
}

/// What a value loses or gains: an element again, a member less, a text cut off.
fn damage(value: &mut Value, how: u8) {
    match value {
        Value::Array(elements) => {
            if let Some(again) = elements.get(usize::from(how) % elements.len().max(1)).cloned() {
                elements.push(again);
            }
        }
        Value::Object(members) => {
            let name = members.keys().nth(usize::from(how) % members.len().max(1)).cloned();
            name.and_then(|name| members.remove(&name));
        }
        Value::String(text) => {
            let most = text.char_indices().map(|(at, _)| at).nth(usize::from(how));
            text.truncate(most.unwrap_or(0));
        }
        _ => *value = Value::Null,
    }
}
