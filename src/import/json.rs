use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::{ImportError, shown};
use super::rows::Rows;
use super::schema;
use crate::model::ScimUser;

/// Reads users from JSON: an array of SCIM users, a list response, or JSON Lines, which is one user
/// a line. All of them, or an error that names the line of every bad one.
///
/// Bad is what is no object; has no `userName`; has a `userName` or `externalId` that another entry
/// has too, or that begins or ends with a blank, or that has characters in it which cannot be seen;
/// holds in a known attribute something else than RFC 7643 says, such as `"active": "perhaps"`; or
/// has the same name twice. Attributes that no schema here knows are kept as they are. A byte order
/// mark is skipped. An empty array is no error, and gives no users.
///
/// ```
/// let users = wats_scim::import::users_from_json(
///     r#"[
///         { "userName": "jane@example.com", "active": true },
///         { "userName": "john@example.com", "name": { "familyName": "Roe" } }
///     ]"#,
/// )?;
/// assert_eq!(users[1].user_name.as_deref(), Some("john@example.com"));
/// # Ok::<(), wats_scim::import::ImportError>(())
/// ```
///
/// # Errors
///
/// A [`ImportError`] with the bad entries. Without any, if the text is empty, is not UTF-8 or is not
/// JSON; is something else than users; or is a list response with fewer users than its
/// `totalResults` or with a `nextCursor`, which is one page of a longer list.
pub fn users_from_json(json: impl AsRef<[u8]>) -> Result<Vec<ScimUser>, ImportError> {
    let json = json.as_ref();
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let text = match str::from_utf8(json) {
        Ok(text) => text,
        Err(error) => {
            let good = json.get(..error.valid_up_to()).unwrap_or_default();
            let line = good.iter().fold(1_u64, |line, byte| if *byte == b'\n' { line.saturating_add(1) } else { line });
            return Err(ImportError::unreadable(format!("line {line} is not UTF-8; save the text as UTF-8")));
        }
    };
    if text.trim().is_empty() {
        return Err(ImportError::unreadable("it is empty"));
    }
    match serde_json::from_str(text) {
        Ok(document) => read_document(text, document),
        Err(_) if is_json_lines(text) => read_lines(text),
        Err(error) => Err(not_json(&error)),
    }
}

/// [`users_from_json`] of a file, which every error names.
///
/// # Errors
///
/// As [`users_from_json`], or that the file cannot be read.
pub fn users_from_json_file(path: impl AsRef<Path>) -> Result<Vec<ScimUser>, ImportError> {
    let path = path.as_ref();
    let read = std::fs::read(path).map_err(ImportError::from).and_then(users_from_json);
    read.map_err(|error| error.in_file(path))
}

fn not_json(error: &serde_json::Error) -> ImportError {
    ImportError::unreadable(format!("it is not JSON: {error}"))
}

/// Whether the first line is an object, and there are more lines. What is one document was read as
/// such before.
fn is_json_lines(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.next().is_some_and(|first| first.starts_with('{') && first.ends_with('}')) && lines.next().is_some()
}

fn read_lines(text: &str) -> Result<Vec<ScimUser>, ImportError> {
    let mut rows = Rows::default();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(text) {
            Ok(entry) => take(&mut rows, line, entry),
            Err(error) => rows.refuse(line, format!("it is not JSON: {}", cause(&error))),
        }
    }
    rows.finish()
}

fn read_document(text: &str, document: &RawValue) -> Result<Vec<ScimUser>, ImportError> {
    let json = document.get();
    let entries: Vec<&RawValue> = if json.starts_with('[') {
        serde_json::from_str(json).map_err(|error| not_json(&error))?
    } else if json.starts_with('{') {
        let members: Members<'_> = serde_json::from_str(json).map_err(|error| not_json(&error))?;
        if members.get("Resources").is_some() || members.get("totalResults").is_some() {
            entries_of_list(&members)?
        } else {
            vec![document]
        }
    } else {
        return Err(ImportError::unreadable(
            "it is neither an array of users, nor a list response, nor one user a line",
        ));
    };
    let mut rows = Rows::default();
    let (mut line, mut counted) = (1_u64, 0);
    for entry in entries {
        // Both are in the one text.
        let start = entry.get().as_ptr().addr().saturating_sub(text.as_ptr().addr());
        let between = text.as_bytes().get(counted..start).unwrap_or_default();
        line = between.iter().filter(|byte| **byte == b'\n').fold(line, |line, _| line.saturating_add(1));
        counted = start;
        take(&mut rows, line, entry);
    }
    rows.finish()
}

