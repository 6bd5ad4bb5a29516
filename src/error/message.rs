//! Reads the error bodies of servers, and of what stands in front of them.

use serde_json::{Map, Value};
use wats_scim_filter::json::{self, is_invisible};

use super::secret::Secrets;

/// The content of an error body, in the format of RFC 7644 §3.12 or another one.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ErrorMessage {
    pub(crate) detail: Option<String>,
    pub(crate) scim_type: Option<String>,
    pub(crate) sender: Sender,
}

/// Who sent an answer with an error status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sender {
    /// The SCIM server, or the framework that it is built with.
    Server,
    /// The server or an intermediary: the answer has no body.
    #[default]
    Unclear,
    /// A gateway, a proxy, a web server or a login page in front of the server. What it says about a
    /// resource is not to be relied on.
    Intermediary,
}

impl ErrorMessage {
    /// The maximum length of a detail in bytes: an error is one line.
    const LONGEST: usize = 300;

    /// A larger body is not an error message, and is not parsed.
    pub(crate) const LARGEST_BODY: usize = 64 << 10;

    /// The members that contain the reason, or an object or a list that contains it.
    const REASONS: [&str; 12] = [
        "detail",
        "Message",
        "error_description",
        "errorMessage",
        "errorSummary",
        "response",
        "Errors",
        "error",
        "description",
        "msg",
        "reason",
        "title",
    ];

    /// Reads a SCIM error, or the error of a framework, a gateway or a web server. A web page has no
    /// detail. The secrets are redacted.
    pub(crate) fn read(body: &[u8], secrets: &Secrets) -> Self {
        let body = without_mark(body).trim_ascii();
        if body.is_empty() || body == b"null" {
            return Self::default();
        }
        if body.len() > Self::LARGEST_BODY || is_web_page(body) {
            return Self { sender: Sender::Intermediary, ..Self::default() };
        }
        let line = |text: &str| shortened(&secrets.hide(&clean(text)));
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => {
                let scim_type = text_of(&object, &["scimType", "response"]).filter(|word| word != "null");
                Self {
                    detail: text_of(&object, &Self::REASONS).and_then(|text| line(&text)),
                    scim_type: scim_type.and_then(|word| line(&word)),
                    sender: if is_of_a_server(&object) { Sender::Server } else { Sender::Intermediary },
                }
            }
            Ok(Value::String(text)) => Self { detail: line(&text), scim_type: None, sender: Sender::Server },
            Ok(_) => Self { sender: Sender::Intermediary, ..Self::default() },
            Err(_) => {
                let detail = std::str::from_utf8(body).ok().and_then(line);
                Self { detail, scim_type: None, sender: Sender::Intermediary }
            }
        }
    }
}

/// The text of the first member that has one.
fn text_of(object: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| text_in(json::member(object, name)?, names))
}

fn text_in(value: &Value, names: &[&str]) -> Option<String> {
    match value {
        // Some servers put the JSON of an error into its message.
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(inner)) => text_of(&inner, names),
            _ => Some(text.clone()).filter(|text| !clean(text).is_empty()),
        },
        Value::Array(list) => list.iter().find_map(|item| text_in(item, names)),
        Value::Object(object) => text_of(object, names),
        _ => None,
    }
}

/// Whether an error object is in a format of SCIM servers and of the frameworks that they are built
/// with. Gateways have other formats: `{"message": …}`, `{"error": …, "path": …}`, `{"fault": …}`.
fn is_of_a_server(object: &Map<String, Value>) -> bool {
    let has = |name| json::member(object, name).is_some();
    let is_scim = is_scim_error(object) || ["scimType", "detail", "Errors", "errorSummary"].into_iter().any(has);
    // RFC 9457, as ASP.NET Core writes it.
    let is_problem = has("title") && has("status");
    // ASP.NET Web API, which adds `MessageDetail` where it has no such route.
    let is_asp = object.contains_key("Message") && !has("MessageDetail");
    is_scim || is_problem || is_asp
}

/// Whether an object is the error message of RFC 7644 §3.12.
pub(crate) fn is_scim_error(object: &Map<String, Value>) -> bool {
    const URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
    let schemas = json::member(object, "schemas").and_then(Value::as_array);
    schemas.into_iter().flatten().any(|schema| schema.as_str().is_some_and(|schema| schema.eq_ignore_ascii_case(URN)))
}

