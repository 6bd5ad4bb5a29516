//! What to ask next while a whole listing is read, and when it is complete.
//!
//! Index pages shift when the directory changes between two of them (RFC 7644 §3.4.2.4), so each
//! page is asked to begin with the last resource of the page before. If it does, then whoever was
//! there throughout and comes before that resource has been seen, in whatever order the pages were
//! fetched, as long as the server keeps its order. If it does not, the listing goes back until it
//! stands on something it has seen, and reads on from there. At the end, the number of distinct
//! resources must reach the server's total, or everything is read again.

mod returned;

use std::collections::VecDeque;

use self::returned::{Meeting, Print, Seen};
use crate::batch::Progress;
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::ListQuery;
use crate::model::{Resource, ScimListResponse};

/// How often in a row the listing goes back without finding anybody new before it gives up.
const FRUITLESS_REPAIRS: u32 = 4;

/// The state of one listing.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    filter: ListQuery,
    page_size: u64,
    /// How many pages may be requested ahead of the one that is read.
    window: usize,
    /// How many may still come out, if there is a maximum.
    remaining: Option<u64>,
    ready: VecDeque<T>,
    place: Place,
    /// The cursor of the next page, empty for the first.
    cursor: String,
    /// Where the pages begin that were asked for ahead, in order.
    ahead: VecDeque<u64>,
    seen: Seen,
    total: Total,
    pages: u64,
    largest_page: u64,
    /// How often in a row it went back without finding anybody new.
    fruitless: u32,
    /// Somebody was met twice in one sweep, so the order changed under it.
    is_reordered: bool,
    is_over: bool,
}

/// Where the listing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    /// On the resource with this print, at this position.
    On {
        position: u64,
        print: Print,
    },
    /// Looking for something seen, at this position or before it.
    Back {
        to: u64,
        by: u64,
    },
    /// The server gives one resource a page, so pages cannot overlap.
    After {
        position: u64,
        print: Print,
    },
    /// Where the cursor stands, which the server keeps (RFC 9865).
    AtCursor,
}

/// The server's `totalResults`.
#[derive(Clone, Copy, Debug)]
enum Total {
    Unknown,
    Said(u64),
    /// It is the size of the first page, which may be all there is, or only what some servers put
    /// there: one more short page tells.
    Doubted(u64),
    /// It was the size of a page.
    Useless,
}

/// What the listing needs to go on.
#[derive(Debug, PartialEq)]
pub(crate) enum Want {
    /// It is over.
    Nothing,
    /// This page.
    Page(Box<ListQuery>),
    /// The first of those that were asked for ahead.
    Ahead,
}

impl<T: Resource> Listing<T> {
    /// The same from a server that pages by cursor (RFC 9865).
    pub(crate) fn by_cursor(mut self) -> Self {
        self.place = Place::AtCursor;
        self
    }

    pub(crate) fn new(filter: ListQuery, page_size: u64, max: Option<u64>, window: usize) -> Self {
        Self {
            filter,
            page_size: page_size.max(1),
            window,
            remaining: max,
            ready: VecDeque::new(),
            place: Place::Start,
            cursor: String::new(),
            ahead: VecDeque::new(),
            seen: Seen::default(),
            total: Total::Unknown,
            pages: 0,
            largest_page: 0,
            fruitless: 0,
            is_reordered: false,
            is_over: max == Some(0),
        }
    }

