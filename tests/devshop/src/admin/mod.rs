//! The Admin GraphQL API over HTTP: checked token, validated documents, costs, faults.

mod bucket;
mod bulk;
mod cost;
mod customers;
mod customizations;
mod definitions;
mod discount_create;
mod discount_update;
mod discounts;
mod execute;
mod faults;
mod metafields_set;
mod objects;
mod order;
mod orders;
mod payouts;
mod products;
mod refund;
mod tags;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use bucket::Bucket;
pub(crate) use faults::AdminFaults;
pub use faults::{AdminFault, AdminFaultKind};

use crate::clock::Clock;
use crate::settings::{BucketSettings, Settings};
use crate::shop::DevShop;
use crate::switches::ThrottledStatus;

/// The version of the Admin API this shop speaks.
pub const API_VERSION: &str = "2026-10";

/// Lists in arguments hold at most this many.
const INPUT_LIST: usize = 250;

/// How many documents are kept.
const DOCUMENTS: usize = 200;

/// The gate before the Admin API.
pub(crate) struct Gate {
    /// By shop: this one (no name), and those that are served at `/at/{shop}`.
    buckets: Mutex<HashMap<String, Bucket>>,
    time: BucketTime,
    pub faults: Mutex<AdminFaults>,
    calls: Mutex<Vec<AdminCall>>,
}

/// One request to the Admin API, as it was answered.
#[derive(Debug, Clone, Serialize)]
pub struct AdminCall {
    /// Which shop was asked, of those that are served at `/at/{shop}`; empty: this one.
    pub shop: String,
    /// The operation's name; empty where the token was refused before it was read.
    pub operation: String,
    /// Its variables.
    pub variables: Value,
    /// The HTTP status; `None` when it was left without an answer.
    pub status: Option<u16>,
    /// Whether it took effect.
    pub executed: bool,
}

/// By which buckets fill.
struct BucketTime {
    start: Instant,
    /// The shop's clock and its time at the start; none: the machine's.
    clock: Option<(Clock, Timestamp)>,
}

impl BucketTime {
    fn now(&self) -> Instant {
        match &self.clock {
            None => Instant::now(),
            Some((clock, at)) => self.start + clock.now().duration_since(*at).unsigned_abs(),
        }
    }
}

