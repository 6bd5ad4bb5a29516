//! The latencies of a server, and the ideal time of requests with them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The latency of each request, by its number. The server and the bench compute it from the same
/// text, a segment of the server's path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Latency {
    /// The same for every request.
    Constant(Duration),
    /// Exponentially distributed with this mean.
    Exponential { mean: Duration, seed: u64 },
    /// Constant, but 20 times as long for one request in a hundred.
    Stragglers { usual: Duration, seed: u64 },
}

impl Latency {
    /// The latency of the request with this number.
    pub(crate) fn of(self, number: u64) -> Duration {
        match self {
            Self::Constant(latency) => latency,
            Self::Exponential { mean, seed } => mean.mul_f64(-uniform(seed, number).ln()),
            Self::Stragglers { usual, seed } => usual * if uniform(seed, number) > 0.99 { 20 } else { 1 },
        }
    }
}

impl From<Duration> for Latency {
    fn from(latency: Duration) -> Self {
        Self::Constant(latency)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(latency) => write!(f, "{}", latency.as_millis()),
            Self::Exponential { mean, seed } => write!(f, "exponential-{}-{seed}", mean.as_millis()),
            Self::Stragglers { usual, seed } => write!(f, "stragglers-{}-{seed}", usual.as_millis()),
        }
    }
}

impl FromStr for Latency {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<_> = text.split('-').collect();
        Ok(match words[..] {
            ["exponential", mean, seed] => Self::Exponential { mean: millis(mean)?, seed: seed.parse()? },
            ["stragglers", usual, seed] => Self::Stragglers { usual: millis(usual)?, seed: seed.parse()? },
            _ => Self::Constant(millis(text)?),
        })
    }
}

fn millis(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}

/// A pseudo-random number above 0 and below 1 (`SplitMix64`).
#[allow(clippy::cast_precision_loss, reason = "53 bits are kept")]
fn uniform(seed: u64, number: u64) -> f64 {
    let mut bits = seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// The time of requests with these latencies and a number in flight, if each starts as soon as a
/// slot is free and nothing else takes time.
pub(crate) fn ideal(latencies: impl IntoIterator<Item = Duration>, in_flight: u32) -> Duration {
    let mut ends: BinaryHeap<_> = (0..in_flight).map(|_| Reverse(Duration::ZERO)).collect();
    let mut last = Duration::ZERO;
    for latency in latencies {
        let Some(Reverse(free)) = ends.pop() else { break };
        last = last.max(free + latency);
        ends.push(Reverse(free + latency));
    }
    last
}