    /// The next resource that is there already.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.ready.pop_front()
    }

    /// What to wait for once nothing is there any more. The answer stays the same until a page is
    /// accepted, so that a listing whose future was dropped goes on where it was.
    pub(crate) fn want(&mut self) -> Want {
        if self.is_over {
            return Want::Nothing;
        }
        let most = self.page_size.max(2);
        match (self.place, self.ahead.front()) {
            // Every other parameter stays the same on each page (RFC 9865 §2).
            (Place::AtCursor, _) => {
                let count = self.page_size;
                Want::Page(Box::new(self.filter.clone().cursor(self.cursor.clone()).count(count)))
            }
            (Place::On { position, .. }, Some(&next)) if next == position => Want::Ahead,
            // A page came back short: what it left out is fetched before the next.
            (Place::On { position, .. }, Some(&next)) if next > position => {
                self.page(position, next.saturating_sub(position).saturating_add(1).min(most))
            }
            _ => {
                self.ahead.clear();
                let (start, overlap) = match self.place {
                    Place::Start | Place::AtCursor => (1, 0),
                    Place::On { position, .. } => (position, 1),
                    Place::Back { to, .. } => (to, 0),
                    Place::After { position, .. } => (position.saturating_add(1), 0),
                };
                let most = self.page_size.max(1 + overlap);
                self.page(
                    start,
                    match (self.total, self.remaining) {
                        (Total::Doubted(_), _) => 2,
                        (_, Some(remaining)) => remaining.saturating_add(overlap).min(most),
                        (_, None) => most,
                    },
                )
            }
        }
    }

    /// A page to request before it is needed.
    pub(crate) fn ask_ahead(&mut self) -> Option<ListQuery> {
        let (Place::On { position, .. }, Total::Said(total)) = (self.place, self.total) else { return None };
        if self.ahead.len() >= self.window || self.largest_page < 2 || self.is_over {
            return None;
        }
        // Pages are as long as the server really makes them, and overlap by one.
        let size = self.page_size.min(self.largest_page).max(2);
        let start = self.ahead.back().map_or(position, |last| last.saturating_add(size - 1));
        let end = self.remaining.map_or(total, |remaining| total.min(position.saturating_add(remaining)));
        if start >= end {
            return None;
        }
        self.ahead.push_back(start);
        Some(self.query(start, size.min(end - start + 1)))
    }

    /// Whether nothing is asked for ahead, or what was asked for is not wanted any more.
    pub(crate) fn is_ahead_empty(&self) -> bool {
        self.ahead.is_empty()
    }

    fn page(&self, start: u64, count: u64) -> Want {
        Want::Page(Box::new(self.query(start, count)))
    }

    fn query(&self, start: u64, count: u64) -> ListQuery {
        self.filter.clone().start_index(start).count(count)
    }

    /// Takes in the first of the pages that were requested ahead.
    pub(crate) fn accept_ahead(&mut self, page: ScimListResponse<T>) -> Result<Progress> {
        self.ahead.pop_front();
        self.accept(page)
    }

    /// Takes in the page that was wanted.
    pub(crate) fn accept(&mut self, page: ScimListResponse<T>) -> Result<Progress> {
        self.pages += 1;
        self.largest_page = self.largest_page.max(as_count(page.resources.len()));
        if let (Some(said), Total::Unknown | Total::Said(_)) = (page.total_results, self.total) {
            // Pages that do not overlap do not show a shift, but a total that changed does.
            let is_changed = matches!(self.total, Total::Said(before) if before != said);
            self.is_reordered |= is_changed && matches!(self.place, Place::After { .. });
            self.total = Total::Said(said);
        }
        if self.place == Place::AtCursor || (self.place == Place::Start && page.next_cursor.is_some()) {
            return self.accept_at_cursor(page);
        }
        let prints = page.resources.iter().map(|one| self.print(one)).collect::<Result<Vec<_>>>()?;
        let first = prints.first().copied();
        match self.place {
            Place::Start => self.take(0, page.resources, &prints, 0),
            Place::On { position, print } if first == Some(print) => self.take(position, page.resources, &prints, 1),
            Place::On { position, .. } => self.repair(position),
            Place::Back { to, by } => {
                if to == 1 || first.is_some_and(|first| self.seen.is_in_sweep(first)) {
                    self.take(to.saturating_sub(1), page.resources, &prints, 0)
                } else {
                    self.go_back(to, by.saturating_mul(2));
                    Ok(())
                }
            }
            Place::After { position, print } if first == Some(print) => self.run_dry(position, self.place),
            Place::After { position, .. } => self.take(position, page.resources, &prints, 0),
            Place::AtCursor => Ok(()),
        }?;
        Ok(self.progress())
    }

    fn progress(&self) -> Progress {
        Progress { done: self.seen.count(), failed: 0, total: self.known_total(), pages: self.pages }
    }

    /// Takes in a page from a server that keeps the place itself; it may have said so unasked.
    fn accept_at_cursor(&mut self, page: ScimListResponse<T>) -> Result<Progress> {
        self.place = Place::AtCursor;
        for resource in page.resources {
            let print = self.print(&resource)?;
            if matches!(self.seen.meet(print), Meeting::First) && self.remaining != Some(0) {
                self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
                self.ready.push_back(resource);
            }
        }
        match page.next_cursor {
            _ if self.remaining == Some(0) => self.is_over = true,
            Some(next) if next == self.cursor => return self.incomplete(self.seen.count()).map(|()| self.progress()),
            Some(next) => self.cursor = next,
            None if matches!(self.total, Total::Said(total) if self.seen.count() < total) => {
                return self.incomplete(self.seen.count()).map(|()| self.progress());
            }
            None => self.is_over = true,
        }
        Ok(self.progress())
    }

    /// Ends the listing after an error, so that it is not read on by mistake.
    pub(crate) fn stop(&mut self) {
        self.is_over = true;
        self.ahead.clear();
    }

    /// Takes the resources that follow position `before`; the first `overlap` were taken already.
    fn take(&mut self, before: u64, resources: Vec<T>, prints: &[Print], overlap: usize) -> Result<()> {
        let is_repair = matches!(self.place, Place::Back { .. });
        let known = self.seen.count();
        for (resource, print) in resources.into_iter().zip(prints).skip(overlap) {
            match self.seen.meet(*print) {
                Meeting::First if self.remaining == Some(0) => {}
                Meeting::First => {
                    self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
                    self.ready.push_back(resource);
                }
                Meeting::FirstInSweep => {}
                Meeting::Again => self.is_reordered |= !is_repair,
            }
        }
        if self.seen.count() > known {
            self.fruitless = 0;
        }
        let fresh = as_count(prints.len().saturating_sub(overlap));
        let position = before.saturating_add(fresh);
        let was = self.place;
        let last = prints.last().copied();
        self.place = match (was, last) {
            (_, None) => Place::Start,
            (Place::After { .. }, Some(print)) if fresh == 1 => Place::After { position, print },
            (_, Some(print)) => Place::On { position, print },
        };
        if self.remaining == Some(0) {
            self.is_over = true;
            return Ok(());
        }
        match self.total {
            Total::Said(total)
                if was == Place::Start && total == position && fresh > 0 && self.seen.is_first_sweep() =>
            {
                self.total = Total::Doubted(total);
                Ok(())
            }
            Total::Said(total) if position >= total => self.finish(position),
            Total::Doubted(_) if fresh > 0 => {
                self.total = Total::Useless;
                Ok(())
            }
            _ if fresh > 0 => Ok(()),
            _ => self.run_dry(position, was),
        }
    }

    /// A page had nobody new on it.
    fn run_dry(&mut self, position: u64, was: Place) -> Result<()> {
        match (self.total, was) {
            (Total::Said(_) | Total::Unknown, Place::On { position, print }) if self.largest_page == 1 => {
                self.place = Place::After { position, print };
                Ok(())
            }
            (Total::Said(_), _) => self.incomplete(position),
            (Total::Unknown | Total::Doubted(_) | Total::Useless, _) => self.finish(position),
        }
    }

    /// Everything was read once. If somebody may be missing, it is read again.
    fn finish(&mut self, position: u64) -> Result<()> {
        let is_short = matches!(self.total, Total::Said(total) if self.seen.count_in_sweep() < total);
        if !is_short && !self.is_reordered {
            self.is_over = true;
            return Ok(());
        }
        self.fruitless += 1;
        if self.fruitless > FRUITLESS_REPAIRS {
            return self.incomplete(position);
        }
        self.is_reordered = false;
        self.seen.new_sweep();
        self.place = Place::Start;
        Ok(())
    }

    /// The page did not begin where the last one ended.
    fn repair(&mut self, position: u64) -> Result<()> {
        self.fruitless += 1;
        if self.fruitless > FRUITLESS_REPAIRS {
            return self.incomplete(position);
        }
        if let Total::Doubted(_) = self.total {
            self.total = Total::Unknown;
        }
        self.go_back(position, self.page_size);
        Ok(())
    }

    fn go_back(&mut self, from: u64, by: u64) {
        self.place = Place::Back { to: from.saturating_sub(by).max(1), by };
    }

    fn incomplete(&self, position: u64) -> Result<()> {
        let total = self.known_total().map_or(String::new(), |total| format!(" of {total}"));
        Err(Error::new(
            ErrorKind::IncompleteList,
            format!(
                "the list is not complete: {}{total} {}s were seen, and from position {position} on the server does \
                 not give the rest; it may not keep to startIndex, or change faster than it can be read",
                self.seen.count(),
                T::NAME,
            ),
        ))
    }

    fn known_total(&self) -> Option<u64> {
        match self.total {
            Total::Said(total) | Total::Doubted(total) => Some(total),
            Total::Unknown | Total::Useless => None,
        }
    }

    fn print(&self, resource: &T) -> Result<Print> {
        let id = resource.id().filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::new(
                ErrorKind::UnexpectedBody,
                format!(
                    "the server listed a {} without an id, so nobody can say whether the list is complete",
                    T::NAME
                ),
            )
        })?;
        Ok(self.seen.print(id))
    }
}

fn as_count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
