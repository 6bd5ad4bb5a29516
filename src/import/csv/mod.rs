//! Users from CSV (RFC 4180): a line a user, each read by itself.

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
use super::rows::Rows;
use crate::model::ScimUser;

/// Reads users from CSV: all of them, or an error that names the line of every bad row.
///
/// The first line is the header. It says what each column holds, in any letter case:
///
/// | a column | gives |
/// |---|---|
/// | `userName` | the name by which the user signs in; there must be one |
/// | `externalId`, `displayName`, `nickName`, `title`, `userType`, `preferredLanguage`, `locale`, `timezone`, `profileUrl`, `password` | the attribute of that name |
/// | `active` | `true` or `false`, also written `1` or `0`, `yes` or `no`, in any letter case |
/// | `givenName`, `familyName`, `middleName`, `honorificPrefix`, `honorificSuffix` | that part of the name |
/// | `fullName` or `formatted` | `name.formatted` |
/// | `email` | the primary work address, and the only one |
/// | `roles` | one role, or several joined by `;` |
/// | `levels`, `productGroups` | [WATS's own](crate::WatsUser), joined by `;` |
/// | `employeeNumber`, `costCenter`, `organization`, `division`, `department`, `manager.value` | the [enterprise extension](crate::EnterpriseUser) |
/// | a path, such as `name.givenName` or `urn:example:2.0:Badge:number` | that attribute; of an extension that is not known here any, as text |
///
/// Blanks around a cell are taken off. An empty cell leaves its attribute unassigned. A byte order
/// mark and empty lines are skipped. A file with a header alone gives no users and no error.
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
///     .ignore_others()
///     .read(file.as_bytes())?;
/// assert_eq!(users[1].external_id.as_deref(), Some("4712"));
/// assert_eq!(users[1].active, Some(false));
///
/// let error = UserCsv::new().read("userName,active\njane,maybe\n\"john,true\n".as_bytes()).unwrap_err();
/// assert_eq!(error.rows().iter().map(|row| row.line()).collect::<Vec<_>>(), [2, 3]);
/// # Ok::<(), wats_scim::import::ImportError>(())
/// ```
///
/// # What is bad
///
/// A row with fewer or more cells than the header; with a quote that is not closed on its line, or
/// stands where none may; that is not UTF-8; without a `userName`; with an `active` that is neither
/// true nor false; with a `userName` or `externalId` that another row has too, or with characters in
/// it which cannot be seen; and the header once more. So a cell has no line break in it: a quote
/// that somebody forgot to close would otherwise take the rows after it for a part of its cell.
///
/// That the last row was cut off shows in its cells or quotes, unless it was cut within or behind
/// its last cell. Where that matters, let the last column be one that ends in a known way.
#[derive(Clone, Debug)]
pub struct UserCsv {
    delimiter: u8,
    /// Names in the header, and what they are to hold.
    columns: Vec<(String, String)>,
    ignores_others: bool,
}

impl Default for UserCsv {
    fn default() -> Self {
        Self { delimiter: b',', columns: Vec::new(), ignores_others: false }
    }
}

impl UserCsv {
    /// Cells between commas, and no columns but those that are known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What stands between the cells: `,` by default; often `;` or a tab. Any ASCII character but a
    /// quote or a line break.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// The column that the file calls `name`, in any letter case, holds `attribute`, which is any name
    /// or path that could stand in a header. There must be such a column, and what its own name says
    /// no longer counts. It holds several attributes if it is named several times:
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

    /// Passes over columns that nobody knows. By default they are an error, so that a mistyped
    /// header loses no column.
    #[must_use]
    pub fn ignore_others(mut self) -> Self {
        self.ignores_others = true;
        self
    }

    /// Reads all users, in the order of the rows.
    ///
    /// # Errors
    ///
    /// A [`ImportError`] with the bad rows. Without any, if there is no header or it does not say
    /// what every column is; if two columns are for one attribute, or none is the `userName`; if a
    /// setting is not valid; or an I/O error.
    pub fn read(&self, input: impl Read) -> Result<Vec<ScimUser>, ImportError> {
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
            // On a later line where a file was joined to another.
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            if line.trim_ascii().is_empty() {
                continue;
            }
            let cells = splitter.cells(line);
            match &header {
                None => {
                    let columns = cells.map_err(str::to_owned).and_then(|cells| Columns::read(&cells, self));
                    let error = |reason| ImportError::unreadable(format!("the header, line {number}: {reason}"));
                    header = Some(columns.map_err(error)?);
                }
                Some(columns) => match cells.map_err(str::to_owned).and_then(|cells| columns.user(&cells)) {
                    Ok((user, wrong)) => rows.take(number, user, wrong),
                    Err(reason) => rows.refuse(number, reason),
                },
            }
        }
        match header {
            Some(_) => rows.finish(),
            None => Err(ImportError::unreadable("it is empty, without so much as a header")),
        }
    }

    /// [`read`](Self::read) of a file, which every error names.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), or that the file cannot be opened.
    pub fn read_file(&self, path: impl AsRef<Path>) -> Result<Vec<ScimUser>, ImportError> {
        let path = path.as_ref();
        let read = File::open(path).map_err(ImportError::from).and_then(|file| self.read(file));
        read.map_err(|error| error.in_file(path))
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
    fn every_known_column_reaches_its_attribute() {
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
    fn active_is_read_in_every_form() {
        for (cell, active) in
            [("true", true), ("No", false), ("0", false), ("1", true), ("FALSE", false), ("yes", true)]
        {
            assert_eq!(read(&format!("active,userName\n{cell},jane")).unwrap()[0].active, Some(active), "{cell}");
        }
        let file = "userName,active\na,ja\nb,2\nc,canary\n";
        let reason = "\"active\" is neither true nor false, nor yes or no, nor 1 or 0";
        assert_eq!(bad(file), [2, 3, 4].map(|line| format!("{line}: {reason}")));
    }

    #[test]
    fn every_bad_row_is_reported_with_its_line_and_costs_no_other() {
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
            "3: it has 2 cells, and the header 3",
            "5: a quote is not closed on the same line; a cell has no line break in it",
            "7: it has 4 cells, and the header 3",
            "8: it is not UTF-8; save the file as UTF-8",
            "9: userName is missing",
            "10: the same userName as on line 2; the same externalId as on line 2",
            "11: a quote stands where none may: a cell is in quotes from end to end, and a quote in it doubled",
            "12: it is the header again; is this several files in one?",
            "13: a quote is not closed on the same line; a cell has no line break in it",
        ];
        assert_eq!(bad(file), expected);
    }

    #[test]
    fn a_file_without_rows_is_empty_and_one_without_a_header_an_error() {
        for nobody in ["userName", "userName,title\n", "\u{feff}userName\r\n\r\n \t\r\n"] {
            assert_eq!(read(nobody).unwrap(), [], "{nobody:?}");
        }
        for nothing in ["", "\n", "\u{feff}", " \r\n\t\n"] {
            let text = read(nothing).unwrap_err().to_string();
            assert_eq!(text, "nothing was read: it is empty, without so much as a header", "{nothing:?}");
        }
    }

    #[test]
    fn lines_that_end_with_a_carriage_return_alone_are_not_taken_for_a_header() {
        let text = read("userName\rjane\rjohn\r").unwrap_err().to_string();
        assert!(text.starts_with("nothing was read: the header, line 1: it has a carriage return"), "{text}");
    }

    #[test]
    fn a_file_is_read_and_named_in_its_errors() {
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
