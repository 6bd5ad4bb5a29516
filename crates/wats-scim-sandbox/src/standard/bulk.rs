//! Bulk requests (RFC 7644 §3.7).

use std::collections::HashMap;

use http::header::{AUTHORIZATION, ETAG, IF_MATCH};
use http::{Method, Request, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use wats_scim_filter::json::member;

use super::routes::place;
use super::{Answer, BASE, ReservedId, Standard, refusals};
use crate::message::{json_body, message, require_schema, text};
use crate::refusal::Refusal;

const REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// The id of each `bulkId`.
type Ids = HashMap<String, String>;

impl Standard {
    /// Applies operations in order. A failed one does not undo the others.
    pub(super) fn bulk(&mut self, request: &Request<Vec<u8>>) -> Answer {
        let limits =
            self.settings.bulk.ok_or_else(|| refusals::not_implemented("this server has no bulk operations"))?;
        let size = request.body().len();
        if size > limits.max_payload_size {
            let limit = limits.max_payload_size;
            return Err(refusals::too_large(format!("the body has {size} bytes; maxPayloadSize is {limit}")));
        }
        let message = message(request)?;
        require_schema(&message, REQUEST_SCHEMA)?;
        let Some(Value::Array(operations)) = member(&message, "Operations") else {
            return Err(Refusal::invalid_syntax("Operations must be an array"));
        };
        if operations.len() > limits.max_operations {
            let (count, limit) = (operations.len(), limits.max_operations);
            return Err(refusals::too_large(format!("there are {count} operations; maxOperations is {limit}")));
        }
        let tolerated = tolerated(&message)?;
        let mut ids = self.reserve(operations)?;
        let mut failures = 0_u64;
        let mut results = Vec::with_capacity(operations.len());
        for operation in operations {
            let (result, has_failed) = self.operate(operation, &mut ids, request);
            results.push(result);
            failures = failures.saturating_add(u64::from(has_failed));
            if tolerated.is_some_and(|tolerated| failures >= tolerated) {
                break;
            }
        }
        self.store.drop_expected();
        Ok(json_body(&json!({"schemas": [RESPONSE_SCHEMA], "Operations": results})))
    }

    /// Reserves an id for each create, so that an operation can refer to the resource of a later one
    /// (§3.7.1).
    fn reserve(&mut self, operations: &[Value]) -> Result<Ids, Refusal> {
        let mut ids = Ids::new();
        let mut expected = Vec::new();
        for operation in operations.iter().filter_map(Value::as_object) {
            let is_post = text(operation, "method").is_some_and(|method| method.eq_ignore_ascii_case("POST"));
            let Some(bulk_id) = text(operation, "bulkId").filter(|_| is_post) else { continue };
            let Some((kind, None)) = text(operation, "path").and_then(|path| place(&full(path))) else { continue };
            let id = Uuid::new_v4().to_string();
            if ids.insert(bulk_id.to_owned(), id.clone()).is_some() {
                return Err(Refusal::invalid_value(format!("the bulkId '{bulk_id}' is used twice")));
            }
            expected.push((id, kind));
        }
        self.store.expected.extend(expected);
        Ok(ids)
    }

    /// The result of one operation, and whether it failed.
    fn operate(&mut self, operation: &Value, ids: &mut Ids, request: &Request<Vec<u8>>) -> (Value, bool) {
        let empty = Map::new();
        let operation = operation.as_object().unwrap_or(&empty);
        let mut result = Map::new();
        for name in ["method", "bulkId"] {
            if let Some(value) = member(operation, name) {
                result.insert(name.to_owned(), value.clone());
            }
        }
        let mut inner = inner_request(operation, ids, request);
        if let (Ok(inner), true) = (&mut inner, self.settings.ignore_versions_in_bulk) {
            inner.headers_mut().remove(IF_MATCH);
        }
        let place = inner.as_ref().ok().and_then(|inner| place(inner.uri().path()));
        let reserved = inner.as_ref().ok().and_then(|inner| inner.extensions().get::<ReservedId>().cloned());
        let answered = inner.and_then(|inner| self.answer(&inner)).unwrap_or_else(Refusal::into_response);

        let has_failed = !answered.status().is_success();
        if let Some(ReservedId(id)) = reserved.as_ref().filter(|_| has_failed) {
            // Later references to it fail too; earlier ones are removed.
            ids.retain(|_, other| other != id);
            self.store.expected.remove(id);
            self.store.leave_all_groups(id);
        }
        let id = reserved.map(|ReservedId(id)| id).filter(|_| !has_failed);
        if let Some((kind, of_path)) = place
            && let Some(id) = of_path.or(id)
        {
            result.insert("location".to_owned(), self.store.location(kind, &id).into());
        }
        complete(&mut result, &answered);
        (Value::Object(result), has_failed)
    }
}

fn complete(result: &mut Map<String, Value>, answered: &Response<Vec<u8>>) {
    if let Some(Ok(version)) = answered.headers().get(ETAG).map(|version| version.to_str()) {
        result.insert("version".to_owned(), version.into());
    }
    result.insert("status".to_owned(), answered.status().as_str().into());
    if !answered.status().is_success() {
        let error: Value = serde_json::from_slice(answered.body()).unwrap_or_default();
        result.insert("response".to_owned(), error);
    }
}

/// The number of failures that ends the request, if there is a limit.
fn tolerated(message: &Map<String, Value>) -> Result<Option<u64>, Refusal> {
    match member(message, "failOnErrors") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().filter(|count| *count > 0) {
            Some(count) => Ok(Some(count)),
            None => Err(Refusal::invalid_value("failOnErrors must be a whole number, 1 or more")),
        },
    }
}

