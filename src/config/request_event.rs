use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use serde::{Serialize, Serializer};

use crate::error::{ErrorKind, Operation};

/// One request to the server and its end, for [`ScimConfig::on_request`](crate::ScimConfig::on_request).
///
/// It has no id, name, body or credentials, so that it can be a label of a metric. As JSON (serde) its
/// names are in camel case, and `duration` is in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RequestEvent {
    /// What the request is for.
    pub operation: Operation,
    /// The HTTP method.
    #[serde(serialize_with = "as_text")]
    pub method: Method,
    /// The path below the SCIM base URL, with placeholders in place of ids and names: `/Users/{id}`.
    pub endpoint: String,
    /// The origin of the server: scheme, host and port.
    pub server: String,
    /// The status of the answer; `None` if there was none.
    #[serde(serialize_with = "as_number")]
    pub status: Option<StatusCode>,
    /// Why the request failed; `None` after a success, and if it was cancelled.
    pub error: Option<ErrorKind>,
    /// Whether the caller dropped the future before the request ended.
    pub is_cancelled: bool,
    /// The number of the request in its operation, from 1. All requests are counted.
    pub attempt: u32,
    /// From sending the request to the end of its answer. It does not contain the wait for a rate limit,
    /// an access token or the next attempt.
    #[serde(serialize_with = "in_seconds")]
    pub duration: Duration,
    /// The size of the body that was sent, in bytes.
    pub bytes_sent: u64,
    /// The size of the body of the answer, in bytes, after decompression; 0 if there was no answer.
    pub bytes_received: u64,
    /// Why the request is sent again; `None` if it is not. A creation that is looked for before it is sent
    /// again ends here; its next attempt has the next number.
    pub retry: Option<RetryReason>,
}

/// Why a request is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum RetryReason {
    /// It failed, and it is safe to repeat.
    Failed,
    /// The server limits the rate of requests, so that all requests of the client wait.
    Throttled,
    /// The server did not process it, and says so: HTTP/2 `GOAWAY` or `REFUSED_STREAM`.
    NotProcessed,
    /// The access token was rejected, and is renewed.
    TokenRejected,
    /// The media type `application/scim+json` was rejected, and is replaced by `application/json`.
    MediaTypeRejected,
}

impl RetryReason {
    /// The stable name of the reason, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Throttled => "throttled",
            Self::NotProcessed => "notProcessed",
            Self::TokenRejected => "tokenRejected",
            Self::MediaTypeRejected => "mediaTypeRejected",
        }
    }
}

fn as_text<S: Serializer>(method: &Method, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(method.as_str())
}

#[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn as_number<S: Serializer>(status: &Option<StatusCode>, serializer: S) -> Result<S::Ok, S::Error> {
    status.map(|status| status.as_u16()).serialize(serializer)
}

fn in_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// The function that is called after each request. Clones share it.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Fn(&RequestEvent) + Send + Sync>);

impl Observer {
    pub(crate) fn new(observe: impl Fn(&RequestEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    /// A panic of the function ends here: what became of the request does not depend on it.
    pub(crate) fn observe(&self, event: &RequestEvent) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.0)(event)));
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
