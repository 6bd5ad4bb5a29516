//! The real client in a simulated world.
//!
//! Clock, chance, network, server, disk, other writers and crashes come from one string of bytes, so that
//! a world can be replayed, shrunk and searched. A judge holds the promises of the crate against the
//! ledger of the server. docs/simulation.md explains it.
#![cfg(sim)]
#![allow(unreachable_pub, reason = "nothing depends on this crate")]
#![allow(clippy::missing_panics_doc, clippy::missing_errors_doc, clippy::too_many_lines, clippy::type_complexity)]

mod assumed;
mod asynchronous;
mod blocking;
pub mod choices;
mod disk;
mod judge;
pub mod levels;
mod log;
pub mod marks;
pub mod mistakes;
mod others;
mod program;
mod server;
pub mod setting;
pub mod shrink;
mod wire;
mod world;

pub use program::PROGRAMS;
pub use wire::FAULTS;

use choices::Choices;
use marks::Marks;
use setting::Setting;
use world::World;

/// One of the two APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    Asynchronous,
    Blocking,
}

/// What a world has come to.
#[derive(Debug)]
pub struct Verdict {
    pub violations: Vec<String>,
    pub operations: u64,
    pub marks: Marks,
    /// Of everything that happened.
    pub fingerprint: u64,
    /// How many bytes of the string were read.
    pub read: usize,
    /// In words, if it was asked for.
    pub history: String,
}

/// Runs a world with one of the APIs.
pub fn run_with(string: &[u8], api: Api, mistake: Option<&'static str>, records: bool) -> Verdict {
    let world = World::new(string, mistake, records);
    world.enter(|| {
        program::run(&world, api);
        judge::all(&world);
    });
    Verdict {
        violations: world.violations(),
        operations: world.log.borrow().operations,
        marks: world.marks(),
        fingerprint: world.fingerprint(),
        read: world.choices_made(),
        history: world.history(),
    }
}

/// Runs a world, now and then a second time, and with the blocking API where it has to agree.
pub fn run(string: &[u8]) -> Verdict {
    let mut verdict = run_with(string, Api::Asynchronous, None, false);
    let is_checked = verdict.fingerprint.is_multiple_of(8);
    if is_checked && run_with(string, Api::Asynchronous, None, false).fingerprint != verdict.fingerprint {
        verdict.violations.push("(i) the same string gave another world".to_owned());
    }
    if is_checked && Setting::read(&mut Choices::new(string)).is_one_after_the_other() {
        let blocking = run_with(string, Api::Blocking, None, false);
        if blocking.fingerprint != verdict.fingerprint {
            verdict.violations.push("(i) the two APIs do not do the same".to_owned());
        }
        verdict.operations += blocking.operations;
        verdict.violations.extend(blocking.violations);
        verdict.marks.union(blocking.marks);
    }
    verdict
}
