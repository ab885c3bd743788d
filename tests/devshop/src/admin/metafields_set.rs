//! `metafieldsSet`: up to 25 at once, all or none, each a compare-and-set if asked.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{JsonMap, JsonValue};
use jiff::Timestamp;

use super::execute::Context;
use super::objects::{MetafieldObject, UserError, user_errors};
use crate::ids::parse_gid;
use crate::metafields::{Metafield, MetafieldKey, resolve_namespace};
use crate::state::State;

/// At most this many at once.
const AT_ONCE: usize = 25;

/// What one element asks for.
struct Wanted<'i> {
    owner: &'i str,
    namespace: Option<&'i str>,
    key: &'i str,
    kind: Option<&'i str>,
    value: &'i str,
    compare: Compare<'i>,
}

/// The three states of `compareDigest`.
enum Compare<'i> {
    /// Absent: write whatever is there.
    Whatever,
    /// Null: write only if there is nothing.
    Nothing,
    /// Write only over this value.
    Digest(&'i str),
}

impl<'i> Wanted<'i> {
    fn read(input: &'i JsonMap) -> Self {
        let text = |name: &str| input.get(name).and_then(JsonValue::as_str);
        Self {
            owner: text("ownerId").unwrap_or_default(),
            namespace: text("namespace"),
            key: text("key").unwrap_or_default(),
            kind: text("type"),
            value: text("value").unwrap_or_default(),
            compare: match input.get("compareDigest") {
                None => Compare::Whatever,
                Some(JsonValue::Null) => Compare::Nothing,
                Some(digest) => Compare::Digest(digest.as_str().unwrap_or_default()),
            },
        }
    }
}

pub(super) fn resolve<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let list =
        info.arguments().get("metafields").and_then(JsonValue::as_array).map_or(&[][..], Vec::as_slice);
    let wanted: Vec<_> = list.iter().filter_map(JsonValue::as_object).map(Wanted::read).collect();
    let settings = context.shop.settings();
    let limits = Limits { app_id: settings.app.id, json_bytes: settings.json_bytes };
    let result = set(&mut context.shop.state(), &wanted, limits, context.shop.clock().now());
    let (written, errors) = match result {
        Ok(written) => (written, Vec::new()),
        Err(errors) => (Vec::new(), errors),
    };
    Ok(ResolvedValue::object(Payload { context, written, errors }))
}

/// What the app may write.
#[derive(Clone, Copy)]
struct Limits {
    app_id: u64,
    /// How many bytes a JSON value may have.
    json_bytes: usize,
}

