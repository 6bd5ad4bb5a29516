//! Reads JSON text as servers send it.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, Error};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The nesting that `serde_json` does not read.
const SERDE_DEPTH: usize = 128;

/// The maximum nesting of a message, and of the value of an unknown attribute. Values are cloned, written and dropped
/// recursively.
pub(crate) const MAX_DEPTH: usize = 256;

/// Reads a message. Without an error, it:
///
/// - ignores a byte order mark;
/// - replaces text that is not Unicode, such as half of a surrogate pair, by U+FFFD: it is in one of many
///   resources.
///
/// The number of values in it is limited, because a short text can contain very many: `{},{},{},…`.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // Checking the whole body for UTF-8 once is faster than checking each string.
    let text = String::from_utf8_lossy(body);
    if has_too_many_values(body) {
        return Err(Error::custom("it has more values than a body of its size may have; request smaller pages"));
    }
    match serde_json::from_str(&text) {
        Err(error) if error.is_syntax() => {
            repaired(&text).map_or_else(|| read_deep(&text, error), |text| read_text(&text))
        }
        done => done,
    }
}

/// Reads a text that may be nested more deeply than `serde_json` reads at once.
fn read_text<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| read_deep(text, error))
}

fn read_deep<T: DeserializeOwned>(text: &str, error: serde_json::Error) -> serde_json::Result<T> {
    let is_deep = (SERDE_DEPTH..=MAX_DEPTH).contains(&depth(text));
    // It checks the syntax, at any depth.
    let is_json = || serde_json::from_str::<&RawValue>(text).is_ok();
    if error.is_syntax() && is_deep && is_json() { serde_json::from_value(value_in_steps(text)) } else { Err(error) }
}

/// The number of values that any body may have.
const FREE_VALUES: usize = 250_000;
/// The bytes that each other value needs. A user with a few attributes has one value in 50 bytes.
const BYTES_PER_VALUE: usize = 32;

/// Whether a body has more objects, arrays and elements than its size permits. Each can take hundreds of
/// bytes of memory, and the shortest is three bytes long.
fn has_too_many_values(body: &[u8]) -> bool {
    if body.len() <= FREE_VALUES {
        return false;
    }
    let most = FREE_VALUES + body.len() / BYTES_PER_VALUE;
    let mut count = 0_usize;
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            // An object with members has a colon more than it has commas, so this counts it once.
            b'{' => count = count.saturating_add(2),
            b'[' | b',' => count = count.saturating_add(1),
            b':' => count = count.saturating_sub(1),
            _ => continue,
        }
        if count > most {
            return true;
        }
    }
    false
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

/// The text with U+FFFD in the place of halves of surrogate pairs; `None` if it has none.
fn repaired(text: &str) -> Option<String> {
    let mut repaired = String::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                repaired.push_str(before);
                repaired.push_str("\\ufffd");
                rest = escape.get(6..)?;
                continue;
            }
            _ => 2,
        };
        let (kept, after) = rest.split_at_checked(before.len() + length)?;
        repaired.push_str(kept);
        rest = after;
    }
    repaired.push_str(rest);
    (repaired != text).then_some(repaired)
}

/// The UTF-16 unit of an escape at the beginning of a text.
fn unit(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// The nesting of a JSON text.
pub(crate) fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.as_bytes().iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The value of a JSON text, which `serde_json` has checked.
pub(crate) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| value_in_steps(text))
}

/// An array or object that is being read.
enum Open {
    Array(Vec<Value>),
    Object(Map<String, Value>, Option<String>),
}

impl Open {
    fn add(&mut self, value: Value) {
        match self {
            Self::Array(items) => items.push(value),
            Self::Object(members, name) => match (name.take(), value) {
                (Some(name), value) => drop(members.insert(name, value)),
                (None, Value::String(text)) => *name = Some(text),
                (None, _) => {}
            },
        }
    }

    fn close(self) -> Value {
        match self {
            Self::Array(items) => items.into(),
            Self::Object(members, _) => members.into(),
        }
    }
}

/// Reads a value that `serde_json` does not read as a `Value`: one that is nested deeply, or contains
/// halves of surrogate pairs or numbers like 1e999, which are kept as text.
fn value_in_steps(text: &str) -> Value {
    let mut open: Vec<Open> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\n', '\r', '\t', ',', ':']);
        let Some(first) = rest.chars().next() else { break };
        let length = match first {
            '{' | '[' | '}' | ']' => 1,
            '"' => {
                let mut bytes = rest.as_bytes().iter();
                bytes.next();
                skip_string(&mut bytes);
                rest.len() - bytes.len()
            }
            _ => rest.find([' ', '\n', '\r', '\t', ',', '}', ']']).unwrap_or(rest.len()),
        };
        let Some((token, after)) = rest.split_at_checked(length) else { break };
        rest = after;
        let value = match first {
            '{' => {
                open.push(Open::Object(Map::new(), None));
                continue;
            }
            '[' => {
                open.push(Open::Array(Vec::new()));
                continue;
            }
            '}' | ']' => match open.pop() {
                Some(closed) => closed.close(),
                None => break,
            },
            _ => scalar(token),
        };
        match open.last_mut() {
            Some(outer) => outer.add(value),
            None => return value,
        }
    }
    // Not JSON at all.
    text.into()
}

