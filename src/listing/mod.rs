//! Decides which page of a list to request next, and when the list is complete.
//!
//! Index-based pages shift if the directory changes between two requests (RFC 7644 §3.4.2.4), so
//! each page overlaps the previous one by one resource. If a page begins with a resource of the same
//! pass, all resources before it that existed throughout have been returned, in whatever order the
//! pages were fetched, as long as the server's order is stable. Otherwise the listing steps back until
//! a page begins with a known resource, and continues from there. At the end, the number of distinct
//! resources must reach the server's total; if it does not although the list has changed, the whole
//! list is read again.
//!
//! Servers deviate in any way, so three rules hold for whatever they answer:
//!
//! - Every resource on a page is returned once, even if the page is not where it should be.
//! - The number of requests is bounded by the number of pages with a new resource ([`Effort`]).
//! - The list is complete only if it reaches the last total that the server stated.

mod cursor;
mod effort;
mod pass;
mod returned;
#[cfg(test)]
mod tests;
mod total;
mod walk;

use std::collections::{HashSet, VecDeque};
use std::mem;

use wats_scim_filter::Filter;

use self::effort::Effort;
use self::pass::{Pass, Verdict};
use self::returned::{Fingerprint, Occurrence, Returned};
use self::total::Total;
use self::walk::Place;
use crate::batch::Progress;
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::ListQuery;
use crate::model::{Resource, ScimListResponse};

/// The state of one listing.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    filter: ListQuery,
    page_size: u64,
    /// The maximum page size of the server.
    limit: u64,
    /// The maximum number of prefetched pages.
    window: usize,
    /// How many more resources to return, if there is a maximum.
    remaining: Option<u64>,
    ready: VecDeque<T>,
    /// The result, once no more pages are needed.
    end: Option<Result<()>>,
    place: Place,
    /// The cursor of the next page, empty for the first.
    cursor: String,
    /// The cursors so far.
    cursors: HashSet<Fingerprint>,
    /// The start positions of the prefetched pages, in order.
    prefetched: VecDeque<u64>,
    returned: Returned,
    total: Total,
    pass: Pass,
    effort: Effort,
    pages: u64,
    largest_page: u64,
    /// A resource had no id, so it was not returned.
    has_nameless: bool,
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

/// The resources of a page that have an id.
struct Page<T> {
    resources: Vec<T>,
    fingerprints: Vec<Fingerprint>,
}

impl<T> Page<T> {
    fn length(&self) -> u64 {
        as_count(self.fingerprints.len())
    }

    fn first(&self) -> Option<Fingerprint> {
        self.fingerprints.first().copied()
    }

    fn last(&self) -> Option<Fingerprint> {
        self.fingerprints.last().copied()
    }

    fn entries(self) -> impl Iterator<Item = (T, Fingerprint)> {
        self.resources.into_iter().zip(self.fingerprints)
    }
}

impl<T: Resource> Listing<T> {
    pub(crate) fn new(filter: ListQuery, page_size: u64, max: Option<u64>, window: usize) -> Self {
        Self {
            filter,
            page_size: page_size.max(1),
            limit: u64::MAX,
            window,
            remaining: max,
            ready: VecDeque::new(),
            end: if max == Some(0) { Some(Ok(())) } else { None },
            place: Place::Start,
            cursor: String::new(),
            cursors: HashSet::new(),
            prefetched: VecDeque::new(),
            returned: Returned::default(),
            total: Total::default(),
            pass: Pass::default(),
            effort: Effort::default(),
            pages: 0,
            largest_page: 0,
            has_nameless: false,
        }
    }

    /// Uses cursor-based paging (RFC 9865).
    pub(crate) fn by_cursor(mut self) -> Self {
        self.place = Place::AtCursor;
        self
    }

    /// Requests at most this many resources per page.
    pub(crate) fn limited_to(mut self, page_size: Option<u64>) -> Self {
        self.limit = page_size.map_or(self.limit, |limit| limit.max(1));
        self
    }

