//! Delays requests while the server throttles, and above the rate limit.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[cfg(feature = "rate-limit")]
use super::rate_limit::Limiter;
use crate::config::ScimConfig;
use crate::error::Result;
use crate::outside::mistake;

/// The delays of a client, shared by its clones: one 429 delays the requests of all of them.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    held_until: Mutex<Option<Instant>>,
    #[cfg(feature = "rate-limit")]
    limiter: Option<Limiter>,
}

impl Throttle {
    #[cfg_attr(not(feature = "rate-limit"), allow(clippy::unnecessary_wraps, unused_variables))]
    pub(crate) fn new(config: &ScimConfig) -> Result<Self> {
        Ok(Self {
            held_until: Mutex::new(None),
            #[cfg(feature = "rate-limit")]
            limiter: config.rate_limit.map(Limiter::new).transpose()?,
        })
    }

    /// Delays all requests by this time, because the server throttles.
    pub(crate) fn hold(&self, now: Instant, duration: Duration) {
        let Some(until) = now.checked_add(duration) else { return };
        if mistake!("Retry-After is ignored") {
            return;
        }
        let mut held = self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(held.map_or(until, |held| held.max(until)));
    }

    /// The time to wait before checking again; `None` if a request can be sent now.
    pub(crate) fn wait(&self, now: Instant) -> Option<Wait> {
        let held = *self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = held.and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero()) {
            return Some(Wait::ForServer(left));
        }
        #[cfg(feature = "rate-limit")]
        if let Some(limiter) = &self.limiter {
            return limiter.wait().map(Wait::ForLimit);
        }
        None
    }
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The server has asked the client to wait.
    ForServer(Duration),
    /// The client's own rate limit.
    #[cfg_attr(not(feature = "rate-limit"), allow(dead_code))]
    ForLimit(Duration),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_requests_wait_while_the_server_throttles() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(throttle.wait(now), None);
        throttle.hold(now, 2 * second);
        throttle.hold(now, second);
        assert_eq!(throttle.wait(now), Some(Wait::ForServer(2 * second)));
        assert_eq!(throttle.wait(now + second), Some(Wait::ForServer(second)));
        assert_eq!(throttle.wait(now + 2 * second), None);
    }
}