fn scalar(token: &str) -> Value {
    let token = repaired(token).map_or(Cow::Borrowed(token), Cow::Owned);
    serde_json::from_str(&token).unwrap_or_else(|_| Value::from(&*token))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::ScimListResponse;

    #[test]
    fn half_of_a_surrogate_pair_is_replaced() {
        for (text, read) in [
            (r#"["Bob \ud83d"]"#, "Bob \u{fffd}"),
            (r#"["\ude00 \ud83d\ude00\ud83d"]"#, "\u{fffd} \u{1f600}\u{fffd}"),
            (r#"["\ud83d\ud83d\ude00"]"#, "\u{fffd}\u{1f600}"),
            (r#"["\\ud83d\ud83dx"]"#, "\\ud83d\u{fffd}x"),
            (r#"["\ud83d\n"]"#, "\u{fffd}\n"),
        ] {
            assert_eq!(super::read::<Value>(text.as_bytes()).unwrap(), json!([read]), "{text}");
            assert_eq!(value(text), json!([read]), "{text}");
        }
        assert!(super::read::<Value>(br#"["\ud83"]"#).is_err());
    }

    #[test]
    fn a_byte_order_mark_and_bytes_that_are_no_text_are_tolerated() {
        assert_eq!(super::read::<Value>(b"\xef\xbb\xbf[\"J\xfcrgen\"]").unwrap(), json!(["J\u{fffd}rgen"]));
    }

    #[test]
    fn the_number_of_values_is_limited_by_the_size() {
        let many = |item: &str, count: usize| format!("[{}{item}]", format!("{item},").repeat(count - 1));
        for item in ["{}", "[]", "0", "[0]", "[[]]", r#"{"a":0}"#, r#"{"a":[{}]}"#, r#""""#] {
            assert!(has_too_many_values(many(item, 400_000).as_bytes()), "{item}");
            assert!(!has_too_many_values(many(item, 50_000).as_bytes()), "{item}");
        }
        let user =
            r#"{"id":"2819c223","userName":"jane@example.com","emails":[{"value":"a,{b}[,]:c\"","primary":true}]}"#;
        assert!(!has_too_many_values(many(user, 100_000).as_bytes()));
    }

    #[test]
    fn a_deep_value_is_read_in_steps() {
        let deep = format!("{}0{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert_eq!(depth(&deep), MAX_DEPTH);
        let mut value = &value(&deep);
        let mut levels = 0;
        while let Value::Array(items) = value {
            (value, levels) = (&items[0], levels + 1);
        }
        assert_eq!((levels, value), (MAX_DEPTH, &json!(0)));
    }

    #[test]
    fn a_deep_value_of_one_user_does_not_affect_the_page() {
        let page = |levels: usize| {
            let deep = format!("{}0{}", "[".repeat(levels), "]".repeat(levels));
            let user = format!(r#"{{"id":"1","displayName":{deep},"nickName":"Bob \ud83d"}}"#);
            super::read::<ScimListResponse>(format!(r#"{{"Resources":[{user},{{"id":"2"}}]}}"#).as_bytes())
        };
        for levels in [120, 128, MAX_DEPTH - 3] {
            let page = page(levels).unwrap();
            assert_eq!((page.resources.len(), &page.resources[0].display_name), (2, &None));
            assert!(page.resources[0].attributes.get("displayName").unwrap().is_array());
            assert_eq!(page.resources[0].attributes.get("nickName"), Some(&json!("Bob \u{fffd}")));
        }
        assert!(page(MAX_DEPTH).is_err());
        assert!(super::read::<Value>(format!("{}1 2{}", "[".repeat(200), "]".repeat(200)).as_bytes()).is_err());
    }

    #[test]
    fn steps_read_what_serde_json_reads() {
        for text in [
            r#"{"a": [1, -2.5e3, true, null, "x,]}\"y", {}, []], "b" : {"c": "d"}}"#,
            " [ ] ",
            r#""x""#,
            "17",
            r#"{"": {"a": {"b": [[], [{}]]}}}"#,
        ] {
            assert_eq!(value_in_steps(text), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
        assert_eq!(value(r#"{"n": [1e999, 1]}"#), json!({ "n": ["1e999", 1] }));
        for text in ["", "]", "{", "[1", "\"", "\\"] {
            assert_eq!(value_in_steps(text), json!(text));
        }
    }
}
