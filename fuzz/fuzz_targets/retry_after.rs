//! `Retry-After` is read as seconds, or as a date before the year 10000.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wats_scim::fuzzing::retry_after;

const LATEST: Duration = Duration::from_secs(8_030 * 366 * 24 * 60 * 60);

fuzz_target!(|header: &[u8]| {
    let wait = retry_after(header);
    match str::from_utf8(header).unwrap_or_default().trim_matches([' ', '\t']).parse() {
        Ok(seconds) => assert_eq!(wait, Some(Duration::from_secs(seconds))),
        Err(_) => assert!(wait.is_none_or(|wait| wait < LATEST), "{wait:?}"),
    }
});
