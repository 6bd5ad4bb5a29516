use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::{ImportError, quoted};
use super::rows::Rows;
use super::schema;
use crate::model::ScimUser;

/// Reads users from JSON: an array of SCIM users, a list response, or JSON Lines, with one user per
/// line.
///
/// Returns all users, or an error with the line of every bad entry. An entry is bad if
///
/// - it is not an object, or an object in it has a duplicate name,
/// - it has no `userName`,
/// - its `userName` or `externalId` is the same as in another entry, begins or ends with white space,
///   or contains control or invisible characters,
/// - a known attribute does not have the type of RFC 7643, such as `"active": "perhaps"`.
///
/// Truth values can be text, such as `"True"`. Attributes of unknown schemas are kept unchanged. A byte order mark is ignored. An empty array
/// is valid, and gives no users.
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
/// An [`ImportError`] with the bad entries, or without entries if the text is empty, not UTF-8 or
/// not JSON, if it has another form, or if it is a list response with fewer users than its
/// `totalResults` or with a `nextCursor`, that is, a single page of a longer list.
pub fn users_from_json(json: impl AsRef<[u8]>) -> Result<Vec<ScimUser>, ImportError> {
    rows_of_users(text_of(json.as_ref())?)?.finish()
}

/// The rows of a text with users.
pub(super) fn rows_of_users(text: &str) -> Result<Rows, ImportError> {
    match serde_json::from_str(text) {
        Ok(document) => read_document(text, document),
        Err(_) if is_json_lines(text) => Ok(read_lines(text)),
        Err(error) => Err(not_json(&error)),
    }
}

/// The text of a file, unless it is empty.
pub(super) fn text_of(json: &[u8]) -> Result<&str, ImportError> {
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
    Ok(text)
}

/// Reads users from a JSON file, like [`users_from_json`]. Errors name the file.
///
/// # Errors
///
/// Those of [`users_from_json`], and an I/O error if the file cannot be read.
pub fn users_from_json_file(path: impl AsRef<Path>) -> Result<Vec<ScimUser>, ImportError> {
    let path = path.as_ref();
    let read = std::fs::read(path).map_err(ImportError::from).and_then(users_from_json);
    read.map_err(|error| error.in_file(path))
}

fn not_json(error: &serde_json::Error) -> ImportError {
    ImportError::unreadable(format!("it is not JSON: {error}"))
}

/// Whether the first line is an object and there are more lines. Single documents were read before.
fn is_json_lines(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.next().is_some_and(|first| first.starts_with('{') && first.ends_with('}')) && lines.next().is_some()
}

fn read_lines(text: &str) -> Rows {
    let mut rows = Rows::default();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(text) {
            Ok(entry) => add(&mut rows, line, entry),
            Err(error) => rows.reject(line, format!("it is not JSON: {}", cause(&error))),
        }
    }
    rows
}

fn read_document(text: &str, document: &RawValue) -> Result<Rows, ImportError> {
    let entries = match entries(document)? {
        Entries::Of(entries) => entries,
        Entries::Object => vec![document],
        Entries::Neither => {
            return Err(ImportError::unreadable("expected an array of users, a list response, or one user per line"));
        }
    };
    let mut rows = Rows::default();
    for (line, entry) in with_lines(text, entries) {
        add(&mut rows, line, entry);
    }
    Ok(rows)
}

/// The entries of an array or a list response.
pub(super) enum Entries<'a> {
    Of(Vec<&'a RawValue>),
    /// Another object.
    Object,
    Neither,
}

pub(super) fn entries(document: &RawValue) -> Result<Entries<'_>, ImportError> {
    let json = document.get();
    if json.starts_with('[') {
        return serde_json::from_str(json).map(Entries::Of).map_err(|error| not_json(&error));
    }
    if !json.starts_with('{') {
        return Ok(Entries::Neither);
    }
    let members: Members<'_> = serde_json::from_str(json).map_err(|error| not_json(&error))?;
    if members.get("Resources").is_some() || members.get("totalResults").is_some() {
        return entries_of_list(&members).map(Entries::Of);
    }
    Ok(Entries::Object)
}

