//! Whether a failed request is sent again. Pure: the clock is an argument.

use std::time::{Duration, Instant};

use super::answer::Answer;
use super::endpoint::Call;
use crate::config::RetryPolicy;
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result, WriteOutcome};

/// What sending a request a second time would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// No more than the first time.
    IsSafe,
    /// Perhaps more, if the first time was applied.
    MayApplyTwice,
}

/// The attempts at one request.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    policy: &'a RetryPolicy,
    started: Instant,
    made: u32,
    /// An attempt before may have been applied.
    may_be_applied: bool,
}

/// What to do after an attempt.
pub(crate) enum Verdict {
    Done(Result<Answer>),
    AgainAfter(Duration),
    /// The server throttles, so that every request is to wait.
    AllAfter(Duration),
}

impl<'a> Attempts<'a> {
    pub(crate) fn begin(policy: &'a RetryPolicy, now: Instant) -> Self {
        Self { policy, started: now, made: 0, may_be_applied: false }
    }

    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// What is left of the deadline over all attempts.
    pub(crate) fn time_left(&self, now: Instant) -> Duration {
        self.policy.deadline.saturating_sub(now.saturating_duration_since(self.started))
    }

    /// Decides on the outcome of one more attempt.
    pub(crate) fn judge(&mut self, call: &Call, result: Result<Answer>, now: Instant) -> Verdict {
        self.made = self.made.saturating_add(1);
        let error = match result {
            Ok(answer) => return Verdict::Done(Ok(answer)),
            Err(error) => error,
        };
        if self.may_be_applied && is_gone(call.operation, &error) {
            // An attempt before deleted it.
            return Verdict::Done(Ok(Answer::done(call.operation)));
        }
        let is_unapplied = error.outcome() == WriteOutcome::NotApplied;
        let may_repeat = call.repeat == Repeat::IsSafe || (is_unapplied && !self.may_be_applied);
        let delay =
            self.policy.delay_after(self.made, error.retry_after()).filter(|_| may_repeat && error.is_retryable());
        let delay = match delay {
            // The connection had been idle and was closed meanwhile: a new one will do.
            Some(_) if self.made == 1 && error.is_broken_connection() => Some(Duration::ZERO),
            delay => delay,
        };
        self.may_be_applied |= !is_unapplied;
        let is_throttled = error.kind() == ErrorKind::TooManyRequests;
        match delay {
            Some(delay) if delay < self.time_left(now) && is_throttled => Verdict::AllAfter(delay),
            Some(delay) if delay < self.time_left(now) => Verdict::AgainAfter(delay),
            _ => Verdict::Done(Err(self.over(error))),
        }
    }

    fn over(&self, error: Error) -> Error {
        let error = error.after_attempts(self.made);
        if self.may_be_applied { error.with_outcome(WriteOutcome::Unknown) } else { error }
    }
}

fn is_gone(operation: Operation, error: &Error) -> bool {
    matches!(operation, Operation::Delete(_)) && error.kind() == ErrorKind::NotFound && !error.is_web_page()
}
