//! The results of a bulk request: one for each write, and none is applied without a result of its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use wats_scim::fuzzing::bulk;
use wats_scim::{ScimPatchRequest, ScimUser, ScimWrite};

fuzz_target!(|answer: &[u8]| {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return };
    let writes = [
        ScimWrite::create_as("boss", ScimUser::new("boss")),
        ScimWrite::patch("1", ScimPatchRequest::new().replace("active", true)),
        ScimWrite::delete("2"),
        ScimWrite::delete("2"),
    ];
    let applied = bulk(&writes, &answer);
    assert_eq!(applied.len(), writes.len());
    let operations =
        answer.as_object().into_iter().flatten().filter(|(name, _)| name.eq_ignore_ascii_case("operations"));
    let results = operations.filter_map(|(_, operations)| operations.as_array()).map(Vec::len).max().unwrap_or(0);
    assert!(applied.iter().filter(|applied| **applied).count() <= results, "more were applied than have a result");
});
