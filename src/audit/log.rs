use std::io;
use std::path::PathBuf;

use super::lines::Lines;
use super::{Event, Sink, format};
use crate::outside::file;

/// A file of events in the JSON Lines format: one JSON object per line.
///
/// Each event is written when it is recorded, so it survives a crash of the program. Any number of
/// threads and programs can append to the same file on a local disk. A line that was cut off by a
/// full disk or a power failure is terminated before the next event;
/// [`Trail::read`](super::Trail::read) skips it.
///
/// On Unix, a new file is accessible by its owner only; the permissions of an existing file are not
/// changed. The first event of a file names its format.
///
/// # Rotation
///
/// On Unix, the file can be renamed at any time, also by another program such as `logrotate`, and also while
/// several programs append to it: the next event is written to a new file at the path. An event that was
/// being written is in the renamed file, so compress or move that one later (`delaycompress`). No event is
/// lost or written twice. Copying the file and truncating it loses events. On Windows, use
/// [`rotate_at`](Self::rotate_at): no file is renamed there.
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
    lines: Lines,
}

impl Log {
    /// Opens a file for appending, and creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// The I/O error if the file cannot be opened for reading and writing.
    pub fn append(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        Ok(Self { lines: Lines::open_to_follow(&path, format::TRAIL)?, path })
    }

    /// Begins a new file when the current one has reached this size in bytes; at least 1. By default there is one
    /// file of any size.
    ///
    /// The files are `trail.jsonl`, `trail.000002.jsonl`, `trail.000003.jsonl` and so on, each of them with its
    /// format and accessible by its owner only; [`Trail::read`](super::Trail::read) with the first path reads
    /// them all. The last one gets the events: no file is renamed, truncated or deleted, so no event is lost,
    /// on Windows too, and full files can be compressed or moved away at any time but for the last one. Each
    /// program that appends to the trail sets the same size, and begins the next file by itself; a file can be
    /// larger than the size by an event of each of them.
    ///
    /// ```
    /// use wats_scim::audit::{Log, Trail};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("trail.jsonl");
    ///
    /// let audit = Trail::to(Log::append(&path)?.rotate_at(64 << 20)?);
    /// # let _ = audit;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The I/O error if the folder cannot be read, or the last file not be opened.
    pub fn rotate_at(self, bytes: u64) -> io::Result<Self> {
        Ok(Self { lines: self.lines.rotate_at(bytes)?, ..self })
    }

    /// Syncs the file to disk after each event, so that events also survive a power failure.
    ///
    /// Each of the two events of a write then takes some milliseconds. In the async API they block
    /// the executor's thread.
    ///
    /// # Errors
    ///
    /// The I/O error if the directory cannot be synced, which on Unix makes a new file durable.
    pub fn synced(mut self) -> io::Result<Self> {
        file::sync_folder(&self.path)?;
        self.lines.is_synced = true;
        Ok(self)
    }
}

impl Sink for Log {
    fn record(&self, event: &Event) -> io::Result<()> {
        self.lines.append(event)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;
    use std::thread;

    use chrono::DateTime;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;
    use crate::audit::{Outcome, Trail};
    use crate::error::Operation;

    /// The path of a new file, in a folder that is deleted on drop.
    fn new_file() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trail");
        (folder, file)
    }

    fn log(file: &Path) -> Log {
        Log::append(file).unwrap()
    }

    fn text(file: &Path) -> String {
        fs::read_to_string(file).unwrap()
    }

