//! A CSV file is read all or nothing: as many users as rows, without duplicates.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use wats_scim::import::UserCsv;

fuzz_target!(|file: &[u8]| {
    for delimiter in [b',', b';'] {
        let Ok(users) = UserCsv::new().delimiter(delimiter).allow_other_columns().read(file) else { continue };
        let names: HashSet<_> = users.iter().filter_map(|user| Some(user.user_name.as_ref()?.to_lowercase())).collect();
        assert_eq!(names.len(), users.len());
        // Cells cannot contain line breaks, so every line that is not empty is a row.
        let text = std::str::from_utf8(file).expect("a file with users is UTF-8");
        let lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty());
        assert_eq!(lines.count().saturating_sub(1), users.len());
    }
});
