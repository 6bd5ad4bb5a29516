//! One request, which can be sent any number of times.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::header::HeaderName;
use http::{HeaderValue, Method, Uri};

use super::attempts::Repeat;
use super::version::entity_tag;
use crate::error::{Error, Operation, Result};

/// A request, and its operation.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) repeat: Repeat,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) template: Template,
    pub(super) body: Option<Vec<u8>>,
    /// `If-Match` or `If-None-Match`, with its value.
    pub(super) condition: Option<(HeaderName, HeaderValue)>,
    /// Counts the attempts for the audit trail.
    pub(super) attempts: Option<Arc<AtomicU32>>,
}

/// The path of a call without what is personal in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Template {
    /// The path itself, without its query.
    Path,
    /// An endpoint and an id.
    Id(&'static str),
    /// An endpoint, and the attribute that names a resource.
    Name(&'static str, &'static str),
}

impl Call {
    /// The same call, with a counter for its attempts.
    pub(crate) fn counted_by(self, attempts: Option<Arc<AtomicU32>>) -> Self {
        Self { attempts, ..self }
    }

    /// Whether the same call can be sent with another media type.
    pub(crate) fn can_change_media_type(&self, sent_as_plain_json: bool) -> bool {
        self.body.is_some() && !sent_as_plain_json
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// The size of the body.
    pub(crate) fn size(&self) -> usize {
        self.body.as_ref().map_or(0, Vec::len)
    }

    /// Counts one more attempt.
    pub(crate) fn count(&self) {
        if let Some(attempts) = &self.attempts {
            attempts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The same call with a condition on the version of the resource (RFC 7644 §3.14).
    pub(super) fn with_version(mut self, header: HeaderName, version: Option<&str>) -> Result<Self> {
        if let Some(version) = version {
            let value = HeaderValue::try_from(&*entity_tag(version)).map_err(|error| {
                let rejected = Error::invalid("the version contains a character that is not allowed in a header");
                rejected.with_source(error).in_operation(self.operation)
            })?;
            self.condition = Some((header, value));
        }
        Ok(self)
    }
}
