//! Errors that only the standard server returns (RFC 7644 §3.12).

use http::StatusCode;

use crate::refusal::Refusal;

fn with(status: StatusCode, scim_type: Option<&'static str>, detail: impl Into<String>) -> Refusal {
    let mut refusal = Refusal::not_found(detail);
    refusal.status = status;
    refusal.scim_type = scim_type;
    refusal
}

fn bad_request(scim_type: &'static str, detail: impl Into<String>) -> Refusal {
    with(StatusCode::BAD_REQUEST, Some(scim_type), detail)
}

/// A patch selects nothing (RFC 7644 §3.5.2).
pub(super) fn no_target(detail: impl Into<String>) -> Refusal {
    bad_request("noTarget", detail)
}

/// The attribute cannot be changed.
pub(super) fn mutability(detail: impl Into<String>) -> Refusal {
    bad_request("mutability", detail)
}

/// The cursor is not from this server (RFC 9865 §2.1).
pub(super) fn invalid_cursor() -> Refusal {
    bad_request("invalidCursor", "the cursor does not belong to this query")
}

/// The cursor is from this server and has expired (RFC 9865 §2.1).
pub(super) fn expired_cursor() -> Refusal {
    bad_request("expiredCursor", "the cursor has expired; start again with an empty one")
}

/// Another resource has this name (RFC 7644 §3.3).
pub(super) fn taken(kind: &str, attribute: &str, name: &str) -> Refusal {
    let detail = format!("a {kind} with the {attribute} '{name}' already exists");
    with(StatusCode::CONFLICT, Some("uniqueness"), detail)
}

/// The resource does not have the version in `If-Match` (RFC 7644 §3.14).
pub(super) fn precondition_failed() -> Refusal {
    with(StatusCode::PRECONDITION_FAILED, None, "the resource has changed: it has another version")
}

/// A bulk request exceeds a limit (RFC 7644 §3.7.4).
pub(super) fn too_large(detail: impl Into<String>) -> Refusal {
    with(StatusCode::PAYLOAD_TOO_LARGE, None, detail)
}

/// The server does not support the request.
pub(super) fn not_implemented(detail: impl Into<String>) -> Refusal {
    with(StatusCode::NOT_IMPLEMENTED, None, detail)
}

/// Discovery is not filtered (RFC 7644 §4).
pub(super) fn forbidden(detail: impl Into<String>) -> Refusal {
    with(StatusCode::FORBIDDEN, None, detail)
}

/// The request has neither form of the credentials.
pub(super) fn unauthorized() -> Refusal {
    let mut refusal = Refusal::unauthorized();
    "send the sandbox's token, as Basic or as Bearer credentials".clone_into(&mut refusal.detail);
    refusal
}
