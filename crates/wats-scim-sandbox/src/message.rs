//! JSON messages in requests and answers.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use wats_scim_filter::json::{member, same_name};

use crate::refusal::{Refusal, SCIM_JSON};

/// The JSON object in the body of a request.
pub(crate) fn message(request: &Request<Vec<u8>>) -> Result<Map<String, Value>, Refusal> {
    if !says_json(request.headers()) {
        return Err(Refusal::unsupported_media_type());
    }
    serde_json::from_slice(request.body())
        .map_err(|error| Refusal::invalid_syntax(format!("the body is not a JSON object: {error}")))
}

/// Whether the media type of the body is JSON; without a media type, JSON is assumed.
fn says_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let essence = content_type.to_str().unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim();
    ["application/scim+json", "application/json"].iter().any(|known| essence.eq_ignore_ascii_case(known))
}

/// Checks that the `schemas` of a message or a resource contain the schema (RFC 7643 §3).
pub(crate) fn require_schema(message: &Map<String, Value>, schema: &str) -> Result<(), Refusal> {
    let declared = member(message, "schemas").and_then(Value::as_array);
    if declared.is_some_and(|declared| declared.iter().filter_map(Value::as_str).any(|one| same_name(one, schema))) {
        Ok(())
    } else {
        Err(Refusal::invalid_syntax(format!("schemas must list '{schema}'")))
    }
}

/// The string value of a member.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    member(object, name).and_then(Value::as_str)
}

/// A boolean, also in the form that Entra ID sends: `"True"`.
pub(crate) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

pub(crate) fn json_body(body: &impl Serialize) -> Response<Vec<u8>> {
    // Serializing a map with string keys cannot fail.
    let mut response = Response::new(serde_json::to_vec(body).unwrap_or_default());
    response.headers_mut().insert(CONTENT_TYPE, SCIM_JSON);
    response
}

pub(crate) fn no_content() -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
