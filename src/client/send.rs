//! A request and its answer, with as many attempts as it takes.

use std::time::Instant;

use super::{HttpClient, HttpScimRepository, boxed, maybe_async, sleep};
use crate::error::Result;
use crate::exchange::Trace;
use crate::exchange::{Answer, Attempts, Call, TimeLeft, Verdict, unanswered};

#[maybe_async]
impl<C: HttpClient> HttpScimRepository<C> {
    pub(super) async fn send(&self, call: &Call) -> Result<Answer> {
        let trace = Trace::begin(call.operation);
        self.wait_for_its_turn().await;
        let mut attempts = Attempts::begin(&self.retry, Instant::now());
        loop {
            let started = Instant::now();
            let answer = self.attempt(call, &attempts).await;
            let now = Instant::now();
            trace.attempt(attempts.made() + 1, &answer, now - started);
            match attempts.judge(call, answer, now) {
                Verdict::Done(answer) => {
                    trace.end(&answer);
                    return answer;
                }
                Verdict::AgainAfter(delay) => sleep(delay).await,
                Verdict::AllAfter(delay) => self.pace.hold(now, delay),
            }
            self.wait_for_its_turn().await;
        }
    }

    async fn wait_for_its_turn(&self) {
        while let Some(wait) = self.pace.wait(Instant::now()) {
            sleep(wait).await;
        }
    }

    async fn attempt(&self, call: &Call, attempts: &Attempts<'_>) -> Result<Answer> {
        let mut request = self.endpoint.request(call);
        let time_left = attempts.time_left(Instant::now());
        if time_left < self.timeout {
            request.extensions_mut().insert(TimeLeft(time_left));
        }
        call.count();
        match boxed(self.client.send(request)).await {
            Ok(response) => Answer::new(call.operation, response).map_err(|error| self.endpoint.without_secrets(error)),
            Err(error) => Err(unanswered(call.operation, self.endpoint.origin(), error)),
        }
    }
}
