use std::fmt;

use http::StatusCode;
use serde::{Serialize, Serializer};

use super::{ErrorMessage, Sender};

/// The kind of an [`Error`](crate::Error).
///
/// *Retryable* means that the same request can succeed later; see [`Error::is_retryable`](crate::Error::is_retryable).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument or a setting is not valid; no request was sent. Not retryable.
    InvalidInput,
    /// The server does not support the operation; no request was sent. Not retryable.
    Unsupported,
    /// A creation of the same batch that this write refers to failed, so the write was not applied.
    /// Not retryable.
    FailedReference,
    /// The [`Trail`](crate::audit::Trail) could not record the start of a write, so no request was
    /// sent. Not retryable.
    Trail,
    /// 400: the server rejected the request as invalid. Not retryable.
    BadRequest,
    /// 401, or no access token for the request: the credentials are missing, wrong or expired. No other
    /// request would succeed, so a batch and an apply stop. Not retryable.
    Unauthorized,
    /// 403: the credentials do not permit the operation. Not retryable. With `Retry-After` it is
    /// [`TooManyRequests`](Self::TooManyRequests).
    Forbidden,
    /// 404: the server has no such resource or endpoint. Not retryable. A 404 of a gateway or a web
    /// page, which says nothing about the resource, is [`UnexpectedBody`](Self::UnexpectedBody).
    NotFound,
    /// 409, or 400 with the `scimType` `uniqueness`: the write conflicts with an existing resource,
    /// usually with its name. Not retryable.
    Conflict,
    /// 412: the resource no longer has the expected version. Not retryable; read it again first.
    PreconditionFailed,
    /// 413: the request is larger than the server allows. Not retryable.
    PayloadTooLarge,
    /// 429, or 403 with `Retry-After`: the server limits the rate of requests. Retryable, after
    /// [`retry_after`](crate::Error::retry_after) if the server sent it.
    TooManyRequests,
    /// 5xx: the server or a gateway failed. Retryable for 500, 502, 503 and 504.
    Server,
    /// 3xx: a redirect. Redirects are never followed. Not retryable.
    Redirect,
    /// Any other status. Retryable for 408.
    UnexpectedStatus,
    /// The response has no body where one is required. Not retryable.
    EmptyBody,
    /// The response is successful or 404, but its body is not the expected SCIM message: a web page
    /// of a gateway, for example. Not retryable.
    UnexpectedBody,
    /// The response is larger than [`max_response_bytes`](crate::ScimConfig::max_response_bytes).
    /// Not retryable.
    ResponseTooLarge,
    /// No connection, or it broke. Retryable.
    Connection,
    /// The request timed out. Retryable.
    Timeout,
    /// The server did not return all resources of a list. Retryable, from the start.
    IncompleteList,
    /// The journal of an apply cannot be read or written, or belongs to another plan. Not
    /// retryable.
    Journal,
}

impl ErrorKind {
    pub(super) fn of(status: StatusCode, message: &ErrorMessage) -> Self {
        let is_of_uniqueness = message.scim_type.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("uniqueness"));
        match status.as_u16() {
            // RFC 7644 §3.12 allows both.
            400 if is_of_uniqueness => Self::Conflict,
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 if message.sender == Sender::Intermediary => Self::UnexpectedBody,
            404 => Self::NotFound,
            409 => Self::Conflict,
            412 => Self::PreconditionFailed,
            413 => Self::PayloadTooLarge,
            429 => Self::TooManyRequests,
            300..=399 => Self::Redirect,
            500..=599 => Self::Server,
            _ => Self::UnexpectedStatus,
        }
    }

    /// The stable name of the kind, in JSON and for metrics: `tooManyRequests`.
    ///
    /// ```
    /// assert_eq!(wats_scim::ErrorKind::TooManyRequests.as_str(), "tooManyRequests");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalidInput",
            Self::Unsupported => "unsupported",
            Self::FailedReference => "failedReference",
            Self::Trail => "trail",
            Self::BadRequest => "badRequest",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "notFound",
            Self::Conflict => "conflict",
            Self::PreconditionFailed => "preconditionFailed",
            Self::PayloadTooLarge => "payloadTooLarge",
            Self::TooManyRequests => "tooManyRequests",
            Self::Server => "server",
            Self::Redirect => "redirect",
            Self::UnexpectedStatus => "unexpectedStatus",
            Self::EmptyBody => "emptyBody",
            Self::UnexpectedBody => "unexpectedBody",
            Self::ResponseTooLarge => "responseTooLarge",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::IncompleteList => "incompleteList",
            Self::Journal => "journal",
        }
    }

    /// The status with which a web service answers its own caller after such an error.
    ///
    /// What the caller can change is 4xx. Everything between the service and its SCIM server is 5xx, also
    /// 401 and 403: they concern the credentials of the service, and not those of its caller.
    ///
    /// | status | kinds |
    /// |---|---|
    /// | 400 | `InvalidInput`, `BadRequest` |
    /// | 404, 409, 412, 413 | `NotFound`, `Conflict`, `PreconditionFailed`, `PayloadTooLarge` |
    /// | 424 | `FailedReference` |
    /// | 500 | `Trail`, `Journal` |
    /// | 501 | `Unsupported` |
    /// | 503 | `TooManyRequests`: pass [`Error::retry_after`](crate::Error::retry_after) on as `Retry-After` |
    /// | 504 | `Timeout` |
    /// | 502 | all others |
    ///
    /// ```
    /// assert_eq!(wats_scim::ErrorKind::Conflict.http_status(), 409);
    /// assert_eq!(wats_scim::ErrorKind::Unauthorized.http_status(), 502);
    /// ```
    #[must_use]
    pub const fn http_status(self) -> StatusCode {
        match self {
            Self::InvalidInput | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::FailedReference => StatusCode::FAILED_DEPENDENCY,
            Self::Trail | Self::Journal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unsupported => StatusCode::NOT_IMPLEMENTED,
            Self::TooManyRequests => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Unauthorized
            | Self::Forbidden
            | Self::Server
            | Self::Redirect
            | Self::UnexpectedStatus
            | Self::EmptyBody
            | Self::UnexpectedBody
            | Self::ResponseTooLarge
            | Self::Connection
            | Self::IncompleteList => StatusCode::BAD_GATEWAY,
        }
    }
}

/// The name of the kind, as [`as_str`](ErrorKind::as_str).
impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Serializes [`as_str`](ErrorKind::as_str).
impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
