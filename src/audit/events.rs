//! Reads a trail.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::iter::FusedIterator;
use std::path::{Path, PathBuf};

use super::{Event, EventQuery, format, numbered};
use crate::outside::file;

/// The events of a trail in their order, from [`Trail::read`](super::Trail::read).
///
/// It is an iterator that holds one line at a time. It ends after an I/O error.
pub struct Events {
    /// `None` after an error.
    file: Option<BufReader<Box<dyn Read + Send>>>,
    /// The files after it.
    rest: std::vec::IntoIter<PathBuf>,
    line: Vec<u8>,
    /// Whether no line was read yet.
    is_first: bool,
    query: EventQuery,
    skipped: u64,
}

impl Events {
    /// The largest line that is read, in bytes.
    const LONGEST: u64 = 64 << 20;

    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let numbers = numbered::numbers(path)?;
        let mut rest =
            numbers.into_iter().map(|number| numbered::path_of(path, number)).collect::<Vec<_>>().into_iter();
        let first = match file::open_to_read(path) {
            // The first files of a rotated trail can be moved away.
            Err(error) if error.kind() == io::ErrorKind::NotFound => match rest.next() {
                Some(next) => file::open_to_read(&next)?,
                None => return Err(error),
            },
            first => first?,
        };
        let file = Some(BufReader::new(first));
        Ok(Self { file, rest, line: Vec::new(), is_first: true, query: EventQuery::new(), skipped: 0 })
    }

    /// Begins the next file; false after the last one.
    fn open_next(&mut self) -> io::Result<bool> {
        let Some(next) = self.rest.next() else { return Ok(false) };
        self.file = Some(BufReader::new(file::open_to_read(&next)?));
        self.is_first = true;
        Ok(true)
    }

    /// Only the events that match the query. The others are read, too, one at a time.
    #[must_use]
    pub fn matching(self, query: EventQuery) -> Self {
        Self { query, ..self }
    }

    /// How many lines were skipped so far because they are no events: cut off, of another program, or
    /// longer than 64 MiB. Empty lines are not counted.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Reads the next line into the buffer, up to the longest length; false at the end of the file.
    fn read_line(&mut self) -> io::Result<bool> {
        let Some(file) = &mut self.file else { return Ok(false) };
        self.line.clear();
        file.by_ref().take(Self::LONGEST).read_until(b'\n', &mut self.line)?;
        let length = u64::try_from(self.line.len()).unwrap_or(u64::MAX);
        if length == Self::LONGEST && !self.line.ends_with(b"\n") {
            // What is left of it is not an event.
            file.skip_until(b'\n')?;
        }
        Ok(length > 0)
    }
}

impl Iterator for Events {
    type Item = io::Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let error = match self.read_line() {
                Ok(true) if self.line.trim_ascii().is_empty() => continue,
                Ok(true) => match serde_json::from_slice(&self.line) {
                    Ok(event) => {
                        self.is_first = false;
                        if self.query.matches(&event) {
                            return Some(Ok(event));
                        }
                        continue;
                    }
                    Err(_) if self.is_first => format::check_line(&self.line, format::TRAIL),
                    Err(_) => Ok(()),
                },
                Ok(false) if self.file.is_none() => return None,
                Ok(false) => match self.open_next() {
                    Ok(true) => continue,
                    Ok(false) => return None,
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            if let Err(error) = error {
                self.file = None;
                return Some(Err(error));
            }
            self.is_first = false;
            self.skipped = self.skipped.saturating_add(1);
        }
    }
}

impl FusedIterator for Events {}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("skipped", &self.skipped).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::audit::{Outcome, Trail};

    const LINE: &str = r#"{"at":"2026-11-24T09:15:02.482913Z","write":"a-1","server":"https://acme.wats.com","label":"ann","operation":"update user","id":"7f3a","attributes":[{"op":"replace","path":"active","value":false}],"outcome":"applied","attempts":1}"#;

    fn read(text: &str) -> (Vec<Event>, u64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trail");
        fs::write(&path, text).unwrap();
        let mut events = Trail::read(&path).unwrap();
        let read = events.by_ref().map(Result::unwrap).collect();
        assert!(events.next().is_none());
        (read, events.skipped())
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let (events, skipped) = read(LINE);
        assert_eq!((events.len(), skipped), (1, 0), "the last line need not be ended");
        assert_eq!((events[0].server.as_str(), events[0].outcome), ("https://acme.wats.com", Outcome::Applied));
        assert_eq!(serde_json::to_string(&events[0]).unwrap(), LINE);
    }

    #[test]
    fn torn_lines_are_skipped_and_counted() {
        let torn = &LINE[..LINE.len() / 2];
        let (events, skipped) = read(&format!("{torn}\n{LINE}\n\n{{}}\n\u{0}\n{LINE}\n{LINE}{LINE}\n{torn}"));
        assert_eq!((events.len(), skipped), (2, 5));
    }

    #[test]
    fn a_trail_of_a_later_version_is_read() {
        let later = LINE.replacen('{', r#"{"sinceTwo":{"x":[1]},"#, 1);
        assert_eq!(read(&later).0, read(LINE).0);
    }

    #[test]
    fn a_journal_or_a_plan_is_not_read_as_a_trail() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (text, expected) in [
            (r#"{"format":"wats-scim-journal/1","plan":{}}"#, "it is the journal of an apply; read it with Journal"),
            (r#"{"format":"wats-scim-plan/1","steps":[]}"#, "it is a plan; read it with serde_json"),
            (r#"{"format":"wats-scim-trail/2","events":[]}"#, "its format is \"wats-scim-trail/2\""),
        ] {
            fs::write(&path, format!("\n{text}\n{LINE}\n")).unwrap();
            let mut events = Trail::read(&path).unwrap();
            let error = events.next().unwrap().unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
            assert!(events.next().is_none());
        }
        let named = LINE.replacen('{', r#"{"format":"wats-scim-trail/1","#, 1);
        assert_eq!(read(&format!("{named}\n{LINE}")).0.len(), 2);
    }

    #[test]
    fn events_are_selected_while_they_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trail");
        let other = LINE.replace("\"ann\"", "\"bob\"");
        fs::write(&path, format!("{LINE}\n{other}\nx\n{LINE}\n{other}")).unwrap();
        let mut events = Trail::read(&path).unwrap().matching(EventQuery::new().label("bob"));
        assert_eq!(events.by_ref().map(Result::unwrap).count(), 2);
        assert_eq!(events.skipped(), 1, "an event that does not match is not skipped");
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert_eq!(Trail::read("/nowhere/trail").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn an_error_ends_the_events() {
        // A folder can be opened, but not read.
        let folder = tempfile::tempdir().unwrap();
        if let Ok(mut events) = Trail::read(folder.path()) {
            assert!(events.next().unwrap().is_err());
            assert!(events.next().is_none());
        }
    }
}
