//! Reads users from CSV (RFC 4180), one user per line. Each line is parsed on its own.

mod attribute;
mod cells;
mod columns;
#[cfg(test)]
mod round_trip;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use self::cells::Splitter;
use self::columns::Columns;
use super::error::ImportError;
use super::rows::{Rows, in_file};
use crate::model::{Origins, ScimUser};

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
    delimiter: u8,
    /// Header names and the attributes they are mapped to.
    columns: Vec<(String, String)>,
    allows_other_columns: bool,
}

impl Default for UserCsv {
    fn default() -> Self {
        Self { delimiter: b',', columns: Vec::new(), allows_other_columns: false }
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
        self.delimiter = delimiter;
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
        self.columns.push((name.into(), attribute.into()));
        self
    }

    /// Ignores unknown columns. By default they are an error, so that a misspelled header does not
    /// lose a column.
    #[must_use]
    pub fn allow_other_columns(mut self) -> Self {
        self.allows_other_columns = true;
        self
    }

    /// Reads users from CSV, in the order of the rows.
    ///
    /// # Errors
    ///
    /// An [`ImportError`] with the bad rows, or without rows if the header is missing or has an
    /// unknown column, if two columns set the same attribute or none sets `userName`, if a setting
    /// is not valid, or after an I/O error.
    pub fn read(&self, input: impl Read) -> Result<Vec<ScimUser>, ImportError> {
        self.read_with_origins(input).map(|(users, _)| users)
    }

    /// Reads users from CSV, like [`read`](Self::read), with the line of each.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    ///
    /// ```
    /// use wats_scim::import::UserCsv;
    ///
    /// let (users, origins) = UserCsv::new().read_with_origins("userName\n\njane@example.com".as_bytes())?;
    /// assert_eq!(users.len(), 1);
    /// assert_eq!(origins.get(0).map(|origin| origin.to_string()).as_deref(), Some("line 3"));
    /// # Ok::<(), wats_scim::import::ImportError>(())
    /// ```
    pub fn read_with_origins(&self, input: impl Read) -> Result<(Vec<ScimUser>, Origins), ImportError> {
        let mut splitter = Splitter::new(self.delimiter).map_err(ImportError::unreadable)?;
        let mut header: Option<Columns> = None;
        let mut rows = Rows::default();
        let mut input = BufReader::new(input);
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if input.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // Also on later lines, if files were concatenated.
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            if line.trim_ascii().is_empty() {
                continue;
            }
            let cells = splitter.cells(line);
            // Spreadsheets write rows of delimiters alone below the last row.
            if cells.as_ref().is_ok_and(|cells| cells.iter().all(|cell| cell.is_empty())) {
                continue;
            }
            match &header {
                None => {
                    let columns = cells.map_err(str::to_owned).and_then(|cells| Columns::read(&cells, self));
                    let error = |reason| ImportError::unreadable(format!("the header, line {number}: {reason}"));
                    header = Some(columns.map_err(error)?);
                }
                Some(columns) => match cells.map_err(str::to_owned).and_then(|cells| columns.user(&cells)) {
                    Ok((user, problems)) => rows.add(number, user, problems),
                    Err(reason) => rows.reject(number, reason),
                },
            }
        }
        match header {
            Some(_) => rows.finish(),
            None => Err(ImportError::unreadable("it is empty; expected a header")),
        }
    }

    /// Reads users from a CSV file, like [`read`](Self::read). Errors name the file.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), and an I/O error if the file cannot be opened.
    pub fn read_file(&self, path: impl AsRef<Path>) -> Result<Vec<ScimUser>, ImportError> {
        self.read_file_with_origins(path).map(|(users, _)| users)
    }

    /// Reads users from a CSV file, like [`read_file`](Self::read_file), with the file and the line of each.
    ///
    /// # Errors
    ///
    /// Those of [`read_file`](Self::read_file).
    pub fn read_file_with_origins(&self, path: impl AsRef<Path>) -> Result<(Vec<ScimUser>, Origins), ImportError> {
        let path = path.as_ref();
        let read = File::open(path).map_err(ImportError::from).and_then(|file| self.read_with_origins(file));
        in_file(read, path)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(file: &str) -> Result<Vec<ScimUser>, ImportError> {
        UserCsv::new().read(file.as_bytes())
    }

    fn bad(file: impl AsRef<[u8]>) -> Vec<String> {
        let rows = UserCsv::new().read(file.as_ref()).unwrap_err().rows().to_vec();
        rows.iter().map(|row| format!("{}: {}", row.line(), row.reason())).collect()
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