/// The entries, in the order of the text that they are slices of, with the lines on which they begin.
pub(super) fn with_lines<'a>(
    text: &'a str,
    entries: Vec<&'a RawValue>,
) -> impl Iterator<Item = (u64, &'a RawValue)> + use<'a> {
    let (mut line, mut counted) = (1_u64, 0);
    entries.into_iter().map(move |entry| {
        let start = entry.get().as_ptr().addr().saturating_sub(text.as_ptr().addr());
        let between = text.as_bytes().get(counted..start).unwrap_or_default();
        line = between.iter().filter(|byte| **byte == b'\n').fold(line, |line, _| line.saturating_add(1));
        counted = start;
        (line, entry)
    })
}

fn entries_of_list<'a>(list: &Members<'a>) -> Result<Vec<&'a RawValue>, ImportError> {
    if let Some(name) = list.duplicate() {
        return Err(ImportError::unreadable(format!("its list response has a duplicate {name}")));
    }
    let json = list.get("Resources").map_or("null", RawValue::get);
    let entries = serde_json::from_str::<Option<Vec<&RawValue>>>(json)
        .map_err(|_| ImportError::unreadable("Resources of the list response is not an array"))?
        .unwrap_or_default();
    let total = list.get("totalResults").map_or("null", RawValue::get);
    // A number, or a number in a string.
    let total = total.trim_matches('"');
    let is_more = match total.parse::<usize>() {
        Ok(total) => total > entries.len(),
        Err(_) if total == "null" => false,
        Err(_) => return Err(ImportError::unreadable("totalResults of the list response is not a number")),
    };
    if is_more {
        return Err(ImportError::unreadable(format!(
            "it is a single page of a longer list: it has {} of {total} entries",
            entries.len()
        )));
    }
    if list.get("nextCursor").is_some_and(|cursor| !["null", "\"\""].contains(&cursor.get())) {
        return Err(ImportError::unreadable("it is a single page of a longer list: it has a nextCursor"));
    }
    Ok(entries)
}

fn add(rows: &mut Rows, line: u64, entry: &RawValue) {
    match read_entry(entry) {
        Ok((user, problems)) => rows.add(line, user, problems),
        Err(reason) => rows.reject(line, reason),
    }
}

/// Reads the user of an entry, with its problems.
pub(super) fn read_entry(entry: &RawValue) -> Result<(ScimUser, Vec<String>), String> {
    // This also limits the depth.
    let mut value: Value = serde_json::from_str(entry.get()).map_err(|error| cause(&error))?;
    if !value.is_object() {
        return Err("it is not an object".to_owned());
    }
    let mut problems = schema::type_errors(&value);
    problems.extend(duplicate_name(entry).map(|name| format!("duplicate name {name}")));
    schema::read_truths(&mut value);
    let user = ScimUser::deserialize(value).map_err(|error| cause(&error))?;
    Ok((user, problems))
}

/// The text of an error without its position, which is relative to the entry.
pub(super) fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// A duplicate name in an object at any depth. One of its values would be lost.
pub(super) fn duplicate_name(json: &RawValue) -> Option<String> {
    let json = json.get();
    if json.starts_with('{') {
        let members: Members<'_> = serde_json::from_str(json).ok()?;
        members.duplicate().or_else(|| members.0.iter().find_map(|(_, value)| duplicate_name(value)))
    } else if json.starts_with('[') {
        serde_json::from_str::<Vec<&RawValue>>(json).ok()?.into_iter().find_map(duplicate_name)
    } else {
        None
    }
}

