use std::fmt;
use std::io;
use std::path::Path;

/// Why no users were read from a source: it cannot be read at all, or some of its rows are bad.
///
/// `Display` says that nothing was read, and lists up to 20 bad rows, one a line. It repeats no
/// value of a row, since values are personal data.
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
    /// The file, if it was opened here.
    file: Option<String>,
    /// Why there are no rows to speak of.
    problem: String,
    rows: Vec<BadRow>,
    source: Option<io::Error>,
}

/// A row of CSV, or an entry of JSON, that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    pub(super) line: u64,
    pub(super) reason: String,
}

impl BadRow {
    /// The line on which it begins, counted from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Everything that is wrong with it, on one line and without its values.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl ImportError {
    /// How many rows a message lists.
    const LISTED: usize = 20;

    /// The source cannot be read at all.
    pub(super) fn unreadable(problem: impl Into<String>) -> Self {
        Self(Box::new(Parts { file: None, problem: problem.into(), rows: Vec::new(), source: None }))
    }

    pub(super) fn of_rows(rows: Vec<BadRow>) -> Self {
        Self(Box::new(Parts { file: None, problem: String::new(), rows, source: None }))
    }

    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.0.file = Some(path.display().to_string());
        self
    }

    /// Every bad row, in the order of the lines. Empty if the source cannot be read at all: an I/O
    /// error, which is the [`source`](std::error::Error::source), a header that is not understood, or broken
    /// JSON.
    #[must_use]
    pub fn rows(&self) -> &[BadRow] {
        &self.0.rows
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

/// What `main` prints when it returns an error.
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

/// A name from a source, as a message may repeat it.
pub(super) fn shown(name: &str) -> String {
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
    fn a_file_that_is_not_there_is_named_and_its_cause_kept() {
        let error = crate::import::users_from_json_file("/nowhere/people.json").unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/people.json: nothing was read: it cannot be read: entity not found");
        assert!(error.source().is_some_and(<dyn std::error::Error>::is::<io::Error>));
        assert!(format!("{error:?}").contains("because: "));
    }
}
