//! Reads users from CSV (RFC 4180), one user per line. Each line is parsed on its own.

mod attribute;
mod cells;
mod columns;
mod groups;
mod memberships;
#[cfg(test)]
mod round_trip;
mod table;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use self::columns::Columns;
use self::groups::{NamedGroups, add_member};
pub use self::memberships::MembershipCsv;
use self::table::Table;
use super::error::ImportError;
use super::rows::Rows;
use crate::model::ScimUser;
use crate::plan::{Desired, Reference};

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
/// | `email` | the primary work address, the only address |
/// | `roles` | one role, or several joined with `;` |
/// | `levels`, `productGroups` | the [WATS extension](crate::WatsUser), joined with `;` |
/// | `employeeNumber`, `costCenter`, `organization`, `division`, `department`, `manager.value` | the [enterprise extension](crate::EnterpriseUser) |
/// | `manager.externalId`, `manager.userName` | the manager by the `externalId` or the `userName`; a [plan](crate::plan) replaces it by the id |
/// | `groups` | the names of the user's groups, joined with `|`; only for [`read_directory`](Self::read_directory) |
/// | a path, such as `name.givenName` or `urn:example:2.0:Badge:number` | this attribute; any attribute of an unknown extension is a string |
///
/// White space around a cell is removed. An empty cell leaves its attribute unassigned. A byte
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
    /// set. A file without a column of groups says nothing about groups.
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
        let directory = rows.finish_directory()?;
        Ok(if columns.of_groups().is_some() { directory.with_groups(groups.finish()) } else { directory })
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::DesiredGroup;

    fn read(file: &str) -> Result<Vec<ScimUser>, ImportError> {
        UserCsv::new().read(file.as_bytes())
    }

    fn bad(file: impl AsRef<[u8]>) -> Vec<String> {
        let rows = UserCsv::new().read(file.as_ref()).unwrap_err().rows().to_vec();
        rows.iter().map(|row| format!("{}: {}", row.line(), row.reason())).collect()
    }

    #[test]
    fn a_plan_names_the_rows_of_a_directory() {
        use crate::config::Profile;
        use crate::plan::{Current, Policy};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        std::fs::write(&path, "userName,groups\n\nann,A\nbob,\n").unwrap();
        let csv = UserCsv::new();
        let plan = |directory| Policy::new(&Profile::wats()).plan(&Current::complete(Vec::new()), &directory);
        let rows = |directory| {
            let refusal = plan(directory).err();
            let steps = refusal.map(|refusal| refusal.plan().steps.clone()).unwrap_or_default();
            steps.into_iter().filter_map(|step| Some(step.origin?.to_string())).collect::<Vec<_>>()
        };
        let file = path.display();
        let read = csv.read_directory_file(&path).unwrap();
        assert_eq!(rows(read.clone()), [format!("{file}:3"), format!("{file}:4")]);
        let text = csv.read_directory(std::fs::File::open(&path).unwrap()).unwrap();
        assert_eq!((rows(text.clone()), &text), (vec!["line 3".to_owned(), "line 4".to_owned()], &read));
    }

    #[test]
    fn every_known_column_sets_its_attribute() {
        let file = "\u{feff} USERNAME ,externalid,active,givenName,familyName,middleName,fullName,displayName,email,roles,\
                    levels,productGroups,title,department,manager.value,urn:x:2.0:Badge:Number,URN:X:2.0:Badge:floor.id\r\n\
                    \r\n\
                    jane@x , 007 ,YES,Jane,Doe,Q,\"Doe, Jane\",\"Jane \"\"JJ\"\"\",j@x,Viewer; Operator,\
                    \" Level 1 ;;Level 2\",Group A,Dr,Test,26,7,x\r\n";
        let expected = json!({
            "userName": "jane@x", "externalId": "007", "active": true,
            "name": { "givenName": "Jane", "familyName": "Doe", "middleName": "Q", "formatted": "Doe, Jane" },
            "displayName": "Jane \"JJ\"", "emails": [{ "value": "j@x", "type": "work", "primary": true }],
            "roles": [{ "value": "Viewer" }, { "value": "Operator" }],
            "urn:ietf:params:scim:schemas:extension:custom:2.0:user":
                { "levels": "Level 1;Level 2", "productGroups": "Group A" },
            "title": "Dr",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                { "department": "Test", "manager": { "value": "26" } },
            "urn:x:2.0:Badge": { "Number": "7", "floor": { "id": "x" } },
        });
        assert_eq!(serde_json::to_value(read(file).unwrap()).unwrap(), json!([expected]));
    }

    #[test]
    fn an_empty_cell_leaves_its_attribute_unassigned() {
        let users = read("userName,givenName,active,email,roles,levels,department\njane,,\"\", ,,\" \",\n").unwrap();
        assert_eq!(users, [ScimUser::new("jane")]);
    }

    #[test]
    fn rows_of_delimiters_alone_are_ignored() {
        let users = read(",,\nuserName,title,active\n,,\njane,Dr,yes\n,,\n\"\", ,\n,,,,\n,,").unwrap();
        assert_eq!(users, [ScimUser::new("jane").with_attribute("title", "Dr").with_active(true)]);
    }

    #[test]
    fn active_is_read_in_every_form() {
        for (cell, active) in
            [("true", true), ("No", false), ("0", false), ("1", true), ("FALSE", false), ("yes", true)]
        {
            assert_eq!(read(&format!("active,userName\n{cell},jane")).unwrap()[0].active, Some(active), "{cell}");
        }
        let file = "userName,active\na,ja\nb,2\nc,canary\n";
        let reason = "\"active\" is not true, false, yes, no, 1 or 0";
        assert_eq!(bad(file), [2, 3, 4].map(|line| format!("{line}: {reason}")));
    }

    #[test]
    fn every_bad_row_is_reported_with_its_line_and_affects_no_other() {
        let file = b"userName,externalId,title\r\n\
            a,1,x\r\n\
            b,2\r\n\
            \r\n\
            c,3,\"x\r\n\
            d,4,x\r\n\
            e,5,x,y\r\n\
            M\xfcller,6,x\r\n\
            ,7,;\r\n\
            A,1,x\r\n\
            f,\"8\"9,x\r\n\
            userName,externalId,title\r\n\
            g,10,\"x";
        let expected = [
            "3: it has 2 cells, but the header has 3",
            "5: a quote is not closed on its line; cells cannot contain line breaks",
            "7: it has 4 cells, but the header has 3",
            "8: it is not UTF-8; save the file as UTF-8",
            "9: userName is missing",
            "10: same userName as line 2; same externalId as line 2",
            "11: misplaced quote; quote a cell as a whole, and double the quotes in it",
            "12: repeated header row; were files concatenated?",
            "13: a quote is not closed on its line; cells cannot contain line breaks",
        ];
        assert_eq!(bad(file), expected);
    }

    #[test]
    fn a_file_without_rows_is_valid_and_one_without_a_header_is_an_error() {
        for empty in ["userName", "userName,title\n", "\u{feff}userName\r\n\r\n \t\r\n"] {
            assert_eq!(read(empty).unwrap(), [], "{empty:?}");
        }
        for nothing in ["", "\n", "\u{feff}", " \r\n\t\n"] {
            let text = read(nothing).unwrap_err().to_string();
            assert_eq!(text, "nothing was read: it is empty; expected a header", "{nothing:?}");
        }
    }

    #[test]
    fn lines_that_end_with_a_carriage_return_alone_are_rejected() {
        let text = read("userName\rjane\rjohn\r").unwrap_err().to_string();
        assert!(text.starts_with("nothing was read: the header, line 1: it contains a carriage return"), "{text}");
    }

    #[test]
    fn a_manager_is_named_by_each_kind_of_name() {
        let manager = |file: &str| {
            let extension = read(file).unwrap()[0]
                .attributes
                .get("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")
                .cloned();
            extension.map(|extension| extension["manager"].clone())
        };
        assert_eq!(manager("userName,manager.userName\njane,ann"), Some(json!({ "userName": "ann" })));
        assert_eq!(manager("userName,MANAGER.externalID\njane,007"), Some(json!({ "externalId": "007" })));
        assert_eq!(manager("userName,manager.externalId\njane,"), None);
    }

    #[test]
    fn groups_have_the_members_whose_rows_name_them() {
        let file = "userName,groups,Department\nann, A | B |,C\nbob,,\ncy,B|B,B\n";
        let settings =
            UserCsv::new().column("Department", "groups").column("Department", "department").groups(["D", "A"]);
        let directory = settings.read_directory(file.as_bytes()).unwrap();
        let group = |name: &str, members: &[&str]| {
            DesiredGroup::new(name).with_members(members.iter().map(|name| Reference::user_name(*name)))
        };
        let expected = [group("D", &[]), group("A", &["ann"]), group("B", &["ann", "cy"]), group("C", &["ann"])];
        assert_eq!(directory.groups(), Some(&expected[..]));
        assert_eq!(directory.users().len(), 3);
        assert!(serde_json::to_string(&directory.users()[0]).unwrap().contains("\"department\":\"C\""));
    }

    #[test]
    fn a_file_without_a_column_of_groups_says_nothing_about_groups() {
        assert_eq!(UserCsv::new().read_directory("userName\nann".as_bytes()).unwrap().groups(), None);
        let error = UserCsv::new().groups(["A"]).read_directory("userName\nann".as_bytes()).unwrap_err().to_string();
        assert!(error.ends_with("UserCsv::groups names groups, but no column has groups"), "{error}");
    }

    #[test]
    fn groups_are_not_lost_by_reading_users_alone() {
        let file = "userName,groups\nann,A".as_bytes();
        let error = UserCsv::new().read(file).unwrap_err().to_string();
        assert!(error.ends_with("the column \"groups\" has groups: read it with UserCsv::read_directory"), "{error}");
        assert_eq!(UserCsv::new().allow_other_columns().read(file).unwrap(), [ScimUser::new("ann")]);
        let mapped = UserCsv::new().allow_other_columns().column("Team", "groups");
        assert!(mapped.read("userName,Team\nann,A".as_bytes()).is_err());
    }

    #[test]
    fn bad_groups_are_reported_with_their_lines() {
        let file = "userName,groups\nann,A\nbob,a\ncy,||\ndee,B\u{200b}\n";
        let rows = UserCsv::new().read_directory(file.as_bytes()).unwrap_err().rows().to_vec();
        let expected = [
            "3: it spells the name of a group in another way than line 2",
            "4: \"groups\" contains only separators",
            "5: the name of a group contains a control character or an invisible character",
        ];
        assert_eq!(rows.iter().map(|row| format!("{}: {}", row.line(), row.reason())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_separator_of_groups_is_not_the_delimiter() {
        for (settings, separator) in
            [(UserCsv::new().delimiter(b'|'), '|'), (UserCsv::new(), ','), (UserCsv::new(), ' ')]
        {
            let file = format!("userName{0}groups\n", char::from(settings.table.delimiter));
            let error = settings.group_separator(separator).read_directory(file.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("UserCsv::group_separator"), "{error}");
        }
        let directory =
            UserCsv::new().group_separator(';').read_directory("userName,groups\nann,A;B|C".as_bytes()).unwrap();
        let names: Vec<_> = directory.groups().unwrap().iter().map(|group| group.display_name.as_str()).collect();
        assert_eq!(names, ["A", "B|C"]);
    }

    #[test]
    fn a_file_is_read_and_named_in_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.csv");
        std::fs::write(&path, "userName;active\njane;yes\njohn;no\n").unwrap();
        let users = UserCsv::new().delimiter(b';').read_file(&path);
        let error = UserCsv::new().read_file(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(users.unwrap().len(), 2);
        let start = format!("{}: nothing was read: ", path.display());
        assert!(error.unwrap_err().to_string().starts_with(&start));
        assert!(UserCsv::new().read_file(&path).unwrap_err().to_string().starts_with(&start));
    }
}
