use std::fmt;
use std::io;
use std::path::Path;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::plan::{Desired, LeftOut};

/// The error of reading users from a file: the file is unreadable, or some of its rows are bad.
///
/// `Display` lists up to 20 bad rows, one per line. It contains no values of a row, because they
/// are personal data. As JSON (serde) it has the `message`, the `file` if it is known, and all `rows`.
///
/// ```
/// let json = r#"[
///     { "userName": "jane@example.com", "active": "perhaps" },
///     { "displayName": "John Roe" }
/// ]"#;
/// let error = wats_scim::import::users_from_json(json).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "2 rows are bad, so nothing was read:\n  \
///        line 2: active is not true or false\n  \
///        line 3: userName is missing"
/// );
/// assert_eq!(error.rows()[1].line(), 3);
/// ```
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct ImportError(Box<Parts>);

#[derive(thiserror::Error)]
#[error("{}", self.text())]
struct Parts {
    /// The path of the file, if it is known.
    file: Option<String>,
    /// The reason why the source is unreadable.
    problem: String,
    rows: Vec<BadRow>,
    /// What the good rows have, and the bad ones, if nothing else is wrong.
    rest: Option<Box<(Desired, Vec<LeftOut>)>>,
    source: Option<io::Error>,
}

/// A CSV row or a JSON entry that is not a valid user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRow {
    pub(super) line: u64,
    pub(super) reason: String,
}

impl BadRow {
    /// Returns the 1-based number of the line on which it begins.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Returns all problems of the row, on one line and without its values.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl ImportError {
    /// The maximum number of rows in a message.
    const LISTED: usize = 20;

    /// Creates the error of an unreadable source.
    pub(super) fn unreadable(problem: impl Into<String>) -> Self {
        Self(Box::new(Parts { file: None, problem: problem.into(), rows: Vec::new(), rest: None, source: None }))
    }

    pub(super) fn of_rows(rows: Vec<BadRow>) -> Self {
        Self(Box::new(Parts { file: None, problem: String::new(), rows, rest: None, source: None }))
    }

    /// The same error, with what the good rows have.
    pub(super) fn with_rest(mut self, rest: Desired, left_out: Vec<LeftOut>) -> Self {
        self.0.rest = Some(Box::new((rest, left_out)));
        self
    }

    /// What can be read without the bad rows: [`left_out`](Desired::left_out) names them. A plan that is made of
    /// it leaves their users as they are, and if it cannot be known who they are, no user counts as missing
    /// from the source. Of two rows with the same `userName` or `externalId`, both are left out.
    ///
    /// ```
    /// use wats_scim::import::UserCsv;
    ///
    /// let error = UserCsv::new().read_directory("userName,active\nann,yes\nbob,perhaps\n".as_bytes()).unwrap_err();
    /// let desired = error.without_bad_rows()?;
    /// assert_eq!((desired.users().len(), desired.left_out()[0].line), (1, 3));
    /// # Ok::<(), wats_scim::import::ImportError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error itself, if the source is unreadable, if a group is bad, or if it was not read as a directory.
    pub fn without_bad_rows(mut self) -> Result<Desired, Self> {
        match self.0.rest.take() {
            Some(rest) => Ok(rest.0.without_rows(rest.1)),
            None => Err(self),
        }
    }

    /// Names the file that could not be read.
    #[must_use]
    pub fn in_file(mut self, path: impl AsRef<Path>) -> Self {
        self.0.file = Some(path.as_ref().display().to_string());
        self
    }

    /// Returns all bad rows, in the order of their lines. Empty if the source is unreadable: an I/O
    /// error, which is the [`source`](std::error::Error::source), an invalid header, or invalid
    /// JSON.
    #[must_use]
    pub fn rows(&self) -> &[BadRow] {
        &self.0.rows
    }
}

impl Serialize for ImportError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("ImportError", 3)?;
        object.serialize_field("message", &self.to_string())?;
        match &self.0.file {
            Some(file) => object.serialize_field("file", file)?,
            None => object.skip_field("file")?,
        }
        object.serialize_field("rows", self.rows())?;
        object.end()
    }
}

impl From<io::Error> for ImportError {
    fn from(error: io::Error) -> Self {
        let mut unreadable = Self::unreadable(format!("it cannot be read: {}", error.kind()));
        unreadable.0.source = Some(error);
        unreadable
    }
}

impl Parts {
    fn text(&self) -> String {
        let file = self.file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default();
        let problem = match self.rows.len() {
            0 => format!("nothing was read: {}", self.problem),
            1 => "1 row is bad, so nothing was read:".to_owned(),
            count => format!("{count} rows are bad, so nothing was read:"),
        };
        let rows = self.rows.iter().take(ImportError::LISTED);
        let rows = rows.map(|row| format!("\n  line {}: {}", row.line, row.reason));
        let more = self.rows.len().checked_sub(ImportError::LISTED).filter(|more| *more > 0);
        let more = more.map(|more| format!("\n  and {more} more"));
        [file, problem].into_iter().chain(rows).chain(more).collect()
    }
}

/// The text that `main` prints for an error.
impl fmt::Debug for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())?;
        match &self.source {
            Some(cause) => write!(f, "\n  because: {cause}"),
            None => Ok(()),
        }
    }
}

/// Quotes and shortens a name for a message.
pub(super) fn quoted(name: &str) -> String {
    let start: String = name.chars().take(40).collect();
    let end = if start.len() < name.len() { "…" } else { "" };
    format!("\"{}{end}\"", start.escape_debug())
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn a_message_lists_20_rows_and_counts_the_rest() {
        let rows = |count| (1..=count).map(|line| BadRow { line, reason: "odd".to_owned() }).collect();
        let text = ImportError::of_rows(rows(23)).in_file(Path::new("people.csv")).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 22);
        assert_eq!(lines[0], "people.csv: 23 rows are bad, so nothing was read:");
        assert_eq!((lines[20], lines[21]), ("  line 20: odd", "  and 3 more"));
        assert!(ImportError::of_rows(rows(20)).to_string().ends_with("line 20: odd"));
    }

    #[test]
    fn a_missing_file_is_named_with_its_cause() {
        let error = crate::import::users_from_json_file("/nowhere/people.json").unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/people.json: nothing was read: it cannot be read: entity not found");
        assert!(error.source().is_some_and(<dyn std::error::Error>::is::<io::Error>));
        assert!(format!("{error:?}").contains("because: "));
    }
}
