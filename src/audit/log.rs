use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Event, Sink};

/// A file of events, one JSON object on each line.
///
/// Each event is there as soon as it is recorded, whatever becomes of the program. Any number of
/// threads and programs may append to one file on a disk of their machine. A line that was cut
/// short, by a full disk or a power failure, has no other glued to it; whoever reads the file skips
/// what is not JSON.
///
/// On Unix, a new file can be read and written by its owner only. To put another file in its place,
/// make another log.
///
/// ```
/// use wats_scim::{Credentials, ScimConfig};
/// use wats_scim::audit::{Log, Trail};
/// # let path = std::env::temp_dir().join(format!("wats-scim-example-{}.jsonl", std::process::id()));
///
/// let audit = Trail::to(Log::append(&path)?).label("nightly import");
/// let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw")).audit(audit);
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    lines: Mutex<Lines>,
    is_synced: bool,
}

#[derive(Debug)]
struct Lines {
    file: File,
    /// Whether the file may end within a line.
    may_be_torn: bool,
}

impl Log {
    /// A log that is appended to this file, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened for reading and writing.
    pub fn append(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok(Self { path, lines: Mutex::new(Lines { file, may_be_torn: true }), is_synced: false })
    }

    /// Waits for the disk after each event, so that the trail survives a power failure too. A write
    /// has two events, and each may take some milliseconds; in the async face they hold up the
    /// executor's thread.
    ///
    /// # Errors
    ///
    /// If the file cannot be made to last, which on Unix is noted in its directory.
    pub fn synced(mut self) -> io::Result<Self> {
        sync_directory(&self.path)?;
        self.is_synced = true;
        Ok(self)
    }
}

#[cfg(unix)]
fn sync_directory(of: &Path) -> io::Result<()> {
    match of.canonicalize()?.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on Unix")]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

impl Sink for Log {
    fn record(&self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.may_be_torn && is_torn(&mut lines.file)? {
            line.insert(0, b'\n');
        }
        lines.may_be_torn = true;
        // All of it at once, so that it is not mixed with what other programs append.
        lines.file.write_all(&line)?;
        if self.is_synced {
            lines.file.sync_data()?;
        }
        lines.may_be_torn = false;
        Ok(())
    }
}

/// Whether the file ends within a line, and not only while another program is writing it.
fn is_torn(file: &mut File) -> io::Result<bool> {
    for _ in 0..5 {
        if !ends_within_a_line(file)? {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(true)
}

fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    let about = file.metadata()?;
    if !about.is_file() || about.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use chrono::DateTime;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;
    use crate::audit::Outcome;
    use crate::error::Operation;

    /// A folder that is removed in the end, with the file of a trail.
    struct Place(TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("trail.jsonl")
        }

        fn log(&self) -> Log {
            Log::append(self.path()).unwrap()
        }

        fn text(&self) -> String {
            fs::read_to_string(self.path()).unwrap()
        }
    }

    fn event(write: &str) -> Event {
        Event {
            at: DateTime::UNIX_EPOCH,
            write: write.to_owned(),
            label: None,
            operation: Operation::Delete("user"),
            id: Some("1\n2".to_owned()),
            name: None,
            external_id: None,
            attributes: Vec::new(),
            outcome: Outcome::Begun,
            attempts: 0,
            error: None,
        }
    }

    const LINE: &str = r#"{"at":"1970-01-01T00:00:00.000000Z","write":"a","operation":"delete user","id":"1\n2","outcome":"begun","attempts":0}"#;

    #[test]
    fn an_event_is_a_line_that_is_there_at_once() {
        let place = Place::new();
        for log in [place.log(), place.log().synced().unwrap()] {
            log.record(&event("a")).unwrap();
            // What is never dropped has nothing left to write.
            std::mem::forget(log);
        }
        assert_eq!(place.text(), format!("{LINE}\n{LINE}\n"));
    }

    #[test]
    fn nothing_is_glued_to_a_torn_line() {
        for (before, expected) in
            [("", String::new()), ("{\"at", "{\"at\n".to_owned()), ("whole\n", "whole\n".to_owned())]
        {
            let place = Place::new();
            fs::write(place.path(), before).unwrap();
            let log = place.log();
            log.record(&event("a")).unwrap();
            log.record(&event("a")).unwrap();
            assert_eq!(place.text(), format!("{expected}{LINE}\n{LINE}\n"));
        }
    }

    #[test]
    fn nothing_is_glued_to_a_line_that_failed() {
        let place = Place::new();
        let log = place.log();
        log.record(&event("a")).unwrap();
        // Half of a line went out before the disk was full.
        log.lines.lock().unwrap().may_be_torn = true;
        OpenOptions::new().append(true).open(place.path()).unwrap().write_all(b"{\"at").unwrap();
        log.record(&event("a")).unwrap();
        assert_eq!(place.text(), format!("{LINE}\n{{\"at\n{LINE}\n"));
    }

    #[test]
    fn threads_and_instances_share_a_file() {
        let place = Place::new();
        let first = Arc::new(place.log());
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let log = if n < 4 { Arc::clone(&first) } else { Arc::new(place.log()) };
                thread::spawn(move || (0..200).for_each(|m| log.record(&event(&format!("{n}-{m}"))).unwrap()))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let text = place.text();
        let mut writes: Vec<String> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["write"].as_str().unwrap().to_owned())
            .collect();
        writes.sort();
        writes.dedup();
        assert_eq!(writes.len(), 1_600);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_and_another_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt;

        let mode = |place: &Place| fs::metadata(place.path()).unwrap().permissions().mode() & 0o777;
        let place = Place::new();
        place.log();
        assert_eq!(mode(&place), 0o600);
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o640)).unwrap();
        place.log();
        assert_eq!(mode(&place), 0o640);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let error = Log::append("/dev/full").unwrap().record(&event("a")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        assert_eq!(Log::append("/nowhere/at/all.jsonl").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_is_known_is_written_by_its_name() {
        let mut event = event("a");
        event.label = Some("ann".into());
        event.name = Some("jane".into());
        event.external_id = Some("4711".into());
        event.error = Some("no".into());
        let line = serde_json::to_value(&event).unwrap();
        let known = json!({ "label": "ann", "name": "jane", "externalId": "4711", "error": "no" });
        for (name, value) in known.as_object().unwrap() {
            assert_eq!(&line[name], value, "{name}");
        }
    }
}
