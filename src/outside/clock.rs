//! Time and chance.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant, SystemTime};

#[cfg(sim)]
use super::sim;

pub(crate) fn now() -> Instant {
    #[cfg(sim)]
    if let Some(now) = sim::ask(|world| world.now()) {
        return now;
    }
    Instant::now()
}

/// The time of day.
pub(crate) fn date() -> SystemTime {
    #[cfg(sim)]
    if let Some(date) = sim::ask(|world| world.date()) {
        return date;
    }
    SystemTime::now()
}

/// An unpredictable number, such as for the jitter of a delay.
pub(crate) fn random() -> u64 {
    #[cfg(sim)]
    if let Some(random) = sim::ask(|world| world.random()) {
        return random;
    }
    // The hasher of a table, whose keys come from the operating system's random number generator.
    RandomState::new().build_hasher().finish()
}

/// Blocks the thread.
#[cfg_attr(not(feature = "blocking-api"), allow(dead_code))]
pub(crate) fn pause(duration: Duration) {
    #[cfg(sim)]
    if sim::ask(|world| world.pause(duration)).is_some() {
        return;
    }
    std::thread::sleep(duration);
}

/// Waits without a runtime of its own: works on any executor.
#[cfg(feature = "async-api")]
pub(crate) async fn sleep(duration: Duration) {
    #[cfg(sim)]
    if let Some(now) = sim::ask(|world| world.now()) {
        let until = now + duration;
        return std::future::poll_fn(|cx| sim::ask(|world| world.poll_sleep(until, cx)).unwrap_or_else(|| ().into()))
            .await;
    }
    futures_timer::Delay::new(duration).await;
}
