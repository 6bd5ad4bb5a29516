//! What one operation may spend: retries and time, over all the requests it sends.

use std::time::{Duration, Instant};

use crate::config::RetryPolicy;
use crate::outside::mistake;

/// The budget of an operation. It begins once, and the look-ups that find out what became of a
/// creation spend from it too, so that retries do not multiply.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    policy: &'a RetryPolicy,
    started: Instant,
    retries: u32,
}

impl<'a> Budget<'a> {
    pub(crate) fn begin(policy: &'a RetryPolicy, now: Instant) -> Self {
        Self { policy, started: now, retries: 0 }
    }

    /// What is left of the deadline.
    pub(crate) fn time_left(&self, now: Instant) -> Duration {
        if mistake!("the deadline is for each attempt") {
            return self.policy.deadline;
        }
        self.policy.deadline.saturating_sub(now.saturating_duration_since(self.started))
    }

    /// Time that does not count: the client waited for its own rate limit.
    pub(crate) fn exclude(&mut self, waited: Duration) {
        self.started = self.started.checked_add(waited).unwrap_or(self.started);
    }

    /// Whether a request may be sent again after this delay without spending a retry.
    pub(crate) fn allows(&self, delay: Duration, now: Instant) -> bool {
        self.policy.is_on() && delay < self.time_left(now)
    }

    /// Spends a retry and returns the delay before it, which is what the server `asked` for or else
    /// a `random` one. `None` if no retry or not enough time is left.
    pub(crate) fn retry(&mut self, asked: Option<Duration>, now: Instant, random: u64) -> Option<Duration> {
        let delay = self.policy.delay_after(self.retries.saturating_add(1), asked, random)?;
        if delay >= self.time_left(now) {
            return None;
        }
        if !mistake!("retries are not counted") {
            self.retries = self.retries.saturating_add(1);
        }
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn retries_are_counted_over_all_requests() {
        let policy = RetryPolicy::default();
        let now = Instant::now();
        let mut budget = Budget::begin(&policy, now);
        let granted = (0..10).filter(|_| budget.retry(None, now, 7).is_some()).count();
        assert_eq!(granted, 2, "3 attempts are 2 retries");
    }

    #[test]
    fn a_delay_that_ends_after_the_deadline_is_not_granted() {
        let policy = RetryPolicy::default().attempts(9).deadline(10 * SECOND);
        let start = Instant::now();
        let mut budget = Budget::begin(&policy, start);
        assert_eq!(budget.retry(Some(4 * SECOND), start + 5 * SECOND, 0), Some(4 * SECOND));
        assert_eq!(budget.retry(Some(4 * SECOND), start + 6 * SECOND, 0), None);
        budget.exclude(SECOND);
        assert_eq!(budget.retry(Some(4 * SECOND), start + 6 * SECOND, 0), Some(4 * SECOND));
    }
}
