//! Conditional requests: `If-Match` and `If-None-Match` (RFC 7644 §3.14).

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::refusals;
use crate::refusal::Refusal;

/// Accepts a change if the resource has a version that is listed in `If-Match`.
pub(super) fn check(headers: &HeaderMap, resource: &Value) -> Result<(), Refusal> {
    match names(headers, &IF_MATCH, resource) {
        Some(false) => Err(refusals::precondition_failed()),
        _ => Ok(()),
    }
}

/// Whether the client already has this version of the resource.
pub(super) fn is_known(headers: &HeaderMap, resource: &Value) -> bool {
    names(headers, &IF_NONE_MATCH, resource) == Some(true)
}

/// Whether a header contains the version of the resource; `None` without the header.
fn names(headers: &HeaderMap, header: &HeaderName, resource: &Value) -> Option<bool> {
    if !headers.contains_key(header) {
        return None;
    }
    let version = resource.pointer("/meta/version").and_then(Value::as_str).map(opaque);
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    Some(tags.any(|tag| tag == "*" || Some(opaque(tag)) == version))
}

/// The part of an entity tag that a weak comparison uses (RFC 9110 §8.8.3.2).
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
    fn another_version_is_rejected() {
        assert!(!is_current("W/\"1\""));
    }

    #[test]
    fn one_of_several_is_enough() {
        assert!(is_current("W/\"1\", W/\"2\""));
    }

    #[test]
    fn a_star_matches_any_version() {
        assert!(is_current("*"));
    }

    #[test]
    fn without_a_header_there_is_no_condition() {
        assert!(check(&HeaderMap::new(), &json!({})).is_ok());
    }
}