impl Gate {
    pub fn new(settings: &Settings) -> Self {
        let clock = settings.bucket_by_clock.then(|| (settings.clock.clone(), settings.clock.now()));
        Self {
            buckets: Mutex::default(),
            time: BucketTime { start: Instant::now(), clock },
            faults: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    /// Gives a shop another bucket, full.
    pub fn set_bucket(&self, shop: &str, settings: BucketSettings) {
        lock(&self.buckets).insert(shop.to_owned(), Bucket::new(settings, self.time.now()));
    }

    /// What `with` makes of a shop's bucket, and of the time by which it fills.
    fn bucket<T>(
        &self,
        shop: &str,
        settings: BucketSettings,
        with: impl FnOnce(&mut Bucket, Instant) -> T,
    ) -> T {
        let (mut buckets, now) = (lock(&self.buckets), self.time.now());
        with(buckets.entry(shop.to_owned()).or_insert_with(|| Bucket::new(settings, now)), now)
    }

    pub fn calls(&self) -> Vec<AdminCall> {
        lock(&self.calls).clone()
    }
}

#[derive(Deserialize)]
struct Request {
    query: String,
    #[serde(default)]
    variables: Option<JsonMap>,
    #[serde(default, rename = "operationName")]
    operation_name: Option<String>,
}

/// `POST /admin/api/{version}/graphql.json`
pub(crate) async fn graphql(
    State(shop): State<DevShop>,
    Path(version): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    serve(&shop, String::new(), &version, &headers, &body).await
}

/// `POST /at/{shop}/admin/api/{version}/graphql.json`: one of many shops that have everything in common but their bucket of
/// cost points.
pub(crate) async fn graphql_at(
    State(shop): State<DevShop>,
    Path((at, version)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    serve(&shop, at, &version, &headers, &body).await
}

async fn serve(shop: &DevShop, at: String, version: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    let token = headers.get("x-shopify-access-token").and_then(|token| token.to_str().ok());
    if !token.is_some_and(|token| shop.accepts(token)) {
        let (operation, variables) = (String::new(), Value::Null);
        let refused = AdminCall { shop: at, operation, variables, status: Some(401), executed: false };
        lock(&shop.gate().calls).push(refused);
        let message = "[API] Invalid API key or access token (unrecognized login or wrong password)";
        return answer(StatusCode::UNAUTHORIZED, json!({"errors": message}));
    }
    if version != API_VERSION {
        return answer(StatusCode::NOT_FOUND, json!({"errors": "Not Found"}));
    }
    let Ok(request) = serde_json::from_slice::<Request>(body) else {
        let message = json!({"errors": {"query": "Required parameter missing or invalid"}});
        return answer(StatusCode::BAD_REQUEST, message);
    };
    let fault = lock(&shop.gate().faults).take(request.operation_name.as_deref().unwrap_or_default());
    let mut call = AdminCall {
        shop: at,
        operation: request.operation_name.clone().unwrap_or_default(),
        variables: serde_json::to_value(&request.variables).unwrap_or_default(),
        status: None,
        executed: fault.is_none_or(|fault| fault.applied && fault.kind != AdminFaultKind::Throttled),
    };
    let throttled = fault.is_some_and(|fault| fault.kind == AdminFaultKind::Throttled);
    let reply =
        if call.executed || throttled { Some(respond(shop, &request, throttled, &mut call)) } else { None };
    let (status, reply) = match (fault.map(|fault| fault.kind), reply) {
        (Some(AdminFaultKind::Status(code)), _) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (Some(status), json!({"errors": "Internal Server Error"}))
        }
        (Some(AdminFaultKind::Timeout), _) | (_, None) => (None, Value::Null),
        (_, Some((status, reply))) => (Some(status), reply),
    };
    call.status = status.map(|status| status.as_u16());
    lock(&shop.gate().calls).push(call);
    match status {
        Some(status) => answer(status, reply),
        None => {
            // Longer than any client waits; the connection goes when the client gives up.
            tokio::time::sleep(Duration::from_secs(120)).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}

fn answer(status: StatusCode, body: Value) -> Response {
    (status, axum::Json(body)).into_response()
}

/// Validates, prices and executes one request.
fn respond(shop: &DevShop, request: &Request, throttled: bool, call: &mut AdminCall) -> (StatusCode, Value) {
    let schema = schema();
    let refuse = |errors: Value| (StatusCode::OK, json!({"errors": errors}));
    let document = match document(&request.query) {
        Ok(document) => document,
        Err(errors) => {
            call.executed = false;
            return refuse(errors);
        }
    };
    let no_variables = JsonMap::new();
    let given = request.variables.as_ref().unwrap_or(&no_variables);
    let coerced = document
        .operations
        .get(request.operation_name.as_deref())
        .and_then(|operation| Ok((operation, coerce_variable_values(schema, operation, given)?)));
    let (operation, variables) = match coerced {
        Ok(coerced) => coerced,
        Err(error) => {
            call.executed = false;
            return refuse(json!([error.to_graphql_error(&document.sources)]));
        }
    };
    if let Some(name) = &operation.name {
        call.operation = name.to_string();
    }
    if let Some(error) = too_long_input(&variables) {
        call.executed = false;
        return refuse(error);
    }

    let requested = cost::requested(schema, &document, operation, &variables);
    let (gate, settings, at) = (shop.gate(), shop.settings().bucket, call.shop.clone());
    let mut extension = json!({"cost": {"requestedQueryCost": requested, "actualQueryCost": null}});
    let mut reply = |actual: Option<u32>, mut body: Value| {
        extension["cost"]["actualQueryCost"] = json!(actual);
        extension["cost"]["throttleStatus"] = json!(gate.bucket(&at, settings, Bucket::status));
        body["extensions"] = extension.take();
        body
    };
    if requested > cost::MAXIMUM {
        call.executed = false;
        let message = format!(
            "Query cost is {requested}, which exceeds the single query max cost limit ({}).",
            cost::MAXIMUM
        );
        let error = json!([{"message": message, "extensions": {"code": "MAX_COST_EXCEEDED", "cost": requested, "maxCost": cost::MAXIMUM}}]);
        return (StatusCode::OK, reply(None, json!({"errors": error})));
    }
    if throttled || !gate.bucket(&at, settings, |bucket, now| bucket.take(requested, now)) {
        call.executed = false;
        let extensions =
            json!({"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"});
        let error = json!([{"message": "Throttled", "extensions": extensions}]);
        let status = match shop.switches().throttled_status {
            ThrottledStatus::Ok => StatusCode::OK,
            ThrottledStatus::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        };
        return (status, reply(None, json!({"errors": error})));
    }

    let hidden = lock(&shop.gate().faults).hidden.clone();
    let context = execute::Context::new(shop, hidden);
    let execution =
        Execution::new(schema, &document).operation(operation).coerced_variable_values(&variables);
    let response = if operation.is_mutation() {
        execution.execute_sync(&execute::Mutation(&context))
    } else {
        execution.execute_sync(&execute::QueryRoot(&context))
    };
    let actual = if operation.is_mutation() { requested } else { context.objects().min(requested) };
    gate.bucket(&at, settings, |bucket, _| bucket.give_back(requested - actual));
    match response {
        Ok(response) => {
            let mut body = serde_json::to_value(&response).unwrap_or_default();
            context.finish(&mut body);
            (StatusCode::OK, reply(Some(actual), body))
        }
        Err(error) => refuse(json!([error.to_graphql_error(&document.sources)])),
    }
}

/// A request's document, or what is wrong with it. An app sends the same few again and again: each is read once.
fn document(query: &str) -> Result<Arc<Valid<ExecutableDocument>>, Value> {
    static READ: Mutex<BTreeMap<String, Arc<Valid<ExecutableDocument>>>> = Mutex::new(BTreeMap::new());
    if let Some(document) = lock(&READ).get(query) {
        return Ok(document.clone());
    }
    let document = match ExecutableDocument::parse_and_validate(schema(), query, "request.graphql") {
        Ok(document) => Arc::new(document),
        Err(invalid) => {
            let errors: Vec<_> = invalid.errors.iter().map(|error| error.to_json()).collect();
            return Err(json!(errors));
        }
    };
    let mut read = lock(&READ);
    if read.len() >= DOCUMENTS {
        read.clear();
    }
    read.insert(query.to_owned(), document.clone());
    Ok(document)
}

/// The refusal of a list argument that is too long.
fn too_long_input(variables: &JsonMap) -> Option<Value> {
    let too_long = |value: &JsonValue| value.as_array().map(Vec::len).filter(|length| *length > INPUT_LIST);
    let (name, length) =
        variables.iter().find_map(|(name, value)| Some((name.as_str(), too_long(value)?)))?;
    let message =
        format!("The input array size of {length} is greater than the maximum allowed of {INPUT_LIST}.");
    Some(json!([{"message": message, "path": [name], "extensions": {"code": "MAX_INPUT_SIZE_EXCEEDED"}}]))
}

/// The subset of the Admin schema that the project uses.
fn schema() -> &'static Valid<Schema> {
    static SCHEMA: OnceLock<Valid<Schema>> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let text = include_str!("../../../../graphql/schema.graphql");
        // A test checks that there are no errors in the file that was compiled in.
        Schema::parse_and_validate(text, "schema.graphql")
            .unwrap_or_else(|invalid| Valid::assume_valid(invalid.partial))
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
