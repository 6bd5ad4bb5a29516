//! Text in any charset becomes UTF-8, or is an error: no letter is replaced by another.

use encoding_rs::{Encoding, UTF_8};

/// The text in UTF-8. Without a charset it stays as it is, unless it begins with the byte order mark of UTF-16.
pub(super) fn decoded(bytes: Vec<u8>, charset: Option<&str>) -> Result<Vec<u8>, String> {
    let named = match charset {
        Some(name) => Some(
            Encoding::for_label(name.trim().as_bytes())
                .ok_or_else(|| format!("{name:?} is no charset; use utf-8, windows-1252 or utf-16, for example"))?,
        ),
        None => None,
    };
    let encoding = Encoding::for_bom(&bytes).map(|(encoding, _)| encoding).or(named).unwrap_or(UTF_8);
    if encoding == UTF_8 {
        // The reader names the line that is not UTF-8.
        return match str::from_utf8(&bytes) {
            Err(error) if named.is_none() => Err(format!(
                "line {} is not UTF-8; name its charset with --charset, such as windows-1252",
                bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count() + 1
            )),
            Err(_) => Err("it is not UTF-8".to_owned()),
            Ok(_) => Ok(bytes),
        };
    }
    let (text, _, has_errors) = encoding.decode(&bytes);
    if has_errors {
        return Err(format!("it is not {}; name its charset with --charset", encoding.name()));
    }
    Ok(text.into_owned().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_is_named_or_shown_by_its_mark() {
        let text =
            |bytes: &[u8], charset| decoded(bytes.to_vec(), charset).map(|text| String::from_utf8(text).unwrap());
        assert_eq!(text("Müller".as_bytes(), None).unwrap(), "Müller");
        assert_eq!(text(b"M\xfcller", Some("windows-1252")).unwrap(), "Müller");
        assert_eq!(text(b"\xff\xfeM\0\xfc\0", None).unwrap(), "Mü");
        assert_eq!(text(b"M\0\xfc\0", Some("utf-16")).unwrap(), "Mü");
        assert!(text(b"a\nM\xfcller", None).unwrap_err().contains("line 2 is not UTF-8; name its charset"));
        assert!(text(b"M\xfcller", Some("utf-8")).is_err());
        assert!(text(b"\x81\x30", Some("gb18030")).is_err());
        assert!(text(b"a", Some("latin-9000")).unwrap_err().contains("is no charset"));
    }
}
