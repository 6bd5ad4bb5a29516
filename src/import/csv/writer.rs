//! Writes users as CSV that [`UserCsv`] reads back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde_json::{Map, Value};

use super::UserCsv;
use super::attribute::{Attribute, known_columns};
use super::cells::protected_cell;
use super::columns::Column;
use crate::import::error::ImportError;
use crate::model::{ScimUser, object};
use crate::plan::is_met;

/// Writes users as CSV, in the columns of [`UserCsv`], which reads them back: a plan that is made of the file
/// changes nothing. [`UserCsv::writer`] creates it.
///
/// A value that a cell cannot hold is left out: text with a line break, or a list of which CSV has one value.
/// An empty cell leaves the attribute as it is, so nothing is lost by that; [`left_out`](Self::left_out)
/// counts such values. A cell that a spreadsheet would run as a formula (`=`, `+`, `-` or `@` at its start)
/// is written with `'` before it, and [`UserCsv`] removes that.
///
/// ```
/// use wats_scim::ScimUser;
/// use wats_scim::import::UserCsv;
///
/// let users = [ScimUser::new("ann@example.com").with_attribute("title", "=1+2"), ScimUser::new("bob@example.com")];
/// let csv = UserCsv::new();
/// let mut writer = csv.writer(Vec::new(), ["userName", "title"])?;
/// for user in &users {
///     writer.user(user)?;
/// }
/// let file = writer.finish()?;
/// assert_eq!(file, b"userName,title\nann@example.com,'=1+2\nbob@example.com,\n");
/// assert_eq!(csv.read(&*file)?, users);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct UserCsvWriter<W> {
    out: W,
    delimiter: char,
    separator: char,
    /// The name of each column, and what it has.
    columns: Vec<(String, Column)>,
    left_out: BTreeMap<String, u64>,
}

impl UserCsv {
    /// Begins a CSV file with these columns, by the names that a header of this reader may have, and writes the
    /// header.
    ///
    /// # Errors
    ///
    /// An [`ImportError`] if a column is unknown, or if the header cannot be written.
    pub fn writer<W: Write, N: Into<String>>(
        &self,
        mut out: W,
        columns: impl IntoIterator<Item = N>,
    ) -> Result<UserCsvWriter<W>, ImportError> {
        let header: Vec<String> = columns.into_iter().map(Into::into).collect();
        let names: Vec<&str> = header.iter().map(String::as_str).collect();
        let known =
            self.known_columns(&names).map_err(|reason| ImportError::unreadable(format!("the header: {reason}")))?;
        let mut columns: Vec<(String, Column)> = Vec::new();
        for (index, column) in known {
            // Of several attributes that a column is read into, all have its value.
            if columns.len() == index {
                columns.push((header.get(index).cloned().unwrap_or_default(), column));
            }
        }
        let delimiter = char::from(self.table.delimiter);
        write_row(&mut out, delimiter, names.into_iter().map(ToOwned::to_owned))?;
        Ok(UserCsvWriter { out, delimiter, separator: self.group_separator, columns, left_out: BTreeMap::new() })
    }

    /// The columns in which these users have values, in the order of the table above, for
    /// [`writer`](Self::writer). `userName` is always among them.
    ///
    /// ```
    /// use wats_scim::ScimUser;
    /// use wats_scim::import::UserCsv;
    ///
    /// let users = [ScimUser::new("ann").with_external_id("1"), ScimUser::new("bob").with_email("bob@example.com")];
    /// assert_eq!(UserCsv::columns_of(&users), ["externalId", "userName", "email"]);
    /// ```
    #[must_use]
    pub fn columns_of(users: &[ScimUser]) -> Vec<String> {
        let mut columns: Vec<_> = known_columns().map(|(name, attribute)| (name, attribute, false)).collect();
        let mut others = BTreeSet::new();
        for user in users {
            // A user that is not JSON has no values.
            let user = object(user).unwrap_or_default();
            for (_, attribute, is_used) in columns.iter_mut().filter(|(.., is_used)| !is_used) {
                *is_used = attribute.is_user_name() || !attribute.cell(&user).is_empty();
            }
            others.extend(Attribute::of_other_extensions(&user));
        }
        let known = columns.into_iter().filter(|(_, attribute, is_used)| *is_used || attribute.is_user_name());
        known.map(|(name, ..)| name.to_owned()).chain(others).collect()
    }
}

impl<W: Write> UserCsvWriter<W> {
    /// Writes a user, with an empty cell of `groups`.
    ///
    /// # Errors
    ///
    /// As [`user_in`](Self::user_in).
    pub fn user(&mut self, user: &ScimUser) -> io::Result<()> {
        self.user_in(user, [])
    }

    /// Writes a user who is a member of the groups with these names.
    ///
    /// # Errors
    ///
    /// An error of the output; or of the kind [`InvalidData`](io::ErrorKind::InvalidData) if a cell cannot hold
    /// the `userName`, or the name of a group.
    pub fn user_in<'a>(&mut self, user: &ScimUser, groups: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{what}; write JSON instead"));
        let user = object(user)?;
        let mut cells = Vec::with_capacity(self.columns.len());
        let groups: Vec<&str> = groups.into_iter().collect();
        for (name, column) in &self.columns {
            cells.push(match column {
                Column::Groups => {
                    if groups.iter().any(|group| !is_cell(group) || group.is_empty() || group.contains(self.separator))
                    {
                        return Err(invalid("a cell cannot hold the name of a group"));
                    }
                    groups.join(&self.separator.to_string())
                }
                Column::Of(attribute) => {
                    let cell = attribute.cell(&user);
                    if holds(attribute, &cell, &user) {
                        cell
                    } else if attribute.is_user_name() {
                        return Err(invalid("a cell cannot hold the userName of a user"));
                    } else {
                        *self.left_out.entry(name.clone()).or_default() += 1;
                        String::new()
                    }
                }
            });
        }
        write_row(&mut self.out, self.delimiter, cells)
    }

    /// How many values of each column were left out, because a cell cannot hold them.
    pub fn left_out(&self) -> &BTreeMap<String, u64> {
        &self.left_out
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// An error of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    /// The output.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }
}

/// Whether the cell says of the attribute what the user has.
fn holds(attribute: &Attribute, cell: &str, user: &Map<String, Value>) -> bool {
    let mut read = Map::new();
    let is_empty = cell.is_empty() && !attribute.is_in(user);
    is_empty || !cell.is_empty() && is_cell(cell) && attribute.put(cell, &mut read).is_ok() && is_met(user, &read, &[])
}

/// Whether a text is read back as it is.
fn is_cell(text: &str) -> bool {
    text.trim().len() == text.len() && !text.contains(['\r', '\n'])
}

fn write_row(out: &mut impl Write, delimiter: char, cells: impl IntoIterator<Item = String>) -> io::Result<()> {
    let mut line = String::new();
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            line.push(delimiter);
        }
        let cell = protected_cell(&cell);
        // A byte order mark at the start of a line is not read.
        if cell.contains([delimiter, '"', '\u{feff}']) {
            line.push('"');
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&cell);
        }
    }
    line.push('\n');
    out.write_all(line.as_bytes())
}