fn entries_of_list<'a>(list: &Members<'a>) -> Result<Vec<&'a RawValue>, ImportError> {
    if let Some(name) = list.twice() {
        return Err(ImportError::unreadable(format!("its list response has {name} twice")));
    }
    let json = list.get("Resources").map_or("null", RawValue::get);
    let entries = serde_json::from_str::<Option<Vec<&RawValue>>>(json)
        .map_err(|_| ImportError::unreadable("the Resources of its list response are not a list"))?
        .unwrap_or_default();
    let total = list.get("totalResults").map_or("null", RawValue::get);
    // A number, or one written as text.
    let total = total.trim_matches('"');
    let is_more = match total.parse::<usize>() {
        Ok(total) => total > entries.len(),
        Err(_) if total == "null" => false,
        Err(_) => return Err(ImportError::unreadable("the totalResults of its list response is not a whole number")),
    };
    if is_more {
        return Err(ImportError::unreadable(format!(
            "it is one page of a longer list: it has {} of {total} users",
            entries.len()
        )));
    }
    if list.get("nextCursor").is_some_and(|cursor| !["null", "\"\""].contains(&cursor.get())) {
        return Err(ImportError::unreadable("it is one page of a longer list: it has a nextCursor"));
    }
    Ok(entries)
}

fn take(rows: &mut Rows, line: u64, entry: &RawValue) {
    match read_entry(entry) {
        Ok((user, wrong)) => rows.take(line, user, wrong),
        Err(reason) => rows.refuse(line, reason),
    }
}

/// The user of an entry, and what is wrong with it.
fn read_entry(entry: &RawValue) -> Result<(ScimUser, Vec<String>), String> {
    // First of all this bounds its depth.
    let value: Value = serde_json::from_str(entry.get()).map_err(|error| cause(&error))?;
    if !value.is_object() {
        return Err("it is not an object".to_owned());
    }
    let mut wrong = schema::mistakes(&value);
    wrong.extend(name_that_comes_twice(entry).map(|name| format!("{name} comes twice")));
    let user = ScimUser::deserialize(value).map_err(|error| cause(&error))?;
    Ok((user, wrong))
}

/// The words of an error without the position, which is one in the entry.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// A name that an object has twice, at any depth. One of the two values would be lost.
fn name_that_comes_twice(json: &RawValue) -> Option<String> {
    let json = json.get();
    if json.starts_with('{') {
        let members: Members<'_> = serde_json::from_str(json).ok()?;
        members.twice().or_else(|| members.0.iter().find_map(|(_, value)| name_that_comes_twice(value)))
    } else if json.starts_with('[') {
        serde_json::from_str::<Vec<&RawValue>>(json).ok()?.into_iter().find_map(name_that_comes_twice)
    } else {
        None
    }
}

