//! A value that threads share, and wait for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(super) struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    pub(super) fn new(value: T) -> Self {
        Self { value: Mutex::new(value), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look<O>(&self, look: impl FnOnce(&T) -> O) -> O {
        look(&self.lock())
    }

    /// Changes the value, which those that wait see.
    pub(super) fn change<O>(&self, change: impl FnOnce(&mut T) -> O) -> O {
        let out = change(&mut self.lock());
        self.changed.notify_all();
        out
    }

    /// Waits until the function returns something, which it is called for now and after each change.
    /// `None` if it does not within this time.
    pub(super) fn wait<O>(&self, longest: Duration, mut look: impl FnMut(&mut T) -> Option<O>) -> Option<O> {
        let begun = Instant::now();
        let mut value = self.lock();
        loop {
            if let Some(out) = look(&mut value) {
                return Some(out);
            }
            let left = longest.checked_sub(begun.elapsed())?;
            (value, _) = self.changed.wait_timeout(value, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
