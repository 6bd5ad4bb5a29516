//! The columns of a CSV source, by `--map` and the file of `--mapping`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use wats_scim::import::UserCsv;

use super::settings;
use crate::failure::Failure;

/// The form of a source, as the file of `--mapping` has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Layout {
    delimiter: Option<String>,
    pub(super) charset: Option<String>,
    ignore_columns: bool,
    group_separator: Option<char>,
    /// Groups that the source has even if no row names them.
    groups: Vec<String>,
    /// The attributes of a column.
    columns: BTreeMap<String, Attributes>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Attributes {
    One(String),
    Several(Vec<String>),
}

impl Layout {
    pub(super) fn of(file: Option<&Path>, map: &[String]) -> Result<Self, Failure> {
        let mut layout: Self = file.map(settings).transpose()?.unwrap_or_default();
        for given in map {
            let (column, attributes) = given.split_once('=').ok_or_else(|| {
                Failure::Usage(format!("--map {given:?} has no `=`; write it as \"E-Mail=userName,email\""))
            })?;
            let attributes = attributes.split(',').map(|name| name.trim().to_owned()).collect();
            layout.columns.insert(column.trim().to_owned(), Attributes::Several(attributes));
        }
        Ok(layout)
    }

    /// The reader of a CSV text.
    pub(super) fn csv(&self, text: &[u8], delimiter: Option<&str>, ignore: bool) -> Result<UserCsv, Failure> {
        let delimiter = match delimiter.or(self.delimiter.as_deref()) {
            Some(name) => named(name)?,
            None => delimiter_of(text),
        };
        let mut csv = UserCsv::new().delimiter(delimiter).groups(self.groups.iter().cloned());
        if let Some(separator) = self.group_separator {
            csv = csv.group_separator(separator);
        }
        if ignore || self.ignore_columns {
            csv = csv.allow_other_columns();
        }
        for (column, attributes) in &self.columns {
            let attributes = match attributes {
                Attributes::One(name) => std::slice::from_ref(name),
                Attributes::Several(names) => names,
            };
            csv = attributes.iter().fold(csv, |csv, attribute| csv.column(column, attribute));
        }
        Ok(csv)
    }
}

fn named(delimiter: &str) -> Result<u8, Failure> {
    match delimiter.as_bytes() {
        _ if delimiter.eq_ignore_ascii_case("tab") || delimiter == "\\t" => Ok(b'\t'),
        [byte] => Ok(*byte),
        _ => Err(Failure::Usage(format!("the delimiter {delimiter:?} is neither one ASCII character nor `tab`"))),
    }
}

/// The delimiter that is most often in the header, outside of quotes; a comma if none is.
fn delimiter_of(text: &[u8]) -> u8 {
    let header = text.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let mut is_quoted = false;
    let mut counts = [(0_usize, b'\t'), (0, b';'), (0, b',')];
    for byte in header {
        is_quoted ^= *byte == b'"';
        if let Some((count, _)) = counts.iter_mut().find(|(_, delimiter)| !is_quoted && delimiter == byte) {
            *count += 1;
        }
    }
    counts.iter().max_by_key(|(count, _)| *count).map_or(b',', |(_, delimiter)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_shows_the_delimiter() {
        for (text, expected) in [
            ("userName", b','),
            ("\n a;b,c;d\nx,,,,,", b';'),
            ("\"a,b,c\"\tuserName", b'\t'),
            ("a,b", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter_of(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_column_has_the_attributes_of_the_argument_or_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hr.toml");
        let settings = "delimiter = \";\"\ngroups = [\"Line 7\"]\n[columns]\nMail = [\"userName\", \"email\"]\nNo = \"externalId\"\nTeam = \"groups\"";
        std::fs::write(&file, settings).unwrap();
        let text = b"Mail;No;Team;Title\nann@x.org;7;Line 8;Dr";
        let csv = Layout::of(Some(&file), &["Title = title".to_owned()]).unwrap().csv(text, None, false).unwrap();
        let read = csv.read_directory(&text[..]).unwrap();
        assert_eq!(read.users()[0].email(), Some("ann@x.org"));
        assert_eq!(read.users()[0].external_id.as_deref(), Some("7"));
        assert_eq!(read.users()[0].get("title").unwrap(), Some("Dr".into()));
        assert_eq!(read.groups().unwrap().len(), 2);

        std::fs::write(&file, "delimeter = \";\"").unwrap();
        assert!(Layout::of(Some(&file), &[]).unwrap_err().to_string().contains("unknown field `delimeter`"));
        assert!(Layout::of(None, &["E-Mail".to_owned()]).is_err());
    }
}
