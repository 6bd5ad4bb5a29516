//! Cursor-based paging (RFC 9865).

use super::walk::Place;
use super::{Listing, Page};
use crate::model::Resource;

impl<T: Resource> Listing<T> {
    /// Whether a page belongs to cursor-based paging, which a server can start without being asked. A
    /// server without cursors ignores an empty one, and returns its first page.
    pub(super) fn is_by_cursor(&self, page: &Page<T>, next_cursor: Option<&str>) -> bool {
        match self.place {
            Place::AtCursor => next_cursor.is_some() || !self.cursors.is_empty() || !self.total.is_above(page.length()),
            Place::Start => next_cursor.is_some() && self.pass.is_first(),
            _ => false,
        }
    }

    /// Accepts a page with cursor-based paging.
    pub(super) fn follow(&mut self, page: Page<T>, next_cursor: Option<String>) {
        self.place = Place::AtCursor;
        self.record(page, 0, true);
        match next_cursor {
            _ if self.end.is_some() => {}
            Some(next) if self.cursors.insert(self.returned.fingerprint(&next)) => self.cursor = next,
            // The cursors repeat, so there is nothing behind them that was not returned.
            Some(_) if self.total.stated().is_none() => self.end = Some(Err(self.incomplete())),
            Some(_) | None => self.finish_cursors(),
        }
    }

    fn finish_cursors(&mut self) {
        // A second pass would follow the same cursors.
        self.finish();
        if self.end.is_none() {
            self.end = Some(Err(self.incomplete()));
        }
    }
}
