use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// When a request is sent again, and how long to wait before that.
///
/// What is safe to repeat is known by the method. Reads, deletions and patches that give the same
/// result twice are repeated after a connection failure, a timeout and the statuses 408, 429, 500,
/// 502, 503 and 504. A creation, or a patch that may not give the same result twice, is repeated
/// at once only where it cannot have been applied: no connection was made, or the server answered
/// 429. Every other failed creation is *settled*: the client looks whether the resource is there,
/// takes it if it is the one that was sent, and sends it again if there is none.
///
/// Delays grow exponentially with full jitter, unless the server sends `Retry-After`. After a 429 with
/// `Retry-After` no request of the client is sent until that time, not even of another operation.
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

    /// Nothing is sent twice, nothing waits for a server that throttles, and nothing is settled: a write
    /// that fails may be applied or not.
    #[must_use]
    pub fn none() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// How often an operation sends its request at most; 3 by default. With 1 (or 0) it is the same
    /// as [`none`](Self::none).
    ///
    /// The limit is one for the operation: a creation whose outcome is not known is looked up after
    /// each attempt, and a look-up that fails is retried out of the same attempts.
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

    /// How long an operation may take, with all its attempts, look-ups and delays, and the time
    /// during which the server asked the client to wait; 2 minutes by default. Waiting for the
    /// client's own rate limit does not count. One attempt has [`ScimConfig::timeout`](crate::ScimConfig::timeout).
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether anything is done about a failure at all.
    pub(crate) fn is_on(&self) -> bool {
        self.attempts > 1
    }

    /// How long the client sends nothing after an operation that ended with this error: a server that
    /// throttles means every request.
    pub(crate) fn wait_after(&self, error: &Error) -> Option<Duration> {
        let asked = error.retry_after().filter(|_| self.is_on() && error.kind() == ErrorKind::TooManyRequests);
        asked.map(|asked| asked.min(self.max_retry_after))
    }

    /// The delay after this many attempts; `None` if there are no more. `random` decides how much of
    /// the longest delay it is.
    pub(crate) fn delay_after(&self, attempts: u32, retry_after: Option<Duration>, random: u64) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        if let Some(asked) = retry_after {
            return Some(asked.min(self.max_retry_after));
        }
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let longest = self.delay.saturating_mul(doubled).min(self.max_delay);
        let nanoseconds = longest.as_nanos().saturating_mul(random.into()) >> u64::BITS;
        Some(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
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
            let delay = |random| policy.delay_after(attempts, None, random).unwrap();
            assert_eq!(delay(0), Duration::ZERO);
            assert_eq!(delay(1 << 63), longest * MS / 2);
            assert!(delay(u64::MAX) + Duration::from_nanos(1) >= longest * MS, "{attempts}");
        }
    }

    #[test]
    fn the_server_may_ask_for_a_delay_up_to_a_cap() {
        let policy = RetryPolicy::default().max_retry_after(5 * MS);
        assert_eq!(policy.delay_after(1, Some(3 * MS), 0), Some(3 * MS));
        assert_eq!(policy.delay_after(1, Some(3600 * MS), 0), Some(5 * MS));
    }

    #[test]
    fn there_is_an_end() {
        assert_eq!(RetryPolicy::none().delay_after(1, Some(MS), 0), None);
        assert_eq!(RetryPolicy::default().delay_after(3, None, 0), None);
        let endless = RetryPolicy::default().delays(Duration::MAX, Duration::MAX).attempts(u32::MAX);
        assert!(endless.delay_after(u32::MAX - 1, None, u64::MAX).is_some());
    }
}
