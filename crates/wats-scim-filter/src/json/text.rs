//! Text that identifies a person.

use std::borrow::Cow;

/// Whether two texts that identify a person, such as user names, are the same. Letter case is ignored
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

/// The key of a text, for maps: two texts have the same key if they are the [same](same_text).
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
/// In a name, such a character makes a different name that looks the same; in a message, it can hide or
/// reorder the text after it. [Joiners](is_joiner) are included; control characters
/// ([`char::is_control`]) are not.
///
/// ```
/// assert!("jane\u{200b}".contains(wats_scim_filter::json::is_invisible));
/// ```
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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
    use super::*;

    #[test]
    fn a_key_is_allocated_only_if_it_differs() {
        assert!(matches!(text_key("jane-7"), Cow::Borrowed("jane-7")));
        assert_eq!(text_key("JÄNE"), "jäne");
    }

    #[test]
    fn letters_and_spaces_are_visible() {
        assert!(!"aÄ中 \u{a0}-".contains(is_invisible));
    }

    #[test]
    fn joiners_are_invisible() {
        assert!(['\u{200c}', '\u{200d}'].into_iter().all(|c| is_invisible(c) && is_joiner(c)));
    }
}
