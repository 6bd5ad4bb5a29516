//! What to ask next while a whole listing is read, and when it is complete.
//!
//! Index pages shift when the directory changes between two of them (RFC 7644 §3.4.2.4), so each
//! page is asked to begin with the last resource of the page before. If it does, nothing was
//! inserted or removed before that place, or as much of both as leaves nobody out; if it does not,
//! the listing goes back until it stands on something it has seen, and reads on from there. At the
//! end, the number of distinct resources must reach the server's total.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Resource, ScimListResponse};
use crate::query::ListQuery;

/// How far a listing has come, as its `on_page` callback is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListProgress {
    /// The number of the page that just came in, from 1.
    pub page: u64,
    /// How many distinct resources have come in so far.
    pub so_far: u64,
    /// How many there are in all, if the server says.
    pub total: Option<u64>,
}

/// How often in a row the listing goes back without finding anybody new before it gives up.
const FRUITLESS_REPAIRS: u32 = 4;

/// The state of one listing.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    filter: ListQuery,
    page_size: u64,
    /// How many may still come out, if there is a maximum.
    remaining: Option<u64>,
    ready: VecDeque<T>,
    place: Place,
    seen: Seen,
    total: Total,
    pages: u64,
    largest_page: usize,
    /// How often in a row it went back without finding anybody new.
    fruitless: u32,
    /// Somebody was met twice in one sweep, so the order changed under it.
    reordered: bool,
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

impl<T: Resource> Listing<T> {
    pub(crate) fn new(query: ListQuery, page_size: u64, max: Option<u64>) -> Self {
        Self {
            filter: query,
            page_size: page_size.max(1),
            remaining: max,
            ready: VecDeque::new(),
            place: Place::Start,
            seen: Seen::default(),
            total: Total::Unknown,
            pages: 0,
            largest_page: 0,
            fruitless: 0,
            reordered: false,
            is_over: max == Some(0),
        }
    }

