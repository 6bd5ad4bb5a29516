//! Text that identifies a person, and text that looks the same.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;

/// Whether two texts that identify a person or a group, such as user names, are the same.
///
/// They are compared by the rules of `UsernameCaseMapped` (RFC 8265 §3.3, which RFC 7644 §5 requires of
/// servers): wide and narrow characters are mapped to usual ones, upper case to lower case, and composed
/// and decomposed characters are the same. Every text is compared; none is rejected.
///
/// ```
/// use wats_scim_filter::json::same_text;
///
/// assert!(same_text("Jürgen@Example.com", "JU\u{308}RGEN@example.com"));
/// assert!(same_text("ｊａｎｅ", "jane"));
/// assert!(!same_text("jane", "jane "));
/// ```
#[must_use]
pub fn same_text(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        one.eq_ignore_ascii_case(other)
    } else {
        one == other || text_key(one) == text_key(other)
    }
}

/// The key of a text, for maps: two texts have the same key if they are the [same](same_text).
///
/// ```
/// use wats_scim_filter::json::text_key;
///
/// assert_eq!(text_key("Jane"), text_key("JANE"));
/// ```
#[must_use]
pub fn text_key(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        // Character by character: `str::to_lowercase` gives the last sigma of a word another form.
        return text.chars().map(usual_width).flat_map(char::to_lowercase).nfc().collect();
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { text.to_ascii_lowercase().into() } else { text.into() }
}

/// Whether two texts have the same characters, composed or decomposed (canonical equivalence in
/// Unicode). Letter case and width differ.
///
/// ```
/// use wats_scim_filter::json::same_characters;
///
/// assert!(same_characters("Jürgen", "Ju\u{308}rgen"));
/// assert!(!same_characters("Jürgen", "jürgen"));
/// ```
#[must_use]
pub fn same_characters(one: &str, other: &str) -> bool {
    one == other || (!(one.is_ascii() && other.is_ascii()) && one.nfc().eq(other.nfc()))
}

/// The decomposition of a fullwidth or halfwidth character (RFC 8265 §3.3.1).
fn usual_width(c: char) -> char {
    /// Blocks whose characters are in the same order: their first and last one, and what the first one
    /// is mapped to. The halfwidth letters of Hangul would be decomposed further below.
    const BLOCKS: [(char, char, char); 7] = [
        ('\u{ff01}', '\u{ff5e}', '!'),
        ('\u{ffa0}', '\u{ffa0}', '\u{3164}'),
        ('\u{ffa1}', '\u{ffbe}', '\u{3131}'),
        ('\u{ffc2}', '\u{ffc7}', '\u{314f}'),
        ('\u{ffca}', '\u{ffcf}', '\u{3155}'),
        ('\u{ffd2}', '\u{ffd7}', '\u{315b}'),
        ('\u{ffda}', '\u{ffdc}', '\u{3161}'),
    ];
    match c {
        '\u{3000}' => ' ',
        '\u{ffe3}' => '\u{af}',
        '\u{ff01}'..='\u{ffee}' => {
            let block = BLOCKS.iter().find(|(first, last, _)| (*first..=*last).contains(&c));
            if let Some((first, _, to)) = block {
                return (*to..).nth((*first..c).count()).unwrap_or(c);
            }
            let mut usual = c;
            decompose_compatible(c, |part| usual = part);
            usual
        }
        c => c,
    }
}

