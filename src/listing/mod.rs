//! Decides which page of a list to request next, and when the list is complete.
//!
//! Index-based pages shift if the directory changes between two requests (RFC 7644 §3.4.2.4), so
//! each page overlaps the previous one by one resource. If a page begins with the last resource of
//! the previous page, all resources before it that existed throughout have been returned, in
//! whatever order the pages were fetched, as long as the server's order is stable. Otherwise the
//! listing steps back until a page begins with a known resource, and continues from there. At the
//! end, the number of distinct resources must reach the server's total; if it does not, the whole
//! list is read again.

mod returned;

use std::collections::VecDeque;

use self::returned::{Fingerprint, Occurrence, Returned};
use crate::batch::Progress;
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::ListQuery;
use crate::model::{Resource, ScimListResponse};

/// The maximum number of consecutive repairs that find no new resource.
const MAX_FRUITLESS_REPAIRS: u32 = 4;

/// The state of one listing.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    filter: ListQuery,
    page_size: u64,
    /// The maximum number of prefetched pages.
    window: usize,
    /// How many more resources to return, if there is a maximum.
    remaining: Option<u64>,
    ready: VecDeque<T>,
    location: Location,
    /// The cursor of the next page, empty for the first.
    cursor: String,
    /// The start positions of the prefetched pages, in order.
    prefetched: VecDeque<u64>,
    returned: Returned,
    total: Total,
    pages: u64,
    largest_page: u64,
    /// The number of consecutive repairs that found no new resource.
    fruitless_repairs: u32,
    /// A resource was returned twice in one pass, so the server's order changed.
    is_reordered: bool,
    is_over: bool,
}

/// The current position in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Location {
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
    /// At the server's cursor (RFC 9865).
    AtCursor,
}

/// The server's `totalResults`.
#[derive(Clone, Copy, Debug)]
enum Total {
    Unknown,
    Reported(u64),
    /// Equal to the size of the first page: either the list has one page, or the server sends the
    /// page size as the total. One more short page tells.
    Suspect(u64),
    /// The server sends the page size as the total.
    Unusable,
}

/// The page that the listing needs next.
#[derive(Debug, PartialEq)]
pub(crate) enum NextRequest {
    /// None: the listing is complete.
    Done,
    /// The page of this query.
    Page(Box<ListQuery>),
    /// The first of the prefetched pages.
    Prefetched,
}

impl<T: Resource> Listing<T> {
    /// Uses cursor-based paging (RFC 9865).
    pub(crate) fn by_cursor(mut self) -> Self {
        self.location = Location::AtCursor;
        self
    }

    pub(crate) fn new(filter: ListQuery, page_size: u64, max: Option<u64>, window: usize) -> Self {
        Self {
            filter,
            page_size: page_size.max(1),
            window,
            remaining: max,
            ready: VecDeque::new(),
            location: Location::Start,
            cursor: String::new(),
            prefetched: VecDeque::new(),
            returned: Returned::default(),
            total: Total::Unknown,
            pages: 0,
            largest_page: 0,
            fruitless_repairs: 0,
            is_reordered: false,
            is_over: max == Some(0),
        }
    }

