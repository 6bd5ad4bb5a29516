//! One error for several requests.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::Error;

impl Error {
    /// The same error for another request, without its source.
    pub(crate) fn repeated(&self) -> Self {
        let of = &self.0;
        let mut error = Self::new(of.kind, of.message.clone()).with_outcome(of.outcome);
        error.0.status = of.status;
        error.0.scim_type.clone_from(&of.scim_type);
        error.0.detail.clone_from(&of.detail);
        error.0.sender = of.sender;
        error.0.retry_after = of.retry_after;
        error.0.is_unsent = of.is_unsent;
        error
    }

    /// The same error for another request, with the same source.
    pub(crate) fn shared(this: &Arc<Self>) -> Self {
        let mut error = this.repeated();
        if this.0.source.is_some() {
            error.0.source = Some(Box::new(SharedSource(Arc::clone(this))));
        }
        error
    }
}

/// The source of an error that several requests have.
struct SharedSource(Arc<Error>);

impl SharedSource {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.0.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for SharedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source().map_or(Ok(()), |source| fmt::Display::fmt(source, f))
    }
}

impl fmt::Debug for SharedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source().map_or(Ok(()), |source| fmt::Debug::fmt(source, f))
    }
}

impl StdError for SharedSource {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source().and_then(StdError::source)
    }
}
