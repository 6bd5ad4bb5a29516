//! A secret is in no error message, wherever a server puts it in its answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wats_scim::fuzzing::redacted_message;

const SECRET: &str = "c2Vj+mV0/dG9rZW4=";
const UNPADDED: &str = "c2Vj+mV0/dG9rZW4";

fuzz_target!(|input: (usize, &[u8], bool)| {
    let (at, body, is_in_json) = input;
    let at = at % (body.len() + 1);
    let mut answer = body[..at].to_vec();
    answer.extend_from_slice(SECRET.as_bytes());
    answer.extend_from_slice(&body[at..]);
    if is_in_json {
        answer = serde_json::json!({ "detail": String::from_utf8_lossy(&answer), "status": "400" }).to_string().into();
    }
    let (detail, scim_type) = redacted_message(&answer, SECRET);
    for line in detail.iter().chain(&scim_type) {
        assert!(!line.contains(UNPADDED), "{line:?}");
    }
});
