//! What the benches share.
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

/// Whether the numbers are to be small, so that the bench only shows that it still runs.
///
/// `cargo bench` says `--bench`, and `cargo test --benches` does not.
pub(crate) fn is_short() -> bool {
    env::var_os("BENCH_SHORT").is_some() || env::args().any(|argument| argument == "--test") || {
        !env::args().any(|argument| argument == "--bench")
    }
}

/// One number for a measurement, another for the short mode.
pub(crate) fn full_or_short<N>(full: N, short: N) -> N {
    if is_short() { short } else { full }
}

/// Whether to measure this: everything, or only what an argument names, as in
/// `cargo bench --all-features --bench batch -- varying`.
pub(crate) fn is_wanted(what: &str) -> bool {
    let mut named = env::args().skip(1).filter(|argument| !argument.starts_with("--")).peekable();
    named.peek().is_none() || named.any(|name| name == what)
}

/// The settings of every client of this crate that is measured.
pub(crate) fn config(base: &str) -> ScimConfig {
    ScimConfig::new(base, Credentials::bearer(by_hand::TOKEN))
}
