//! The size limit of answer bodies, for both transports.

/// The value of [`ScimConfig::max_response_bytes`](crate::ScimConfig::max_response_bytes).
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit(pub(crate) u64);

impl BodyLimit {
    /// The maximum to reserve before any byte has arrived: the announced length may be wrong.
    const RESERVED: u64 = 1 << 20;

    /// The capacity to reserve for a body of this announced length.
    pub(crate) fn capacity(self, announced: Option<u64>) -> usize {
        let length = announced.unwrap_or(0).min(self.0).min(Self::RESERVED);
        usize::try_from(length).unwrap_or(0)
    }

    pub(crate) fn is_exceeded_by(self, length: usize) -> bool {
        u64::try_from(length).map_or(true, |length| length > self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_length_reserves_at_most_1_mib() {
        assert_eq!(BodyLimit(100).capacity(None), 0);
        assert_eq!(BodyLimit(100).capacity(Some(50)), 50);
        assert_eq!(BodyLimit(100).capacity(Some(101)), 100);
        assert_eq!(BodyLimit(u64::MAX).capacity(Some(u64::MAX)), 1 << 20);
    }

    #[test]
    fn a_body_may_be_as_large_as_the_limit() {
        assert!(!BodyLimit(100).is_exceeded_by(100));
        assert!(BodyLimit(100).is_exceeded_by(101));
    }
}
