use serde::Deserialize;
use serde_json::{Map, Value};
use wats_scim_filter::json::same_text;

use super::UserCsv;
use super::attribute::{Attribute, known_names};
use crate::import::error::quoted;
use crate::model::ScimUser;

/// The columns of a file.
pub(super) struct Columns {
    header: Vec<String>,
    /// The attributes, with the index of their column.
    attributes: Vec<(usize, Attribute)>,
}

impl Columns {
    /// Reads a header. An unknown column would be lost for every user, so it is an error.
    pub(super) fn read(header: &[&str], settings: &UserCsv) -> Result<Self, String> {
        for (name, attribute) in &settings.columns {
            if Attribute::named(attribute.trim()).is_none() {
                let (name, attribute) = (quoted(name), quoted(attribute));
                return Err(format!(
                    "the column {name} is mapped to the unknown attribute {attribute}; known attributes: {}",
                    known_names()
                ));
            }
            if !header.iter().any(|column| is_same(column, name)) {
                return Err(format!("the column {} of UserCsv::column is missing", quoted(name)));
            }
        }
        let (mut attributes, mut unknown) = (Vec::new(), Vec::new());
        for (index, column) in header.iter().enumerate() {
            let mut named: Vec<&str> = settings
                .columns
                .iter()
                .filter(|(name, _)| is_same(column, name))
                .map(|(_, attribute)| attribute.trim())
                .collect();
            if named.is_empty() {
                named.push(column);
            }
            let known = attributes.len();
            attributes.extend(named.into_iter().filter_map(Attribute::named).map(|attribute| (index, attribute)));
            if attributes.len() == known {
                unknown.push(quoted(column));
            }
        }
        // Without a header this is the data of a person, which messages must not repeat.
        if attributes.is_empty() {
            return Err(format!(
                "no known column; is the delimiter another one (UserCsv::delimiter), or is the header missing? Known \
                     columns: {}",
                known_names()
            ));
        }
        if !unknown.is_empty() && !settings.allows_other_columns {
            return Err(format!(
                "unknown columns: {}; map them with UserCsv::column or ignore them with UserCsv::allow_other_columns; \
                     known columns: {}",
                unknown.join(", "),
                known_names()
            ));
        }
        let columns = Self { header: header.iter().map(|&column| column.to_owned()).collect(), attributes };
        columns.check()
    }

    fn check(self) -> Result<Self, String> {
        for (count, (last, attribute)) in self.attributes.iter().enumerate() {
            let mut before = self.attributes.iter().take(count);
            if let Some((first, _)) = before.find(|(_, other)| other.overlaps(attribute)) {
                let (first, last) = (self.name(*first), self.name(*last));
                return Err(format!(
                    "the columns {first} and {last} set the same attribute, or one sets a part of the other"
                ));
            }
        }
        if !self.attributes.iter().any(|(_, attribute)| attribute.is_user_name()) {
            return Err("there is no userName column".to_owned());
        }
        Ok(self)
    }

    /// The quoted name of a column, for a message.
    fn name(&self, index: usize) -> String {
        self.header.get(index).map(|name| quoted(name)).unwrap_or_default()
    }

    /// Reads the user of a row, with its problems.
    pub(super) fn user(&self, cells: &[&str]) -> Result<(ScimUser, Vec<String>), String> {
        if cells == self.header {
            return Err("repeated header row; were files concatenated?".to_owned());
        }
        if cells.len() != self.header.len() {
            return Err(format!("it has {} cells, but the header has {}", cells.len(), self.header.len()));
        }
        let (mut user, mut problems) = (Map::new(), Vec::new());
        for (index, attribute) in &self.attributes {
            let cell = cells.get(*index).copied().unwrap_or_default();
            if let Err(reason) = attribute.put(cell, &mut user) {
                problems.push(format!("{} {reason}", self.name(*index)));
            }
        }
        let user = ScimUser::deserialize(Value::Object(user)).map_err(|error| error.to_string())?;
        Ok((user, problems))
    }
}

/// Whether a header cell and a setting name the same column.
fn is_same(column: &str, name: &str) -> bool {
    same_text(column, name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(header: &str, settings: &UserCsv) -> String {
        let error = settings.read(header.as_bytes()).unwrap_err();
        assert_eq!(error.rows(), []);
        error.to_string().strip_prefix("nothing was read: the header, line 1: ").unwrap().to_owned()
    }

    #[test]
    fn an_unknown_column_is_an_error_unless_allowed() {
        let header = "userName,dispalyName,,Telefon\nj,x,y,z";
        let text = rejection(header, &UserCsv::new());
        assert!(text.starts_with("unknown columns: \"dispalyName\", \"\", \"Telefon\"; map"), "{text}");
        for word in
            ["UserCsv::column", "UserCsv::allow_other_columns", "displayName", "givenName", "department", "levels"]
        {
            assert!(text.contains(word), "{text}");
        }
        let users = UserCsv::new().allow_other_columns().read(header.as_bytes()).unwrap();
        assert_eq!(users, [ScimUser::new("j")]);
        assert!(
            rejection(header, &UserCsv::new().column("Telefon", "title"))
                .starts_with("unknown columns: \"dispalyName\", \"\";")
        );
    }

    #[test]
    fn data_without_a_header_is_not_repeated() {
        for header in ["jane@example.com,canary,true", "userName;canary"] {
            let text = rejection(header, &UserCsv::new().allow_other_columns());
            assert!(text.contains("UserCsv::delimiter") && !text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn two_columns_for_one_attribute_are_an_error() {
        for (header, first, last) in [
            ("userName,username", "userName", "username"),
            ("userName,fullName,name.FORMATTED", "fullName", "name.FORMATTED"),
            ("userName,urn:x:a,title,URN:X:A.b", "urn:x:a", "URN:X:A.b"),
            ("userName,Title,Job", "Title", "Job"),
            ("userName,Job,Job", "Job", "Job"),
        ] {
            let core = "urn:ietf:params:scim:schemas:core:2.0:User:title";
            let settings = UserCsv::new().allow_other_columns();
            let settings = if header.contains("Job") { settings.column("Job", core) } else { settings };
            let expected =
                format!("the columns {first:?} and {last:?} set the same attribute, or one sets a part of the other");
            assert_eq!(rejection(header, &settings), expected);
        }
    }

    #[test]
    fn a_file_without_user_names_is_rejected() {
        assert_eq!(rejection("displayName,title", &UserCsv::new()), "there is no userName column");
        let settings = UserCsv::new().column("userName", "externalId");
        assert_eq!(rejection("userName,title", &settings), "there is no userName column");
    }

    #[test]
    fn a_setting_without_a_column_or_an_attribute_is_an_error() {
        let text = rejection("userName,x", &UserCsv::new().column("Personalnummer", "externalId"));
        assert_eq!(text, "the column \"Personalnummer\" of UserCsv::column is missing");
        for attribute in ["externalNumber", "external Id", "", "name", "emails", "id", "meta.version", "urn:x"] {
            let text = rejection("userName,x", &UserCsv::new().column("x", attribute));
            assert!(
                text.starts_with(&format!("the column \"x\" is mapped to the unknown attribute {attribute:?}; ")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_column_can_set_several_attributes_and_matches_in_any_letter_case() {
        let settings = UserCsv::new().column(" GESCHÄFTSADRESSE ", "userName").column("Geschäftsadresse", "email");
        let users = settings.read("gescha\u{308}ftsadresse , Title\nj@x,T".as_bytes()).unwrap();
        assert_eq!(users, [ScimUser::new("j@x").with_email("j@x").with_attribute("title", "T")]);
    }
}