    /// Returns the next resource of the pages read so far.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.ready.pop_front()
    }

    /// Returns the page to wait for once [`pop`](Self::pop) returns `None`. The result is the same
    /// until a page is accepted, so that a listing can continue after its future was dropped.
    pub(crate) fn next_request(&mut self) -> NextRequest {
        if self.is_over {
            return NextRequest::Done;
        }
        let most = self.page_size.max(2);
        match (self.location, self.prefetched.front()) {
            // Every other parameter stays the same on each page (RFC 9865 §2).
            (Location::AtCursor, _) => {
                let count = self.page_size;
                NextRequest::Page(Box::new(self.filter.clone().cursor(self.cursor.clone()).count(count)))
            }
            (Location::At { position, .. }, Some(&next)) if next == position => NextRequest::Prefetched,
            // A page was shorter than requested: fetch the missing part before the next page.
            (Location::At { position, .. }, Some(&next)) if next > position => {
                self.page(position, next.saturating_sub(position).saturating_add(1).min(most))
            }
            _ => {
                self.prefetched.clear();
                let (start, overlap) = match self.location {
                    Location::Start | Location::AtCursor => (1, 0),
                    Location::At { position, .. } => (position, 1),
                    Location::SteppingBack { to, .. } => (to, 0),
                    Location::After { position, .. } => (position.saturating_add(1), 0),
                };
                let most = self.page_size.max(1 + overlap);
                self.page(
                    start,
                    match (self.total, self.remaining) {
                        (Total::Suspect(_), _) => 2,
                        (_, Some(remaining)) => remaining.saturating_add(overlap).min(most),
                        (_, None) => most,
                    },
                )
            }
        }
    }

    /// Returns a page to request before it is needed, if any.
    pub(crate) fn prefetch(&mut self) -> Option<ListQuery> {
        let (Location::At { position, .. }, Total::Reported(total)) = (self.location, self.total) else { return None };
        if self.prefetched.len() >= self.window || self.largest_page < 2 || self.is_over {
            return None;
        }
        // Pages are as long as the server's longest so far, and overlap by one resource.
        let size = self.page_size.min(self.largest_page).max(2);
        let start = self.prefetched.back().map_or(position, |last| last.saturating_add(size - 1));
        let end = self.remaining.map_or(total, |remaining| total.min(position.saturating_add(remaining)));
        if start >= end {
            return None;
        }
        self.prefetched.push_back(start);
        Some(self.query(start, size.min(end - start + 1)))
    }

    /// Whether no page is prefetched, or the prefetched pages are no longer needed.
    pub(crate) fn is_prefetch_empty(&self) -> bool {
        self.prefetched.is_empty()
    }

    fn page(&self, start: u64, count: u64) -> NextRequest {
        NextRequest::Page(Box::new(self.query(start, count)))
    }

    fn query(&self, start: u64, count: u64) -> ListQuery {
        self.filter.clone().start_index(start).count(count)
    }

    /// Accepts the first of the prefetched pages.
    pub(crate) fn accept_prefetched(&mut self, page: ScimListResponse<T>) -> Result<Progress> {
        self.prefetched.pop_front();
        self.accept(page)
    }

    /// Accepts the page of [`next_request`](Self::next_request).
    pub(crate) fn accept(&mut self, page: ScimListResponse<T>) -> Result<Progress> {
        self.pages += 1;
        self.largest_page = self.largest_page.max(as_count(page.resources.len()));
        if let (Some(reported), Total::Unknown | Total::Reported(_)) = (page.total_results, self.total) {
            // Without overlap a shift is not visible, but a changed total is.
            let is_changed = matches!(self.total, Total::Reported(before) if before != reported);
            self.is_reordered |= is_changed && matches!(self.location, Location::After { .. });
            self.total = Total::Reported(reported);
        }
        if self.location == Location::AtCursor || (self.location == Location::Start && page.next_cursor.is_some()) {
            return self.accept_at_cursor(page);
        }
        let fingerprints = page.resources.iter().map(|one| self.fingerprint(one)).collect::<Result<Vec<_>>>()?;
        let first = fingerprints.first().copied();
        match self.location {
            Location::Start => self.take(0, page.resources, &fingerprints, 0),
            Location::At { position, fingerprint } if first == Some(fingerprint) => {
                self.take(position, page.resources, &fingerprints, 1)
            }
            Location::At { position, .. } => self.repair(position),
            Location::SteppingBack { to, by } => {
                if to == 1 || first.is_some_and(|first| self.returned.is_in_pass(first)) {
                    self.take(to.saturating_sub(1), page.resources, &fingerprints, 0)
                } else {
                    self.go_back(to, by.saturating_mul(2));
                    Ok(())
                }
            }
            Location::After { position, fingerprint } if first == Some(fingerprint) => {
                self.no_new_resources(position, self.location)
            }
            Location::After { position, .. } => self.take(position, page.resources, &fingerprints, 0),
            Location::AtCursor => Ok(()),
        }?;
        Ok(self.progress())
    }

    fn progress(&self) -> Progress {
        Progress { done: self.returned.count(), failed: 0, total: self.known_total(), pages: self.pages }
    }

    /// Accepts a page with cursor-based paging, which a server can start without being asked.
    fn accept_at_cursor(&mut self, page: ScimListResponse<T>) -> Result<Progress> {
        self.location = Location::AtCursor;
        for resource in page.resources {
            let fingerprint = self.fingerprint(&resource)?;
            if matches!(self.returned.record(fingerprint), Occurrence::New) && self.remaining != Some(0) {
                self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
                self.ready.push_back(resource);
            }
        }
        match page.next_cursor {
            _ if self.remaining == Some(0) => self.is_over = true,
            Some(next) if next == self.cursor => {
                return self.incomplete(self.returned.count()).map(|()| self.progress());
            }
            Some(next) => self.cursor = next,
            None if matches!(self.total, Total::Reported(total) if self.returned.count() < total) => {
                return self.incomplete(self.returned.count()).map(|()| self.progress());
            }
            None => self.is_over = true,
        }
        Ok(self.progress())
    }

    /// Ends the listing after an error.
    pub(crate) fn stop(&mut self) {
        self.is_over = true;
        self.prefetched.clear();
    }

    /// Accepts the resources after position `before`; the first `overlap` are already known.
    fn take(&mut self, before: u64, resources: Vec<T>, fingerprints: &[Fingerprint], overlap: usize) -> Result<()> {
        let is_repair = matches!(self.location, Location::SteppingBack { .. });
        let known = self.returned.count();
        for (resource, fingerprint) in resources.into_iter().zip(fingerprints).skip(overlap) {
            match self.returned.record(*fingerprint) {
                Occurrence::New if self.remaining == Some(0) => {}
                Occurrence::New => {
                    self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
                    self.ready.push_back(resource);
                }
                Occurrence::NewInPass => {}
                Occurrence::Repeated => self.is_reordered |= !is_repair,
            }
        }
        if self.returned.count() > known {
            self.fruitless_repairs = 0;
        }
        let fresh = as_count(fingerprints.len().saturating_sub(overlap));
        let position = before.saturating_add(fresh);
        let previous = self.location;
        let last = fingerprints.last().copied();
        self.location = match (previous, last) {
            (_, None) => Location::Start,
            (Location::After { .. }, Some(fingerprint)) if fresh == 1 => Location::After { position, fingerprint },
            (_, Some(fingerprint)) => Location::At { position, fingerprint },
        };
        if self.remaining == Some(0) {
            self.is_over = true;
            return Ok(());
        }
        match self.total {
            Total::Reported(total)
                if previous == Location::Start && total == position && fresh > 0 && self.returned.is_first_pass() =>
            {
                self.total = Total::Suspect(total);
                Ok(())
            }
            Total::Reported(total) if position >= total => self.finish(position),
            Total::Suspect(_) if fresh > 0 => {
                self.total = Total::Unusable;
                Ok(())
            }
            _ if fresh > 0 => Ok(()),
            _ => self.no_new_resources(position, previous),
        }
    }

    /// Handles a page without new resources.
    fn no_new_resources(&mut self, position: u64, previous: Location) -> Result<()> {
        match (self.total, previous) {
            (Total::Reported(_) | Total::Unknown, Location::At { position, fingerprint }) if self.largest_page == 1 => {
                self.location = Location::After { position, fingerprint };
                Ok(())
            }
            (Total::Reported(_), _) => self.incomplete(position),
            (Total::Unknown | Total::Suspect(_) | Total::Unusable, _) => self.finish(position),
        }
    }

    /// Handles the end of a pass. If a resource may be missing, starts another pass.
    fn finish(&mut self, position: u64) -> Result<()> {
        let is_short = matches!(self.total, Total::Reported(total) if self.returned.count_in_pass() < total);
        if !is_short && !self.is_reordered {
            self.is_over = true;
            return Ok(());
        }
        self.fruitless_repairs += 1;
        if self.fruitless_repairs > MAX_FRUITLESS_REPAIRS {
            return self.incomplete(position);
        }
        self.is_reordered = false;
        self.returned.start_pass();
        self.location = Location::Start;
        Ok(())
    }

    /// Handles a page that does not begin with the last resource of the previous one.
    fn repair(&mut self, position: u64) -> Result<()> {
        self.fruitless_repairs += 1;
        if self.fruitless_repairs > MAX_FRUITLESS_REPAIRS {
            return self.incomplete(position);
        }
        if let Total::Suspect(_) = self.total {
            self.total = Total::Unknown;
        }
        self.go_back(position, self.page_size);
        Ok(())
    }

    fn go_back(&mut self, from: u64, by: u64) {
        self.location = Location::SteppingBack { to: from.saturating_sub(by).max(1), by };
    }

    fn incomplete(&self, position: u64) -> Result<()> {
        let total = self.known_total().map_or(String::new(), |total| format!(" of {total}"));
        Err(Error::new(
            ErrorKind::IncompleteList,
            format!(
                "the list is incomplete: the server returned {}{total} {}s, and no more from position {position} on; it \
                     may ignore startIndex, or the directory may change faster than it can be read",
                self.returned.count(),
                T::NAME,
            ),
        ))
    }

    fn known_total(&self) -> Option<u64> {
        match self.total {
            Total::Reported(total) | Total::Suspect(total) => Some(total),
            Total::Unknown | Total::Unusable => None,
        }
    }

    fn fingerprint(&self, resource: &T) -> Result<Fingerprint> {
        let id = resource.id().filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::new(
                ErrorKind::UnexpectedBody,
                format!(
                    "the server listed a {} without an id, so the list cannot be checked for completeness",
                    T::NAME
                ),
            )
        })?;
        Ok(self.returned.fingerprint(id))
    }
}

fn as_count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
