//! Bounds the number of requests.

/// The requests of a listing, which are bounded by their results: a server can page in any way, and
/// the listing still ends.
#[derive(Debug, Default)]
pub(super) struct Effort {
    /// The number of pages with a resource that the listing had not returned before.
    fruitful: u64,
    /// The number of other requests, including those whose page was not used.
    fruitless: u64,
}

impl Effort {
    /// The fruitless requests that every listing may send.
    const ALLOWANCE: u64 = 100;
    /// The fruitless requests that each fruitful one permits, for repairs and for more passes.
    const PER_FRUITFUL: u64 = 4;

    pub(super) fn count(&mut self, is_fruitful: bool) {
        if is_fruitful {
            self.fruitful += 1;
        } else {
            self.fruitless += 1;
        }
    }

    /// Counts requests whose pages are not used.
    pub(super) fn waste(&mut self, requests: usize) {
        self.fruitless = self.fruitless.saturating_add(super::as_count(requests));
    }

    /// Whether a needed page may be requested while these requests are in flight.
    pub(super) fn permits(&self, in_flight: usize) -> bool {
        self.is_below(self.allowance(), in_flight)
    }

    /// Whether a page may be requested in advance. Half of the allowance is kept for needed pages.
    pub(super) fn permits_in_advance(&self, in_flight: usize) -> bool {
        self.is_below(self.allowance() / 2, in_flight)
    }

    fn allowance(&self) -> u64 {
        Self::ALLOWANCE + Self::PER_FRUITFUL * self.fruitful
    }

    fn is_below(&self, limit: u64, in_flight: usize) -> bool {
        self.fruitless.saturating_add(super::as_count(in_flight)) < limit
    }
}