    fn event(write: &str) -> Event {
        Event {
            at: DateTime::UNIX_EPOCH,
            write: write.to_owned(),
            server: "https://acme.wats.com".to_owned(),
            label: None,
            origin: None,
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

    const LINE: &str = r#"{"at":"1970-01-01T00:00:00.000000Z","write":"a","server":"https://acme.wats.com","operation":"delete user","id":"1\n2","outcome":"begun","attempts":0}"#;

    #[test]
    fn an_event_is_written_at_once() {
        let (_folder, file) = new_file();
        for log in [log(&file), log(&file).synced().unwrap()] {
            log.record(&event("a")).unwrap();
            // Nothing is written on drop.
            std::mem::forget(log);
        }
        let first = LINE.replacen('{', r#"{"format":"wats-scim-trail/1","#, 1);
        assert_eq!(text(&file), format!("{first}\n{LINE}\n"));
    }

    #[test]
    fn threads_and_instances_share_a_file() {
        let (_folder, file) = new_file();
        let first = Arc::new(log(&file));
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let log = if n < 4 { Arc::clone(&first) } else { Arc::new(log(&file)) };
                thread::spawn(move || (0..200).for_each(|m| log.record(&event(&format!("{n}-{m}"))).unwrap()))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let text = text(&file);
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
    fn a_new_file_is_accessible_by_its_owner_only_and_existing_permissions_are_kept() {
        use std::os::unix::fs::PermissionsExt;

        let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode() & 0o777;
        let (_folder, file) = new_file();
        log(&file);
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        log(&file);
        assert_eq!(mode(&file), 0o640);
    }

    /// While the file is renamed again and again, as by logrotate.
    #[cfg(unix)]
    #[test]
    fn every_event_is_in_one_of_the_rotated_files_exactly_once() {
        use std::collections::BTreeMap;
        use std::sync::atomic::{AtomicBool, Ordering};

        const EACH: usize = 400;
        let (folder, file) = new_file();
        let first = Arc::new(log(&file));
        let is_over = Arc::new(AtomicBool::new(false));
        let rotation = {
            let (file, is_over) = (file.clone(), Arc::clone(&is_over));
            thread::spawn(move || {
                let mut rotations = 0;
                while !is_over.load(Ordering::SeqCst) || rotations < 3 {
                    let old = file.with_extension(format!("{rotations:04}"));
                    rotations += usize::from(fs::rename(&file, old).is_ok());
                    thread::yield_now();
                }
                rotations
            })
        };
        let writers: Vec<_> = (0..6)
            .map(|n| {
                // Some share a log, and some have their own, as programs do.
                let log = if n < 3 { Arc::clone(&first) } else { Arc::new(log(&file)) };
                thread::spawn(move || (0..EACH).for_each(|m| log.record(&event(&format!("{n}-{m}"))).unwrap()))
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        is_over.store(true, Ordering::SeqCst);
        // A file for each rotation that is left.
        while !rotation.is_finished() {
            log(&file).record(&event("rest")).unwrap();
        }
        assert!(rotation.join().unwrap() >= 3);

        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for entry in fs::read_dir(folder.path()).unwrap() {
            let mut events = Trail::read(entry.unwrap().path()).unwrap();
            events.by_ref().for_each(|event| *found.entry(event.unwrap().write).or_default() += 1);
            assert_eq!(events.skipped(), 0);
        }
        found.remove("rest");
        assert_eq!(found.len(), 6 * EACH);
        assert!(found.values().all(|times| *times == 1), "an event is there twice");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_renamed_away_is_made_again_with_its_format_and_mode() {
        use std::os::unix::fs::PermissionsExt;

        let (_folder, file) = new_file();
        let log = log(&file).synced().unwrap();
        log.record(&event("a")).unwrap();
        fs::rename(&file, file.with_extension("1")).unwrap();
        log.record(&event("b")).unwrap();
        log.record(&event("c")).unwrap();
        assert!(text(&file.with_extension("1")).contains(r#""write":"a""#));
        let now = text(&file);
        assert!(now.starts_with(r#"{"format":"wats-scim-trail/1","at":"#), "{now}");
        assert_eq!((now.lines().count(), now.matches("format").count()), (2, 1));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        // Another program has made the new file.
        fs::rename(&file, file.with_extension("2")).unwrap();
        self::log(&file).record(&event("d")).unwrap();
        log.record(&event("e")).unwrap();
        let now = text(&file);
        assert!(now.contains(r#""write":"d""#) && now.contains(r#""write":"e""#), "{now}");
        assert_eq!(text(&file.with_extension("2")).lines().count(), 2);
    }

    fn record_all(log: &Log, writes: &[impl AsRef<str>]) {
        for write in writes {
            log.record(&event(write.as_ref())).unwrap();
        }
    }

    fn writes(file: &Path) -> Vec<String> {
        let mut events = Trail::read(file).unwrap();
        let writes = events.by_ref().map(|event| event.unwrap().write).collect();
        assert_eq!(events.skipped(), 0);
        writes
    }

    #[test]
    fn a_full_file_is_followed_by_one_with_the_next_number_and_all_are_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trail.jsonl");
        let open = || log(&file).rotate_at(300).unwrap();
        let all: Vec<_> = (0..40).map(|n| n.to_string()).collect();
        let (first, rest) = all.split_at(23);
        let log = open();
        record_all(&log, first);
        drop(log);
        // Another program appends to the last file.
        let log = open().synced().unwrap();
        record_all(&log, rest);
        assert_eq!(writes(&file), all);

        let names = || fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(names().count(), 20, "each has two events");
        for path in names() {
            let text = text(&path);
            assert!(text.starts_with(r#"{"format":"wats-scim-trail/1","at":"#), "{path:?}: {text}");
            assert!((300..600).contains(&text.len()), "{path:?}: {}", text.len());
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            }
        }

        // The first files are moved away.
        fs::remove_file(&file).unwrap();
        fs::remove_file(file.with_file_name("trail.000002.jsonl")).unwrap();
        open().record(&event("40")).unwrap();
        assert_eq!(writes(&file), (4..=40).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(text(&file), "", "a path of a trail is always there");
    }

    #[test]
    fn programs_that_rotate_one_trail_lose_no_event() {
        const EACH: usize = 300;
        let (folder, file) = new_file();
        let first = Arc::new(log(&file).rotate_at(5_000).unwrap());
        let writers: Vec<_> = (0..6)
            .map(|n| {
                let log = if n < 3 { Arc::clone(&first) } else { Arc::new(log(&file).rotate_at(5_000).unwrap()) };
                thread::spawn(move || (0..EACH).for_each(|m| log.record(&event(&format!("{n}-{m:04}"))).unwrap()))
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        let mut found = writes(&file);
        let of_one: Vec<_> = found.iter().filter(|write| write.starts_with("5-")).cloned().collect();
        assert!(of_one.is_sorted(), "the events of one program are in their order");
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 6 * EACH);
        for entry in fs::read_dir(folder.path()).unwrap() {
            let size = entry.unwrap().metadata().unwrap().len();
            assert!(size < 5_000 + 6 * 300, "{size}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_last_file_of_a_rotated_trail_can_be_renamed_too() {
        let (_folder, file) = new_file();
        let log = log(&file).rotate_at(1).unwrap();
        record_all(&log, &["a", "b"]);
        let last = file.with_file_name("trail.000002");
        fs::rename(&last, file.with_extension("old")).unwrap();
        record_all(&log, &["c", "d"]);
        assert_eq!(writes(&file), ["a", "c", "d"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let error = Log::append("/dev/full").unwrap().record(&event("a")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        assert_eq!(Log::append("/nowhere/at/all.jsonl").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn known_fields_are_written_by_name() {
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
