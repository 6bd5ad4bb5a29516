use serde::Deserialize;
use serde_json::{Map, Value};

use super::UserCsv;
use super::attribute::{Attribute, known_names};
use crate::import::error::shown;
use crate::model::ScimUser;

/// What the columns of a file hold.
pub(super) struct Columns {
    header: Vec<String>,
    /// Which column gives which attribute.
    attributes: Vec<(usize, Attribute)>,
}

impl Columns {
    /// Reads a header. A column that is not understood is lost for every user, so it is an error.
    pub(super) fn read(header: &[&str], settings: &UserCsv) -> Result<Self, String> {
        for (name, attribute) in &settings.columns {
            if Attribute::named(attribute.trim()).is_none() {
                let (name, attribute) = (shown(name), shown(attribute));
                return Err(format!(
                    "the column {name} is to hold {attribute}, which is not known; known are {}",
                    known_names()
                ));
            }
            if !header.iter().any(|column| is_same(column, name)) {
                return Err(format!("it has no column {}, which UserCsv::column names", shown(name)));
            }
        }
        let (mut attributes, mut others) = (Vec::new(), Vec::new());
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
                others.push(shown(column));
            }
        }
        // Without a header this is the data of a person, which no message repeats.
        if attributes.is_empty() {
            return Err(format!(
                "no column is known; if it is the header, do other characters stand between its cells \
                 (UserCsv::delimiter)? Known are {}",
                known_names()
            ));
        }
        if !others.is_empty() && !settings.ignores_others {
            return Err(format!(
                "not known: {}; say what it holds with UserCsv::column, or pass over all such columns with \
                 UserCsv::ignore_others; known are {}",
                others.join(", "),
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
                    "the columns {first} and {last} hold the same attribute, or one a part of the other"
                ));
            }
        }
        if !self.attributes.iter().any(|(_, attribute)| attribute.is_user_name()) {
            return Err("no column holds the userName".to_owned());
        }
        Ok(self)
    }

    /// The name of a column, as a message may repeat it.
    fn name(&self, index: usize) -> String {
        self.header.get(index).map(|name| shown(name)).unwrap_or_default()
    }

    /// The user of a row, and what is wrong with it.
    pub(super) fn user(&self, cells: &[&str]) -> Result<(ScimUser, Vec<String>), String> {
        if cells == self.header {
            return Err("it is the header again; is this several files in one?".to_owned());
        }
        if cells.len() != self.header.len() {
            return Err(format!("it has {} cells, and the header {}", cells.len(), self.header.len()));
        }
        let (mut user, mut wrong) = (Map::new(), Vec::new());
        for (index, attribute) in &self.attributes {
            let cell = cells.get(*index).copied().unwrap_or_default();
            if let Err(reason) = attribute.put(cell, &mut user) {
                wrong.push(format!("{} {reason}", self.name(*index)));
            }
        }
        let user = ScimUser::deserialize(Value::Object(user)).map_err(|error| error.to_string())?;
        Ok((user, wrong))
    }
}

/// Whether a header and a setting name the same column.
fn is_same(column: &str, name: &str) -> bool {
    column.to_lowercase() == name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(header: &str, settings: &UserCsv) -> String {
        let error = settings.read(header.as_bytes()).unwrap_err();
        assert_eq!(error.rows(), []);
        error.to_string().strip_prefix("nothing was read: the header, line 1: ").unwrap().to_owned()
    }

    #[test]
    fn a_column_that_nobody_knows_is_an_error_unless_it_may_be_passed_over() {
        let header = "userName,dispalyName,,Telefon\nj,x,y,z";
        let text = refusal(header, &UserCsv::new());
        assert!(text.starts_with("not known: \"dispalyName\", \"\", \"Telefon\"; say"), "{text}");
        for word in ["UserCsv::column", "UserCsv::ignore_others", "displayName", "givenName", "department", "levels"] {
            assert!(text.contains(word), "{text}");
        }
        let users = UserCsv::new().ignore_others().read(header.as_bytes()).unwrap();
        assert_eq!(users, [ScimUser::new("j")]);
        assert!(
            refusal(header, &UserCsv::new().column("Telefon", "title"))
                .starts_with("not known: \"dispalyName\", \"\";")
        );
    }

    #[test]
    fn data_without_a_header_is_not_repeated() {
        for header in ["jane@example.com,canary,true", "userName;canary"] {
            let text = refusal(header, &UserCsv::new().ignore_others());
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
            let settings = UserCsv::new().ignore_others();
            let settings = if header.contains("Job") { settings.column("Job", core) } else { settings };
            let expected =
                format!("the columns {first:?} and {last:?} hold the same attribute, or one a part of the other");
            assert_eq!(refusal(header, &settings), expected);
        }
    }

    #[test]
    fn a_file_without_user_names_is_refused() {
        assert_eq!(refusal("displayName,title", &UserCsv::new()), "no column holds the userName");
        let settings = UserCsv::new().column("userName", "externalId");
        assert_eq!(refusal("userName,title", &settings), "no column holds the userName");
    }

    #[test]
    fn a_setting_that_fits_nothing_is_an_error() {
        let text = refusal("userName,x", &UserCsv::new().column("Personalnummer", "externalId"));
        assert_eq!(text, "it has no column \"Personalnummer\", which UserCsv::column names");
        for attribute in ["externalNumber", "external Id", "", "name", "emails", "id", "meta.version", "urn:x"] {
            let text = refusal("userName,x", &UserCsv::new().column("x", attribute));
            assert!(
                text.starts_with(&format!("the column \"x\" is to hold {attribute:?}, which is not known; ")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_column_may_hold_several_attributes_and_is_found_in_any_letter_case() {
        let settings = UserCsv::new().column(" GESCHÄFTSADRESSE ", "userName").column("Geschäftsadresse", "email");
        let users = settings.read("geschäftsadresse , Title\nj@x,T".as_bytes()).unwrap();
        assert_eq!(users, [ScimUser::new("j@x").with_email("j@x").with_attribute("title", "T")]);
    }
}
