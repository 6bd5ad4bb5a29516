//! Reads a trail.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::iter::FusedIterator;
use std::path::Path;

use super::Event;
use crate::outside::file;

/// The events of a trail file in their order, from [`Trail::read`](super::Trail::read).
///
/// It is an iterator that holds one line at a time. It ends after an I/O error.
pub struct Events {
    /// `None` after an error.
    file: Option<BufReader<Box<dyn Read + Send>>>,
    line: Vec<u8>,
    skipped: u64,
}

impl Events {
    /// The largest line that is read, in bytes.
    const LONGEST: u64 = 64 << 20;

    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: Some(BufReader::new(file::open_to_read(path)?)), line: Vec::new(), skipped: 0 })
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
            match self.read_line() {
                Ok(true) if self.line.trim_ascii().is_empty() => {}
                Ok(true) => match serde_json::from_slice(&self.line) {
                    Ok(event) => return Some(Ok(event)),
                    Err(_) => self.skipped = self.skipped.saturating_add(1),
                },
                Ok(false) => return None,
                Err(error) => {
                    self.file = None;
                    return Some(Err(error));
                }
            }
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
