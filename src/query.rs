use crate::error::{Error, Result};
use crate::filter::Filter;

/// Which part of a listing to read (RFC 7644 §3.4.2). By default the server chooses.
///
/// ```
/// use wats_scim::{Filter, ListQuery};
///
/// let query = ListQuery::new().start_index(101).count(100).filter(Filter::eq("active", true));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ListQuery {
    /// The position of the first resource, counted from 1.
    pub start_index: Option<u64>,
    /// The most resources to get.
    pub count: Option<u64>,
    /// Which resources to get.
    pub filter: Option<Filter>,
}

impl ListQuery {
    /// Everything, as far as the server gives it in one page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The position of the first resource, counted from 1.
    #[must_use]
    pub fn start_index(mut self, start_index: u64) -> Self {
        self.start_index = Some(start_index);
        self
    }

    /// The most resources to get. The server may give fewer; 0 asks for the total only.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Only resources that match.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.start_index == Some(0) {
            return Err(Error::invalid("the start index is 0, but positions are counted from 1"));
        }
        self.filter.as_ref().map_or(Ok(()), |filter| {
            filter
                .check()
                .map_err(|error| Error::invalid(format!("the filter is not valid: {error}")).with_source(error))
        })
    }
}
