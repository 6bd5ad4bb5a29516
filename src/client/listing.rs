use std::fmt;
use std::sync::Arc;

use wats_scim_filter::Filter;

use super::step::{Arrival, PageJob};
use super::{InFlight, ScimRepository, example, maybe_async};
use crate::batch::Progress;
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::ListQuery;
use crate::listing::{Listing, NextRequest};
use crate::model::{Resource, ScimListResponse};

/// Every resource of one kind, read page after page as they are asked for.
///
/// One page is held at a time, and no more is asked for than is needed;
/// [`in_flight`](Self::in_flight) reads ahead where the wire is slow. Dropping the listing ends
/// it. **The list is complete, or
/// it ends in an error**, whatever the server does: pages that are shorter than asked for, a
/// missing or wrong total, an ignored `startIndex`, a page that comes twice. Each page begins with
/// the last resource of the page before, so that a directory which changes while it is read shows;
/// the listing then goes back and reads again what it may have missed. Nobody comes twice.
///
/// What pages by position cannot show in principle: that the order changed *and* somebody was
/// added or removed between two pages, or, from a server that gives one resource a page, that one
/// was added and another removed.
///
/// After an error the listing is over.
///
#[doc = example!(
    "let mut users = client.iter_users().at_most(2).on_page(|progress| {\n    \
         println!(\"page {}: {} users so far\", progress.pages, progress.done);\n\
     });\n\
     let mut count = 0;\n\
     while let Some(user) = users.try_next()" await "? {\n    \
         count += 1;\n\
     }\n\
     assert_eq!(count, 2);"
)]
#[must_use = "a listing asks for nothing until it is read"]
pub struct ScimListing<R, T> {
    repository: Arc<R>,
    filter: Option<Filter>,
    page_size: u64,
    max: Option<u64>,
    in_flight: usize,
    buffer: Option<usize>,
    on_page: Option<OnPage>,
    listing: Option<Listing<T>>,
    /// The page that is read next, if it was not requested ahead.
    next_page: InFlight<Result<ScimListResponse<T>>>,
    /// The pages that were requested ahead, in order.
    ahead: InFlight<Result<ScimListResponse<T>>>,
}

type OnPage = Box<dyn FnMut(Progress) + Send>;

impl<R: ScimRepository, T: Resource> ScimListing<R, T> {
    pub(super) fn new(repository: Arc<R>) -> Self {
        Self {
            repository,
            filter: None,
            page_size: 100,
            max: None,
            in_flight: 1,
            buffer: None,
            on_page: None,
            listing: None,
            next_page: InFlight::default(),
            ahead: InFlight::default(),
        }
    }

    /// How many to ask for at a time; 100 by default, and at least 1. The server may give fewer.
    pub fn page_size(mut self, page_size: u64) -> Self {
        self.page_size = page_size;
        self
    }

    /// How many pages may be in flight at the same time; 1 by default, and at least 1. Resources are
    /// returned in order all the same.
    ///
    /// Reading ahead begins once the first page has shown how many resources there are and how long
    /// the server's pages really are; from a server that does not give a total, pages are read one at
    /// a time.
    pub fn in_flight(mut self, pages: usize) -> Self {
        self.in_flight = pages;
        self
    }

    /// How many pages may wait for an earlier one, besides those in flight; by default four times as
    /// many as may be in flight. A page that is late holds up no other until so many wait.
    ///
    /// It bounds the memory of a listing whose pages arrive out of order. While pages arrive faster
    /// than they are read, no more wait than may be in flight.
    pub fn buffer(mut self, pages: usize) -> Self {
        self.buffer = Some(pages);
        self
    }

    /// Stops after this many; with 0, nothing is asked for. By default there is no maximum.
    pub fn at_most(mut self, max: u64) -> Self {
        self.max = Some(max);
        self
    }

    /// Only those that match.
    pub fn matching(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Is told of each page that comes in, to show how far the listing is.
    pub fn on_page(mut self, on_page: impl FnMut(Progress) + Send + 'static) -> Self {
        self.on_page = Some(Box::new(on_page));
        self
    }

    fn buffer_size(&self) -> usize {
        self.buffer.unwrap_or(self.in_flight.saturating_mul(4))
    }

    /// The listing as it was set up, when it is first read.
    fn begin(&self) -> Listing<T> {
        let query = self.filter.clone().map_or_else(ListQuery::new, |filter| ListQuery::new().filter(filter));
        let window = if self.in_flight > 1 { self.in_flight.saturating_add(self.buffer_size()) } else { 0 };
        let listing = Listing::new(query, self.page_size, self.max, window);
        if self.repository.pages_by_cursor() { listing.by_cursor() } else { listing }
    }
}

#[maybe_async]
impl<R: ScimRepository, T: Resource> ScimListing<R, T> {
    /// The next one; `None` when everybody has been seen.
    ///
    /// # Errors
    ///
    /// [`IncompleteList`](crate::ErrorKind::IncompleteList) if the server does not give everybody,
    /// or any [`Error`](crate::Error) of reading a page.
    pub async fn try_next(&mut self) -> Result<Option<T>> {
        let next = self.read_on().await;
        if next.is_err() {
            self.listing.iter_mut().for_each(Listing::stop);
            self.next_page.clear();
            self.ahead.clear();
        }
        next
    }

    async fn read_on(&mut self) -> Result<Option<T>> {
        loop {
            let listing = if let Some(listing) = &mut self.listing {
                listing
            } else {
                let begun = self.begin();
                self.listing.insert(begun)
            };
            if let Some(resource) = listing.pop() {
                return Ok(Some(resource));
            }
            let progress = match listing.next_request() {
                NextRequest::Done => return Ok(None),
                NextRequest::Prefetched => match self.ahead.arrival().await {
                    Some(Arrival::First(page)) => listing.accept_prefetched(page?),
                    Some(Arrival::Later) => {
                        self.request_ahead(self.buffer_size());
                        continue;
                    }
                    None => Err(lost_page()),
                },
                NextRequest::Page(query) => {
                    if listing.is_prefetch_empty() {
                        self.ahead.clear();
                    }
                    if self.next_page.is_empty() {
                        self.next_page.start(Arc::clone(&self.repository), PageJob::new(*query));
                    }
                    match self.next_page.arrival().await {
                        Some(Arrival::First(page)) => listing.accept(page?),
                        Some(Arrival::Later) => continue,
                        None => Err(lost_page()),
                    }
                }
            };
            let progress = progress.map_err(|error| error.in_operation(Operation::List(T::NAME)))?;
            // More pages than this wait only while an earlier one is awaited, not for a slow reader.
            self.request_ahead(self.buffer_size().min(self.in_flight));
            if let Some(on_page) = &mut self.on_page {
                on_page(progress);
            }
        }
    }
}

impl<R: ScimRepository, T: Resource> ScimListing<R, T> {
    fn request_ahead(&mut self, buffer: usize) {
        let Some(listing) = &mut self.listing else { return };
        while self.ahead.has_room(self.in_flight, buffer)
            && let Some(query) = listing.prefetch()
        {
            self.ahead.start(Arc::clone(&self.repository), PageJob::new(query));
        }
    }
}

fn lost_page() -> Error {
    Error::new(ErrorKind::IncompleteList, "a page that was asked for did not come")
}

impl<R, T> fmt::Debug for ScimListing<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimListing")
            .field("filter", &self.filter)
            .field("page_size", &self.page_size)
            .field("max", &self.max)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
