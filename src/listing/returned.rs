//! The resources that a listing has returned, in six bytes each.

use std::hash::{BuildHasher, RandomState};

/// What identifies a resource: 60 bits of a hash of its id, keyed anew for each listing.
///
/// Two ids out of a million share one once in two million listings. A listing takes the second for
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
        self.hasher.hash_one(id) >> (u64::BITS - PRINT_BITS)
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
        for (number, shard) in (0..).zip(std::mem::take(&mut self.in_sweep).0) {
            for rest in shard {
                self.before.insert_rest(number, rest);
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

/// A set of prints. The low bits of a print choose a sorted vector, which holds the other bits: a
/// hash table would take twice the memory at the size of a large directory.
#[derive(Debug, Default)]
struct Prints(Vec<Vec<Rest>>);

/// The bits of a print that its shard does not imply, big-endian, so that they sort like numbers.
type Rest = [u8; 6];

const PRINT_BITS: u32 = Prints::SHARD_BITS + 8 * 6;

impl Prints {
    const SHARD_BITS: u32 = 12;
    const SHARDS: usize = 1 << Self::SHARD_BITS;

    fn split(print: Print) -> (usize, Rest) {
        let [_, _, rest @ ..] = (print >> Self::SHARD_BITS).to_be_bytes();
        (usize::try_from(print % (1 << Self::SHARD_BITS)).unwrap_or(0), rest)
    }

    fn insert(&mut self, print: Print) -> bool {
        let (shard, rest) = Self::split(print);
        self.insert_rest(shard, rest)
    }

    fn insert_rest(&mut self, shard: usize, rest: Rest) -> bool {
        if self.0.is_empty() {
            self.0.resize_with(Self::SHARDS, Vec::new);
        }
        let Some(shard) = self.0.get_mut(shard) else { return false };
        match shard.binary_search(&rest) {
            Ok(_) => false,
            Err(at) => {
                if shard.len() == shard.capacity() {
                    // An eighth more each time, so that little is held in reserve.
                    shard.reserve_exact(shard.len() / 8 + 4);
                }
                shard.insert(at, rest);
                true
            }
        }
    }

    fn contains(&self, print: Print) -> bool {
        let (shard, rest) = Self::split(print);
        self.0.get(shard).is_some_and(|shard| shard.binary_search(&rest).is_ok())
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
            assert!(prints.insert(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 4));
        }
        for n in 0..10_000_u64 {
            assert!(!prints.insert(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 4));
        }
        assert_eq!(prints.len(), 10_000);
        assert!(!prints.contains(12345));
    }
}