    /// The next resource that is there already.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.ready.pop_front()
    }

    /// The page to ask for now. `None` once the listing is over.
    pub(crate) fn request(&self) -> Option<ListQuery> {
        if self.is_over {
            return None;
        }
        let (start, overlap) = match self.place {
            Place::Start => (1, 0),
            Place::On { position, .. } => (position, 1),
            Place::Back { to, .. } => (to, 0),
            Place::After { position, .. } => (position.saturating_add(1), 0),
        };
        let most = self.page_size.max(1 + overlap);
        let wanted = match (self.total, self.remaining) {
            (Total::Doubted(_), _) => 2,
            (_, Some(remaining)) => remaining.saturating_add(overlap).min(most),
            (_, None) => most,
        };
        Some(self.filter.clone().start_index(start).count(wanted))
    }

    /// Takes in the page that was asked for.
    pub(crate) fn accept(&mut self, page: ScimListResponse<T>) -> Result<ListProgress> {
        self.pages += 1;
        self.largest_page = self.largest_page.max(page.resources.len());
        self.learn_total(page.total_results);
        let prints = page.resources.iter().map(|one| self.seen.print(one)).collect::<Result<Vec<_>>>()?;
        match self.place {
            Place::Start => self.take(0, page.resources, &prints, 0),
            Place::On { position, print } => match prints.first() {
                Some(first) if *first == print => self.take(position, page.resources, &prints, 1),
                _ => self.repair(position),
            },
            Place::Back { to, by } => match prints.first() {
                Some(first) if to == 1 || self.seen.in_this_sweep(*first) => {
                    self.take(to.saturating_sub(1), page.resources, &prints, 0)
                }
                None if to == 1 => self.take(0, page.resources, &prints, 0),
                _ => {
                    self.go_back(to, by.saturating_mul(2));
                    Ok(())
                }
            },
            Place::After { position, print } => match prints.first() {
                Some(first) if *first == print => self.end_at(position, self.place),
                _ => self.take(position, page.resources, &prints, 0),
            },
        }?;
        Ok(ListProgress { page: self.pages, so_far: self.seen.count(), total: self.known_total() })
    }

    /// Ends the listing after an error, so that it is not read on by mistake.
    pub(crate) fn stop(&mut self) {
        self.is_over = true;
    }

    /// Takes the resources that follow `before`; the first `overlap` of them were taken already.
    fn take(&mut self, before: u64, resources: Vec<T>, prints: &[Print], overlap: usize) -> Result<()> {
        let is_repair = matches!(self.place, Place::Back { .. });
        let known = self.seen.count();
        for (resource, print) in resources.into_iter().zip(prints).skip(overlap) {
            match self.seen.meet(*print) {
                Meeting::First => {
                    if self.remaining != Some(0) {
                        self.remaining = self.remaining.map(|remaining| remaining - 1);
                        self.ready.push_back(resource);
                    }
                }
                Meeting::FirstInSweep => {}
                Meeting::Again => self.reordered |= !is_repair,
            }
        }
        if self.seen.count() > known {
            self.fruitless = 0;
        }
        let fresh = u64::try_from(prints.len().saturating_sub(overlap)).unwrap_or(u64::MAX);
        let position = before.saturating_add(fresh);
        let last = prints.last().copied();
        let was = self.place;
        self.place = last.map_or(Place::Start, |print| Place::On { position, print });
        if self.remaining == Some(0) {
            self.is_over = true;
            return Ok(());
        }
        match self.total {
            Total::Said(total) if was == Place::Start && total == position && fresh > 0 && !self.seen.is_again() => {
                self.total = Total::Doubted(total);
                Ok(())
            }
            Total::Said(total) if position >= total => self.finish(position),
            Total::Doubted(_) if fresh > 0 => {
                self.total = Total::Useless;
                Ok(())
            }
            _ if fresh > 0 => {
                if let (Place::After { .. }, Some(print)) = (was, last) {
                    self.place = Place::After { position, print };
                }
                Ok(())
            }
            _ => self.end_at(position, was),
        }
    }

    /// A page had nothing new in it.
    fn end_at(&mut self, position: u64, was: Place) -> Result<()> {
        match (self.total, was) {
            (Total::Said(_) | Total::Unknown, Place::On { position, print }) if self.largest_page == 1 => {
                self.place = Place::After { position, print };
                Ok(())
            }
            (Total::Said(_), _) => self.incomplete(position),
            (Total::Unknown | Total::Doubted(_) | Total::Useless, _) => self.finish(position),
        }
    }

    /// Everything was read once. If somebody is still missing, it is read again.
    fn finish(&mut self, position: u64) -> Result<()> {
        let is_short = matches!(self.total, Total::Said(total) if self.seen.count_in_sweep() < total);
        if !is_short && !self.reordered {
            self.is_over = true;
            return Ok(());
        }
        self.fruitless += 1;
        if self.fruitless > FRUITLESS_REPAIRS {
            return self.incomplete(position);
        }
        self.reordered = false;
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

    fn incomplete(&mut self, position: u64) -> Result<()> {
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

    fn learn_total(&mut self, said: Option<u64>) {
        let Some(said) = said else { return };
        if let Total::Unknown | Total::Said(_) = self.total {
            self.total = Total::Said(said);
        }
    }

    fn known_total(&self) -> Option<u64> {
        match self.total {
            Total::Said(total) | Total::Doubted(total) => Some(total),
            Total::Unknown | Total::Useless => None,
        }
    }
}

/// What identifies a resource: a hash of its id, wide enough that no two are the same by chance.
type Print = u128;

/// Who has been met, and in which sweep last.
#[derive(Debug, Default)]
struct Seen {
    hashers: (RandomState, RandomState),
    met: HashMap<Print, u32>,
    sweep: u32,
    in_sweep: u64,
}

enum Meeting {
    First,
    FirstInSweep,
    Again,
}

impl Seen {
    fn print<T: Resource>(&self, resource: &T) -> Result<Print> {
        let id = resource.id().filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::new(
                ErrorKind::UnexpectedBody,
                format!(
                    "the server listed a {} without an id, so nobody can say whether the list is complete",
                    T::NAME
                ),
            )
        })?;
        Ok(u128::from(self.hashers.0.hash_one(id)) << 64 | u128::from(self.hashers.1.hash_one(id)))
    }

    fn meet(&mut self, print: Print) -> Meeting {
        match self.met.insert(print, self.sweep) {
            Some(sweep) if sweep == self.sweep => Meeting::Again,
            before => {
                self.in_sweep += 1;
                if before.is_none() { Meeting::First } else { Meeting::FirstInSweep }
            }
        }
    }

    fn in_this_sweep(&self, print: Print) -> bool {
        self.met.get(&print) == Some(&self.sweep)
    }

    fn is_again(&self) -> bool {
        self.sweep > 0
    }

    fn new_sweep(&mut self) {
        self.sweep += 1;
        self.in_sweep = 0;
    }

    fn count(&self) -> u64 {
        u64::try_from(self.met.len()).unwrap_or(u64::MAX)
    }

    fn count_in_sweep(&self) -> u64 {
        self.in_sweep
    }
}
