//! A token is not empty, and `Debug` redacts only the token.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    let Ok(reply) = serde_json::from_slice(json) else { return };
    let Some(token) = wats_scim::fuzzing::token(&reply) else { return };
    assert!(!token.token.expose().is_empty());
    let (expires, days) = (token.expires, token.duration_days);
    // Not `contains`: a token can be equal to the name of a field.
    assert_eq!(
        format!("{token:?}"),
        format!("ScimToken {{ token: [redacted], expires: {expires:?}, duration_days: {days:?} }}")
    );
});
