//! Errors in the answers of a server, by the requests that cause them.

use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

/// The media type of every body that the server returns (RFC 7644 §8.1).
pub(super) const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json; charset=utf-8");

/// A rejected request, which is answered with an error body (RFC 7644 §3.12).
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) scim_type: Option<&'static str>,
    pub(super) detail: String,
    header: Option<(HeaderName, &'static str)>,
}

impl Refusal {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into(), header: None }
    }

    fn bad_request(scim_type: &'static str, detail: impl Into<String>) -> Self {
        Self { scim_type: Some(scim_type), ..Self::new(StatusCode::BAD_REQUEST, detail) }
    }

    /// The body is not the expected message.
    pub(super) fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::bad_request("invalidSyntax", detail)
    }

    /// An attribute or parameter has an invalid value.
    pub(super) fn invalid_value(detail: impl Into<String>) -> Self {
        Self::bad_request("invalidValue", detail)
    }

    /// A patch names an attribute that cannot be patched.
    pub(super) fn invalid_path(detail: impl Into<String>) -> Self {
        Self::bad_request("invalidPath", detail)
    }

    /// The filter of a list is not valid.
    pub(super) fn invalid_filter(detail: impl Into<String>) -> Self {
        Self::bad_request("invalidFilter", detail)
    }

    /// Another user has this user name (RFC 7644 §3.3).
    pub(super) fn taken(user_name: &str) -> Self {
        Self {
            scim_type: Some("uniqueness"),
            ..Self::new(StatusCode::CONFLICT, format!("a user with the userName '{user_name}' already exists"))
        }
    }

    /// The resource does not exist.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The request has no credentials, or wrong ones.
    pub(super) fn unauthorized() -> Self {
        Self {
            header: Some((WWW_AUTHENTICATE, "Basic realm=\"WATS\", Bearer realm=\"WATS\"")),
            ..Self::new(
                StatusCode::UNAUTHORIZED,
                "send the API token as Basic credentials, or an unexpired provisioning token as Bearer",
            )
        }
    }

    /// The route does not support the method.
    pub(super) fn method_not_allowed(allowed: &'static str) -> Self {
        Self {
            header: Some((ALLOW, allowed)),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("this route answers {allowed} only"))
        }
    }

    /// The server does not support the media type of the body.
    pub(super) fn unsupported_media_type() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body as application/scim+json or application/json")
    }

    /// The error as an answer.
    pub(super) fn into_response(self) -> Response<Vec<u8>> {
        let mut body = Map::new();
        body.insert("schemas".into(), vec!["urn:ietf:params:scim:api:messages:2.0:Error"].into());
        // A string, not a number (RFC 7644 §3.12).
        body.insert("status".into(), self.status.as_str().into());
        if let Some(scim_type) = self.scim_type {
            body.insert("scimType".into(), scim_type.into());
        }
        body.insert("detail".into(), self.detail.into());

        let mut response = Response::new(Value::Object(body).to_string().into_bytes());
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, SCIM_JSON);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