/// Whether a character has no width, changes the direction of the text around it, or separates lines.
///
/// In a name, such a character makes a different name that looks the same; in a message, it can hide or
/// reorder the text after it. These are the code points that Unicode declares ignorable by default,
/// annotations, and the separators U+2028 and U+2029. [Joiners](is_joiner) are included; control
/// characters ([`char::is_control`]) are not.
///
/// ```
/// assert!("jane\u{200b}".contains(wats_scim_filter::json::is_invisible));
/// ```
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a character is the zero-width joiner or non-joiner. Both are [invisible](is_invisible), and
/// some scripts need them.
///
/// ```
/// assert!(wats_scim_filter::json::is_joiner('\u{200d}'));
/// ```
#[must_use]
pub fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use precis_core::profile::Profile;
    use precis_profiles::UsernameCaseMapped;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_allocated_only_if_it_differs() {
        assert!(matches!(text_key("jane-7"), Cow::Borrowed("jane-7")));
        assert_eq!((text_key("Jane"), text_key("JÄNE")), ("jane".into(), "jäne".into()));
    }

    #[test]
    fn names_are_the_same_in_any_case_width_and_composition() {
        for (one, other) in [
            ("jürgen", "ju\u{308}rgen"),
            ("JÜRGEN", "Ju\u{308}rgen"),
            ("ＪＡＮＥ＠ｘ", "jane@x"),
            ("ｶﾞ", "ガ"),
            ("ﾡￂￜ", "ㄱㅏㅣ"),
            ("Σ", "σ"),
            ("\u{1e69}", "s\u{307}\u{323}"),
            ("K", "\u{212a}"),
            ("Jane Doe 😀", "JANE DOE 😀"),
        ] {
            assert!(same_text(one, other) && same_text(other, one), "{one} {other}");
            assert_eq!(text_key(one), text_key(other));
        }
        for (one, other) in [("jurgen", "jürgen"), ("ss", "ß"), ("ﬁ", "fi"), ("i", "ı"), ("σ", "ς"), ("", "\u{200b}")]
        {
            assert!(!same_text(one, other), "{one} {other}");
        }
    }

    #[test]
    fn other_text_is_the_same_only_if_composed_otherwise() {
        assert!(same_characters("é", "e\u{301}") && same_characters("e\u{301}", "é") && same_characters("a", "a"));
        for (one, other) in [("É", "é"), ("ａ", "a"), ("a", "A"), ("é", "e")] {
            assert!(!same_characters(one, other), "{one} {other}");
        }
    }

    #[test]
    fn every_wide_and_narrow_character_is_mapped_to_its_usual_one() {
        let mapped: Vec<char> = ('\u{0}'..=char::MAX).filter(|c| usual_width(*c) != *c).collect();
        assert_eq!(mapped.len(), 226, "all characters whose decomposition is <wide> or <narrow>");
        for c in mapped {
            let usual = usual_width(c);
            assert_eq!(usual_width(usual), usual, "{c:?}");
            let [one, other] = [c, usual].map(|c| c.to_string().nfkd().collect::<String>());
            assert_eq!(one, other, "{c:?}");
            // Letters of Hangul are mapped to letters, and not to the parts of a syllable.
            assert!(!('\u{1100}'..='\u{11ff}').contains(&usual), "{c:?}");
        }
    }

    /// Letters with marks, wide and narrow ones, and those whose case is odd.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z@._äÖßéÉ]{1,6}",
            "[aesSΣσςİıİⅣǅᾈΩKÅäÄ\u{301}\u{307}\u{308}\u{323}\u{345}]{1,5}",
            "[\u{ff01}-\u{ffee}ガｶﾞㄱ가]{1,4}",
            "[\u{1100}-\u{1112}\u{1161}-\u{1175}\u{11a8}-\u{11c2}]{1,4}",
            "\\PC{1,6}",
        ]
    }

    /// The same text in another form.
    fn another_form(text: &str, how: u8) -> String {
        match how {
            0 => text.nfc().collect(),
            1 => text.nfd().collect(),
            2 => text.to_uppercase(),
            3 => {
                let wide =
                    |c: char| char::from_u32(u32::from(c) + 0xfee0).filter(|_| c.is_ascii_graphic()).unwrap_or(c);
                text.chars().map(wide).collect()
            }
            4 => text.chars().flat_map(char::to_lowercase).nfd().collect(),
            _ => text.to_owned(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_verdict_is_that_of_the_profile((one, other, how) in (text(), text(), 0..12_u8)) {
            let other = if how < 6 { another_form(&one, how) } else { other };
            // The profile also rejects texts, which are mapped here like all others.
            if let Ok(verdict) = UsernameCaseMapped::new().compare(&one, &other) {
                prop_assert_eq!(same_text(&one, &other), verdict, "{:?} {:?}", one, other);
            }
        }

        #[test]
        fn a_key_is_its_own_key(text in text()) {
            let key = text_key(&text).into_owned();
            prop_assert_eq!(text_key(&key), &*key);
            prop_assert!(same_text(&text, &key));
        }
    }

    #[test]
    fn letters_and_spaces_are_visible() {
        assert!(!"aÄ中 \u{a0}-ﾡ가😀".contains(is_invisible));
    }

    #[test]
    fn joiners_are_invisible() {
        assert!(['\u{200c}', '\u{200d}'].into_iter().all(|c| is_invisible(c) && is_joiner(c)));
    }

    #[test]
    fn soft_hyphens_separators_tags_and_selectors_are_invisible() {
        assert!("\u{ad}\u{180e}\u{2028}\u{2029}\u{2069}\u{fe0f}\u{e0041}\u{e0100}\u{fff9}".chars().all(is_invisible));
    }
}
