//! The log of an operation: its name, and the status and duration of each attempt. It contains no
//! address, no body and no personal data.

use std::time::Duration;

use crate::error::Operation;
use crate::error::Result;
use crate::exchange::Answer;

/// The `tracing` span of one operation; empty without the feature.
///
/// An operation that is dropped before its end, such as a cancelled future, has the outcome
/// `cancelled`.
pub(crate) struct Trace {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    #[cfg(feature = "tracing")]
    has_ended: bool,
}

/// Work that another thread does in the span of the caller.
#[cfg(feature = "tracing")]
pub(crate) fn in_span_of_caller<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let span = tracing::Span::current();
    move || span.in_scope(work)
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn in_span_of_caller<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    work
}

#[cfg(feature = "tracing")]
impl Trace {
    pub(crate) fn begin(operation: Operation) -> Self {
        let span =
            tracing::info_span!("scim", %operation, attempts = tracing::field::Empty, outcome = tracing::field::Empty);
        Self { span, has_ended: false }
    }

    pub(crate) fn attempt(&self, attempt: u32, answer: &Result<Answer>, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.span.record("attempts", attempt);
        match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::debug!(parent: &self.span, attempt, status, millis, "answered");
            }
            Err(error) => {
                let status = error.status().map(|status| status.as_u16());
                tracing::debug!(parent: &self.span, attempt, status, millis, kind = ?error.kind(), "failed");
            }
        }
    }

    pub(crate) fn end(mut self, answer: &Result<Answer>) {
        match answer {
            Ok(_) => self.span.record("outcome", "done"),
            Err(error) => self.span.record("outcome", tracing::field::debug(error.kind())),
        };
        self.has_ended = true;
    }
}

#[cfg(feature = "tracing")]
impl Drop for Trace {
    fn drop(&mut self) {
        if !self.has_ended {
            self.span.record("outcome", "cancelled");
        }
    }
}

#[cfg(not(feature = "tracing"))]
#[allow(clippy::unused_self, reason = "without the feature there is no span")]
impl Trace {
    pub(crate) fn begin(_: Operation) -> Self {
        Self {}
    }

    pub(crate) fn attempt(&self, _: u32, _: &Result<Answer>, _: Duration) {}

    pub(crate) fn end(self, _: &Result<Answer>) {}
}
