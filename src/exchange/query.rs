use serde_json::{Map, Value};
use wats_scim_filter::{AttributePath, Filter};

use crate::error::{Error, Result};

/// Which part of a listing to read (RFC 7644 §3.4.2). By default the server chooses.
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
    /// The position of the first resource, counted from 1.
    pub start_index: Option<u64>,
    /// The most resources to get.
    pub count: Option<u64>,
    /// Which resources to get.
    pub filter: Option<Filter>,
    /// The attribute to sort by.
    pub sort_by: Option<String>,
    /// Whether to sort from the largest to the smallest.
    pub is_descending: bool,
    /// The only attributes to get, besides those that always come.
    pub attributes: Vec<String>,
    /// Attributes not to get.
    pub excluded_attributes: Vec<String>,
    /// Where to go on, from a server that pages by cursor; empty to begin (RFC 9865 §2).
    pub cursor: Option<String>,
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

    /// Sorted by an attribute, from the smallest (RFC 7644 §3.4.2.3). A server need not sort.
    #[must_use]
    pub fn sort_by(mut self, attribute: impl Into<String>) -> Self {
        self.sort_by = Some(attribute.into());
        self
    }

    /// Sorted from the largest.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.is_descending = true;
        self
    }

    /// With only these attributes, besides those that always come (RFC 7644 §3.9).
    #[must_use]
    pub fn attributes<A: Into<String>>(mut self, attributes: impl IntoIterator<Item = A>) -> Self {
        self.attributes.extend(attributes.into_iter().map(Into::into));
        self
    }

    /// Without these attributes. Cannot stand beside [`attributes`](Self::attributes).
    #[must_use]
    pub fn excluded_attributes<A: Into<String>>(mut self, attributes: impl IntoIterator<Item = A>) -> Self {
        self.excluded_attributes.extend(attributes.into_iter().map(Into::into));
        self
    }

    /// The page at a cursor; empty for the first (RFC 9865 §2).
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.start_index == Some(0) {
            return Err(Error::invalid("the start index is 0, but positions are counted from 1"));
        }
        if !self.attributes.is_empty() && !self.excluded_attributes.is_empty() {
            return Err(Error::invalid("attributes and excluded attributes cannot stand in one query"));
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

    /// What it says, by the names that the wire has for it.
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

    /// The same as the body of a `.search` (RFC 7644 §3.4.3).
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
    fn a_search_says_the_same_as_a_query() {
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
    fn what_cannot_be_asked_is_refused() {
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
