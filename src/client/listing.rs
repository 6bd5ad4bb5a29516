use std::fmt;
use std::sync::Arc;

use wats_scim_filter::Filter;

use super::step::{Arrival, PageJob};
use super::{InFlight, ScimRepository, example, maybe_async};
use crate::batch::Progress;
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::{ListQuery, Work, WorkSpan};
use crate::listing::{Listing, NextRequest};
use crate::model::{Resource, ScimListResponse};

/// All resources of one type, read one page at a time.
///
/// Lazy: no request is sent until the first resource is read, and the next page is requested when the
/// current one is used up; [`in_flight`](Self::in_flight) requests pages in advance. Dropping the
/// listing sends no more requests.
///
/// **The list is complete, or it ends in an error.** This holds for servers that return short pages,
/// omit the total or report a wrong one, ignore `startIndex`, or repeat a page. Each page is requested
/// to begin with the last resource of the previous page. If it does not, the directory has changed
/// in the meantime, and the listing goes back to read what it may have missed. No resource is returned
/// twice. If the server does not return as many resources as its total promises, the error follows
/// after all resources that it does return.
///
/// **A listing always ends.** It requests at most 100 pages, and at most five more for each page that
/// contains a resource it has not returned before, whatever the server answers.
///
/// The filter is evaluated by the server. If the server returns a resource that certainly does not match
/// it, the listing ends in an error, because the server may ignore filters.
///
/// Two changes between two pages cannot be detected by position: a new order *together with* an
/// added or removed resource; and, on a server that returns one resource per page, one resource added
/// and another one removed.
///
/// After an error, the listing returns no more resources.
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
#[must_use = "a listing is lazy: it sends no request until it is read"]
pub struct ScimListing<R, T> {
    repository: Arc<R>,
    filter: Option<Filter>,
    excluded: Vec<String>,
    sort_by: Option<String>,
    page_size: u64,
    max: Option<u64>,
    in_flight: usize,
    buffer: Option<usize>,
    on_page: Option<OnPage>,
    listing: Option<Listing<T>>,
    /// The request for the next page, if the page was not requested in advance.
    next_page: InFlight<Result<ScimListResponse<T>>>,
    /// The pages that were requested in advance, in order.
    ahead: InFlight<Result<ScimListResponse<T>>>,
}

type OnPage = Box<dyn FnMut(Progress) + Send>;

/// More pages in flight help no server, and each has a thread in the blocking API.
const MAX_IN_FLIGHT: usize = 1_000;

impl<R: ScimRepository, T: Resource> ScimListing<R, T> {
    pub(super) fn new(repository: Arc<R>) -> Self {
        let span = WorkSpan::of(Work::Listing);
        Self {
            repository,
            filter: None,
            excluded: Vec::new(),
            sort_by: None,
            page_size: 100,
            max: None,
            in_flight: 1,
            buffer: None,
            on_page: None,
            listing: None,
            next_page: InFlight::within(span.clone()),
            ahead: InFlight::within(span),
        }
    }

    /// The number of resources to request per page; 100 by default, and at least 1. The server may
    /// return fewer.
    ///
    /// Pages are not larger than the server's maximum, if it is known from
    /// [`discover`](super::ScimService::discover). If the server rejects a page size (422, or 400 with
    /// the `scimType` `invalidCount`, RFC 9865 §2.1), smaller pages are requested.
    pub fn page_size(mut self, page_size: u64) -> Self {
        self.page_size = page_size;
        self
    }

    /// The maximum number of pages in flight; 1 by default, at least 1, and at most 1,000. Resources
    /// are still returned in order.
    ///
    /// Concurrent requests start after the first page, which shows the total and the real size of the
    /// server's pages. If the server does not report a total, or pages by cursor, pages are read one
    /// at a time.
    pub fn in_flight(mut self, pages: usize) -> Self {
        self.in_flight = pages.min(MAX_IN_FLIGHT);
        self
    }

    /// The maximum number of received pages that wait for an earlier one; by default four times the
    /// value of [`in_flight`](Self::in_flight). Once this many wait, no more pages are requested until
    /// the missing one arrives.
    ///
    /// This limits the memory of a listing whose pages arrive out of order. If pages arrive in order
    /// but are read slowly, at most `in_flight` pages wait.
    pub fn buffer(mut self, pages: usize) -> Self {
        self.buffer = Some(pages);
        self
    }

    /// Stops after this many resources; 0 sends no request. By default there is no maximum.
    pub fn at_most(mut self, max: u64) -> Self {
        self.max = Some(max);
        self
    }

