use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::resource::Resource;
use super::user::ScimUser;

/// One page of a listing (RFC 7644 §3.4.2).
///
/// Every number is optional, because servers omit them; a number in a string is accepted, any other
/// value is read as `None`. A cursor can be a number. A missing `Resources` is an empty page, and `null`
/// in it is skipped. A body with neither `Resources`
/// nor `totalResults` is not a list response and fails to deserialize.
///
/// ```
/// use wats_scim::ScimListResponse;
///
/// let page: ScimListResponse = serde_json::from_str(
///     r#"{"totalResults": 1, "Resources": [{"userName": "jane@example.com"}]}"#,
/// )?;
/// assert_eq!(page.total_results, Some(1));
/// assert_eq!(page.resources[0].user_name.as_deref(), Some("jane@example.com"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScimListResponse<T = ScimUser> {
    /// The number of matching resources on all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_results: Option<u64>,
    /// The 1-based position of the first resource of this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_index: Option<u64>,
    /// The number of resources on this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_per_page: Option<u64>,
    /// The cursor of the next page, from servers with cursor-based paging (RFC 9865); `None` on the
    /// last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The resources of this page.
    #[serde(rename = "Resources")]
    pub resources: Vec<T>,
}

impl<T> Default for ScimListResponse<T> {
    fn default() -> Self {
        Self { total_results: None, start_index: None, items_per_page: None, next_cursor: None, resources: Vec::new() }
    }
}

impl<T: Resource> ScimListResponse<T> {
    /// The resources, each of them once: a server can list the same one twice.
    pub(crate) fn distinct(&self) -> impl Iterator<Item = &T> {
        let mut ids = HashSet::new();
        self.resources.iter().filter(move |resource| resource.id().is_none_or(|id| ids.insert(id)))
    }

    /// Whether the page contains no more than this many resources, and the server has no others.
    pub(crate) fn has_at_most(&self, most: usize) -> bool {
        let listed = u64::try_from(self.resources.len().max(most)).unwrap_or(u64::MAX);
        self.distinct().count() <= most && self.total_results.is_none_or(|total| total <= listed)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ScimListResponse<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = ScimListResponse<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SCIM list response")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut list = ScimListResponse::default();
        let mut is_list = false;
        while let Some(name) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match &*name {
                name if name.eq_ignore_ascii_case("Resources") => {
                    list.resources = map.next_value_seed(Resources(list.items_per_page, PhantomData))?;
                    is_list = true;
                }
                name if name.eq_ignore_ascii_case("totalResults") => {
                    list.total_results = map.next_value::<Number>()?.0;
                    is_list |= list.total_results.is_some();
                }
                name if name.eq_ignore_ascii_case("startIndex") => list.start_index = map.next_value::<Number>()?.0,
                name if name.eq_ignore_ascii_case("itemsPerPage") => {
                    list.items_per_page = map.next_value::<Number>()?.0;
                }
                name if name.eq_ignore_ascii_case("nextCursor") => {
                    list.next_cursor = map.next_value::<Cursor>()?.0;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if is_list { Ok(list) } else { Err(A::Error::custom("it has neither Resources nor totalResults")) }
    }
}

/// Reads the resources of a page, with their number if the page gave it before them.
struct Resources<T>(Option<u64>, PhantomData<T>);

/// The most resources to allocate in advance, because a page can claim any number.
const MAX_CAPACITY: u64 = 1_000;

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Resources<T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Resources<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of resources")
    }

    fn visit_none<E: Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let capacity = usize::try_from(self.0.unwrap_or(0).min(MAX_CAPACITY)).unwrap_or(0);
        let mut resources = Vec::with_capacity(capacity);
        while let Some(resource) = seq.next_element::<Option<T>>()? {
            resources.extend(resource);
        }
        Ok(resources)
    }
}

/// A cursor, written as a string or a number; empty, or any other value, is `None`.
struct Cursor(Option<String>);

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Some(text).filter(|text| !text.is_empty()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        }))
    }
}

/// A count, written as a number or a string; any other value is `None`.
pub(crate) struct Number(pub(crate) Option<u64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => number.as_u64(),
            serde_json::Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(json: &str) -> Result<ScimListResponse, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_missing_resources_is_an_empty_page() {
        assert_eq!(decode(r#"{"totalResults":0}"#).unwrap().resources, []);
        assert_eq!(decode(r#"{"totalResults":0,"Resources":null}"#).unwrap().resources, []);
    }

    #[test]
    fn null_in_resources_is_skipped() {
        let page = decode(r#"{"Resources":[null,{"id":"1"},null]}"#).unwrap();
        assert_eq!((page.resources.len(), page.resources[0].id.as_deref()), (1, Some("1")));
    }

    #[test]
    fn a_cursor_may_be_a_number() {
        for (cursor, read) in [("7", Some("7")), (r#""x""#, Some("x")), (r#""""#, None), ("null", None), ("{}", None)] {
            let page = decode(&format!(r#"{{"Resources":[],"nextCursor":{cursor}}}"#)).unwrap();
            assert_eq!(page.next_cursor.as_deref(), read, "{cursor}");
        }
    }

    #[test]
    fn a_body_that_is_not_a_list_is_rejected() {
        assert!(decode(r#"{"Message":"An error has occurred."}"#).is_err());
        assert!(decode("[]").is_err());
    }

    #[test]
    fn numbers_may_be_strings_and_names_match_in_any_letter_case() {
        let page = decode(r#"{"TOTALRESULTS":"250","resources":[{}],"startIndex":null}"#).unwrap();
        assert_eq!((page.total_results, page.start_index, page.resources.len()), (Some(250), None, 1));
    }
}
