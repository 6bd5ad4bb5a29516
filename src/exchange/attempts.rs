//! Whether a failed request is retried. Pure: the clock and randomness are arguments.

use std::time::{Duration, Instant};

use http::StatusCode;

use super::answer::Answer;
use super::budget::Budget;
use super::call::Call;
use crate::config::RetryReason;
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::outside::mistake;

/// What sending a request a second time would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// No more than the first time.
    IsSafe,
    /// Perhaps more, if the first time was applied.
    MayApplyTwice,
}

/// The attempts at one request.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// The number of requests that were begun, whatever became of them.
    begun: u32,
    made: u32,
    /// The number of times that the server did not process the request.
    unprocessed: u32,
    /// An earlier attempt may have been applied.
    may_be_applied: bool,
    /// The last answer was 401, so that the access token was renewed.
    is_renewed: bool,
    /// The number of times that it was renewed for this request.
    renewals: u32,
}

/// How an attempt was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) as_plain_json: bool,
    /// With an access token that can be renewed.
    pub(crate) with_token: bool,
    /// Whether the server has accepted this token before.
    pub(crate) with_known_token: bool,
}

/// What to do after an attempt.
pub(crate) enum Verdict {
    Done(Result<Answer>),
    Retry(Retry),
}

/// Another attempt, after a delay.
pub(crate) struct Retry {
    pub(crate) delay: Duration,
    pub(crate) change: Change,
    /// The error, for the case that there is no other attempt after all.
    pub(crate) error: Error,
}

/// What changes for all requests of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    /// The server throttles, so that every request waits.
    Wait,
    /// The server rejects `application/scim+json`, so that bodies are sent as `application/json`.
    PlainJson,
    /// The server rejects the access token, so that it is renewed.
    Token,
}

impl Retry {
    pub(crate) fn reason(&self) -> RetryReason {
        match self.change {
            Change::Nothing if self.error.is_unprocessed() => RetryReason::NotProcessed,
            Change::Nothing => RetryReason::Failed,
            Change::Wait => RetryReason::Throttled,
            Change::PlainJson => RetryReason::MediaTypeRejected,
            Change::Token => RetryReason::TokenRejected,
        }
    }
}

impl Attempts {
    /// A server that rejects every request is not asked for ever.
    const MOST_UNPROCESSED: u32 = 50;
    const UNPROCESSED_DELAY: Duration = Duration::from_millis(10);
    /// A server that answers 401 to one request only, whatever its token is, does not have all tokens renewed
    /// again and again.
    const MOST_RENEWALS: u32 = 5;

    /// Begins another one, and returns its number, from 1.
    pub(crate) fn begin(&mut self) -> u32 {
        self.begun = self.begun.saturating_add(1);
        self.begun
    }

    /// A look at the server has shown that no attempt was applied.
    pub(crate) fn settle(&mut self) {
        self.may_be_applied = false;
    }

    /// Decides on the outcome of one more attempt.
    pub(crate) fn judge(
        &mut self,
        budget: &mut Budget<'_>,
        call: &Call,
        sent: Sent,
        result: Result<Answer>,
        now: Instant,
        random: impl FnOnce() -> u64,
    ) -> Verdict {
        match result {
            Ok(answer) => {
                self.made = self.made.saturating_add(1);
                Verdict::Done(Ok(answer))
            }
            Err(error) if error.is_unprocessed() => self.judge_unprocessed(budget, error, now),
            Err(error) if sent.with_token && self.can_renew(sent, &error) && !budget.time_left(now).is_zero() => {
                // A request that is not authorized is not processed, so it may go again whatever it is.
                self.made = self.made.saturating_add(1);
                self.is_renewed = true;
                self.renewals = self.renewals.saturating_add(1);
                Verdict::Retry(Retry { delay: Duration::ZERO, change: Change::Token, error })
            }
            Err(error) if call.can_change_media_type(sent.as_plain_json) && is_of_media_type(&error) => {
                // A rejected media type (RFC 9110 §15.5.16): the request was not processed.
                Verdict::Retry(Retry { delay: Duration::ZERO, change: Change::PlainJson, error })
            }
            Err(error) => {
                if !error.is_unsent() {
                    self.made = self.made.saturating_add(1);
                    self.is_renewed &= is_of_token(&error);
                }
                self.judge_failure(budget, call, error, now, random())
            }
        }
    }