/// The members of an object, every one of them.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The value of this name, in any letter case (RFC 7643 §2.1).
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The first name that came before, in any letter case, as a message may repeat it.
    fn twice(&self) -> Option<String> {
        let mut seen = HashSet::with_capacity(self.0.len());
        let (name, _) = self.0.iter().find(|(name, _)| !seen.insert(name.to_ascii_lowercase()))?;
        Some(shown(name))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(json: &str) -> Vec<String> {
        let users = users_from_json(json).unwrap();
        users.into_iter().map(|user| user.user_name.unwrap()).collect()
    }

    fn bad(json: &str) -> Vec<String> {
        let rows = users_from_json(json).unwrap_err().rows().to_vec();
        rows.iter().map(|row| format!("{}: {}", row.line(), row.reason())).collect()
    }

    fn unreadable(json: impl AsRef<[u8]>) -> String {
        let error = users_from_json(json).unwrap_err();
        assert_eq!(error.rows(), []);
        error.to_string().strip_prefix("nothing was read: ").unwrap().to_owned()
    }

    #[test]
    fn every_form_gives_the_same_users() {
        for json in [
            r#"[{"userName":"a"},{"userName":"b"}]"#,
            "\u{feff}[\r\n{ \"userName\": \"a\" }\r\n,\r\n{\r\n\"userName\": \"b\" }\r\n]\r\n",
            r#"{"schemas":["x"],"totalResults":2,"Resources":[{"userName":"a"},{"userName":"b"}]}"#,
            r#"{"RESOURCES":[{"userName":"a"},{"userName":"b"}],"totalresults":"2","nextCursor":null}"#,
            "{\"userName\":\"a\"}\n{\"userName\":\"b\"}\n",
            "\r\n{\"userName\":\"a\"}\r\n\r\n  {\"userName\":\"b\"}",
        ] {
            assert_eq!(names(json), ["a", "b"], "{json}");
        }
        assert_eq!(names("{\n\"userName\": \"a\"\n}"), ["a"]);
        for nobody in ["[]", r#"{"totalResults":0}"#, r#"{"Resources":null}"#] {
            assert_eq!(names(nobody), Vec::<String>::new(), "{nobody}");
        }
    }

    #[test]
    fn a_user_is_read_whole() {
        let json = json!({
            "schemas": ["urn:x"], "id": "1", "externalId": "7", "userName": "jane", "name": { "middleName": "Q" },
            "active": false, "emails": [{ "value": "j@x", "display": "J" }], "meta": { "version": "1" }, "x": { "y": [1] },
        });
        let users = users_from_json(json!([json]).to_string()).unwrap();
        assert_eq!(users, [serde_json::from_value(json).unwrap()]);
    }

    #[test]
    fn a_bad_entry_is_reported_with_the_line_where_it_begins() {
        let array = "[\n  7, null,\n  {\"userName\":\n \"a\"}, {},\n\n {\"userName\": 7},\n{\"userName\":\"A\"}]";
        let expected = [
            "2: it is not an object",
            "2: it is not an object",
            "4: userName is missing",
            "6: userName is not text",
            "7: the same userName as on line 3",
        ];
        assert_eq!(bad(array), expected);
        assert_eq!(bad(&format!("{{\"totalResults\": 5,\"Resources\":{array}}}")), expected);
        let lines = "{\"userName\":\"a\"}\n7\n\n{}\n{\"userName\":\"A\"}\n{\"userName\":\"b\"\n";
        let expected = [
            "2: it is not an object",
            "4: userName is missing",
            "5: the same userName as on line 1",
            "6: it is not JSON: EOF while parsing an object",
        ];
        assert_eq!(bad(lines), expected);
    }

    #[test]
    fn everything_that_is_wrong_with_an_entry_is_said_without_its_values() {
        let json = r#"[{"displayName":"canary","active":"canary","password":["canary"],"emails":"canary"}]"#;
        let reason = "1: active is not true or false; password is not text; emails is not a list; userName is missing";
        assert_eq!(bad(json), [reason]);
    }

    #[test]
    fn a_name_that_comes_twice_would_lose_a_value() {
        for object in [
            r#""active":true,"ACTIVE":false"#,
            r#""x":1,"x":1"#,
            r#""name":{"givenName":"a","givenname":"b"}"#,
            r#""x":[[{"y":{"value":1,"value":2}}]]"#,
        ] {
            let bad = bad(&format!(r#"[{{"userName":"a",{object}}}]"#));
            assert!(bad.len() == 1 && bad[0].ends_with("\" comes twice"), "{bad:?}");
        }
        let long = "n".repeat(1_000);
        let bad = bad(&format!(r#"[{{"userName":"a","{long}":1,"{long}":1}}]"#));
        assert!(bad[0].len() < 100, "{bad:?}");
        let list = unreadable(r#"{"Resources":[{"userName":"a"}],"resources":[]}"#);
        assert_eq!(list, "its list response has \"resources\" twice");
    }

    #[test]
    fn what_no_value_can_hold_is_reported_and_not_guessed() {
        for value in ["1e999", r#""\ud800""#, &"[".repeat(200)] {
            let close = "]".repeat(if value.starts_with('[') { 200 } else { 0 });
            let bad = bad(&format!(r#"[{{"userName":"a","x":{value}{close}}}]"#));
            assert!(bad.len() == 1 && !bad[0].contains(" at line "), "{bad:?}");
        }
        assert!(unreadable("[".repeat(200_000)).starts_with("it is not JSON: "));
    }

    #[test]
    fn a_page_of_a_longer_list_is_refused() {
        let page = |more: &str| unreadable(format!(r#"{{"Resources":[{{"userName":"a"}}],{more}}}"#));
        assert_eq!(page(r#""totalResults":3"#), "it is one page of a longer list: it has 1 of 3 users");
        assert_eq!(page(r#""totalResults":"3""#), "it is one page of a longer list: it has 1 of 3 users");
        assert_eq!(page(r#""nextCursor":"x""#), "it is one page of a longer list: it has a nextCursor");
        assert_eq!(page(r#""totalResults":"many""#), "the totalResults of its list response is not a whole number");
        assert!(unreadable(r#"{"totalResults":1}"#).contains("0 of 1"));
        assert_eq!(unreadable(r#"{"Resources":{}}"#), "the Resources of its list response are not a list");
    }

    #[test]
    fn what_is_broken_is_reported_with_its_place() {
        assert_eq!(unreadable("[\n{},\n{"), "it is not JSON: EOF while parsing an object at line 3 column 1");
        assert_eq!(unreadable("[{}]\n]"), "it is not JSON: trailing characters at line 2 column 1");
        assert_eq!(unreadable(b"[\n{\"userName\":\"M\xfcller\"}]"), "line 2 is not UTF-8; save the text as UTF-8");
        assert_eq!(unreadable(" \n"), "it is empty");
        for other in ["7", "null", "\"userName\""] {
            assert!(unreadable(other).starts_with("it is neither an array of users"), "{other}");
        }
    }
}
