//! Encodes text for a URL, so that it cannot break out of its place (RFC 7644 §1.2, RFC 3986 §2.3).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::error::{Error, Result};

/// All characters except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes text as one path segment or one query value.
pub(crate) fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// Encodes an id as one path segment.
pub(crate) fn id_segment(id: &str) -> Result<PercentEncode<'_>> {
    if id == "." || id == ".." {
        return Err(Error::invalid(format!("the id is {id:?}, which is not possible in a URL")));
    }
    name(id, "id").map(encode)
}

/// Rejects text that cannot be an id or a name.
pub(crate) fn name<'a>(text: &'a str, what: &str) -> Result<&'a str> {
    if text.is_empty() {
        return Err(Error::invalid(format!("the {what} is empty")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(format!("the {what} contains a control character")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_one_segment_that_decodes_back_to_itself(id in "\\PC+") {
            prop_assume!(id != "." && id != "..");
            let segment = id_segment(&id).unwrap().to_string();
            prop_assert!(!segment.contains(['/', '?', '#', '%']) || segment.contains('%'));
            prop_assert!(segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{}", segment);
            prop_assert_eq!(percent_decode_str(&segment).decode_utf8().unwrap(), &*id);
            let uri: http::Uri = format!("http://x/Users/{segment}").parse().unwrap();
            prop_assert_eq!(uri.path().split('/').count(), 3);
        }
    }

    #[test]
    fn ids_that_no_segment_can_contain_are_rejected() {
        for id in ["", ".", "..", "a\nb", "\u{0}", "\u{7f}", "\u{85}"] {
            assert!(id_segment(id).is_err(), "{id:?}");
        }
        assert_eq!(id_segment("%2e%2e").unwrap().to_string(), "%252e%252e");
    }
}
