//! A file of JSON Lines that is only appended to, under the trail and the journal of an apply.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use wats_scim_filter::json::is_invisible;

use super::numbered;
use crate::outside::file::{self, AppendFile};
use crate::outside::{clock, mistake};

/// The open file. Each line is there as soon as it is appended, whatever becomes of the program.
/// Threads, and several programs on one machine, may append to one file: a line is written with one
/// call. A line that was cut off, by a full disk or a power failure, is ended before the next one.
#[derive(Debug)]
pub(crate) struct Lines {
    state: Mutex<State>,
    pub(crate) is_synced: bool,
    /// `None` for a file that is always the same one.
    follows: Option<Follows>,
}

/// A path whose file can become another one.
#[derive(Debug)]
struct Follows {
    /// The path of the first file.
    path: PathBuf,
    /// The format, with which each file begins.
    format: &'static str,
    /// The size in bytes from which a file gets no more lines; the next one has the next number.
    full_at: Option<u64>,
}

/// The first line of a file, which names the format.
#[derive(Serialize)]
struct First<'a, T> {
    format: &'static str,
    #[serde(flatten)]
    line: &'a T,
}

#[derive(Debug)]
struct State {
    file: Box<dyn AppendFile>,
    /// Whether the file may end within a line.
    may_be_torn: bool,
    is_locked: bool,
    /// The number of the file, from 1.
    number: u64,
}

impl State {
    fn of(file: Box<dyn AppendFile>, number: u64) -> Self {
        Self { file, may_be_torn: true, is_locked: false, number }
    }
}

impl Drop for State {
    /// Releases the file. Closing it would not do while a child process that another thread is starting
    /// shares the descriptor, until it executes its own program.
    fn drop(&mut self) {
        if self.is_locked {
            self.file.unlock();
        }
    }
}

impl Lines {
    /// Opens a file, or creates one that only its owner can read and write (on Unix).
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let state = Mutex::new(State::of(file::open(path)?, 1));
        Ok(Self { state, is_synced: false, follows: None })
    }

    /// Opens a file of events that another program may rename away at any time, and whose first line names its
    /// format.
    pub(super) fn open_to_follow(path: &Path, format: &'static str) -> io::Result<Self> {
        let follows = Follows { path: path.to_owned(), format, full_at: None };
        Ok(Self { follows: Some(follows), ..Self::open(path)? })
    }

    /// Begins a file with the next number when the last one has this size, in bytes. No file is renamed, so
    /// that it does not matter which other programs have it open.
    pub(super) fn rotate_at(mut self, bytes: u64) -> io::Result<Self> {
        let Some(follows) = &mut self.follows else { return Ok(self) };
        follows.full_at = Some(bytes.max(1));
        if let Some(last) = numbered::numbers(&follows.path)?.last() {
            let file = file::open(&numbered::path_of(&follows.path, *last))?;
            self.state = Mutex::new(State::of(file, *last));
        }
        Ok(self)
    }

    /// Takes the file for this process alone; false while another one has it.
    pub(crate) fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.lock();
        state.is_locked = state.file.try_lock()?;
        Ok(state.is_locked)
    }

    /// All of the file.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        self.lock().file.read()
    }

    /// Empties the file.
    pub(crate) fn clear(&self) -> io::Result<()> {
        self.lock().file.clear()
    }

    /// Waits until the file is on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.lock().file.sync()
    }

    pub(crate) fn append(&self, value: &impl Serialize) -> io::Result<()> {
        let mut line = line_of(value)?;
        let mut state = self.lock();
        if let Some(follows) = &self.follows {
            self.follow(follows, &mut state)?;
        }
        match if state.may_be_torn { end(&mut *state.file)? } else { End::OfLine } {
            End::Nowhere => {
                if let Some(Follows { format, .. }) = self.follows {
                    line = line_of(&First { format, line: value })?;
                }
            }
            End::InLine if !mistake!("a torn line is continued") => line.insert(0, b'\n'),
            _ => {}
        }
        state.may_be_torn = true;
        state.file.append(&line)?;
        if self.is_synced && !mistake!("the journal is not synced") {
            state.file.sync()?;
        }
        state.may_be_torn = false;
        Ok(())
    }

    /// Opens the file that gets the next line, if it is another one now.
    fn follow(&self, Follows { path, full_at, .. }: &Follows, state: &mut State) -> io::Result<()> {
        let mut number = state.number;
        // What was appended meanwhile is in the file that was renamed.
        let mut is_another = !state.file.is_at(&numbered::path_of(path, number))?;
        loop {
            if is_another {
                let path = numbered::path_of(path, number);
                *state = State::of(file::open(&path)?, number);
                if self.is_synced {
                    file::sync_folder(&path)?;
                }
            }
            match full_at {
                Some(full_at) if state.file.size()? >= *full_at => number = number.saturating_add(1),
                _ => return Ok(()),
            }
            is_another = true;
        }
    }

    #[cfg(test)]
    pub(crate) fn inherited(&self) -> std::fs::File {
        self.lock().file.inherited()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line_of(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut line, Escaped))?;
    line.push(b'\n');
    Ok(line)
}

/// Writes control characters, invisible characters, and characters that reorder or separate lines as
/// escapes: a viewer must show one line for a line, with all of its text in order.
struct Escaped;

impl Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((before, c)) =
            rest.find(is_escaped).and_then(|at| Some((rest.get(..at)?, rest.get(at..)?.chars().next()?)))
        {
            writer.write_all(before.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = rest.get(before.len().saturating_add(c.len_utf8())..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}

fn is_escaped(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Where a file ends.
enum End {
    /// The file is empty.
    Nowhere,
    OfLine,
    InLine,
}

/// Where the file ends, if no other program is writing it.
fn end(file: &mut dyn AppendFile) -> io::Result<End> {
    for _ in 0..5 {
        match file.last()? {
            None => return Ok(End::Nowhere),
            Some(b'\n') => return Ok(End::OfLine),
            Some(_) => clock::pause(Duration::from_millis(1)),
        }
    }
    Ok(End::InLine)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};

    use super::*;

    #[test]
    fn nothing_is_glued_to_a_torn_line() {
        for (before, expected) in [("", ""), ("{\"at", "{\"at\n"), ("whole\n", "whole\n")] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("lines");
            fs::write(&path, before).unwrap();
            let lines = Lines::open(&path).unwrap();
            lines.append(&1).unwrap();
            lines.append(&2).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{expected}1\n2\n"));
        }
    }

    #[test]
    fn nothing_is_glued_to_a_line_that_failed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let lines = Lines::open(&path).unwrap();
        lines.append(&1).unwrap();
        // Half of a line was written before the disk was full.
        lines.lock().may_be_torn = true;
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"at").unwrap();
        lines.append(&2).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n{\"at\n2\n");
    }

    #[test]
    fn a_line_has_no_character_that_hides_or_reorders_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let text = "a\u{1b}\u{7f}\u{85}\u{9b}31m \u{202e}b\u{2028}\u{ad}\u{180e}\u{e0041}é😀";
        Lines::open(&path).unwrap().append(&serde_json::json!({ text: [text] })).unwrap();
        let line = fs::read_to_string(&path).unwrap();
        assert_eq!(line.matches(is_escaped).collect::<Vec<_>>(), ["\n"]);
        assert!(line.ends_with("\\u202eb\\u2028\\u00ad\\u180e\\udb40\\udc41é😀\"]}\n"), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), serde_json::json!({ text: [text] }));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let error = Lines::open(Path::new("/dev/full")).unwrap().append(&1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
