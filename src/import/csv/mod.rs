//! Reads users from CSV (RFC 4180), one user per line. Each line is parsed on its own.

mod attribute;
mod cells;
mod columns;
mod groups;
mod memberships;
#[cfg(test)]
mod round_trip;
mod set_text;
mod table;
mod writer;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use self::cells::protected_cell;
use self::columns::Columns;
use self::groups::{NamedGroups, add_member};
pub use self::memberships::MembershipCsv;
use self::table::Table;
pub use self::writer::UserCsvWriter;
use super::error::ImportError;
use super::rows::Rows;
use crate::model::ScimUser;
use crate::plan::{Desired, DesiredGroup, Reference};

/// Reads users from CSV (RFC 4180): all users, or an error with the line of every bad row.
///
/// The first line is the header. Its cells name the attributes, in any letter case:
///
/// | column | attribute |
/// |---|---|
/// | `userName` | the sign-in name; required |
/// | `externalId`, `displayName`, `nickName`, `title`, `userType`, `preferredLanguage`, `locale`, `timezone`, `profileUrl`, `password` | the attribute with this name |
/// | `active` | `true` or `false`, `1` or `0`, `yes` or `no`, in any letter case |
/// | `givenName`, `familyName`, `middleName`, `honorificPrefix`, `honorificSuffix` | this component of `name` |
/// | `fullName` or `formatted` | `name.formatted` |
/// | `email` or `emails` | the primary work address, the only address |
/// | `roles` | one role, or several joined with `;` |
/// | `levels`, `productGroups` | the [WATS extension](crate::WatsUser), joined with `;` |
/// | `employeeNumber`, `costCenter`, `organization`, `division`, `department`, `manager.value` | the [enterprise extension](crate::EnterpriseUser) |
/// | `manager.externalId`, `manager.userName` | the manager by the `externalId` or the `userName`; a [plan](crate::plan) replaces it by the id |
/// | `groups` | the names of the user's groups, joined with `|`; only for [`read_directory`](Self::read_directory) |
/// | a path, such as `name.givenName` or `urn:example:2.0:Badge:number` | this attribute; any attribute of an unknown extension is a string |
///
/// White space around a cell is removed, and `'` before a formula (`=`, `+`, `-` or `@`), which
/// [`writer`](Self::writer) puts there. An empty cell leaves its attribute unassigned. A byte
/// order mark, empty lines, and rows in which all cells are empty are ignored. A file with only a header is valid, and gives no users.
///
/// ```
/// use wats_scim::import::UserCsv;
///
/// let file = "Personalnummer;userName;active;roles;Telefon\n\
///             4711;jane@example.com;yes;Viewer;555\n\
///             4712;john@example.com;no;\"Viewer;Operator\";556\n";
/// let users = UserCsv::new()
///     .delimiter(b';')
///     .column("Personalnummer", "externalId")
///     .allow_other_columns()
///     .read(file.as_bytes())?;
/// assert_eq!(users[1].external_id.as_deref(), Some("4712"));
/// assert_eq!(users[1].active, Some(false));
///
/// let error = UserCsv::new().read("userName,active\njane,maybe\n\"john,true\n".as_bytes()).unwrap_err();
/// assert_eq!(error.rows().iter().map(|row| row.line()).collect::<Vec<_>>(), [2, 3]);
/// # Ok::<(), wats_scim::import::ImportError>(())
/// ```
///
/// # Bad rows
///
/// A row is bad if
///
/// - it has fewer or more cells than the header,
/// - a quote is misplaced or not closed on its line,
/// - it is not UTF-8,
/// - it has no `userName`,
/// - its `userName` or `externalId` is the same as in another row, or contains control or invisible
///   characters,
/// - `active` is not a truth value,
/// - it repeats the header.
///
/// Cells cannot contain line breaks: otherwise an unclosed quote would swallow the rows after it. A
/// file that was cut off is detected by the number of cells or the quotes of its last row, unless
/// it was cut within or after the last cell. If this matters, use a last column with a fixed
/// ending.
#[derive(Clone, Debug)]
pub struct UserCsv {
    table: Table,
    group_separator: char,
    /// The groups that need no row.
    groups: Vec<String>,
}

