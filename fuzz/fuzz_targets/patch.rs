//! A patch that was read is written and read alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wats_scim::ScimPatchRequest;
use wats_scim_fuzz::survives_json;

fuzz_target!(|json: &[u8]| {
    if let Ok(patch) = serde_json::from_slice::<ScimPatchRequest>(json) {
        survives_json(&patch);
    }
});
