use std::num::NonZeroU32;
use std::time::Duration;

/// The configured rate limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateLimit {
    pub(crate) requests: NonZeroU32,
    pub(crate) period: Duration,
}
