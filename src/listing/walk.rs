//! Index-based paging (RFC 7644 §3.4.2.4).

use super::returned::Fingerprint;
use super::{Listing, Page};
use crate::model::Resource;

/// The maximum number of consecutive pages past places without resources whose steps are certain to
/// miss nothing. After that, each step is twice the previous one.
const CERTAIN_STEPS: u32 = 32;

/// The current place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Start,
    /// At the resource with this fingerprint, at this 1-based position.
    At {
        position: u64,
        fingerprint: Fingerprint,
    },
    /// Looking for a known resource, at this position or before it.
    SteppingBack {
        to: u64,
        by: u64,
    },
    /// After this resource: the server returns one resource per page, so pages cannot overlap.
    After {
        position: u64,
        fingerprint: Fingerprint,
    },
    /// Looking for a resource at this position or after it, because the server showed none before it,
    /// in this many steps.
    Skipping {
        to: u64,
        steps: u32,
    },
    /// At the server's cursor (RFC 9865).
    AtCursor,
}

impl Place {
    /// The position at which the next page begins.
    pub(super) fn next_start(self) -> u64 {
        match self {
            Self::Start | Self::AtCursor => 1,
            Self::At { position, .. } => position,
            Self::SteppingBack { to, .. } | Self::Skipping { to, .. } => to,
            Self::After { position, .. } => position.saturating_add(1),
        }
    }
}

impl<T: Resource> Listing<T> {
    /// Accepts a page with index-based paging.
    pub(super) fn walk(&mut self, page: Page<T>) {
        let first = page.first();
        let is_known = first.is_some_and(|first| self.returned.is_in_pass(first));
        match self.place {
            Place::At { fingerprint, .. } if first == Some(fingerprint) => self.take(page, 1),
            Place::After { fingerprint, .. } if first == Some(fingerprint) => match page.length() {
                1 => self.nothing_new(self.place.next_start(), 1),
                _ => self.take(page, 1),
            },
            // Nothing is shown here, and the list is said to be longer.
            Place::At { position, .. } if first.is_none() && self.total.is_above(position.saturating_sub(1)) => {
                self.skip(position, 0, self.place);
            }
            Place::At { position, .. } if !is_known => {
                self.show(page);
                self.step_back(position, self.page_size);
            }
            Place::SteppingBack { to, by } if to > 1 && !is_known => {
                self.show(page);
                self.step_back(to, by.saturating_mul(2));
            }
            _ => self.take(page, 0),
        }
    }

    fn step_back(&mut self, from: u64, by: u64) {
        self.pass.displace();
        self.total.drop_suspicion();
        if self.pass.page(false) {
            return self.finish();
        }
        self.place = Place::SteppingBack { to: from.saturating_sub(by).max(1), by };
    }

    /// Accepts the resources of a page; the first `overlap` are already known.
    fn take(&mut self, page: Page<T>, overlap: usize) {
        let (previous, start, count) = (self.place, self.place.next_start(), self.count());
        let (length, last) = (page.length(), page.last());
        // The other pages begin before or after the end of the previous one.
        let is_in_place = overlap > 0 || matches!(previous, Place::Start | Place::AtCursor | Place::After { .. });
        if !is_in_place && !matches!(previous, Place::Skipping { .. }) {
            self.pass.displace();
            self.total.drop_suspicion();
        }
        let has_new = self.record(page, overlap, !is_in_place);
        let Some(fingerprint) = last else { return self.nothing_new(start, 0) };
        let position = start.saturating_sub(1).saturating_add(length);
        if !has_new && matches!(previous, Place::Skipping { .. }) {
            return self.skip(start, length, previous);
        }
        if !has_new && !is_in_place && self.total.believed().is_some_and(|total| total <= position) {
            return self.finish();
        }
        let is_alone = length == 1
            && match previous {
                Place::Start | Place::AtCursor => count > 1,
                Place::After { .. } => true,
                _ => false,
            };
        self.place = if is_alone || self.limit == 1 {
            Place::After { position, fingerprint }
        } else {
            Place::At { position, fingerprint }
        };
        if overlap > 0 && length == 1 {
            return self.nothing_new(start, length);
        }
        if self.pass.page(has_new) {
            return if self.total.is_above(position) { self.skip(start, length, previous) } else { self.finish() };
        }
        self.look_for_the_end(previous, position, length);
    }

    /// Compares the position with the total, after a page with resources.
    fn look_for_the_end(&mut self, previous: Place, position: u64, length: u64) {
        let Some(total) = self.total.believed() else { return };
        if self.returned.count_in_pass() > total || self.total.is_suspect() {
            self.total.disbelieve();
        } else if position < total {
            // It is not the end yet.
        } else if length >= self.largest_page || (previous == Place::Start && self.pass.is_first()) {
            self.total.suspect();
        } else {
            self.finish();
        }
    }

    /// Handles a page from `start` on that has no resource after the previous one.
    fn nothing_new(&mut self, start: u64, length: u64) {
        let end = start.saturating_sub(1).saturating_add(length);
        match self.place {
            Place::At { position, fingerprint } if self.largest_page == 1 => {
                self.place = Place::After { position, fingerprint };
            }
            place if self.total.is_above(end) => self.skip(start, length, place),
            _ => self.finish(),
        }
    }

    /// Continues behind a place for which the server shows no new resource, although its total is
    /// higher.
    fn skip(&mut self, start: u64, length: u64, previous: Place) {
        self.pass.leave_gap();
        let steps = if let Place::Skipping { steps, .. } = previous { steps + 1 } else { 0 };
        // A server that has returned a page of this size has looked at as many places for this one.
        let step = if length > 0 { length } else { self.count().min(self.largest_page).max(1) };
        let step = step.saturating_mul(1_u64.checked_shl(steps.saturating_sub(CERTAIN_STEPS)).unwrap_or(u64::MAX));
        let to = start.saturating_add(step);
        if self.total.is_above(to.saturating_sub(1)) {
            self.place = Place::Skipping { to, steps };
        } else {
            self.finish();
        }
    }
}
