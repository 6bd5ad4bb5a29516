//! An error body becomes one clean line, or nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wats_scim::fuzzing::error_message;

fuzz_target!(|body: &[u8]| {
    let (detail, scim_type) = error_message(body);
    for line in detail.iter().chain(&scim_type) {
        assert!((1..=320).contains(&line.len()), "{} bytes", line.len());
        assert!(!line.contains(is_unclean), "{line:?}");
        assert_eq!(line.trim(), line);
    }
});

/// Control characters, Unicode line separators, and `Bidi_Control`.
fn is_unclean(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
