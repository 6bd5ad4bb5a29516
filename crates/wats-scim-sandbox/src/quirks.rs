//! Quirks: deviations from the RFCs that real servers have shown.

use std::ops::Range;

/// The value of `totalResults` in a list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Total {
    /// The number of matching users.
    #[default]
    Matches,
    /// The number of users on this page.
    PageSize,
    /// Absent.
    Omitted,
}

/// The content of a page whose `startIndex` is past the last user.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum PastEnd {
    /// No users (RFC 7644 §3.4.2.4).
    #[default]
    Nothing,
    /// The last page again.
    LastPage,
    /// All users.
    Everything,
}

/// All deviations, each off by default.
#[derive(Clone, Debug, Default)]
pub(super) struct Quirks {
    pub(super) total: Total,
    pub(super) past_end: PastEnd,
    pub(super) page_cap: Option<usize>,
    pub(super) empty_page_at: Option<usize>,
    pub(super) ignore_start_index: bool,
    pub(super) patch_answers_204: bool,
    pub(super) create_answers_empty: bool,
}

/// The part of a list that a page contains.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The `startIndex` in the answer, counted from 1.
    pub(super) start_index: usize,
    /// The positions of the users in the list, counted from 0.
    pub(super) positions: Range<usize>,
}

impl Quirks {
    /// The page of a list of `total` users for a `startIndex` and a `count`.
    pub(super) fn window(&self, start_index: usize, count: usize, total: usize) -> Window {
        let start_index = if self.ignore_start_index { 1 } else { start_index };
        let cap = self.page_cap.unwrap_or(usize::MAX);
        let size = count.min(cap);
        let first = start_index.saturating_sub(1);
        let positions = if self.empty_page_at == Some(start_index) {
            0..0
        } else if first < total {
            first..first.saturating_add(size).min(total)
        } else {
            match self.past_end {
                PastEnd::Nothing => 0..0,
                PastEnd::LastPage => {
                    // `checked_div`: with a page size of 0 there is no last page.
                    let last = total.saturating_sub(1).checked_div(size);
                    last.map_or(0..0, |page| page.saturating_mul(size)..total)
                }
                PastEnd::Everything => 0..total.min(cap),
            }
        };
        Window { start_index, positions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_starts_at_start_index_counted_from_one() {
        assert_eq!(Quirks::default().window(3, 2, 10).positions, 2..4);
    }

    #[test]
    fn the_last_page_may_be_shorter() {
        assert_eq!(Quirks::default().window(9, 100, 10).positions, 8..10);
    }

    #[test]
    fn a_page_past_the_end_is_empty() {
        assert_eq!(Quirks::default().window(11, 5, 10).positions, 0..0);
    }

    #[test]
    fn a_huge_count_does_not_overflow() {
        let window = Quirks::default().window(2, usize::MAX, 10);
        assert_eq!(window.positions, 1..10);
    }

    #[test]
    fn a_cap_limits_a_page() {
        let quirks = Quirks { page_cap: Some(3), ..Quirks::default() };
        assert_eq!(quirks.window(1, 100, 10).positions, 0..3);
    }

    #[test]
    fn the_repeated_last_page_begins_at_a_multiple_of_the_page_size() {
        let quirks = Quirks { past_end: PastEnd::LastPage, ..Quirks::default() };
        assert_eq!(quirks.window(11, 4, 10).positions, 8..10);
    }

    #[test]
    fn a_page_size_of_zero_has_no_last_page() {
        let quirks = Quirks { past_end: PastEnd::LastPage, ..Quirks::default() };
        assert_eq!(quirks.window(11, 0, 10).positions, 0..0);
    }

    #[test]
    fn everything_past_the_end_ignores_count() {
        let quirks = Quirks { past_end: PastEnd::Everything, ..Quirks::default() };
        assert_eq!(quirks.window(11, 4, 10).positions, 0..10);
    }

    #[test]
    fn an_ignored_start_index_always_gives_the_first_page() {
        let quirks = Quirks { ignore_start_index: true, ..Quirks::default() };
        let first_page = Window { start_index: 1, positions: 0..4 };
        assert_eq!(quirks.window(9, 4, 10), first_page);
    }
}
