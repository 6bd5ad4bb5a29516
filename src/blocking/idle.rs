//! Estimates which connections are open; ureq does not expose its connection pool.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A server that closes an idle connection rarely does so this soon.
const FRESH: Duration = Duration::from_secs(1);

/// The time of the last use of each idle connection, the most recent one last.
#[derive(Debug, Default)]
pub(super) struct IdleConnections(Mutex<Vec<Instant>>);

impl IdleConnections {
    /// Takes the most recently used connection for a request. Returns whether it is almost certainly
    /// open.
    pub(super) fn take(&self, now: Instant) -> bool {
        let last_used = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        last_used.is_some_and(|at| now.saturating_duration_since(at) < FRESH)
    }

    /// Returns a connection after the answer was read.
    pub(super) fn put(&self, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_open_for_one_request_at_a_time_and_for_one_second() {
        let (idle, now) = (IdleConnections::default(), Instant::now());
        assert!(!idle.take(now), "no connection yet");
        idle.put(now);
        idle.put(now + FRESH / 2);
        assert!(idle.take(now + FRESH));
        assert!(!idle.take(now + FRESH), "the other one may have been closed");
        assert!(!idle.take(now + FRESH), "both are in use");
    }
}
