//! Who has been met, in eight bytes each.

use std::hash::{BuildHasher, RandomState};

/// What identifies a resource: a hash of its id, keyed anew for each listing.
///
/// Two ids out of a million share one once in 37 million listings. A listing takes the second for
/// a repetition then, falls short of the server's total, and ends in an error.
pub(super) type Print = u64;

/// Who has been met, ever and in this sweep.
#[derive(Debug, Default)]
pub(super) struct Seen {
    hasher: RandomState,
    before: Prints,
    in_sweep: Prints,
    count: u64,
}

pub(super) enum Meeting {
    First,
    FirstInSweep,
    Again,
}

impl Seen {
    pub(super) fn print(&self, id: &str) -> Print {
        self.hasher.hash_one(id)
    }

    pub(super) fn meet(&mut self, print: Print) -> Meeting {
        if !self.in_sweep.insert(print) {
            return Meeting::Again;
        }
        if self.before.contains(print) {
            return Meeting::FirstInSweep;
        }
        self.count += 1;
        Meeting::First
    }

    pub(super) fn is_in_sweep(&self, print: Print) -> bool {
        self.in_sweep.contains(print)
    }

    pub(super) fn new_sweep(&mut self) {
        for shard in std::mem::take(&mut self.in_sweep).0 {
            for print in shard {
                self.before.insert(print);
            }
        }
    }

    pub(super) fn is_first_sweep(&self) -> bool {
        self.before.0.is_empty()
    }

    /// How many distinct ones were met.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn count_in_sweep(&self) -> u64 {
        self.in_sweep.len()
    }
}

/// A set of prints: sorted vectors, chosen by the lowest bits. A hash table would take twice the
/// memory at the size of a large directory.
#[derive(Debug, Default)]
struct Prints(Vec<Vec<Print>>);

impl Prints {
    const SHARDS: usize = 1024;

    fn shard(print: Print) -> usize {
        usize::try_from(print % 1024).unwrap_or(0)
    }

    fn insert(&mut self, print: Print) -> bool {
        if self.0.is_empty() {
            self.0.resize_with(Self::SHARDS, Vec::new);
        }
        let Some(shard) = self.0.get_mut(Self::shard(print)) else { return false };
        match shard.binary_search(&print) {
            Ok(_) => false,
            Err(at) => {
                if shard.len() == shard.capacity() {
                    // A quarter more each time, so that little is held in reserve.
                    shard.reserve_exact(shard.len() / 4 + 4);
                }
                shard.insert(at, print);
                true
            }
        }
    }

    fn contains(&self, print: Print) -> bool {
        self.0.get(Self::shard(print)).is_some_and(|shard| shard.binary_search(&print).is_ok())
    }

    fn len(&self) -> u64 {
        self.0.iter().map(|shard| u64::try_from(shard.len()).unwrap_or(u64::MAX)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meetings_are_told_apart() {
        let mut seen = Seen::default();
        let print = seen.print("jane");
        assert!(matches!(seen.meet(print), Meeting::First));
        assert!(matches!(seen.meet(print), Meeting::Again));
        seen.new_sweep();
        assert!(!seen.is_in_sweep(print) && !seen.is_first_sweep());
        assert!(matches!(seen.meet(print), Meeting::FirstInSweep));
        assert_eq!((seen.count(), seen.count_in_sweep()), (1, 1));
    }

    #[test]
    fn a_set_holds_what_is_put_in() {
        let mut prints = Prints::default();
        for n in 0..10_000_u64 {
            assert!(prints.insert(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        }
        for n in 0..10_000_u64 {
            assert!(!prints.insert(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        }
        assert_eq!(prints.len(), 10_000);
        assert!(!prints.contains(12345));
    }
}
