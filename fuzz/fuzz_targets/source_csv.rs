//! A CSV file is read all or nothing: as many users as rows with text, without duplicates.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use wats_scim::import::UserCsv;
use wats_scim_filter::json::text_key;

fuzz_target!(|file: &[u8]| {
    for delimiter in [b',', b';'] {
        let Ok(users) = UserCsv::new().delimiter(delimiter).allow_other_columns().read(file) else { continue };
        let names: HashSet<_> = users.iter().filter_map(|user| user.user_name.as_deref().map(text_key)).collect();
        assert_eq!(names.len(), users.len());
        // Cells cannot contain line breaks, so every line with text is a row; rows of empty cells are ignored.
        let text = std::str::from_utf8(file).expect("a file with users is UTF-8");
        let lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty());
        let is_blank = |c: char| c.is_whitespace() || ['"', '\u{feff}', char::from(delimiter)].contains(&c);
        let (blank, with_text): (Vec<_>, Vec<_>) = lines.partition(|line| line.chars().all(is_blank));
        let least = with_text.len().saturating_sub(1);
        // A cell can be a delimiter or a quote, in quotes.
        assert!((least..=least + blank.len()).contains(&users.len()));
    }
});