/// A body without the byte order mark that some servers write first.
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Whether a body is HTML or XML.
pub(crate) fn is_web_page(body: &[u8]) -> bool {
    without_mark(body).trim_ascii_start().starts_with(b"<")
}

/// Converts text to one short line without control characters, invisible characters and characters
/// that reorder text. `None` if nothing is left.
pub(crate) fn one_line(text: &str) -> Option<String> {
    shortened(&clean(text))
}

/// The text as one line of any length.
fn clean(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.chars().all(is_invisible) {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !is_invisible(*c)));
    }
    line
}

/// A line of limited length; `None` if it is empty.
fn shortened(line: &str) -> Option<String> {
    let cut = (0..=ErrorMessage::LONGEST).rev().find_map(|at| line.get(..at)).unwrap_or_default();
    match line.len() {
        0 => None,
        length if length <= ErrorMessage::LONGEST => Some(line.to_owned()),
        _ => Some(format!("{cut}…")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(body: &str) -> Option<String> {
        read(body).detail
    }

    fn read(body: &str) -> ErrorMessage {
        ErrorMessage::read(body.as_bytes(), &Secrets::default())
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
            r#"{"Errors":[{"description":"taken","code":409}]}"#,
            r#"{"response":{"detail":"taken"}}"#,
            r#"{"errorMessage":"taken"}"#,
            r#"{"errorCode":"E1","errorSummary":"taken"}"#,
            r#"{"detail":[{"loc":["body"],"msg":"taken"}]}"#,
            r#"{"error":{"code":409,"message":"taken"}}"#,
            r#"{"message":"{\"detail\":\"taken\"}"}"#,
            "\u{feff}{\"detail\":\"taken\"}",
        ] {
            assert_eq!(detail(body).as_deref(), Some("taken"), "{body}");
        }
    }

    #[test]
    fn the_scim_type_is_read() {
        let message = read(r#"{"detail":"taken","scimType":"uniqueness","status":"409"}"#);
        assert_eq!(message.scim_type.as_deref(), Some("uniqueness"));
        let marked = read("\u{feff}{\"response\":{\"scimType\":\"uniqueness\"}}");
        assert_eq!(marked.scim_type.as_deref(), Some("uniqueness"));
        assert_eq!(read(r#"{"detail":"taken","scimType":"null"}"#).scim_type, None);
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

    #[test]
    fn the_formats_of_gateways_are_distinguished_from_those_of_servers() {
        for (body, sender) in [
            ("", Sender::Unclear),
            (" null ", Sender::Unclear),
            (r#"{"schemas":["URN:ietf:params:scim:api:messages:2.0:error"],"status":"404"}"#, Sender::Server),
            (r#"{"detail":"no such user"}"#, Sender::Server),
            (r#"{"Message":"no such user"}"#, Sender::Server),
            (r#"{"type":"about:blank","title":"Not Found","status":404,"traceId":"1"}"#, Sender::Server),
            (r#"{"Errors":{"description":"user_not_found","code":404}}"#, Sender::Server),
            ("404 page not found\n", Sender::Intermediary),
            ("default backend - 404", Sender::Intermediary),
            ("<html>", Sender::Intermediary),
            ("{", Sender::Intermediary),
            ("[]", Sender::Intermediary),
            (r#"{"message":"no Route matched with those values"}"#, Sender::Intermediary),
            (r#"{"statusCode":404,"message":"Resource not found"}"#, Sender::Intermediary),
            (r#"{"timestamp":"","status":404,"error":"Not Found","path":"/Users/1"}"#, Sender::Intermediary),
            (r#"{"fault":{"faultstring":"Unable to identify proxy"}}"#, Sender::Intermediary),
            (
                r#"{"Message":"No HTTP resource was found","MessageDetail":"No type was found that matches"}"#,
                Sender::Intermediary,
            ),
        ] {
            assert_eq!(read(body).sender, sender, "{body}");
        }
        assert_eq!(read(&"[".repeat(ErrorMessage::LARGEST_BODY + 1)).sender, Sender::Intermediary);
    }

    #[test]
    fn a_secret_is_redacted_before_a_detail_is_shortened() {
        let secrets = Secrets::new(["dTpzM2NyZXQtdG9rZW4="]);
        for length in 270..310 {
            let text = format!("{} dTpzM2NyZXQt\u{200b}dG9rZW4=", "x".repeat(length));
            let detail = ErrorMessage::read(text.as_bytes(), &secrets).detail.unwrap();
            assert!(!detail.contains("dTpz"), "{detail}");
        }
    }
}
