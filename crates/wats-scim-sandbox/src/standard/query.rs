//! The parameters of a list, from a query string or a `SearchRequest` (RFC 7644 §3.4.2, §3.4.3).

use serde_json::{Map, Value};
use wats_scim_filter::Filter;
use wats_scim_filter::json::member;

use super::projection::Projection;
use super::sort::Sort;
use crate::message::require_schema;
use crate::refusal::Refusal;

const SEARCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The default page size.
pub(super) const DEFAULT_COUNT: i64 = 100;

/// The parameters of a list.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) filter: Option<Filter>,
    pub(super) sort: Option<Sort>,
    pub(super) start_index: usize,
    pub(super) count: usize,
    /// Empty for the first page (RFC 9865 §2).
    pub(super) cursor: Option<String>,
    pub(super) projection: Projection,
    /// The parameters that must be the same on every page of a cursor.
    pub(super) selection: String,
}

/// The parameters of a query string, by name.
pub(super) fn parameters(query: &str) -> Map<String, Value> {
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect()
}

impl Query {
    /// Reads the body of a POST to `.search`.
    pub(super) fn of_message(message: &Map<String, Value>) -> Result<Self, Refusal> {
        require_schema(message, SEARCH_SCHEMA)?;
        Self::of(message)
    }

    /// Reads the parameters; §3.4.2.4: a `startIndex` below 1 is 1, a `count` below 0 is 0.
    pub(super) fn of(parameters: &Map<String, Value>) -> Result<Self, Refusal> {
        let filter = text(parameters, "filter")?;
        let sort_by = text(parameters, "sortBy")?;
        let order = text(parameters, "sortOrder")?;
        let selection = format!("{filter:?} {sort_by:?} {order:?}");
        let filter = filter
            .map(str::parse::<Filter>)
            .transpose()
            .map_err(|error| Refusal::invalid_filter(format!("cannot read the filter: {error}")))?;
        let start_index = integer(parameters, "startIndex")?.unwrap_or(1);
        let count = integer(parameters, "count")?.unwrap_or(DEFAULT_COUNT);
        Ok(Self {
            filter,
            sort: sort_by.map(|by| Sort::new(by, order)).transpose()?,
            start_index: usize::try_from(start_index.max(1)).unwrap_or(usize::MAX),
            count: usize::try_from(count.max(0)).unwrap_or(usize::MAX),
            cursor: member(parameters, "cursor").and_then(Value::as_str).map(str::to_owned),
            projection: projection(parameters)?,
            selection,
        })
    }
}

/// The attributes to return.
pub(super) fn projection(parameters: &Map<String, Value>) -> Result<Projection, Refusal> {
    let only = list(parameters, "attributes")?;
    let without = list(parameters, "excludedAttributes")?;
    match (only.is_empty(), without.is_empty()) {
        (true, true) => Ok(Projection::Everything),
        (false, true) => Ok(Projection::only(&only)),
        (true, false) => Ok(Projection::without(&without)),
        (false, false) => Err(Refusal::invalid_value("attributes and excludedAttributes cannot be combined")),
    }
}

/// A string parameter; a blank one is absent.
fn text<'a>(parameters: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match member(parameters, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty())),
        Some(_) => Err(Refusal::invalid_value(format!("{name} must be a string"))),
    }
}

fn integer(parameters: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    let refusal = || Refusal::invalid_value(format!("{name} must be a whole number"));
    match member(parameters, name) {
        Some(Value::Number(number)) => number.as_i64().map(Some).ok_or_else(refusal),
        _ => text(parameters, name)?.map(|text| text.trim().parse().map_err(|_| refusal())).transpose(),
    }
}

/// Paths, as an array or as one string with commas.
fn list(parameters: &Map<String, Value>, name: &str) -> Result<Vec<String>, Refusal> {
    let texts: Vec<&str> = match member(parameters, name) {
        Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).collect(),
        _ => text(parameters, name)?.into_iter().flat_map(|text| text.split(',')).collect(),
    };
    Ok(texts.into_iter().map(str::trim).filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(query: &str) -> Query {
        Query::of(&parameters(query)).unwrap()
    }

    #[test]
    fn a_start_index_below_one_is_one() {
        assert_eq!(read("startIndex=-3").start_index, 1);
    }

    #[test]
    fn an_empty_cursor_is_a_cursor() {
        assert_eq!(read("cursor").cursor.as_deref(), Some(""));
    }

    #[test]
    fn attributes_may_be_a_string_or_an_array() {
        let message = json!({"schemas": [SEARCH_SCHEMA], "attributes": ["a", "b"]});
        let message = Query::of_message(message.as_object().unwrap()).unwrap();
        assert_eq!(message.projection, read("attributes=a,%20b").projection);
    }

    #[test]
    fn attributes_and_excluded_attributes_cannot_be_combined() {
        assert!(Query::of(&parameters("attributes=a&excludedAttributes=b")).is_err());
    }

    #[test]
    fn a_count_is_a_number() {
        assert!(Query::of(&parameters("count=many")).is_err());
    }
}
