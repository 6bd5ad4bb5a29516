//! Shared parts of the benches.
#![allow(dead_code, reason = "each bench uses a part of it")]

pub(crate) mod by_hand;
pub(crate) mod chart;
pub(crate) mod cost;
pub(crate) mod figures;
pub(crate) mod latency;
pub(crate) mod memory;
pub(crate) mod peer;
pub(crate) mod server;
pub(crate) mod users;

use std::env;
use std::error::Error;

use wats_scim::{Credentials, ScimConfig};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Whether to use small numbers, only to check that the bench runs.
///
/// `cargo bench` passes `--bench`, and `cargo test --benches` does not.
pub(crate) fn is_short() -> bool {
    env::var_os("BENCH_SHORT").is_some() || env::args().any(|argument| argument == "--test") || {
        !env::args().any(|argument| argument == "--bench")
    }
}

/// The first number for a measurement, the second for the short mode.
pub(crate) fn full_or_short<N>(full: N, short: N) -> N {
    if is_short() { short } else { full }
}

/// Whether to run a measurement: without arguments all of them, otherwise those named, as in `cargo
/// bench --all-features --bench batch -- varying`.
pub(crate) fn is_wanted(what: &str) -> bool {
    let mut named = env::args().skip(1).filter(|argument| !argument.starts_with("--")).peekable();
    named.peek().is_none() || named.any(|name| name == what)
}

/// The settings of all measured clients of this crate.
pub(crate) fn config(base: &str) -> ScimConfig {
    ScimConfig::new(base, Credentials::bearer(by_hand::TOKEN))
}
