//! `Retry-After` is read as the seconds it names, or as a date before the year 10000.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wats_scim::fuzzing::retry_after;

const LATEST: Duration = Duration::from_secs(8_030 * 366 * 24 * 60 * 60);

fuzz_target!(|header: &[u8]| {
    let wait = retry_after(header);
    let text = str::from_utf8(header).unwrap_or_default().trim();
    match text.parse().map(Duration::from_secs) {
        // No header holds a control character, even around a number.
        Ok(seconds) => assert!(wait == Some(seconds) || header.iter().any(u8::is_ascii_control)),
        Err(_) => assert!(wait.is_none_or(|wait| wait < LATEST), "{wait:?}"),
    }
});
