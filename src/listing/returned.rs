//! The set of resources that a listing has returned, in six bytes each.

use std::hash::{BuildHasher, RandomState};

/// Identifies a resource: 60 bits of a hash of its id, with a random key per listing.
///
/// Among a million ids, two collide once in two million listings. The listing then takes the second
/// one for a repetition, does not reach the server's total, and ends with an error.
pub(super) type Fingerprint = u64;

/// The returned resources, in the current pass and in earlier passes.
#[derive(Debug, Default)]
pub(super) struct Returned {
    hasher: RandomState,
    earlier: FingerprintSet,
    in_pass: FingerprintSet,
    count: u64,
}

pub(super) enum Occurrence {
    New,
    NewInPass,
    Repeated,
}

impl Returned {
    pub(super) fn fingerprint(&self, id: &str) -> Fingerprint {
        self.hasher.hash_one(id) >> (u64::BITS - FINGERPRINT_BITS)
    }

    pub(super) fn record(&mut self, fingerprint: Fingerprint) -> Occurrence {
        if !self.in_pass.insert(fingerprint) {
            return Occurrence::Repeated;
        }
        if self.earlier.contains(fingerprint) {
            return Occurrence::NewInPass;
        }
        self.count += 1;
        Occurrence::New
    }

    /// Records a resource that is not in its place, so that it does not count in the pass. Returns
    /// whether it is new.
    pub(super) fn note(&mut self, fingerprint: Fingerprint) -> bool {
        let is_new = !self.in_pass.contains(fingerprint) && self.earlier.insert(fingerprint);
        self.count += u64::from(is_new);
        is_new
    }

    pub(super) fn is_in_pass(&self, fingerprint: Fingerprint) -> bool {
        self.in_pass.contains(fingerprint)
    }

    pub(super) fn start_pass(&mut self) {
        for (number, shard) in (0..).zip(std::mem::take(&mut self.in_pass).shards) {
            for suffix in shard {
                self.earlier.insert_suffix(number, suffix);
            }
        }
    }

    /// The number of distinct resources.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn count_in_pass(&self) -> u64 {
        self.in_pass.len()
    }
}

/// A set of fingerprints. The low bits of a fingerprint select a sorted vector, which contains the
/// other bits: for a large directory, a hash table would need twice the memory.
#[derive(Debug, Default)]
struct FingerprintSet {
    shards: Vec<Vec<Suffix>>,
    length: u64,
}

/// The bits of a fingerprint that its shard does not imply, big-endian, to sort like numbers.
type Suffix = [u8; 6];

const FINGERPRINT_BITS: u32 = FingerprintSet::SHARD_BITS + 8 * 6;

impl FingerprintSet {
    const SHARD_BITS: u32 = 12;
    const SHARDS: usize = 1 << Self::SHARD_BITS;

    fn split(fingerprint: Fingerprint) -> (usize, Suffix) {
        let [_, _, suffix @ ..] = (fingerprint >> Self::SHARD_BITS).to_be_bytes();
        (usize::try_from(fingerprint % (1 << Self::SHARD_BITS)).unwrap_or(0), suffix)
    }

    fn insert(&mut self, fingerprint: Fingerprint) -> bool {
        let (shard, suffix) = Self::split(fingerprint);
        self.insert_suffix(shard, suffix)
    }

    fn insert_suffix(&mut self, shard: usize, suffix: Suffix) -> bool {
        if self.shards.is_empty() {
            self.shards.resize_with(Self::SHARDS, Vec::new);
        }
        let Some(shard) = self.shards.get_mut(shard) else { return false };
        match shard.binary_search(&suffix) {
            Ok(_) => false,
            Err(at) => {
                if shard.len() == shard.capacity() {
                    // Grow by an eighth, so that little memory is unused.
                    shard.reserve_exact(shard.len() / 8 + 4);
                }
                shard.insert(at, suffix);
                self.length += 1;
                true
            }
        }
    }

    fn contains(&self, fingerprint: Fingerprint) -> bool {
        let (shard, suffix) = Self::split(fingerprint);
        self.shards.get(shard).is_some_and(|shard| shard.binary_search(&suffix).is_ok())
    }

    fn len(&self) -> u64 {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_and_repeated_resources_are_distinguished() {
        let mut returned = Returned::default();
        let fingerprint = returned.fingerprint("jane");
        assert!(matches!(returned.record(fingerprint), Occurrence::New));
        assert!(matches!(returned.record(fingerprint), Occurrence::Repeated));
        returned.start_pass();
        assert!(!returned.is_in_pass(fingerprint));
        assert!(matches!(returned.record(fingerprint), Occurrence::NewInPass));
        assert_eq!((returned.count(), returned.count_in_pass()), (1, 1));
    }

    #[test]
    fn a_set_contains_what_was_inserted() {
        let mut fingerprints = FingerprintSet::default();
        for n in 0..10_000_u64 {
            assert!(fingerprints.insert(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 4));
        }
        for n in 0..10_000_u64 {
            assert!(!fingerprints.insert(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 4));
        }
        assert_eq!(fingerprints.len(), 10_000);
        assert!(!fingerprints.contains(12345));
    }
}