impl Default for UserCsv {
    fn default() -> Self {
        Self { table: Table::of("UserCsv"), group_separator: '|', groups: Vec::new() }
    }
}

impl UserCsv {
    /// Creates a reader with the delimiter `,` that rejects unknown columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the delimiter, an ASCII character except a quote or a line break. `,` by default; `;`
    /// and tab are common.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.table.delimiter = delimiter;
        self
    }

    /// Maps the column `name`, in any letter case, to an attribute: any name or path that is valid
    /// in a header. The column must exist, and its own name loses its meaning. A column can be
    /// mapped to several attributes:
    ///
    /// ```
    /// use wats_scim::import::UserCsv;
    ///
    /// let csv = UserCsv::new().column("Mail", "userName").column("Mail", "email");
    /// let users = csv.read("Mail\njane@example.com".as_bytes())?;
    /// assert_eq!(users[0].user_name.as_deref(), users[0].email());
    /// # Ok::<(), wats_scim::import::ImportError>(())
    /// ```
    #[must_use]
    pub fn column(mut self, name: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.table.columns.push((name.into(), attribute.into()));
        self
    }

    /// Ignores unknown columns. By default they are an error, so that a misspelled header does not
    /// lose a column.
    #[must_use]
    pub fn allow_other_columns(mut self) -> Self {
        self.table.allows_other_columns = true;
        self
    }

    /// Sets the character between the names of groups in a cell of `groups`. `|` by default. It cannot be the
    /// delimiter.
    #[must_use]
    pub fn group_separator(mut self, separator: char) -> Self {
        self.group_separator = separator;
        self
    }

    /// Names groups that are in the directory even if no row names them; then they have no members.
    ///
    /// Without this, a group that its last member leaves is no longer in the file, so a plan leaves that
    /// member in it.
    #[must_use]
    pub fn groups<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.groups.extend(names.into_iter().map(Into::into));
        self
    }

    /// Reads users from CSV, in the order of the rows.
    ///
    /// # Errors
    ///
    /// An [`ImportError`] with the bad rows, or without rows if the header is missing or has an
    /// unknown column or groups, if two columns set the same attribute or none sets `userName`, if a setting
    /// is not valid, or after an I/O error.
    pub fn read(&self, input: impl Read) -> Result<Vec<ScimUser>, ImportError> {
        let is_mapped = self.table.columns.iter().any(|(_, attribute)| attribute.trim().eq_ignore_ascii_case("groups"));
        let columns = |header: &[&str]| {
            let columns = Columns::read(header, self)?;
            match columns.of_groups().filter(|_| is_mapped || !self.table.allows_other_columns) {
                Some(column) => Err(format!("the column {column} has groups: read it with UserCsv::read_directory")),
                None => Ok(columns),
            }
        };
        let mut rows = Rows::default();
        self.table.read(input, columns, |columns, line, cells| {
            match cells.and_then(|cells| columns.row(cells, self.group_separator)) {
                Ok(row) => rows.add(line, row.user, row.problems),
                Err(reason) => rows.reject(line, reason),
            }
        })?;
        rows.finish()
    }

    /// Reads users and their groups from CSV: a whole directory, for a [plan](crate::plan).
    ///
    /// A group has those users as members whose cells name it. Any number of columns can have groups, and a
    /// column can be mapped to `groups` and to an attribute. A user with empty cells is in no group. A group
    /// that no row names is not in the directory, unless [`groups`](Self::groups) names it: a plan leaves such
    /// a group as it is, or deletes it if [`Policy::deletes_groups`](crate::plan::Policy::deletes_groups) is
    /// set. A file without a column of groups says nothing about groups. A group in a group stays in it, as no row can
    /// name it.
    ///
    /// ```
    /// use wats_scim::import::UserCsv;
    /// use wats_scim::plan::Reference;
    ///
    /// let file = "Number,userName,Department,Projects,Manager\n\
    ///             1,ann@example.com,Testing,,\n\
    ///             2,bob@example.com,Testing,Line 7|Line 8,1\n";
    /// let directory = UserCsv::new()
    ///     .column("Number", "externalId")
    ///     .column("Department", "department")
    ///     .column("Department", "groups")
    ///     .column("Projects", "groups")
    ///     .column("Manager", "manager.externalId")
    ///     .read_directory(file.as_bytes())?;
    /// let groups = directory.groups().unwrap_or_default();
    /// let names: Vec<_> = groups.iter().map(|group| group.display_name.as_str()).collect();
    /// assert_eq!(names, ["Testing", "Line 7", "Line 8"]);
    /// assert_eq!(groups[1].members, Some(vec![Reference::user_name("bob@example.com")]));
    /// # Ok::<(), wats_scim::import::ImportError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read). A row is also bad if it spells the name of a group in another way than a
    /// row before it, or if that name contains control or invisible characters.
    pub fn read_directory(&self, input: impl Read) -> Result<Desired, ImportError> {
        let mut groups = NamedGroups::default();
        for name in &self.groups {
            groups.named(None, name).map_err(|reason| ImportError::unreadable(format!("UserCsv::groups: {reason}")))?;
        }
        let mut rows = Rows::default();
        let columns = self.table.read(
            input,
            |header| Columns::read(header, self).and_then(|columns| self.check_groups(columns)),
            |columns, line, cells| match cells.and_then(|cells| columns.row(cells, self.group_separator)) {
                Ok(mut row) => {
                    let member = Reference::user_name(row.user.user_name.clone().unwrap_or_default());
                    for name in &row.groups {
                        match groups.named(Some(line), name) {
                            Ok(group) => add_member(group, member.clone()),
                            Err(problem) => row.problems.push(problem),
                        }
                    }
                    rows.add(line, row.user, row.problems);
                }
                Err(reason) => rows.reject(line, reason),
            },
        )?;
        // Each row is a user, so that no row can name a group in a group.
        let groups = groups.finish().into_iter().map(DesiredGroup::keeping_groups).collect();
        rows.finish_directory(columns.of_groups().map(|_| groups))
    }

    /// Checks the settings of groups against the columns.
    fn check_groups(&self, columns: Columns) -> Result<Columns, String> {
        let separator = self.group_separator;
        if columns.of_groups().is_none() {
            return match self.groups.first() {
                Some(_) => Err("UserCsv::groups names groups, but no column has groups".to_owned()),
                None => Ok(columns),
            };
        }
        if separator == char::from(self.table.delimiter) || separator == '"' || separator.is_whitespace() {
            return Err("groups need a separator other than the delimiter, a quote or white space: set \
                 UserCsv::group_separator"
                .to_owned());
        }
        Ok(columns)
    }

    /// Reads users from a CSV file, like [`read`](Self::read). Errors name the file.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), and an I/O error if the file cannot be opened.
    pub fn read_file(&self, path: impl AsRef<Path>) -> Result<Vec<ScimUser>, ImportError> {
        read_file(path.as_ref(), |file| self.read(file))
    }

    /// Reads users and their groups from a CSV file, like [`read_directory`](Self::read_directory). Errors
    /// name the file.
    ///
    /// # Errors
    ///
    /// Those of [`read_directory`](Self::read_directory), and an I/O error if the file cannot be opened.
    pub fn read_directory_file(&self, path: impl AsRef<Path>) -> Result<Desired, ImportError> {
        let path = path.as_ref();
        read_file(path, |file| self.read_directory(file)).map(|directory| directory.in_file(path))
    }
}

fn read_file<T>(path: &Path, read: impl FnOnce(File) -> Result<T, ImportError>) -> Result<T, ImportError> {
    File::open(path).map_err(ImportError::from).and_then(read).map_err(|error| error.in_file(path))
}

#[cfg(test)]
mod tests;
