//! Text that identifies a person.

use std::borrow::Cow;

/// Whether two texts that identify a person, such as user names, are the same: in any letter case
/// (RFC 7643 §4.1.1).
///
/// ```
/// use wats_scim_filter::json::same_text;
///
/// assert!(same_text("Jürgen@Example.com", "JÜRGEN@example.com"));
/// assert!(!same_text("jane", "jane "));
/// ```
#[must_use]
pub fn same_text(one: &str, other: &str) -> bool {
    one == other || text_key(one) == text_key(other)
}

/// The form of a text that is equal for texts that are the [same](same_text): a key for a map.
///
/// ```
/// use wats_scim_filter::json::text_key;
///
/// assert_eq!(text_key("Jane"), text_key("JANE"));
/// ```
#[must_use]
pub fn text_key(text: &str) -> Cow<'_, str> {
    let is_folded = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_folded { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

/// Whether a character has no width or changes the direction of the text around it.
///
/// Pasted along with a name it makes another name that looks the same, and printed in a message it
/// can hide or reorder the rest. [Joiners](is_joiner) are among these characters; control
/// characters ([`char::is_control`]) are not.
///
/// ```
/// assert!("jane\u{200b}".contains(wats_scim_filter::json::is_invisible));
/// ```
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether an [invisible](is_invisible) character is part of how some scripts are written: the
/// zero-width joiner and non-joiner.
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
    use super::*;

    #[test]
    fn a_key_is_made_only_where_it_differs() {
        assert!(matches!(text_key("jane-7"), Cow::Borrowed("jane-7")));
        assert_eq!(text_key("JÄNE"), "jäne");
    }

    #[test]
    fn letters_and_blanks_can_be_seen() {
        assert!(!"aÄ中 \u{a0}-".contains(is_invisible));
    }

    #[test]
    fn joiners_are_invisible() {
        assert!(['\u{200c}', '\u{200d}'].into_iter().all(|c| is_invisible(c) && is_joiner(c)));
    }
}