/// All members of an object, including duplicates.
pub(super) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Returns the value of a name in any letter case (RFC 7643 §2.1).
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// Returns the first duplicate name in any letter case, quoted.
    pub(super) fn duplicate(&self) -> Option<String> {
        let mut seen = HashSet::with_capacity(self.0.len());
        let (name, _) = self.0.iter().find(|(name, _)| !seen.insert(name.to_ascii_lowercase()))?;
        Some(quoted(name))
    }

    /// Returns the first other name than these, quoted.
    pub(super) fn other_than(&self, names: &[&str]) -> Option<String> {
        let is_other = |name: &str| !names.iter().any(|known| known.eq_ignore_ascii_case(name));
        self.0.iter().find(|(name, _)| is_other(name)).map(|(name, _)| quoted(name))
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

    #[test]
    fn truth_values_in_text_are_read_at_every_level() {
        let json = r#"{ "userName": "j", "active": "False", "roles": [{ "value": "R", "primary": "True" }, { "primary": "no text" }],
                        "x": { "primary": "True" } }"#;
        assert_eq!(bad(json), ["1: roles.primary is not true or false"]);
        let users = users_from_json(json.replace("no text", "false")).unwrap();
        let expected = json!({ "userName": "j", "active": false, "roles": [{ "value": "R", "primary": true }, { "primary": false }],
                               "x": { "primary": "True" } });
        assert_eq!(serde_json::to_value(&users[0]).unwrap(), expected);
    }

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
        for empty in ["[]", r#"{"totalResults":0}"#, r#"{"Resources":null}"#] {
            assert_eq!(names(empty), Vec::<String>::new(), "{empty}");
        }
    }

    #[test]
    fn all_attributes_of_a_user_are_read() {
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
            "7: same userName as line 3",
        ];
        assert_eq!(bad(array), expected);
        assert_eq!(bad(&format!("{{\"totalResults\": 5,\"Resources\":{array}}}")), expected);
        let lines = "{\"userName\":\"a\"}\n7\n\n{}\n{\"userName\":\"A\"}\n{\"userName\":\"b\"\n";
        let expected = [
            "2: it is not an object",
            "4: userName is missing",
            "5: same userName as line 1",
            "6: it is not JSON: EOF while parsing an object",
        ];
        assert_eq!(bad(lines), expected);
    }

    #[test]
    fn all_problems_of_an_entry_are_reported_without_its_values() {
        let json = r#"[{"displayName":"canary","active":"canary","password":["canary"],"emails":"canary"}]"#;
        let reason = "1: active is not true or false; password is not text; emails is not a list; userName is missing";
        assert_eq!(bad(json), [reason]);
    }

    #[test]
    fn a_duplicate_name_is_reported() {
        for object in [
            r#""active":true,"ACTIVE":false"#,
            r#""x":1,"x":1"#,
            r#""name":{"givenName":"a","givenname":"b"}"#,
            r#""x":[[{"y":{"value":1,"value":2}}]]"#,
        ] {
            let bad = bad(&format!(r#"[{{"userName":"a",{object}}}]"#));
            assert!(bad.len() == 1 && bad[0].starts_with("1: duplicate name \""), "{bad:?}");
        }
        let long = "n".repeat(1_000);
        let bad = bad(&format!(r#"[{{"userName":"a","{long}":1,"{long}":1}}]"#));
        assert!(bad[0].len() < 100, "{bad:?}");
        let list = unreadable(r#"{"Resources":[{"userName":"a"}],"resources":[]}"#);
        assert_eq!(list, "its list response has a duplicate \"resources\"");
    }

    #[test]
    fn values_that_cannot_be_represented_are_reported() {
        for value in ["1e999", r#""\ud800""#, &"[".repeat(200)] {
            let close = "]".repeat(if value.starts_with('[') { 200 } else { 0 });
            let bad = bad(&format!(r#"[{{"userName":"a","x":{value}{close}}}]"#));
            assert!(bad.len() == 1 && !bad[0].contains(" at line "), "{bad:?}");
        }
        assert!(unreadable("[".repeat(200_000)).starts_with("it is not JSON: "));
    }

    #[test]
    fn a_page_of_a_longer_list_is_rejected() {
        let page = |more: &str| unreadable(format!(r#"{{"Resources":[{{"userName":"a"}}],{more}}}"#));
        assert_eq!(page(r#""totalResults":3"#), "it is a single page of a longer list: it has 1 of 3 entries");
        assert_eq!(page(r#""totalResults":"3""#), "it is a single page of a longer list: it has 1 of 3 entries");
        assert_eq!(page(r#""nextCursor":"x""#), "it is a single page of a longer list: it has a nextCursor");
        assert_eq!(page(r#""totalResults":"many""#), "totalResults of the list response is not a number");
        assert!(unreadable(r#"{"totalResults":1}"#).contains("0 of 1"));
        assert_eq!(unreadable(r#"{"Resources":{}}"#), "Resources of the list response is not an array");
    }

    #[test]
    fn invalid_json_is_reported_with_its_position() {
        assert_eq!(unreadable("[\n{},\n{"), "it is not JSON: EOF while parsing an object at line 3 column 1");
        assert_eq!(unreadable("[{}]\n]"), "it is not JSON: trailing characters at line 2 column 1");
        assert_eq!(unreadable(b"[\n{\"userName\":\"M\xfcller\"}]"), "line 2 is not UTF-8; save the text as UTF-8");
        assert_eq!(unreadable(" \n"), "it is empty");
        for other in ["7", "null", "\"userName\""] {
            assert!(unreadable(other).starts_with("expected an array of users"), "{other}");
        }
    }
}
