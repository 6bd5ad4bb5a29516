//! The spans of operations, requests and work: their names, statuses and durations. They contain no body, no
//! name and no id.

use std::time::Duration;

use super::answer::Answer;
use super::call::Call;
use super::endpoint::Endpoint;
use crate::error::{Operation, Result};

/// Work that another thread does in the span of the caller.
#[cfg(all(feature = "blocking-api", feature = "async-api", feature = "tracing"))]
pub(crate) fn in_span_of_caller<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let span = tracing::Span::current();
    move || span.in_scope(work)
}

#[cfg(all(feature = "blocking-api", feature = "async-api", not(feature = "tracing")))]
pub(crate) fn in_span_of_caller<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    work
}

/// Work of many requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Listing,
    Batch,
    Apply,
}

#[cfg(feature = "tracing")]
pub(crate) use traced::{RequestSpan, Trace, WorkSpan};
#[cfg(not(feature = "tracing"))]
pub(crate) use untraced::{RequestSpan, Trace, WorkSpan};

#[cfg(feature = "tracing")]
mod traced {
    use std::sync::{Arc, OnceLock};

    use tracing::field::{Empty, debug};
    use tracing::{Span, debug, info_span};

    use super::{Answer, Call, Duration, Endpoint, Operation, Result, Work};

    /// The target of all spans and events, for filters.
    const TARGET: &str = "wats_scim";

    /// The span of one operation. An operation that is dropped before its end, such as a cancelled future,
    /// has the outcome `cancelled`.
    pub(crate) struct Trace {
        span: Span,
        has_ended: bool,
    }

    impl Trace {
        pub(crate) fn begin(operation: Operation) -> Self {
            let span = info_span!(target: TARGET, "scim", %operation, attempts = Empty, outcome = Empty);
            Self { span, has_ended: false }
        }

        /// The span of one request, by the conventions of OpenTelemetry for HTTP clients.
        pub(crate) fn request(&self, endpoint: &Endpoint, call: &Call, attempt: u32) -> RequestSpan {
            self.span.record("attempts", attempt);
            let resent = attempt.saturating_sub(1);
            RequestSpan(info_span!(
                target: TARGET,
                parent: &self.span,
                "request",
                otel.kind = "client",
                http.request.method = %call.method(),
                url.template = endpoint.template(call),
                server.address = endpoint.host(),
                http.request.resend_count = (resent > 0).then_some(resent),
                http.response.status_code = Empty,
                error.r#type = Empty,
            ))
        }

        pub(crate) fn end(mut self, answer: &Result<Answer>) {
            match answer {
                Ok(_) => self.span.record("outcome", "done"),
                Err(error) => self.span.record("outcome", debug(error.kind())),
            };
            self.has_ended = true;
        }
    }

    impl Drop for Trace {
        fn drop(&mut self) {
            if !self.has_ended {
                self.span.record("outcome", "cancelled");
            }
        }
    }

    /// The span of one request, in which the transport sends it.
    pub(crate) struct RequestSpan(Span);

    impl RequestSpan {
        /// Takes note of a status as soon as it is there.
        pub(crate) fn receives(&self, status: http::StatusCode) {
            self.0.record("http.response.status_code", status.as_u16());
        }

        pub(crate) fn end(self, attempt: u32, answer: &Result<Answer>, duration: Duration) {
            let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            match answer {
                Ok(_) => debug!(target: TARGET, parent: &self.0, attempt, millis, "answered"),
                Err(error) => {
                    match error.status() {
                        Some(status) => self.0.record("error.type", status.as_str()),
                        None => self.0.record("error.type", error.kind().as_str()),
                    };
                    let status = error.status().map(|status| status.as_u16());
                    debug!(target: TARGET, parent: &self.0, attempt, status, millis, kind = ?error.kind(), "failed");
                }
            }
        }

        /// Polls a future in the span.
        #[cfg(feature = "async-api")]
        pub(crate) fn around<F: Future>(&self, future: F) -> tracing::instrument::Instrumented<F> {
            tracing::Instrument::instrument(future, self.0.clone())
        }

        /// Runs a function in the span.
        pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
            self.0.in_scope(work)
        }
    }

    /// The span around a listing, a batch or an apply, from its first request on. Clones share it.
    #[derive(Clone)]
    pub(crate) struct WorkSpan(Arc<(Work, OnceLock<Span>)>);

    impl WorkSpan {
        pub(crate) fn of(work: Work) -> Self {
            Self(Arc::new((work, OnceLock::new())))
        }

        fn span(&self) -> &Span {
            self.0.1.get_or_init(|| match self.0.0 {
                Work::Listing => info_span!(target: TARGET, "scim listing"),
                Work::Batch => info_span!(target: TARGET, "scim batch"),
                Work::Apply => info_span!(target: TARGET, "scim apply"),
            })
        }

        /// Polls a future in the span.
        #[cfg(feature = "async-api")]
        pub(crate) fn around<F: Future>(&self, future: F) -> tracing::instrument::Instrumented<F> {
            tracing::Instrument::instrument(future, self.span().clone())
        }

        /// A function that runs in the span, also on another thread.
        #[cfg(feature = "blocking-api")]
        pub(crate) fn on_any_thread<T, W: FnOnce() -> T>(&self, work: W) -> impl FnOnce() -> T + use<T, W> {
            let span = self.span().clone();
            move || span.in_scope(work)
        }
    }
}

#[cfg(not(feature = "tracing"))]
#[allow(clippy::unused_self, reason = "without the feature there is no span")]
mod untraced {
    use super::{Answer, Call, Duration, Endpoint, Operation, Result, Work};

    pub(crate) struct Trace;

    impl Trace {
        pub(crate) fn begin(_: Operation) -> Self {
            Self
        }

        pub(crate) fn request(&self, _: &Endpoint, _: &Call, _: u32) -> RequestSpan {
            RequestSpan
        }

        pub(crate) fn end(self, _: &Result<Answer>) {}
    }

    pub(crate) struct RequestSpan;

    impl RequestSpan {
        pub(crate) fn receives(&self, _: http::StatusCode) {}

        pub(crate) fn end(self, _: u32, _: &Result<Answer>, _: Duration) {}

        #[cfg(feature = "async-api")]
        pub(crate) fn around<F: Future>(&self, future: F) -> F {
            future
        }

        pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
            work()
        }
    }

    #[derive(Clone)]
    pub(crate) struct WorkSpan;

    impl WorkSpan {
        pub(crate) fn of(_: Work) -> Self {
            Self
        }

        #[cfg(feature = "async-api")]
        pub(crate) fn around<F: Future>(&self, future: F) -> F {
            future
        }

        #[cfg(feature = "blocking-api")]
        pub(crate) fn on_any_thread<T, W: FnOnce() -> T>(&self, work: W) -> impl FnOnce() -> T + use<T, W> {
            work
        }
    }
}