/// The request of an operation.
fn inner_request(
    operation: &Map<String, Value>,
    ids: &Ids,
    outer: &Request<Vec<u8>>,
) -> Result<Request<Vec<u8>>, Refusal> {
    let method = text(operation, "method").unwrap_or_default().to_ascii_uppercase();
    let method = match method.as_str() {
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return Err(Refusal::invalid_syntax("method must be POST, PUT, PATCH or DELETE")),
    };
    let bulk_id = text(operation, "bulkId");
    if method == Method::POST && bulk_id.is_none_or(str::is_empty) {
        return Err(Refusal::invalid_syntax("POST needs a bulkId"));
    }
    let path = text(operation, "path").ok_or_else(|| Refusal::invalid_syntax("an operation needs a path"))?;
    let path = path.split('/').map(|segment| resolve(segment, ids)).collect::<Result<Vec<_>, _>>()?.join("/");
    let path = full(&path);
    if place(path.split('?').next().unwrap_or_default()).is_none() {
        return Err(Refusal::not_found(format!("there is nothing at {path} for a bulk operation")));
    }
    let body = match member(operation, "data") {
        None if method == Method::DELETE => Vec::new(),
        None => return Err(Refusal::invalid_syntax("an operation other than DELETE needs data")),
        Some(data) => resolved(data, ids)?.to_string().into_bytes(),
    };
    let mut inner = Request::builder().method(&method).uri(path);
    if let Some(credentials) = outer.headers().get(AUTHORIZATION) {
        inner = inner.header(AUTHORIZATION, credentials);
    }
    if let Some(version) = text(operation, "version") {
        inner = inner.header(IF_MATCH, version);
    }
    if let Some(id) = bulk_id.filter(|_| method == Method::POST).and_then(|bulk_id| ids.get(bulk_id)) {
        inner = inner.extension(ReservedId(id.clone()));
    }
    inner.body(body).map_err(|error| Refusal::invalid_syntax(format!("the operation cannot be read: {error}")))
}

/// A path below the SCIM base.
fn full(path: &str) -> String {
    format!("{BASE}/{}", path.trim_start_matches('/'))
}

/// The data of an operation, with each `bulkId` replaced by its id (§3.7.2).
fn resolved(data: &Value, ids: &Ids) -> Result<Value, Refusal> {
    match data {
        Value::String(text) => resolve(text, ids).map(Value::from),
        Value::Array(values) => values.iter().map(|value| resolved(value, ids)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| Ok((name.clone(), resolved(value, ids)?))).collect()
        }
        plain => Ok(plain.clone()),
    }
}

fn resolve(text: &str, ids: &Ids) -> Result<String, Refusal> {
    let Some(bulk_id) = text.strip_prefix("bulkId:") else { return Ok(text.to_owned()) };
    let id = ids.get(bulk_id);
    id.cloned().ok_or_else(|| Refusal::invalid_value(format!("no operation created the bulkId '{bulk_id}'")))
}
