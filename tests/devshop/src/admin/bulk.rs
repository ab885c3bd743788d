//! `bulkOperationRunQuery`, `bulkOperation` and `bulkOperations`.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::Operation as Executable;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use serde_json::Value;

use super::execute::{Context, QueryRoot};
use super::objects::{UserError, text, user_errors};
use super::schema;
use crate::bulk::{AT_ONCE, Operation, lines};
use crate::ids::{gid, parse_gid};

/// `bulkOperationRunQuery`
pub(super) fn run_query<'a>(context: &'a Context<'a>, info: &ResolveInfo<'_>) -> ResolvedValue<'a> {
    let query = text(info, "query").unwrap_or_default();
    let refuse = |code, message: String| {
        let field = vec!["query".to_owned()];
        let error = UserError { type_name: "BulkOperationUserError", field, message, code: Some(code) };
        ResolvedValue::object(Payload { operation: None, errors: vec![error], context })
    };
    let shop = context.shop;
    if shop.bulk().running() >= AT_ONCE {
        let message = format!("The limit of {AT_ONCE} bulk operations under way is reached.");
        return refuse("OPERATION_IN_PROGRESS", message);
    }
    let data = match execute(context, query) {
        Ok(data) => data,
        Err(message) => return refuse("INVALID", message),
    };
    let id = shop.state().ids.id();
    let file = lines(&data, &shop.bulk().faults);
    let status = "RUNNING".to_owned();
    let operation = Operation { id, query: query.to_owned(), status, error_code: None, file };
    let held = {
        let mut bulk = shop.bulk();
        bulk.operations.insert(id, operation.clone());
        bulk.faults.held
    };
    if !held {
        shop.end_bulk();
    }
    ResolvedValue::object(Payload { operation: Some(operation), errors: Vec::new(), context })
}

/// The whole answer of a query, whatever number of pages it has.
fn execute(context: &Context<'_>, query: &str) -> Result<Value, String> {
    let document = ExecutableDocument::parse_and_validate(schema(), query, "bulk.graphql")
        .map_err(|invalid| invalid.errors.to_string())?;
    let operation = document.operations.get(None).map_err(|_| "There must be one query".to_owned())?;
    if !operation.is_query() || !has_connection(operation) {
        return Err("Bulk queries must contain at least one connection.".to_owned());
    }
    let inner = Context::in_bulk(context);
    let execution = Execution::new(schema(), &document).operation(operation);
    let answered = execution.execute_sync(&QueryRoot(&inner));
    let response = answered.map_err(|error| error.to_graphql_error(&document.sources).message)?;
    let mut body = serde_json::to_value(&response).unwrap_or_default();
    match body["errors"].as_array() {
        Some(errors) if !errors.is_empty() => {
            Err(errors[0]["message"].as_str().unwrap_or_default().to_owned())
        }
        _ => Ok(body["data"].take()),
    }
}

fn has_connection(operation: &Executable) -> bool {
    let is_connection = |ty: &str| ty.ends_with("Connection");
    operation.selection_set.fields().any(|field| is_connection(field.definition.ty.inner_named_type()))
}

/// `bulkOperation`
pub(super) fn one<'a>(context: &'a Context<'a>, id: &str) -> ResolvedValue<'a> {
    let number = parse_gid(id).filter(|(kind, _)| *kind == "BulkOperation").map(|(_, number)| number);
    let found = number.and_then(|number| context.shop.bulk().operations.get(&number).cloned());
    found.map_or_else(ResolvedValue::null, |operation| context.object(Node { context, operation }))
}

/// `bulkOperations`, newest first.
///
/// # Errors
/// When other ones are asked for than the shop can tell apart, or no number of them.
pub(super) fn list<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    match text(info, "query") {
        None | Some("operation_type:query") => {}
        Some(filter) => {
            return Err(FieldError { message: format!("The local shop knows no filter {filter}") });
        }
    }
    let first = info.arguments().get("first").and_then(JsonValue::as_u64);
    let first = first.ok_or_else(|| FieldError { message: "Invalid first".into() })?;
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    let operations = context.shop.bulk().operations.values().rev().take(first).cloned().collect();
    Ok(context.object(Nodes { context, operations }))
}

struct Nodes<'s> {
    context: &'s Context<'s>,
    operations: Vec<Operation>,
}

impl ObjectValue for Nodes<'_> {
    fn type_name(&self) -> &str {
        "BulkOperationConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let context = self.context;
        match info.field_name() {
            "nodes" => {
                let nodes = self.operations.iter().cloned();
                Ok(ResolvedValue::list(nodes.map(|operation| context.object(Node { context, operation }))))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct Node<'s> {
    context: &'s Context<'s>,
    operation: Operation,
}

impl ObjectValue for Node<'_> {
    fn type_name(&self) -> &str {
        "BulkOperation"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let Operation { id, query, status, error_code, file } = &self.operation;
        let url = |statuses: &[&str]| {
            let there = statuses.contains(&status.as_str()) && !file.is_empty();
            there.then(|| format!("{}/bulk/{id}", self.context.shop.url()))
        };
        let or_null = |value: Option<String>| value.map_or_else(ResolvedValue::null, ResolvedValue::leaf);
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("BulkOperation", *id)),
            "query" => ResolvedValue::leaf(query.as_str()),
            "status" => ResolvedValue::leaf(status.as_str()),
            "errorCode" => or_null(error_code.clone()),
            "url" => or_null(url(&["COMPLETED"])),
            "partialDataUrl" => or_null(url(&["FAILED", "CANCELED"])),
            "fileSize" => or_null(url(&["COMPLETED"]).map(|_| file.len().to_string())),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Payload<'s> {
    context: &'s Context<'s>,
    operation: Option<Operation>,
    errors: Vec<UserError>,
}

impl ObjectValue for Payload<'_> {
    fn type_name(&self) -> &str {
        "BulkOperationRunQueryPayload"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let context = self.context;
        Ok(match (info.field_name(), &self.operation) {
            ("bulkOperation", Some(operation)) => {
                context.object(Node { context, operation: operation.clone() })
            }
            ("bulkOperation", None) => ResolvedValue::null(),
            ("userErrors", _) => user_errors(&self.errors),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}