    /// A request that the server did not process does not count as an attempt. It is sent again at
    /// once, and after the first time with a delay.
    #[cold]
    fn judge_unprocessed(&mut self, budget: &Budget<'_>, error: Error, now: Instant) -> Verdict {
        let delay = Self::UNPROCESSED_DELAY.saturating_mul(self.unprocessed.min(10));
        self.unprocessed = self.unprocessed.saturating_add(1);
        if self.unprocessed > Self::MOST_UNPROCESSED || !budget.allows(delay, now) {
            return Verdict::Done(Err(self.over(error)));
        }
        Verdict::Retry(Retry { delay, change: Change::Nothing, error })
    }

    #[cold]
    fn judge_failure(
        &mut self,
        budget: &mut Budget<'_>,
        call: &Call,
        error: Error,
        now: Instant,
        random: u64,
    ) -> Verdict {
        if self.may_be_applied && is_gone(call.operation, &error) {
            // An earlier attempt deleted it.
            return Verdict::Done(Ok(Answer::done(call.operation)));
        }
        let is_unapplied = error.outcome() == WriteOutcome::NotApplied;
        let may_repeat = call.repeat == Repeat::IsSafe || (is_unapplied && !self.may_be_applied);
        self.may_be_applied |= !is_unapplied;
        if !may_repeat || !error.is_retryable() {
            return Verdict::Done(Err(self.over(error)));
        }
        // A connection that had been idle and was closed meanwhile: a new one is opened at once.
        let is_stale = self.made == 1 && error.is_broken_connection();
        let asked = if is_stale { Some(Duration::ZERO) } else { error.retry_after() };
        match budget.retry(asked, now, random) {
            Some(delay) => {
                let change = if error.kind() == ErrorKind::TooManyRequests { Change::Wait } else { Change::Nothing };
                Verdict::Retry(Retry { delay, change, error })
            }
            None => Verdict::Done(Err(self.over(error))),
        }
    }

    /// Whether a new access token can help: once, until the server says something else than 401. A token
    /// that was accepted before has expired meanwhile, which can happen several times.
    fn can_renew(&self, sent: Sent, error: &Error) -> bool {
        let is_worth_it = !self.is_renewed || sent.with_known_token;
        is_of_token(error) && is_worth_it && self.renewals < Self::MOST_RENEWALS
    }

    /// The error of the last attempt, as the error of all.
    pub(crate) fn over(&self, error: Error) -> Error {
        let error = if self.made > 0 || self.is_renewed { error.but_sent_before() } else { error };
        let error = error.after_attempts(self.made);
        if self.may_be_applied { error.with_outcome(WriteOutcome::Unknown) } else { error }
    }
}

/// Whether the server has answered that the request is not authorized.
fn is_of_token(error: &Error) -> bool {
    error.status() == Some(StatusCode::UNAUTHORIZED)
}

fn is_of_media_type(error: &Error) -> bool {
    error.status() == Some(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

/// Whether the error says that the resource to delete does not exist. Only the server's own word
/// counts: an empty 404 may be a gateway's.
fn is_gone(operation: Operation, error: &Error) -> bool {
    let is_absent = error.is_certain_absence()
        || (mistake!("a gateway's 404 confirms a deletion") && error.status() == Some(StatusCode::NOT_FOUND));
    matches!(operation, Operation::Delete(_)) && is_absent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Credentials, RetryPolicy, ScimConfig};
    use crate::error::ErrorMessage;
    use crate::exchange::Endpoint;
    use crate::model::ScimUser;

    /// How often a request that is always answered 401 is sent.
    fn sent_with(with_token: bool, with_known_token: bool) -> u32 {
        let endpoint = Endpoint::new(&ScimConfig::new("https://acme.wats.com", Credentials::none())).unwrap();
        let (call, policy, now) = (endpoint.get::<ScimUser>("1").unwrap(), RetryPolicy::default(), Instant::now());
        let (mut attempts, mut budget) = (Attempts::default(), Budget::begin(&policy, now));
        let sent = Sent { as_plain_json: false, with_token, with_known_token };
        for number in 1..100 {
            let rejected = Error::of_status(StatusCode::UNAUTHORIZED, ErrorMessage::default(), "");
            if let Verdict::Done(answer) = attempts.judge(&mut budget, &call, sent, Err(rejected), now, || 0) {
                assert_eq!(answer.unwrap_err().attempts(), number);
                return number;
            }
        }
        unreachable!("it is sent for ever")
    }

    #[test]
    fn a_request_that_is_always_rejected_renews_the_token_a_few_times() {
        assert_eq!(sent_with(false, false), 1, "there is no other token");
        assert_eq!(sent_with(true, false), 2, "a new token was rejected");
        assert_eq!(sent_with(true, true), 6, "other requests were accepted with each token");
    }
}