    /// Returns the next resource of the pages read so far.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.ready.pop_front()
    }

    /// Returns the page to wait for once [`pop`](Self::pop) returns `None`. The result is the same
    /// until a page is accepted, so that a listing can continue after its future was dropped.
    ///
    /// # Errors
    ///
    /// The error with which the listing ends.
    pub(crate) fn next_request(&mut self) -> Result<NextRequest> {
        if let Some(end) = &mut self.end {
            return mem::replace(end, Ok(())).map(|()| NextRequest::Done);
        }
        let start = self.place.next_start();
        let is_by_cursor = self.place == Place::AtCursor;
        let count = match self.prefetched.front() {
            Some(&next) if next == start && !is_by_cursor => return Ok(NextRequest::Prefetched),
            // A page was shorter than requested: fetch the missing part before the next page.
            Some(&next) if next > start && matches!(self.place, Place::At { .. }) => {
                next.saturating_sub(start).saturating_add(1).min(self.count())
            }
            _ => {
                self.discard_prefetched();
                self.count()
            }
        };
        if !self.effort.permits(self.prefetched.len()) {
            self.discard_prefetched();
            self.end = Some(Ok(()));
            return Err(self.incomplete());
        }
        Ok(NextRequest::Page(Box::new(if is_by_cursor {
            // Every other parameter stays the same on each page (RFC 9865 §2).
            self.filter.clone().cursor(self.cursor.clone()).count(self.page_size.min(self.limit))
        } else {
            self.query(start, count)
        })))
    }

    /// The number of resources to request.
    fn count(&self) -> u64 {
        let overlap = u64::from(matches!(self.place, Place::At { .. }));
        let most = self.page_size.max(1 + overlap).min(self.limit);
        match self.remaining {
            _ if self.total.is_suspect() => 1 + overlap,
            Some(remaining) => remaining.saturating_add(overlap).min(most),
            None => most,
        }
    }

    /// Returns a page to request before it is needed, if any.
    pub(crate) fn prefetch(&mut self) -> Option<ListQuery> {
        let (Place::At { position, .. }, Some(total)) = (self.place, self.total.trusted()) else { return None };
        let in_flight = self.prefetched.len();
        let may_request = in_flight < self.window && self.effort.permits_in_advance(in_flight);
        if self.end.is_some() || self.largest_page < 2 || !may_request {
            return None;
        }
        // Pages are as long as the server's longest so far, and overlap by one resource.
        let size = self.page_size.min(self.largest_page).max(2).min(self.limit);
        let start = self.prefetched.back().map_or(position, |last| last.saturating_add(size - 1));
        let end = self.remaining.map_or(u64::MAX, |remaining| position.saturating_add(remaining));
        if start >= total.min(end) {
            return None;
        }
        self.prefetched.push_back(start);
        Some(self.query(start, size.min(end.saturating_sub(start).saturating_add(1))))
    }

    /// Whether no page is prefetched, or the prefetched pages are no longer needed.
    pub(crate) fn is_prefetch_empty(&self) -> bool {
        self.prefetched.is_empty()
    }

    fn discard_prefetched(&mut self) {
        self.effort.waste(self.prefetched.len());
        self.prefetched.clear();
    }

    fn query(&self, start: u64, count: u64) -> ListQuery {
        self.filter.clone().start_index(start).count(count)
    }

    /// Requests smaller pages, after the server rejected the size of one. Returns `false` if pages
    /// cannot be smaller.
    pub(crate) fn shrink_pages(&mut self) -> bool {
        let is_first = self.cursor.is_empty() && self.cursors.is_empty();
        let asked = self.page_size.max(2).min(self.remaining.map_or(u64::MAX, |left| left.saturating_add(1)));
        let asked = asked.min(self.limit);
        if asked < 2 || (self.place == Place::AtCursor && !is_first) {
            return false;
        }
        self.effort.count(false);
        self.discard_prefetched();
        self.limit = asked / 2;
        if let (1, Place::At { position, fingerprint }) = (self.limit, self.place) {
            self.place = Place::After { position, fingerprint };
        }
        true
    }

    /// Accepts the first of the prefetched pages.
    pub(crate) fn accept_prefetched(&mut self, page: ScimListResponse<T>) -> Progress {
        self.prefetched.pop_front();
        self.accept(page)
    }

    /// Accepts the page of [`next_request`](Self::next_request).
    pub(crate) fn accept(&mut self, page: ScimListResponse<T>) -> Progress {
        let known = self.returned.count();
        self.pages += 1;
        self.largest_page = self.largest_page.max(as_count(page.resources.len()));
        if self.total.update(page.total_results) && matches!(self.place, Place::After { .. }) {
            // Without overlap a shift is not visible, but a changed total is.
            self.pass.reorder();
        }
        let next_cursor = page.next_cursor;
        let page = self.identify(page.resources);
        if self.is_by_cursor(&page, next_cursor.as_deref()) {
            self.follow(page, next_cursor);
        } else {
            self.walk(page);
        }
        self.effort.count(self.returned.count() > known);
        self.progress()
    }

    fn progress(&self) -> Progress {
        Progress { done: self.returned.count(), failed: 0, total: self.total.believed(), pages: self.pages }
    }

    /// Ends the listing after an error.
    pub(crate) fn stop(&mut self) {
        self.end = Some(Ok(()));
        self.ready.clear();
        self.prefetched.clear();
    }

    /// Finds the resources with an id. One without an id cannot be distinguished from others, so it cannot be
    /// returned exactly once.
    fn identify(&mut self, resources: Vec<T>) -> Page<T> {
        let mut page =
            Page { fingerprints: Vec::with_capacity(resources.len()), resources: Vec::with_capacity(resources.len()) };
        for resource in resources {
            match resource.id().filter(|id| !id.is_empty()) {
                Some(id) => {
                    page.fingerprints.push(self.returned.fingerprint(id));
                    page.resources.push(resource);
                }
                None => self.has_nameless = true,
            }
        }
        page
    }

    /// Records the resources of a page in their place, and returns the new ones. Returns whether one is
    /// new in this pass. If repetitions are unexpected, the order has changed.
    fn record(&mut self, page: Page<T>, overlap: usize, may_repeat: bool) -> bool {
        // A page that ends where it began may be the work of a server that starts again.
        let again = page.first().filter(|first| page.length() > 2 && page.last() == Some(*first));
        let mut here = Vec::new();
        let mut repeated = Vec::new();
        for (resource, fingerprint) in page.entries().skip(overlap) {
            match self.returned.record(fingerprint) {
                Occurrence::Repeated => {
                    repeated.push(fingerprint);
                    continue;
                }
                Occurrence::New => self.hand_out(resource),
                Occurrence::NewInPass => {}
            }
            self.pass.count(fingerprint);
            here.push(fingerprint);
        }
        let has_new = !here.is_empty();
        if !repeated.is_empty() {
            let here: HashSet<Fingerprint> = here.into_iter().collect();
            for fingerprint in repeated {
                if here.contains(&fingerprint) {
                    if again != Some(fingerprint) {
                        self.pass.duplicate();
                    }
                } else if !may_repeat {
                    self.pass.reorder();
                }
            }
        }
        has_new
    }

    /// Returns the new resources of a page that is not in its place.
    fn show(&mut self, page: Page<T>) {
        for (resource, fingerprint) in page.entries() {
            if self.returned.note(fingerprint) {
                self.hand_out(resource);
            }
        }
    }

    fn hand_out(&mut self, resource: T) {
        if self.end.is_some() {
            return;
        }
        if self.filter.filter.as_ref().is_some_and(|filter| is_excluded(&resource, filter)) {
            self.end = Some(Err(Error::new(
                ErrorKind::UnexpectedBody,
                format!(
                    "the server listed a {} that does not match the filter; it may ignore filters, so do not use one",
                    T::NAME
                ),
            )));
            return;
        }
        self.ready.push_back(resource);
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
        if self.remaining == Some(0) {
            self.end = Some(Ok(()));
        }
    }

    /// Handles the end of a pass.
    fn finish(&mut self) {
        if self.end.is_some() {
            return;
        }
        match self.pass.end(self.returned.count_in_pass(), self.returned.count(), self.total.stated()) {
            Verdict::Complete if !self.has_nameless => self.end = Some(Ok(())),
            Verdict::Complete | Verdict::Incomplete => self.end = Some(Err(self.incomplete())),
            Verdict::AnotherPass => {
                self.returned.start_pass();
                self.total.drop_suspicion();
                self.place = Place::Start;
            }
        }
    }

    fn incomplete(&self) -> Error {
        if self.has_nameless {
            let name = T::NAME;
            return Error::new(
                ErrorKind::UnexpectedBody,
                format!("the server listed a {name} without an id, so the list cannot be checked for completeness"),
            );
        }
        let total = self.total.believed().map_or(String::new(), |total| format!(" of {total}"));
        Error::new(
            ErrorKind::IncompleteList,
            format!(
                "the list is incomplete: the server returned {}{total} {}s; it may hide some from these credentials or \
                 repeat pages, or the directory may change faster than it can be read",
                self.returned.count(),
                T::NAME,
            ),
        )
    }
}

/// Whether a resource certainly does not match a filter.
fn is_excluded<T: Resource>(resource: &T, filter: &Filter) -> bool {
    serde_json::to_value(resource).is_ok_and(|resource| filter.excludes(&resource))
}

fn as_count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
