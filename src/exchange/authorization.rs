use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::HeaderValue;

use crate::error::Secrets;

/// What a request is authorized with, and what to redact in its answer: a server may repeat it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authorization {
    /// The value of the `Authorization` header, if there is one.
    pub(crate) header: Option<HeaderValue>,
    pub(crate) secrets: Arc<Secrets>,
    /// The number of the renewal that the token comes from; 0 for credentials that are not renewed.
    pub(crate) renewal: u64,
    /// Whether the server has accepted the token before, for any request.
    pub(crate) was_accepted: Arc<AtomicBool>,
}
