//! The world that replaces what is outside. Compiled with `--cfg sim` only.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

pub use super::file::AppendFile;

/// What is outside of the crate.
pub trait World {
    /// The time now.
    fn now(&self) -> Instant;

    /// The time of day now.
    fn date(&self) -> SystemTime;

    /// A number that looks random.
    fn random(&self) -> u64;

    /// Lets time pass, for the blocking API.
    fn pause(&self, duration: Duration);

    /// Whether this time has come; otherwise wakes the task then.
    fn poll_sleep(&self, until: Instant, cx: &mut Context<'_>) -> Poll<()>;

    /// Opens a file, or creates it.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;

    /// The content of a file; `None` if there is none.
    fn read(&self, path: &Path) -> Option<Vec<u8>>;

    /// Whether the crate makes this deliberate mistake.
    fn makes(&self, mistake: &str) -> bool;
}

thread_local! {
    static WORLD: RefCell<Option<Rc<dyn World>>> = const { RefCell::new(None) };
}

/// Puts this thread into a world, until the guard is dropped.
pub fn enter(world: Rc<dyn World>) -> Inside {
    Inside(WORLD.replace(Some(world)))
}

/// A thread is in a world.
#[derive(Debug)]
#[must_use]
pub struct Inside(Option<Rc<dyn World>>);

impl std::fmt::Debug for dyn World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        WORLD.set(self.0.take());
    }
}

/// Asks the world of this thread, if it is in one.
pub(crate) fn ask<T>(question: impl FnOnce(&dyn World) -> T) -> Option<T> {
    let world = WORLD.with_borrow(Clone::clone)?;
    Some(question(&*world))
}

/// Whether the crate makes this deliberate mistake.
pub(crate) fn makes(mistake: &str) -> bool {
    ask(|world| world.makes(mistake)).unwrap_or(false)
}
