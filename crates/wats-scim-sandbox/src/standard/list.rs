//! Lists: the matching resources, sorted and in pages (RFC 7644 §3.4.2).

use std::borrow::Cow;

use http::Response;
use serde::Serialize;
use serde_json::Value;

use super::Standard;
use super::kinds::{KINDS, Kind};
use super::members::cut;
use super::query::Query;
use crate::message::json_body;
use crate::quirks::Total;
use crate::refusal::Refusal;

/// A list in its JSON form. It borrows the resources if possible, so that a large page is cheap.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListResponse<'a> {
    schemas: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    total_results: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_index: Option<usize>,
    items_per_page: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(rename = "Resources")]
    resources: Vec<Cow<'a, Value>>,
}

impl<'a> ListResponse<'a> {
    fn new(total: usize, resources: Vec<Cow<'a, Value>>) -> Self {
        Self {
            schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            total_results: Some(total),
            start_index: None,
            items_per_page: resources.len(),
            next_cursor: None,
            resources,
        }
    }

    /// All resources on one page.
    pub(super) fn whole(resources: Vec<Value>) -> Self {
        let resources: Vec<_> = resources.into_iter().map(Cow::Owned).collect();
        Self { start_index: Some(1), ..Self::new(resources.len(), resources) }
    }

    /// A page of the members of a group.
    pub(super) fn of_members(members: Vec<&'a Value>, total: usize, start_index: usize) -> Self {
        let members = members.into_iter().map(Cow::Borrowed).collect();
        Self { start_index: Some(start_index), ..Self::new(total, members) }
    }

    pub(super) fn total_as(mut self, total: Total) -> Self {
        match total {
            Total::Matches => {}
            Total::PageSize => self.total_results = Some(self.items_per_page),
            Total::Omitted => self.total_results = None,
        }
        self
    }
}

impl Standard {
    /// A page of the resources of one type, or of all types.
    pub(super) fn list(&mut self, kind: Option<&'static Kind>, query: &Query) -> Result<Response<Vec<u8>>, Refusal> {
        if let Some(cursor) = query.cursor.as_ref().filter(|_| self.settings.cursors) {
            return self.page_at(kind, query, cursor);
        }
        let window = |total| self.quirks.window(query.start_index, query.count, total);
        let (total, window, resources) = match kind {
            // Without counting one by one, so that a page of many users is cheap.
            Some(kind) if query.filter.is_none() && query.sort.is_none() => {
                let ids = self.store.ids(kind);
                let window = window(ids.len());
                let page = ids.get(window.positions.clone()).unwrap_or_default();
                (ids.len(), window, page.iter().filter_map(|id| self.store.find(id)).collect())
            }
            kind => {
                let matches = self.matches(kind, query);
                let window = window(matches.len());
                let page = matches.get(window.positions.clone()).unwrap_or_default().to_vec();
                (matches.len(), window, page)
            }
        };
        let resources: Vec<&Value> = resources;
        let shown = resources.into_iter().map(|one| cut(self.settings.member_cap, query.projection.of(one))).collect();
        let list = ListResponse { start_index: Some(window.start_index), ..ListResponse::new(total, shown) };
        Ok(json_body(&list.total_as(self.quirks.total)))
    }

    fn page_at(
        &mut self,
        kind: Option<&'static Kind>,
        query: &Query,
        cursor: &str,
    ) -> Result<Response<Vec<u8>>, Refusal> {
        let scope = kind.map_or("", |kind| kind.endpoint);
        let selection = format!("{scope} {}", query.selection);
        let count = query.count.min(self.quirks.page_cap.unwrap_or(usize::MAX));
        let page = if cursor.is_empty() {
            let ids = self.matches(kind, query).into_iter().filter_map(|one| one.get("id")?.as_str());
            let ids = ids.map(str::to_owned).collect();
            self.cursors.first(&selection, ids, count)
        } else {
            self.cursors.next(&selection, cursor, count)?
        };
        // Resources that were deleted in the meantime are left out, so the page is shorter.
        let held = page.ids.iter().filter_map(|id| self.store.find(id));
        let shown = held.map(|one| cut(self.settings.member_cap, query.projection.of(one))).collect();
        let list = ListResponse { next_cursor: page.next, ..ListResponse::new(page.total, shown) };
        Ok(json_body(&list.total_as(self.quirks.total)))
    }

    fn matches(&self, kind: Option<&'static Kind>, query: &Query) -> Vec<&Value> {
        let kinds = KINDS.iter().filter(|one| kind.is_none_or(|kind| kind.endpoint == one.endpoint));
        let all = kinds.flat_map(|kind| self.store.iter(kind));
        let mut matches: Vec<&Value> =
            all.filter(|resource| query.filter.as_ref().is_none_or(|filter| filter.matches(resource))).collect();
        if let Some(sort) = &query.sort {
            sort.apply(&mut matches);
        }
        matches
    }
}
