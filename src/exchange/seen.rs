//! The data about a request that the function of `ScimConfig::on_request` receives.

use std::time::Instant;

use http::Response;

use super::answer::Answer;
use super::call::Call;
use super::endpoint::Endpoint;
use crate::config::{Observer, RequestEvent, RetryReason};
use crate::error::{ErrorKind, Result};
use crate::outside::clock;

/// One request, as far as it is known; nothing without a function. Dropped before its end, because its
/// future was dropped, the request is cancelled.
pub(crate) struct Seen<'a>(Option<Box<Underway<'a>>>);

struct Underway<'a> {
    observer: &'a Observer,
    endpoint: &'a Endpoint,
    call: &'a Call,
    attempt: u32,
    /// When it was sent; `None` if it was not.
    sent: Option<Instant>,
    ended: Option<Instant>,
    answer: Option<(http::StatusCode, usize)>,
    error: Option<ErrorKind>,
}

impl<'a> Seen<'a> {
    pub(crate) fn begin(observer: Option<&'a Observer>, endpoint: &'a Endpoint, call: &'a Call, attempt: u32) -> Self {
        Self(observer.map(|observer| {
            Box::new(Underway { observer, endpoint, call, attempt, sent: None, ended: None, answer: None, error: None })
        }))
    }

    pub(crate) fn sends(&mut self, now: Instant) {
        if let Some(underway) = &mut self.0 {
            underway.sent = Some(now);
        }
    }

    pub(crate) fn receives(&mut self, response: &Response<Vec<u8>>) {
        if let Some(underway) = &mut self.0 {
            underway.answer = Some((response.status(), response.body().len()));
        }
    }

    /// Takes note of what the request ended with.
    pub(crate) fn ends(&mut self, answer: &Result<Answer>, now: Instant) {
        if let Some(underway) = &mut self.0 {
            underway.ended = Some(now);
            underway.error = answer.as_ref().err().map(crate::error::Error::kind);
        }
    }

    /// Reports it, now that it is known whether it is sent again.
    pub(crate) fn report(mut self, retry: Option<RetryReason>) {
        if let Some(underway) = self.0.take() {
            underway.report(retry);
        }
    }
}

impl Drop for Seen<'_> {
    fn drop(&mut self) {
        if let Some(underway) = self.0.take() {
            underway.report(None);
        }
    }
}

impl Underway<'_> {
    fn report(&self, retry: Option<RetryReason>) {
        let Some(sent) = self.sent else { return };
        let (status, received) = self.answer.unzip();
        let ended = self.ended.unwrap_or_else(clock::now);
        self.observer.observe(&RequestEvent {
            operation: self.call.operation,
            method: self.call.method().clone(),
            endpoint: self.endpoint.template(self.call),
            server: self.endpoint.origin().to_owned(),
            status,
            error: self.error,
            is_cancelled: self.ended.is_none(),
            attempt: self.attempt,
            duration: ended.saturating_duration_since(sent),
            bytes_sent: bytes(self.call.size()),
            bytes_received: bytes(received.unwrap_or_default()),
            retry,
        });
    }
}

fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
