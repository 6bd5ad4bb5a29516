//! The client keeps its promises in the world of any string (docs/simulation.md).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|string: &[u8]| {
    let verdict = wats_scim_sim::run(string);
    assert!(verdict.violations.is_empty(), "{:?}", verdict.violations);
});
