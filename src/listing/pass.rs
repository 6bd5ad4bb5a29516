//! What one pass through the list has shown.

use super::returned::Fingerprint;

/// The maximum number of consecutive passes without a new resource.
const MAX_FRUITLESS_PASSES: u32 = 4;

/// The maximum number of passes, even if each finds new resources: the directory changes too fast.
const MAX_PASSES: u32 = 20;

/// The maximum number of consecutive pages without a resource that is new in the pass.
const MAX_STALE_PAGES: u32 = 4;

/// One pass through the list.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// The number of resources that were repeated within a page: the same one in two places.
    duplicates: u64,
    /// A resource was returned by two pages, or the total changed where pages do not overlap.
    is_reordered: bool,
    /// A page did not begin where the previous one ended.
    is_displaced: bool,
    /// The server showed nothing in some places.
    has_gaps: bool,
    /// The pages without a resource that is new in this pass, one after the other.
    stale_pages: u32,
    /// The resources and their order. A pass through an unchanged list has the same.
    digest: u64,
    /// The digest of the previous pass.
    previous: Option<u64>,
    /// The number of passes before this one.
    number: u32,
    /// The number of consecutive passes without a new resource.
    fruitless: u32,
    /// The number of resources when the pass began.
    known: u64,
}

/// What follows a pass.
pub(super) enum Verdict {
    Complete,
    Incomplete,
    AnotherPass,
}

impl Pass {
    pub(super) fn is_first(&self) -> bool {
        self.previous.is_none()
    }

    /// Counts a resource that is new in this pass.
    pub(super) fn count(&mut self, fingerprint: Fingerprint) {
        self.digest = (self.digest.rotate_left(7) ^ fingerprint).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    pub(super) fn duplicate(&mut self) {
        self.duplicates += 1;
    }

    pub(super) fn reorder(&mut self) {
        self.is_reordered = true;
    }

    pub(super) fn displace(&mut self) {
        self.is_displaced = true;
    }

    pub(super) fn leave_gap(&mut self) {
        self.has_gaps = true;
    }

    /// Counts a page. Returns whether the pass should end, because the server repeats itself.
    pub(super) fn page(&mut self, has_new: bool) -> bool {
        self.stale_pages = if has_new { 0 } else { self.stale_pages + 1 };
        self.is_stuck()
    }

    fn is_stuck(&self) -> bool {
        self.stale_pages >= MAX_STALE_PAGES
    }

    /// Judges a pass with `in_pass` resources, after which `count` resources are known. If there is to
    /// be another pass, begins it.
    pub(super) fn end(&mut self, in_pass: u64, count: u64, total: Option<u64>) -> Verdict {
        let is_steady = !self.is_reordered && !self.is_displaced && !self.has_gaps;
        // The same resource in two places of the list.
        let is_explained = |total| is_steady && in_pass + self.duplicates == total;
        let is_short = total.is_some_and(|total| in_pass < total && !is_explained(total));
        // Behind a gap, it is not certain that the page began where the previous one ended.
        if !is_short && !self.is_reordered && !self.has_gaps && !self.is_stuck() {
            return Verdict::Complete;
        }
        let is_failed = is_short || self.is_stuck();
        if self.previous == Some(self.digest) {
            return if is_failed { Verdict::Incomplete } else { Verdict::Complete };
        }
        // The server shows less than its total, and nothing indicates that the list has changed.
        if is_short && !self.is_reordered && !self.is_displaced && !self.is_stuck() {
            return Verdict::Incomplete;
        }
        let fruitless = if count > self.known { 0 } else { self.fruitless + 1 };
        let number = self.number + 1;
        if fruitless > MAX_FRUITLESS_PASSES || number >= MAX_PASSES {
            return Verdict::Incomplete;
        }
        *self = Self { number, previous: Some(self.digest), known: count, fruitless, ..Self::default() };
        Verdict::AnotherPass
    }
}