    /// Returns only resources that match the filter. The server evaluates it; see [`ScimListing`] for
    /// servers that do not.
    pub fn matching(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Leaves attributes out of the answers (`excludedAttributes`, RFC 7644 §3.9), such as the `members` of
    /// large groups.
    pub fn without<A: Into<String>>(mut self, attributes: impl IntoIterator<Item = A>) -> Self {
        self.excluded.extend(attributes.into_iter().map(Into::into));
        self
    }

    /// Returns the resources in ascending order of an attribute (RFC 7644 §3.4.2.3), such as `userName`. The
    /// server sorts; on a server that does not, as WATS, the listing ends in the error
    /// [`Unsupported`](crate::ErrorKind::Unsupported) before a request is sent.
    ///
    #[doc = example!(
        standard
        "let mut users = client.iter_users().sorted_by(\"userName\").page_size(2);\n\
         let first = users.try_next()" await "?;\n\
         assert_eq!(first.and_then(|user| user.user_name).as_deref(), Some(\"user0001@example.com\"));"
    )]
    pub fn sorted_by(mut self, attribute: impl Into<String>) -> Self {
        self.sort_by = Some(attribute.into());
        self
    }

    /// Sets a function that is called after each page, to show progress.
    pub fn on_page(mut self, on_page: impl FnMut(Progress) + Send + 'static) -> Self {
        self.on_page = Some(Box::new(on_page));
        self
    }

    fn buffer_size(&self) -> usize {
        self.buffer.unwrap_or(self.in_flight.saturating_mul(4))
    }

    /// The listing with its settings, before the first request.
    fn begin(&self) -> Listing<T> {
        let mut query = self.filter.clone().map_or_else(ListQuery::new, |filter| ListQuery::new().filter(filter));
        if !self.excluded.is_empty() {
            query = query.excluded_attributes(self.excluded.clone());
        }
        if let Some(attribute) = &self.sort_by {
            query = query.sort_by(attribute);
        }
        let window = if self.in_flight > 1 { self.in_flight.saturating_add(self.buffer_size()) } else { 0 };
        let listing = Listing::new(query, self.page_size, self.max, window).limited_to(self.repository.max_page_size());
        if self.repository.pages_by_cursor() { listing.by_cursor() } else { listing }
    }
}

#[maybe_async]
impl<R: ScimRepository, T: Resource> ScimListing<R, T> {
    /// Returns the next resource; `None` at the end of the list.
    ///
    /// # Errors
    ///
    /// [`IncompleteList`](crate::ErrorKind::IncompleteList) if the server does not return the whole
    /// list, [`UnexpectedBody`](crate::ErrorKind::UnexpectedBody) if it returns a resource without an id
    /// or one that does not match the filter, or any [`Error`](crate::Error) of reading a page.
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
            let is_prefetched =
                match listing.next_request().map_err(|error| error.in_operation(Operation::List(T::NAME)))? {
                    NextRequest::Done => return Ok(None),
                    NextRequest::Prefetched => true,
                    NextRequest::Page(query) => {
                        if listing.is_prefetch_empty() {
                            self.ahead.clear();
                        }
                        if self.next_page.is_empty() {
                            self.next_page.start(Arc::clone(&self.repository), PageJob::new(*query));
                        }
                        false
                    }
                };
            let source = if is_prefetched { &mut self.ahead } else { &mut self.next_page };
            let progress = match source.arrival().await {
                Some(Arrival::First(Ok(page))) if is_prefetched => listing.accept_prefetched(page),
                Some(Arrival::First(Ok(page))) => listing.accept(page),
                Some(Arrival::First(Err(error))) if is_too_large(&error) && listing.shrink_pages() => continue,
                Some(Arrival::First(Err(error))) => return Err(error),
                Some(Arrival::Later) if is_prefetched => {
                    self.request_ahead(self.buffer_size());
                    continue;
                }
                Some(Arrival::Later) => continue,
                None => return Err(lost_page().in_operation(Operation::List(T::NAME))),
            };
            // The full buffer is only for pages that wait for an earlier one, not for a slow caller.
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

/// Whether the server rejected the size of the page.
pub(super) fn is_too_large(error: &Error) -> bool {
    let is_invalid_count = error.scim_type().is_some_and(|scim_type| scim_type.eq_ignore_ascii_case("invalidCount"));
    match error.status().map(|status| status.as_u16()) {
        Some(400) => is_invalid_count,
        Some(status) => status == 422,
        None => false,
    }
}

fn lost_page() -> Error {
    Error::new(ErrorKind::IncompleteList, "a requested page did not arrive")
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
