use serde::Deserialize;
use serde_json::{Map, Value};

use super::UserCsv;
use super::attribute::{Attribute, known_names};
use crate::import::error::quoted;
use crate::model::ScimUser;

/// The columns of a file with users.
pub(super) struct Columns {
    header: Vec<String>,
    /// The attributes, with the index of their column.
    attributes: Vec<(usize, Attribute)>,
    /// The indexes of the columns with groups.
    groups: Vec<usize>,
}

/// What a row says.
pub(super) struct Row {
    pub(super) user: ScimUser,
    /// The names of its groups.
    pub(super) groups: Vec<String>,
    pub(super) problems: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Column {
    Of(Attribute),
    Groups,
}

impl Column {
    fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("groups") {
            return Some(Self::Groups);
        }
        Attribute::named(name).map(Self::Of)
    }
}

impl UserCsv {
    /// What each column of a header has, with its index.
    pub(super) fn known_columns(&self, header: &[&str]) -> Result<Vec<(usize, Column)>, String> {
        self.table.header(header, Column::named, || format!("groups, {}", known_names()))
    }
}

impl Columns {
    pub(super) fn read(header: &[&str], settings: &UserCsv) -> Result<Self, String> {
        let columns = settings.known_columns(header)?;
        let (mut attributes, mut groups) = (Vec::new(), Vec::new());
        for (index, column) in columns {
            match column {
                Column::Of(attribute) => attributes.push((index, attribute)),
                Column::Groups => groups.push(index),
            }
        }
        let header = header.iter().map(|&column| column.to_owned()).collect();
        Self { header, attributes, groups }.check()
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

    /// The quoted name of the first column with groups.
    pub(super) fn of_groups(&self) -> Option<String> {
        self.groups.first().map(|index| self.name(*index))
    }

    /// Reads a row with as many cells as the header.
    pub(super) fn row(&self, cells: &[&str], separator: char) -> Result<Row, String> {
        let (mut user, mut problems) = (Map::new(), Vec::new());
        for (index, attribute) in &self.attributes {
            let cell = cells.get(*index).copied().unwrap_or_default();
            if let Err(reason) = attribute.put(cell, &mut user) {
                problems.push(format!("{} {reason}", self.name(*index)));
            }
        }
        let mut groups = Vec::new();
        for index in &self.groups {
            let cell = cells.get(*index).copied().unwrap_or_default();
            let before = groups.len();
            groups.extend(cell.split(separator).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
            if groups.len() == before && !cell.is_empty() {
                problems.push(format!("{} contains only separators", self.name(*index)));
            }
        }
        let user = ScimUser::deserialize(Value::Object(user)).map_err(|error| error.to_string())?;
        Ok(Row { user, groups, problems })
    }
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
        for attribute in ["externalNumber", "external Id", "", "name", "phoneNumbers", "id", "meta.version", "urn:x"] {
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
