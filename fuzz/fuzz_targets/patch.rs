//! A patch round-trips.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wats_scim::ScimPatchRequest;
use wats_scim_fuzz::round_trips;

fuzz_target!(|json: &[u8]| {
    if let Ok(patch) = serde_json::from_slice::<ScimPatchRequest>(json) {
        round_trips(&patch);
    }
});
