//! Reads the error bodies of servers.

use serde_json::Value;
use wats_scim_filter::json::{self, is_invisible};

/// The content of an error body, in the format of RFC 7644 §3.12 or another one.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ErrorMessage {
    pub(crate) detail: Option<String>,
    pub(crate) scim_type: Option<String>,
}

impl ErrorMessage {
    /// The maximum length of a detail in bytes: an error is one line.
    const LONGEST: usize = 300;

    /// Reads a SCIM error, ASP.NET's `{"Message": …}`, problem+json, an OAuth error or plain text.
    /// A web page is ignored.
    pub(crate) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => {
                let member = |names: &[&str]| {
                    names.iter().find_map(|name| json::member(&object, name)?.as_str().and_then(one_line))
                };
                Self {
                    detail: member(&["detail", "Message", "error_description", "title", "error"]),
                    scim_type: member(&["scimType"]),
                }
            }
            Ok(Value::String(text)) => Self { detail: one_line(&text), scim_type: None },
            Ok(_) => Self::default(),
            Err(_) => match std::str::from_utf8(body) {
                Ok(text) if !is_web_page(body) => Self { detail: one_line(text), scim_type: None },
                _ => Self::default(),
            },
        }
    }
}

/// Whether a body is HTML or XML.
pub(crate) fn is_web_page(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.trim_ascii_start().starts_with(b"<")
}

/// Converts text from a server to one short line without control characters, invisible characters
/// and characters that reorder text. `None` if nothing is left.
pub(crate) fn one_line(text: &str) -> Option<String> {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.chars().all(is_invisible) {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !is_invisible(*c)));
        if line.len() > ErrorMessage::LONGEST {
            let cut = (0..=ErrorMessage::LONGEST).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
            line.truncate(cut);
            line.push('…');
            break;
        }
    }
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(body: &str) -> Option<String> {
        ErrorMessage::read(body.as_bytes()).detail
    }

    #[test]
    fn every_known_format_is_read() {
        for body in [
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":409,"detail":"taken"}"#,
            r#"{"Message":"taken"}"#,
            r#"{"type":"about:blank","title":"Conflict","detail":"taken"}"#,
            r#"{"error":"invalid_token","error_description":"taken"}"#,
            r#""taken""#,
            "taken\r\n",
        ] {
            assert_eq!(detail(body).as_deref(), Some("taken"), "{body}");
        }
    }

    #[test]
    fn the_scim_type_is_read() {
        let message = ErrorMessage::read(br#"{"detail":"taken","scimType":"uniqueness","status":"409"}"#);
        assert_eq!(message.scim_type.as_deref(), Some("uniqueness"));
    }

    #[test]
    fn a_web_page_and_an_empty_body_have_no_detail() {
        for body in ["", "  ", "\u{feff} <!DOCTYPE html><html>secret</html>", "[]", "{}", "null"] {
            assert_eq!(detail(body), None, "{body}");
        }
    }

    #[test]
    fn invisible_text_is_no_detail() {
        for body in ["\u{200b}", "\u{feff} \u{202e}", "\u{61c}"] {
            assert_eq!(detail(body), None, "{body:?}");
        }
    }

    #[test]
    fn a_detail_is_one_short_line() {
        let text = detail("Traceback:\n\tline 1\u{202e}\x1b[31m red").unwrap();
        assert_eq!(text, "Traceback: line 1 [31m red");
        assert!(detail(&"é".repeat(5000)).unwrap().chars().count() < 400);
    }
}
