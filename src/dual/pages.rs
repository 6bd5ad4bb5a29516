use std::fmt;
use std::sync::Arc;

use wats_scim_filter::Filter;

use super::job::PageJob;
use super::{Lanes, ScimRepository, example, maybe_async};
use crate::error::{Error, ErrorKind, Result};
use crate::listing::{ListProgress, Listing, Want};
use crate::model::{Resource, ScimListResponse};
use crate::operation::Operation;
use crate::query::ListQuery;

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
    "let mut users = client.iter_users().max(2).on_page(|progress| {\n    \
         println!(\"page {}: {} users so far\", progress.page, progress.so_far);\n\
     });\n\
     let mut count = 0;\n\
     while let Some(user) = users.try_next()" await "? {\n    \
         count += 1;\n\
     }\n\
     assert_eq!(count, 2);"
)]
#[must_use = "a listing asks for nothing until it is read"]
pub struct ScimPages<R, T> {
    repository: Arc<R>,
    filter: Option<Filter>,
    page_size: u64,
    max: Option<u64>,
    in_flight: usize,
    on_page: Option<OnPage>,
    listing: Option<Listing<T>>,
    lanes: Lanes<Result<ScimListResponse<T>>>,
}

type OnPage = Box<dyn FnMut(ListProgress) + Send>;

impl<R: ScimRepository, T: Resource> ScimPages<R, T> {
    pub(super) fn new(repository: Arc<R>) -> Self {
        Self {
            repository,
            filter: None,
            page_size: 100,
            max: None,
            in_flight: 1,
            on_page: None,
            listing: None,
            lanes: Lanes::default(),
        }
    }

    /// How many to ask for at a time; 100 by default, and at least 1. The server may give fewer.
    pub fn page_size(mut self, page_size: u64) -> Self {
        self.page_size = page_size;
        self
    }

    /// Fetches up to this many pages at the same time, ahead of what is read; 1 by default, and at
    /// least 1. They come in order all the same, and at most one page more than these is held.
    ///
    /// It begins once the first page has told how many there are and how long the server's pages
    /// really are; from a server that does not tell, pages come one at a time.
    pub fn in_flight(mut self, pages: usize) -> Self {
        self.in_flight = pages;
        self
    }

    /// Stops after this many; with 0, nothing is asked for. By default there is no maximum.
    pub fn max(mut self, max: u64) -> Self {
        self.max = Some(max);
        self
    }

    /// Only those that match.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Is told of each page that comes in, to show how far the listing is.
    pub fn on_page(mut self, on_page: impl FnMut(ListProgress) + Send + 'static) -> Self {
        self.on_page = Some(Box::new(on_page));
        self
    }

    /// The listing as it was set up, when it is first read.
    fn begin(&self) -> Listing<T> {
        let query = self.filter.clone().map_or_else(ListQuery::new, |filter| ListQuery::new().filter(filter));
        let listing = Listing::new(query, self.page_size, self.max, self.in_flight);
        if self.repository.pages_by_cursor() { listing.by_cursor() } else { listing }
    }
}

#[maybe_async]
impl<R: ScimRepository, T: Resource> ScimPages<R, T> {
    /// The next one; `None` when everybody has been seen.
    ///
    /// # Errors
    ///
    /// [`IncompleteList`](crate::ErrorKind::IncompleteList) if the server does not give everybody,
    /// or any [`Error`](crate::Error) of reading a page.
    pub async fn try_next(&mut self) -> Result<Option<T>> {
        let mut listing = self.listing.take().unwrap_or_else(|| self.begin());
        let next = self.read_on(&mut listing).await;
        if next.is_err() {
            listing.stop();
            self.lanes.clear();
        }
        self.listing = Some(listing);
        next
    }

    async fn read_on(&mut self, listing: &mut Listing<T>) -> Result<Option<T>> {
        loop {
            if let Some(resource) = listing.pop() {
                return Ok(Some(resource));
            }
            let page = match listing.want() {
                Want::Nothing => return Ok(None),
                Want::Ahead => self.lanes.next().await.unwrap_or_else(|| Err(lost_page()))?,
                Want::Page(query) => {
                    if listing.is_ahead_empty() {
                        self.lanes.clear();
                    }
                    self.repository.list(&query).await?
                }
            };
            let progress = listing.accept(page).map_err(|error| error.in_operation(Operation::List(T::NAME)))?;
            while let Some(query) = listing.ask_ahead() {
                self.lanes.start(Arc::clone(&self.repository), PageJob::new(query));
            }
            if let Some(on_page) = &mut self.on_page {
                on_page(progress);
            }
        }
    }
}

fn lost_page() -> Error {
    Error::new(ErrorKind::IncompleteList, "a page that was asked for did not come")
}

impl<R, T> fmt::Debug for ScimPages<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimPages")
            .field("filter", &self.filter)
            .field("page_size", &self.page_size)
            .field("max", &self.max)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