/// Writes all of them, or none.
fn set(
    state: &mut State,
    wanted: &[Wanted<'_>],
    limits: Limits,
    now: Timestamp,
) -> Result<Vec<(MetafieldKey, Metafield)>, Vec<UserError>> {
    if wanted.len() > AT_ONCE {
        let message = format!("Exceeded the maximum metafields input limit of {AT_ONCE}.");
        return Err(vec![error(vec!["metafields".into()], message, "LESS_THAN_OR_EQUAL_TO")]);
    }
    let mut errors = Vec::new();
    let mut writes: Vec<(MetafieldKey, String, String)> = Vec::new();
    for (at, wanted) in wanted.iter().enumerate() {
        let namespace = resolve_namespace(wanted.namespace, limits.app_id);
        let key = (wanted.owner.to_owned(), namespace, wanted.key.to_owned());
        // An element sees what those before it in the same request write.
        let earlier =
            writes.iter().rev().find(|(written, ..)| *written == key).map(|(_, kind, value)| (kind, value));
        match check(state, wanted, &key, earlier, limits) {
            Ok(kind) => writes.push((key, kind, wanted.value.to_owned())),
            Err(problem) => errors.push(problem.at(at)),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let write = |(key, kind, value): (MetafieldKey, String, String)| {
        let id = state.ids.id();
        let metafield = state.metafields.set(key.clone(), &kind, &value, now, id).clone();
        (key, metafield)
    };
    Ok(writes.into_iter().map(write).collect())
}

/// What is wrong with an element, and in which of its fields; none for the element as a whole.
struct Problem {
    field: Option<&'static str>,
    code: &'static str,
    message: String,
}

impl Problem {
    fn new(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field), code, message: message.into() }
    }

    fn at(self, index: usize) -> UserError {
        let mut field = vec!["metafields".to_owned(), index.to_string()];
        field.extend(self.field.map(str::to_owned));
        error(field, self.message, self.code)
    }
}

fn error(field: Vec<String>, message: String, code: &'static str) -> UserError {
    UserError { type_name: "MetafieldsSetUserError", field, message, code: Some(code) }
}

/// Checks an element and returns the type it will have.
fn check(
    state: &State,
    wanted: &Wanted<'_>,
    key: &MetafieldKey,
    earlier: Option<(&String, &String)>,
    limits: Limits,
) -> Result<String, Problem> {
    let (owner, namespace, name) = key;
    if !state.owner_exists(owner) {
        return Err(Problem::new("ownerId", "INVALID", "Owner does not exist."));
    }
    let own = format!("app--{}", limits.app_id);
    if namespace.starts_with("app--") && *namespace != own && !namespace.starts_with(&format!("{own}--")) {
        let message = "Access to this namespace and key on Metafields for this resource type is not allowed.";
        return Err(Problem { field: None, code: "APP_NOT_AUTHORIZED", message: message.into() });
    }
    check_name("namespace", namespace, 3, 255)?;
    check_name("key", name, 2, 64)?;
    if wanted.value.is_empty() {
        return Err(Problem::new("value", "BLANK", "Value can't be blank."));
    }

    let current = state.metafields.get(owner, namespace, name);
    let kind_of_owner = parse_gid(owner).map_or("", |(kind, _)| kind).to_owned();
    let defined = state.definitions.get(&(kind_of_owner, namespace.clone(), name.clone()));
    let kind = match (wanted.kind, defined) {
        (None, None) => return Err(Problem::new("type", "BLANK", "Type can't be blank.")),
        (Some(kind), Some(defined)) if kind != defined => {
            let message =
                format!("Type '{kind}' must be consistent with the definition's type: '{defined}'.");
            return Err(Problem::new("type", "INVALID_TYPE", message));
        }
        (Some(kind), _) => kind,
        (None, Some(defined)) => defined,
    };
    check_value(kind, wanted.value, limits.json_bytes)?;

    let digest = match earlier {
        Some((kind, value)) => {
            let at = Timestamp::UNIX_EPOCH;
            let written =
                Metafield { id: 0, kind: kind.clone(), value: value.clone(), created_at: at, updated_at: at };
            Some(written.compare_digest())
        }
        None => current.map(Metafield::compare_digest),
    };
    let fresh = match wanted.compare {
        Compare::Whatever => true,
        Compare::Nothing => digest.is_none(),
        Compare::Digest(expected) => {
            if expected.len() != 64 || !expected.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(Problem::new(
                    "compareDigest",
                    "INVALID_COMPARE_DIGEST",
                    "The compareDigest is invalid.",
                ));
            }
            digest.as_deref() == Some(expected)
        }
    };
    if !fresh {
        let message = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value.";
        return Err(Problem { field: None, code: "STALE_OBJECT", message: message.into() });
    }
    Ok(kind.to_owned())
}

fn check_name(field: &'static str, name: &str, shortest: usize, longest: usize) -> Result<(), Problem> {
    let shown = if field == "key" { "Key" } else { "Namespace" };
    match name.len() {
        length if length < shortest => Err(Problem::new(
            field,
            "TOO_SHORT",
            format!("{shown} is too short (minimum is {shortest} characters)."),
        )),
        length if length > longest => Err(Problem::new(
            field,
            "TOO_LONG",
            format!("{shown} is too long (maximum is {longest} characters)."),
        )),
        _ if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) => {
            let message = format!("{shown} contains one or more invalid characters.");
            Err(Problem::new(field, "INVALID", message))
        }
        _ => Ok(()),
    }
}

fn check_value(kind: &str, value: &str, json_bytes: usize) -> Result<(), Problem> {
    match kind {
        "json" if value.len() > json_bytes => {
            let message = format!("Value is too long (maximum is {json_bytes} bytes).");
            Err(Problem::new("value", "TOO_LONG", message))
        }
        "json" => match serde_json::from_str::<serde::de::IgnoredAny>(value) {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(Problem::new("value", "INVALID_VALUE", format!("Value is invalid JSON: {error}.")))
            }
        },
        "boolean" if !["true", "false"].contains(&value) => {
            Err(Problem::new("value", "INVALID_VALUE", "Value must be true or false."))
        }
        "number_integer" if value.parse::<i64>().is_err() => {
            Err(Problem::new("value", "INVALID_VALUE", "Value must be an integer."))
        }
        "boolean" | "number_integer" | "single_line_text_field" | "multi_line_text_field" | "date" => Ok(()),
        other => {
            Err(Problem::new("type", "INCLUSION", format!("Type '{other}' is not a type this shop knows.")))
        }
    }
}

struct Payload<'s> {
    context: &'s Context<'s>,
    written: Vec<(MetafieldKey, Metafield)>,
    errors: Vec<UserError>,
}

impl ObjectValue for Payload<'_> {
    fn type_name(&self) -> &str {
        "MetafieldsSetPayload"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "metafields" => Ok(ResolvedValue::list(self.written.iter().map(|(key, metafield)| {
                let (owner, namespace, key) = key.clone();
                let metafield = metafield.clone();
                self.context.object(MetafieldObject {
                    context: self.context,
                    owner,
                    namespace,
                    key,
                    metafield,
                })
            }))),
            "userErrors" => Ok(user_errors(&self.errors)),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
