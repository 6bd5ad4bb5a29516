//! Versions in a request: `If-Match` and `If-None-Match` (RFC 7644 §3.14).

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::refusals;
use crate::refusal::Refusal;

/// Lets a change through if the resource has a version that the client knows.
pub(super) fn check(headers: &HeaderMap, resource: &Value) -> Result<(), Refusal> {
    match names(headers, &IF_MATCH, resource) {
        Some(false) => Err(refusals::precondition_failed()),
        _ => Ok(()),
    }
}

/// Whether the client has this version of the resource already.
pub(super) fn is_known(headers: &HeaderMap, resource: &Value) -> bool {
    names(headers, &IF_NONE_MATCH, resource) == Some(true)
}

/// Whether a header names the version of the resource; `None` without such a header.
fn names(headers: &HeaderMap, header: &HeaderName, resource: &Value) -> Option<bool> {
    if !headers.contains_key(header) {
        return None;
    }
    let version = resource.pointer("/meta/version").and_then(Value::as_str).map(opaque);
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    Some(tags.any(|tag| tag == "*" || Some(opaque(tag)) == version))
}

/// What of an entity tag a weak comparison is about (RFC 9110 §8.8.3.2).
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn is_current(if_match: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, HeaderValue::from_static(if_match));
        check(&headers, &json!({"meta": {"version": "W/\"2\""}})).is_ok()
    }

    #[test]
    fn another_version_is_refused() {
        assert!(!is_current("W/\"1\""));
    }

    #[test]
    fn one_of_several_is_enough() {
        assert!(is_current("W/\"1\", W/\"2\""));
    }

    #[test]
    fn a_star_is_any_version() {
        assert!(is_current("*"));
    }

    #[test]
    fn no_header_asks_for_nothing() {
        assert!(check(&HeaderMap::new(), &json!({})).is_ok());
    }
}
