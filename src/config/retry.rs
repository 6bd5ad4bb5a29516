use std::time::{Duration, SystemTime};

use retry_policies::policies::ExponentialBackoff;
use retry_policies::{Jitter, RetryDecision, RetryPolicy as _};

/// When a request is sent again, and how long to wait before that.
///
/// What is safe to repeat is known by the method. Reads, deletions and patches that give the same
/// result twice are repeated after a connection failure, a timeout and the statuses 408, 429, 500,
/// 502, 503 and 504. A creation, or a patch that may not give the same result twice, is repeated
/// at once only where it cannot have been applied: no connection was made, or the server answered
/// 429. Every other failed creation is *settled*: the client looks whether the resource is there,
/// takes it if it is the one that was sent, and sends it again if there is none.
///
/// Waiting grows exponentially with full jitter, and keeps to `Retry-After`.
///
/// ```
/// use std::time::Duration;
/// use wats_scim::{Credentials, RetryPolicy, ScimConfig};
///
/// let patient = RetryPolicy::default().attempts(6).deadline(Duration::from_secs(600));
/// let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw")).retry(patient);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    pub(crate) attempts: u32,
    delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
    pub(crate) deadline: Duration,
}

impl Default for RetryPolicy {
    /// 3 attempts within 2 minutes; delays from 0.25 s to 8 s, and at most 60 s if the server asks.
    fn default() -> Self {
        Self {
            attempts: 3,
            delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
            deadline: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// The longest delay that can be set; longer ones count as this.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

    /// Nothing is sent twice, and nothing is settled: a write that fails may be applied or not.
    #[must_use]
    pub fn none() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// How often a request is sent at most; 3 by default. With 1 (or 0) it is the same as
    /// [`none`](Self::none).
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The bounds of the delay: it doubles from the first to the second with each attempt, and a
    /// random part of it is waited. 0.25 s and 8 s by default.
    #[must_use]
    pub fn delays(mut self, first: Duration, longest: Duration) -> Self {
        self.delay = first.min(Self::LONGEST);
        self.max_delay = longest.clamp(self.delay, Self::LONGEST);
        self
    }

    /// The longest that a server may ask to wait with `Retry-After`; 60 s by default. If it asks
    /// for more, the client tries again after this long.
    #[must_use]
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.max_retry_after = longest;
        self
    }

    /// How long all attempts together may take, with the waiting between them; 2 minutes by
    /// default. One attempt has [`ScimConfig::timeout`](crate::ScimConfig::timeout).
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether anything is done about a failure at all.
    pub(crate) fn is_on(&self) -> bool {
        self.attempts > 1
    }

    /// How long to wait after this many attempts; `None` to give up.
    pub(crate) fn delay_after(&self, attempts: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        if let Some(asked) = retry_after {
            return Some(asked.min(self.max_retry_after));
        }
        let backoff = ExponentialBackoff::builder()
            .retry_bounds(self.delay, self.max_delay)
            .jitter(Jitter::Full)
            .build_with_max_retries(self.attempts.saturating_sub(1));
        let now = SystemTime::now();
        match backoff.should_retry(now, attempts.saturating_sub(1)) {
            RetryDecision::Retry { execute_after } => Some(execute_after.duration_since(now).unwrap_or_default()),
            RetryDecision::DoNotRetry => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn delays_double_up_to_the_longest_and_are_jittered() {
        let policy = RetryPolicy::default().attempts(10).delays(100 * MS, 400 * MS);
        for (attempts, longest) in [(1, 100), (2, 200), (3, 400), (9, 400)] {
            let delays: Vec<_> = (0..200).filter_map(|_| policy.delay_after(attempts, None)).collect();
            // The clock moves a little between the two readings of it.
            assert!(delays.iter().all(|delay| *delay <= (longest + 20) * MS), "{attempts}");
            assert!(delays.iter().any(|delay| *delay < longest * MS / 2), "{attempts}: full jitter");
            assert!(delays.iter().any(|delay| *delay > longest * MS / 2), "{attempts}: full jitter");
        }
    }

    #[test]
    fn the_server_may_ask_for_a_delay_up_to_a_cap() {
        let policy = RetryPolicy::default().max_retry_after(5 * MS);
        assert_eq!(policy.delay_after(1, Some(3 * MS)), Some(3 * MS));
        assert_eq!(policy.delay_after(1, Some(3600 * MS)), Some(5 * MS));
    }

    #[test]
    fn there_is_an_end() {
        assert_eq!(RetryPolicy::none().delay_after(1, Some(MS)), None);
        assert_eq!(RetryPolicy::default().delay_after(3, None), None);
        assert!(
            RetryPolicy::default()
                .delays(Duration::MAX, Duration::MAX)
                .attempts(u32::MAX)
                .delay_after(99, None)
                .is_some()
        );
    }
}
