//! A limit on wrong passwords.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many wrong passwords in a row are accepted for a name.
const MOST: u32 = 5;

/// How long a name then waits, and with it the names that share its place.
pub(super) const PAUSE: Duration = Duration::from_secs(60);

/// Names have places by their hashes, so that any number of them needs the same memory.
const PLACES: usize = 1 << 12;

#[derive(Debug)]
pub(super) struct Throttle {
    hashes: RandomState,
    places: Mutex<Vec<(u32, Instant)>>,
}

impl Throttle {
    pub(super) fn new() -> Self {
        Self { hashes: RandomState::new(), places: Mutex::new(vec![(0, Instant::now()); PLACES]) }
    }

    /// Counts an attempt; false if there were too many. They are counted before the password is checked, so that
    /// many at once are not more than that.
    pub(super) fn admits(&self, name: &str, now: Instant) -> bool {
        self.with_place(name, |(attempts, last)| {
            if now.saturating_duration_since(*last) >= PAUSE {
                *attempts = 0;
            }
            if *attempts >= MOST {
                return false;
            }
            (*attempts, *last) = (*attempts + 1, now);
            true
        })
    }

    /// The password was right.
    pub(super) fn reset(&self, name: &str) {
        self.with_place(name, |(attempts, _)| *attempts = 0);
    }

    fn with_place<T: Default>(&self, name: &str, change: impl FnOnce(&mut (u32, Instant)) -> T) -> T {
        let hash = usize::try_from(self.hashes.hash_one(name) % PLACES as u64).unwrap_or_default();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.get_mut(hash).map(change).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_wrong_passwords_a_name_waits_and_others_do_not() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        for _ in 0..MOST {
            assert!(throttle.admits("ann", now));
        }
        assert!(!throttle.admits("ann", now) && !throttle.admits("ann", now + PAUSE / 2));
        let others = (0..50).filter(|number| throttle.admits(&format!("other {number}"), now)).count();
        assert!(others >= 49, "{others}");
        assert!(throttle.admits("ann", now + PAUSE));
    }

    #[test]
    fn the_right_password_starts_anew() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        for _ in 0..3 * MOST {
            assert!(throttle.admits("ann", now));
            throttle.reset("ann");
        }
    }
}
