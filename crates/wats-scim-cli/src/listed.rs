//! Users or groups of the server, filtered and sorted by it, or here where it does neither.

use wats_scim::blocking::ScimClient;
use wats_scim::{ErrorKind, Filter, Resource, Result};

use crate::columns::Columns;
use crate::context::Context;
use crate::lookup::may_not_filter;

/// The size of a page. The first page decides when the first line is printed.
const PAGE_SIZE: u64 = 200;

/// So many pages are in flight, after the first.
const IN_FLIGHT: usize = 4;

/// What a list is asked for.
#[derive(Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) filter: Option<Filter>,
    /// The column that decides the order.
    pub(crate) order: Option<&'a Columns>,
    /// Attributes to leave out.
    pub(crate) without: &'static [&'static str],
}

/// Resources as they arrive.
type Items<T> = Box<dyn Iterator<Item = Result<T>>>;

/// Lists resources. They are kept only if they must be sorted here.
pub(crate) fn listed<T: Resource>(context: &Context, client: &ScimClient, asked: &Asked<'_>) -> Result<Items<T>> {
    let attribute = asked.order.and_then(Columns::attribute);
    let (mut filters, mut sorts) = (asked.filter.is_some(), attribute.is_some());
    let items = loop {
        let listing = client.resources::<T>().iter().page_size(PAGE_SIZE).in_flight(IN_FLIGHT);
        let listing = listing.without(asked.without.iter().copied());
        let listing = match &asked.filter {
            Some(filter) if filters => listing.matching(filter.clone()),
            _ => listing,
        };
        let mut listing = match &attribute {
            Some(attribute) if sorts => listing.sorted_by(attribute),
            _ => listing,
        };
        // What the server does not support shows before the first of them.
        match listing.next() {
            Some(Err(error)) if sorts && error.kind() == ErrorKind::Unsupported => sorts = false,
            Some(Err(error)) if filters && may_not_filter(&error) => {
                context.say("the server does not filter: all are read, and filtered here");
                filters = false;
            }
            Some(Err(error)) => return Err(error),
            first => break first.into_iter().chain(listing),
        }
    };
    let filter = asked.filter.clone().filter(|_| !filters);
    let items = items.filter(move |item| match (item, &filter) {
        (Ok(one), Some(filter)) => serde_json::to_value(one).is_ok_and(|json| filter.matches(&json)),
        _ => true,
    });
    let Some(order) = asked.order.filter(|_| !sorts) else { return Ok(Box::new(items)) };
    let mut all = items.collect::<Result<Vec<T>>>()?;
    all.sort_by_cached_key(|one| order.key(one));
    Ok(Box::new(all.into_iter().map(Ok)))
}
