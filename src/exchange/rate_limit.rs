//! The rate limit: a number of requests per period.

use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::config::RateLimit;
use crate::error::{Error, Result};

/// The state of the limit, shared by clones.
#[derive(Clone, Debug)]
pub(crate) struct Limiter(Arc<DefaultDirectRateLimiter>);

impl Limiter {
    pub(crate) fn new(limit: RateLimit) -> Result<Self> {
        let quota = limit
            .period
            .checked_div(limit.requests.get())
            .and_then(Quota::with_period)
            .ok_or_else(|| Error::invalid("the period of the rate limit is too short for that many requests"))?;
        Ok(Self(Arc::new(RateLimiter::direct(quota.allow_burst(limit.requests)))))
    }

    /// Takes a permit, or returns the time to wait before checking again.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let not_yet = self.0.check().err()?;
        Some(not_yet.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn a_burst_passes_and_the_next_waits() {
        let limit = RateLimit { requests: NonZeroU32::new(3).unwrap(), period: Duration::from_secs(30) };
        let limiter = Limiter::new(limit).unwrap();
        let waits: Vec<_> = (0..4).map(|_| limiter.clone().wait()).collect();
        assert_eq!(waits[..3], [None, None, None]);
        assert!(waits[3].is_some_and(|wait| wait > Duration::from_secs(9) && wait <= Duration::from_secs(10)));
    }

    #[test]
    fn a_period_of_zero_is_rejected() {
        let limit = RateLimit { requests: NonZeroU32::MIN, period: Duration::ZERO };
        assert!(Limiter::new(limit).is_err());
    }
}
