//! Cursors (RFC 9865). The results of a query are fixed when its first page is requested.

use std::collections::VecDeque;

use uuid::Uuid;

use super::refusals;
use crate::refusal::Refusal;

/// The number of queries that are remembered; cursors of older ones are expired.
const REMEMBERED: usize = 64;

/// The queries with more pages. A cursor can be used more than once.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    queries: VecDeque<Snapshot>,
}

#[derive(Debug)]
struct Snapshot {
    id: Uuid,
    selection: String,
    ids: Vec<String>,
}

/// One page of a query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CursorPage {
    pub(super) total: usize,
    pub(super) ids: Vec<String>,
    /// The cursor of the next page, if this is not the last.
    pub(super) next: Option<String>,
}

impl Cursors {
    /// The first page of a query whose results are `ids`.
    pub(super) fn first(&mut self, selection: &str, ids: Vec<String>, count: usize) -> CursorPage {
        let snapshot = Snapshot { id: Uuid::new_v4(), selection: selection.to_owned(), ids };
        let page = snapshot.page(0, count);
        if page.next.is_some() {
            self.queries.push_back(snapshot);
            if self.queries.len() > REMEMBERED {
                self.queries.pop_front();
            }
        }
        page
    }

    /// The page of a cursor. All parameters except `count` must be unchanged.
    pub(super) fn next(&self, selection: &str, cursor: &str, count: usize) -> Result<CursorPage, Refusal> {
        let (id, position) = read(cursor).ok_or_else(refusals::invalid_cursor)?;
        let snapshot = self.queries.iter().find(|query| query.id == id).ok_or_else(refusals::expired_cursor)?;
        if snapshot.selection != selection || position > snapshot.ids.len() {
            return Err(refusals::invalid_cursor());
        }
        Ok(snapshot.page(position, count))
    }
}

impl Snapshot {
    fn page(&self, position: usize, count: usize) -> CursorPage {
        let end = position.saturating_add(count).min(self.ids.len());
        let ids = self.ids.get(position..end).unwrap_or_default().to_vec();
        // A count of 0 requests only the total; its pages would never end.
        let next = (end < self.ids.len() && count > 0).then(|| format!("{}{end:x}", self.id.simple()));
        CursorPage { total: self.ids.len(), ids, next }
    }
}

fn read(cursor: &str) -> Option<(Uuid, usize)> {
    let (id, position) = cursor.split_at_checked(32)?;
    Some((Uuid::try_parse(id).ok()?, usize::from_str_radix(position, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_cursor_continues_after_its_page() {
        let mut cursors = Cursors::default();
        let first = cursors.first("q", ids(), 2);
        let second = cursors.next("q", &first.next.unwrap(), 2).unwrap();
        assert_eq!(second, CursorPage { total: 3, ids: vec!["c".to_owned()], next: None });
    }

    #[test]
    fn a_cursor_of_another_query_is_invalid() {
        let mut cursors = Cursors::default();
        let first = cursors.first("q", ids(), 2);
        let refusal = cursors.next("r", &first.next.unwrap(), 2).unwrap_err();
        assert_eq!(refusal.scim_type, Some("invalidCursor"));
    }

    #[test]
    fn an_unknown_cursor_is_invalid() {
        let refusal = Cursors::default().next("q", "nonsense", 2).unwrap_err();
        assert_eq!(refusal.scim_type, Some("invalidCursor"));
    }

    #[test]
    fn an_old_cursor_has_expired() {
        let mut cursors = Cursors::default();
        let first = cursors.first("q", ids(), 2);
        for _ in 0..REMEMBERED {
            cursors.first("q", ids(), 2);
        }
        let refusal = cursors.next("q", &first.next.unwrap(), 2).unwrap_err();
        assert_eq!(refusal.scim_type, Some("expiredCursor"));
    }
}
