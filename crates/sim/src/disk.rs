//! A disk that runs full, and forgets what was not synced when the power fails.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use wats_scim::sim::AppendFile;

use crate::marks::Mark;
use crate::world::{World, here};

#[derive(Debug, Default)]
pub struct Disk {
    files: BTreeMap<PathBuf, Content>,
    appends: u32,
    /// The appends that find the disk full.
    full: std::ops::Range<u32>,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    synced: usize,
    /// How many lines were written whole.
    whole: usize,
    is_locked: bool,
    /// Whether a line could not be written in this process.
    has_failed: bool,
}

impl Content {
    fn readable(&self) -> usize {
        let lines = self.bytes.split(|byte| *byte == b'\n');
        lines.filter(|line| serde_json::from_slice::<serde_json::Value>(line).is_ok()).count()
    }
}

impl Disk {
    /// A disk that is full for these appends.
    pub fn new(full: std::ops::Range<u32>) -> Self {
        Self { full, ..Self::default() }
    }

    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.files.get(path).map(|content| content.bytes.clone())
    }

    fn content(&mut self, path: &Path) -> &mut Content {
        self.files.entry(path.to_owned()).or_default()
    }

    /// The end of a process; with a power failure, some of what was not synced is lost. Whether there was
    /// such, and whether a file ends within a line now.
    pub fn crash(&mut self, keeps: Option<usize>) -> (bool, bool) {
        let (mut is_lost, mut is_torn) = (false, false);
        for content in self.files.values_mut() {
            if let Some(keeps) = keeps {
                let unsynced = content.bytes.len() - content.synced;
                is_lost |= unsynced * keeps / 256 < unsynced;
                content.bytes.truncate(content.synced + unsynced * keeps / 256);
                content.whole = content.readable();
            }
            is_torn |= content.bytes.last().is_some_and(|last| *last != b'\n');
        }
        (is_lost, is_torn)
    }

    /// The files in which a line that was written whole cannot be read.
    pub fn spoiled(&self) -> Vec<&Path> {
        let is_spoiled = |content: &Content| content.readable() < content.whole;
        self.files.iter().filter(|(_, content)| is_spoiled(content)).map(|(path, _)| path.as_path()).collect()
    }

    /// A new process knows nothing of the lines that an earlier one could not write.
    pub fn begin_process(&mut self) {
        self.files.values_mut().for_each(|content| content.has_failed = false);
    }

    pub fn unlock(&mut self) {
        self.files.values_mut().for_each(|content| content.is_locked = false);
    }

    pub fn remove(&mut self, path: &Path) {
        self.files.remove(path);
    }
}

/// An open file of a process.
#[derive(Debug)]
pub struct OnDisk {
    path: PathBuf,
    has_lock: bool,
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        self.unlock();
    }
}

impl OnDisk {
    pub fn open(path: &Path) -> Self {
        Self { path: path.to_owned(), has_lock: false }
    }

    /// Does something with the file; an error in a process that has died.
    fn with<T>(&self, act: impl FnOnce(&World, &mut Content) -> io::Result<T>) -> io::Result<T> {
        let world: Rc<World> = here();
        if world.is_dead() {
            return Err(io::Error::other("the process has died"));
        }
        let mut disk = world.disk.borrow_mut();
        act(&world, disk.content(&self.path))
    }
}

impl AppendFile for OnDisk {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        self.with(|_, content| Ok(content.bytes.clone()))
    }

    fn clear(&mut self) -> io::Result<()> {
        self.with(|_, content| {
            content.bytes.clear();
            content.whole = 0;
            content.synced = 0;
            Ok(())
        })
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let world = here();
        let is_full = {
            let mut disk = world.disk.borrow_mut();
            disk.appends += 1;
            disk.full.contains(&disk.appends)
        };
        if is_full && !world.is_calm() {
            let part = bytes.len() * world.choose(256) / 256;
            world.mark(if part == 0 { Mark::DiskFull } else { Mark::LineCutByFullDisk });
            self.with(|_, content| {
                content.bytes.extend(&bytes[..part]);
                content.has_failed = true;
                Err(io::Error::from(io::ErrorKind::StorageFull))
            })
        } else {
            let begins_a_step = String::from_utf8_lossy(bytes).contains(r#""state":"begun""#);
            self.with(|world, content| {
                if content.has_failed && begins_a_step {
                    world.violation("(g) a step begins after the journal could not be written");
                }
                content.bytes.extend(bytes);
                content.whole += 1;
                Ok(())
            })?;
            // The process may be killed between any two lines.
            world.touch();
            Ok(())
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with(|_, content| {
            content.synced = content.bytes.len();
            Ok(())
        })
    }

    fn last(&mut self) -> io::Result<Option<u8>> {
        self.with(|_, content| Ok(content.bytes.last().copied()))
    }

    fn try_lock(&mut self) -> io::Result<bool> {
        self.has_lock = self.with(|world, content| {
            let is_free = !std::mem::replace(&mut content.is_locked, true);
            if !is_free {
                world.mark(Mark::LockMet);
            }
            Ok(is_free)
        })?;
        Ok(self.has_lock)
    }

    fn unlock(&mut self) {
        if std::mem::take(&mut self.has_lock) {
            let _ = self.with(|_, content| {
                content.is_locked = false;
                Ok(())
            });
        }
    }
}
