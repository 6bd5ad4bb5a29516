use std::borrow::Cow;

use serde_json::{Map, Value};
use wats_scim_filter::{AttributePath, Filter};

use crate::error::{Error, Result};

/// The parameters of a list request (RFC 7644 §3.4.2). By default the server returns its first page of
/// all resources.
///
/// ```
/// use wats_scim::{Filter, ListQuery};
///
/// let query = ListQuery::new()
///     .start_index(101)
///     .count(100)
///     .filter(Filter::eq("active", true))
///     .sort_by("userName")
///     .attributes(["userName", "emails.value"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ListQuery {
    /// The 1-based position of the first resource.
    pub start_index: Option<u64>,
    /// The maximum number of resources; the server may return fewer.
    pub count: Option<u64>,
    /// The filter that resources must match.
    pub filter: Option<Filter>,
    /// The attribute to sort by.
    pub sort_by: Option<String>,
    /// Whether to sort in descending order.
    pub is_descending: bool,
    /// The attributes to return, in addition to those that are always returned.
    pub attributes: Vec<String>,
    /// The attributes to leave out.
    pub excluded_attributes: Vec<String>,
    /// The cursor of the page, on a server that pages by cursor; empty for the first page
    /// (RFC 9865 §2).
    pub cursor: Option<String>,
}

impl ListQuery {
    /// A query for the first page of all resources, in the size that the server chooses.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the position of the first resource, counted from 1. A start index of 0 is rejected.
    #[must_use]
    pub fn start_index(mut self, start_index: u64) -> Self {
        self.start_index = Some(start_index);
        self
    }

    /// Sets the maximum number of resources. The server may return fewer; 0 returns only the total. At
    /// most the server's maximum is requested, if it is known from `discover`.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Returns only resources that match the filter.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Sorts by an attribute, in ascending order (RFC 7644 §3.4.2.3). Support is optional for servers;
    /// WATS does not sort.
    #[must_use]
    pub fn sort_by(mut self, attribute: impl Into<String>) -> Self {
        self.sort_by = Some(attribute.into());
        self
    }

    /// Sorts in descending order. It has no effect without [`sort_by`](Self::sort_by).
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.is_descending = true;
        self
    }

    /// Returns only these attributes, in addition to those that are always returned (RFC 7644 §3.9).
    #[must_use]
    pub fn attributes<A: Into<String>>(mut self, attributes: impl IntoIterator<Item = A>) -> Self {
        self.attributes.extend(attributes.into_iter().map(Into::into));
        self
    }

    /// Leaves out these attributes. It cannot be combined with [`attributes`](Self::attributes).
    #[must_use]
    pub fn excluded_attributes<A: Into<String>>(mut self, attributes: impl IntoIterator<Item = A>) -> Self {
        self.excluded_attributes.extend(attributes.into_iter().map(Into::into));
        self
    }

    /// Sets the cursor of the page; empty for the first page (RFC 9865 §2).
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// The query for at most this many resources: a server may reject a larger number.
    pub(crate) fn limited_to(&self, max_page_size: Option<u64>) -> Cow<'_, Self> {
        match (self.count, max_page_size) {
            (Some(count), Some(max)) if count > max => Cow::Owned(self.clone().count(max)),
            _ => Cow::Borrowed(self),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.start_index == Some(0) {
            return Err(Error::invalid("the start index is 0; the first position is 1"));
        }
        if !self.attributes.is_empty() && !self.excluded_attributes.is_empty() {
            return Err(Error::invalid("attributes and excluded attributes cannot be combined in one query"));
        }
        for path in self.attributes.iter().chain(&self.excluded_attributes).chain(&self.sort_by) {
            if let Err(error) = path.parse::<AttributePath>() {
                return Err(
                    Error::invalid(format!("an attribute of the query is not valid: {error}")).with_source(error)
                );
            }
        }
        self.filter.as_ref().map_or(Ok(()), |filter| {
            let invalid = |error| Error::invalid(format!("the filter is not valid: {error}")).with_source(error);
            filter.check().map_err(invalid)
        })
    }

    /// The parameters of the query, by their names in the protocol.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'static str, String)> {
        let joined = |names: &[String]| (!names.is_empty()).then(|| names.join(","));
        let order = (self.sort_by.is_some() && self.is_descending).then(|| "descending".to_owned());
        [
            ("filter", self.filter.as_ref().map(ToString::to_string)),
            ("sortBy", self.sort_by.clone()),
            ("sortOrder", order),
            ("attributes", joined(&self.attributes)),
            ("excludedAttributes", joined(&self.excluded_attributes)),
            ("cursor", self.cursor.clone()),
            ("startIndex", self.start_index.map(|start| start.to_string())),
            ("count", self.count.map(|count| count.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// The query as the body of a POST to `.search` (RFC 7644 §3.4.3).
    pub(crate) fn search_request(&self) -> Value {
        let mut body = Map::from_iter([(
            "schemas".to_owned(),
            Value::from(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"].as_slice()),
        )]);
        for (name, value) in self.parameters() {
            let value = match name {
                "attributes" => self.attributes.clone().into(),
                "excludedAttributes" => self.excluded_attributes.clone().into(),
                "startIndex" => self.start_index.into(),
                "count" => self.count.into(),
                _ => Value::String(value),
            };
            body.insert(name.to_owned(), value);
        }
        body.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_search_has_the_same_parameters_as_a_query() {
        let query = ListQuery::new()
            .filter(Filter::eq("active", true))
            .sort_by("userName")
            .descending()
            .attributes(["userName", "emails.value"])
            .start_index(2)
            .count(3);
        let names: Vec<_> = query.parameters().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            names.join("&"),
            "filter=active eq true&sortBy=userName&sortOrder=descending&attributes=userName,emails.value&startIndex=2&count=3"
        );
        assert_eq!(
            query.search_request(),
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "filter": "active eq true", "sortBy": "userName", "sortOrder": "descending",
                "attributes": ["userName", "emails.value"], "startIndex": 2, "count": 3,
            })
        );
    }

    #[test]
    fn invalid_queries_are_rejected() {
        for query in [
            ListQuery::new().start_index(0),
            ListQuery::new().attributes(["a"]).excluded_attributes(["b"]),
            ListQuery::new().attributes(["a b"]),
            ListQuery::new().excluded_attributes([""]),
            ListQuery::new().sort_by("a&b"),
        ] {
            assert!(query.check().is_err(), "{query:?}");
        }
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName";
        assert!(ListQuery::new().attributes([urn]).check().is_ok());
    }
}
