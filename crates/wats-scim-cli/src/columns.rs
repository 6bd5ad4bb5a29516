//! The columns of a table or of CSV: short names, or any path (RFC 7644 §3.5.2).

use std::cell::OnceCell;
use std::cmp::Ordering;

use serde_json::Value;
use wats_scim::Resource;
use wats_scim::filter::PatchPath;
use wats_scim::filter::json::{member, text_key};

use crate::column_names::{DIVISION, Names};
use crate::failure::Failure;

/// Columns that were asked for.
#[derive(Debug)]
pub(crate) struct Columns {
    names: Vec<String>,
    paths: Vec<Vec<PatchPath>>,
}

impl Columns {
    /// Finds columns by their names. A path with a `.`, a `:` or a `[` is not checked.
    pub(crate) fn new(asked: &[String], known: Names) -> Result<Self, Failure> {
        let mut columns = Self { names: Vec::new(), paths: Vec::new() };
        for asked in asked {
            let asked = asked.trim();
            let unknown = || {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                Failure::Usage(format!(
                    "there is no column {asked:?}; the columns are {}, or a path such as name.middleName or {DIVISION}",
                    names.join(", ")
                ))
            };
            let (name, texts) = match known.iter().find(|(name, _)| name.eq_ignore_ascii_case(asked)) {
                Some((name, paths)) => (*name, *paths),
                None if asked.contains(['.', ':', '[']) => (asked, &[asked][..]),
                None => return Err(unknown()),
            };
            columns.names.push(name.to_owned());
            columns.paths.push(texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(|_| unknown())?);
        }
        Ok(columns)
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The cells of a resource, which is written as JSON for the first one.
    pub(crate) fn of<'a, T: Resource>(&'a self, resource: &'a T) -> impl Fn(&str) -> String + 'a {
        let json = OnceCell::new();
        move |name| {
            let json = json.get_or_init(|| serde_json::to_value(resource).unwrap_or_default());
            let column = self.names.iter().position(|known| known == name).and_then(|at| self.paths.get(at));
            column.map(|paths| cell(json, paths, T::SCHEMA)).unwrap_or_default()
        }
    }

    /// The attribute of the first column, as a server sorts by it.
    pub(crate) fn attribute(&self) -> Option<String> {
        let paths = self.paths.first()?;
        paths.iter().find(|path| path.filter().is_none()).map(PatchPath::to_string)
    }

    /// The value of the first column, in the order of a sorted list.
    pub(crate) fn key<T: Resource>(&self, resource: &T) -> Key {
        let cell = self.names.first().map(|name| self.of(resource)(name)).unwrap_or_default();
        Key(text_key(&cell).into_owned())
    }
}

/// A place in a sorted list: text in any letter case, and what is missing at the end.
#[derive(PartialEq, Eq)]
pub(crate) struct Key(String);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.is_empty(), &self.0).cmp(&(other.0.is_empty(), &other.0))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn cell(resource: &Value, paths: &[PatchPath], schema: &str) -> String {
    let texts = paths.iter().map(|path| {
        let values = path.select(resource, schema).into_iter();
        // One address of several, and all of several roles.
        let values = values.flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
        values.map(text).filter(|text| !text.is_empty()).collect::<Vec<_>>()
    });
    let is_one_of_several = paths.len() > 1;
    let mut texts = texts.filter(|texts| !texts.is_empty());
    let mut found = texts.next().unwrap_or_default();
    if is_one_of_several {
        found.truncate(1);
    }
    found.join(";")
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(object) => {
            let shown = ["display", "value"].iter().find_map(|name| member(object, name)?.as_str());
            shown.map_or_else(|| value.to_string(), str::to_owned)
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wats_scim::ScimUser;

    use super::*;
    use crate::column_names::OF_USERS;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn cells(user: Value, columns: &[&str]) -> Vec<String> {
        let user: ScimUser = serde_json::from_value(user).unwrap();
        let asked: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
        let columns = Columns::new(&asked, OF_USERS).unwrap();
        let cell = columns.of(&user);
        columns.names().iter().map(|name| cell(name)).collect()
    }

    #[test]
    fn a_column_is_a_short_name_or_a_path() {
        let jane = json!({
            "userName": "jane", "active": false, "name": { "givenName": "Jane", "middleName": "Q" },
            "emails": [{ "value": "a@x" }, { "value": "b@x", "primary": true }],
            "roles": [{ "value": "Viewer" }, { "value": "Operator" }], ENTERPRISE: { "department": "X" },
        });
        let asked = ["USERNAME", "active", "givenName", "name.middleName", "email", "roles", "department", "title"];
        assert_eq!(cells(jane, &asked), ["jane", "false", "Jane", "Q", "b@x", "Viewer;Operator", "X", ""]);
        assert_eq!(cells(json!({ "emails": [{ "value": "a@x" }, { "value": "b@x" }] }), &["email"]), ["a@x"]);
    }

    #[test]
    fn an_unknown_column_names_the_known_ones() {
        let error = Columns::new(&["userNmae".to_owned()], OF_USERS).unwrap_err().to_string();
        assert!(error.contains("\"userNmae\"") && error.contains("userName, externalId"), "{error}");
    }

    #[test]
    fn a_sorted_list_ignores_letter_case_and_ends_with_what_is_missing() {
        let mut keys = ["b", "", "A"].map(|text| Key(text_key(text).into_owned()));
        keys.sort();
        assert_eq!(keys.map(|key| key.0), ["a", "b", ""]);
    }
}
