//! A request and its answer, with as many attempts as it takes.

use std::time::Instant;

use http::Request;

use super::{HttpClient, HttpScimRepository, boxed, in_span, maybe_async, sleep};
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::exchange::{
    Answer, Attempts, Authorization, Budget, Call, Change, RequestSpan, Retry, Seen, Sent, TimeLeft, Trace, Verdict,
    Wait, unanswered,
};
use crate::outside::clock;

#[maybe_async]
impl<C: HttpClient> HttpScimRepository<C> {
    /// Sends the only request of an operation.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer> {
        self.send_within(call, &mut Attempts::default(), &mut self.budget()).await
    }

    /// Sends one of the requests of an operation, which share a budget.
    pub(super) async fn send_within(
        &self,
        call: &Call,
        attempts: &mut Attempts,
        budget: &mut Budget<'_>,
    ) -> Result<Answer> {
        let trace = Trace::begin(call.operation);
        let mut last_error = None;
        loop {
            let Some(started) = self.turn(budget).await else {
                let error = last_error.unwrap_or_else(|| held_up().in_operation(call.operation));
                let answer = Err(attempts.over(error));
                trace.end(&answer);
                return answer;
            };
            let mut sent = Sent {
                as_plain_json: self.endpoint.sends_plain_json(),
                with_token: self.tokens.are_renewed(),
                with_known_token: false,
            };
            let number = attempts.begin();
            let span = trace.request(&self.endpoint, call, number);
            let mut seen = Seen::begin(self.observer.as_ref(), &self.endpoint, call, number);
            let answer = self.attempt(call, budget, started, &mut sent, &span, &mut seen).await;
            let now = clock::now();
            span.end(number, &answer, now - started);
            seen.ends(&answer, now);
            match attempts.judge(budget, call, sent, answer, now, clock::random) {
                Verdict::Done(answer) => {
                    seen.report(None);
                    if let Some(wait) = answer.as_ref().err().and_then(|error| self.retry.wait_after(error)) {
                        self.throttle.hold(now, wait);
                    }
                    trace.end(&answer);
                    return answer;
                }
                Verdict::Retry(retry) => {
                    seen.report(Some(retry.reason()));
                    let Retry { delay, change, error } = retry;
                    last_error = Some(error);
                    match change {
                        Change::Nothing => sleep(delay).await,
                        Change::Wait => self.throttle.hold(now, delay),
                        Change::PlainJson => self.endpoint.send_plain_json(),
                        Change::Token => {}
                    }
                }
            }
        }
    }

    /// Waits until a request may be sent, which is nearly always at once, and returns when that is.
    /// `None` if the server has asked for a longer wait than the operation has time for.
    async fn turn(&self, budget: &mut Budget<'_>) -> Option<Instant> {
        loop {
            let now = clock::now();
            match self.throttle.wait(now) {
                None => return Some(now),
                Some(Wait::ForServer(wait)) if wait >= budget.time_left(now) => return None,
                Some(Wait::ForServer(wait)) => sleep(wait).await,
                Some(Wait::ForLimit(wait)) => {
                    sleep(wait).await;
                    budget.exclude(wait);
                }
            }
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        budget: &Budget<'_>,
        now: Instant,
        sent: &mut Sent,
        span: &RequestSpan,
        seen: &mut Seen<'_>,
    ) -> Result<Answer> {
        let (authorization, now) = match self.tokens.ready(now) {
            Some(authorization) => (authorization, now),
            None => boxed(self.tokens.obtain(&*self.client, budget, self.timeout))
                .await
                .map_err(|error| error.in_operation(call.operation))?,
        };
        let request = self.request(call, &authorization, budget, now);
        seen.sends(now);
        match in_span(span, || self.client.send(request)).await {
            Ok(response) => {
                span.receives(response.status());
                seen.receives(&response);
                let answer = self.endpoint.answer(call, response, &authorization);
                sent.with_known_token = self.tokens.judge(&authorization, &answer);
                answer
            }
            Err(error) => Err(unanswered(call.operation, self.endpoint.origin(), error)),
        }
    }
}

impl<C> HttpScimRepository<C> {
    /// The budget of an operation that begins now.
    pub(super) fn budget(&self) -> Budget<'_> {
        Budget::begin(&self.retry, clock::now())
    }

    /// The request of one attempt. Not a part of the future, which is smaller without it.
    fn request(
        &self,
        call: &Call,
        authorization: &Authorization,
        budget: &Budget<'_>,
        now: Instant,
    ) -> Request<Vec<u8>> {
        let mut request = self.endpoint.request(call, authorization);
        let time_left = budget.time_left(now).min(self.timeout);
        if time_left != self.transport_timeout {
            request.extensions_mut().insert(TimeLeft(time_left));
        }
        call.count();
        request
    }
}

#[cold]
fn held_up() -> Error {
    let message =
        "the server has asked this client to wait for longer than the operation has time (RetryPolicy::deadline)";
    Error::new(ErrorKind::TooManyRequests, message).with_outcome(WriteOutcome::NotApplied)
}
