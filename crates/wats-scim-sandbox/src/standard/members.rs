//! The members that an answer shows: all, the first ones, or a page of them.

use std::borrow::Cow;

use http::Response;
use serde_json::{Map, Value, json};

use super::Standard;
use super::list::ListResponse;
use super::query::{Query, parameters};
use super::service::Answer;
use crate::message::json_body;
use crate::refusal::Refusal;

/// A resource with at most this many members.
pub(super) fn cut(cap: Option<usize>, mut shown: Cow<'_, Value>) -> Cow<'_, Value> {
    let length = shown.get("members").and_then(Value::as_array).map_or(0, Vec::len);
    if let Some(cap) = cap.filter(|cap| length > *cap)
        && let Some(members) = shown.to_mut().get_mut("members").and_then(Value::as_array_mut)
    {
        members.truncate(cap);
    }
    shown
}

/// The page of `attributes=members[startIndex=1&count=10]`, as Oracle Identity Domains has it.
pub(super) fn selected_page(query: &str) -> Option<Map<String, Value>> {
    let parameters_sent = parameters(query);
    let selection = parameters_sent.get("attributes")?.as_str()?;
    Some(parameters(selection.strip_prefix("members[")?.strip_suffix(']')?))
}

impl Standard {
    /// `GET /Groups/{id}/members`, a list in pages, as INDIGO IAM has it.
    pub(super) fn list_members(&self, group: &Value, query: &str) -> Answer {
        let (members, total, start) = self.page_of_members(group, &parameters(query))?;
        Ok(json_body(&ListResponse::of_members(members, total, start).total_as(self.quirks.total)))
    }

    /// A group with a page of its members.
    pub(super) fn with_page(&self, group: &Value, page: &Map<String, Value>) -> Result<Response<Vec<u8>>, Refusal> {
        let (members, ..) = self.page_of_members(group, page)?;
        let (schemas, id) = (group.get("schemas"), group.get("id"));
        Ok(json_body(&json!({ "schemas": schemas, "id": id, "members": members })))
    }

    fn page_of_members<'a>(
        &self,
        group: &'a Value,
        page: &Map<String, Value>,
    ) -> Result<(Vec<&'a Value>, usize, usize), Refusal> {
        let query = Query::of(page)?;
        let members = group.get("members").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let window = self.quirks.window(query.start_index, query.count, members.len());
        let shown = members.get(window.positions).unwrap_or_default();
        Ok((shown.iter().collect(), members.len(), window.start_index))
    }
}
