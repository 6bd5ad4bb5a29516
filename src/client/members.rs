//! The members of one group, read in the way of the profile.

use serde::{Deserialize, Serialize};
use wats_scim_filter::Filter;

use super::listing::is_too_large;
use super::settle::rejects_filters;
use super::{ScimRepository, maybe_async};
use crate::config::Membership;
use crate::error::{Error, Operation, Result};
use crate::exchange::ListQuery;
use crate::listing::{Listing, NextRequest};
use crate::model::{Resource, ScimGroup, ScimListResponse, ScimMember};

/// How many members are requested per page; a server may return fewer.
const PAGE: u64 = 1_000;

/// The group with the members that the server shows; `None` if it is gone.
#[maybe_async]
pub(super) async fn read_group<R: ScimRepository>(repository: &R, id: &str) -> Result<Option<ScimGroup>> {
    let Some(mut group) = repository.get::<ScimGroup>(id).await? else { return Ok(None) };
    match repository.profile().membership {
        Membership::Paged(_) => group.members = Some(members_in_pages(repository, id).await?),
        Membership::OfGroups if group.members.is_none() => group.members = listed_members(repository, &group).await?,
        _ => {}
    }
    Ok(Some(group))
}

/// The members of a group that shows them only in lists, or has none.
#[maybe_async]
pub(super) async fn listed_members<R: ScimRepository>(
    repository: &R,
    group: &ScimGroup,
) -> Result<Option<Vec<ScimMember>>> {
    let Some(name) = group.name().filter(|_| repository.profile().filters) else { return Ok(None) };
    let query = ListQuery::new().filter(Filter::eq(ScimGroup::NAMED_BY, name));
    let page = match repository.list::<ScimGroup>(&query).await {
        Ok(page) => page,
        Err(error) if rejects_filters(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(page.resources.into_iter().find(|listed| listed.id() == group.id()).and_then(|listed| listed.members))
}

/// All members of a group, page by page: all, or an error.
#[maybe_async]
pub(super) async fn members_in_pages<R: ScimRepository>(repository: &R, group: &str) -> Result<Vec<ScimMember>> {
    let mut listing =
        Listing::<ListedMember>::new(ListQuery::new(), PAGE, None, 0).limited_to(repository.max_page_size());
    let mut members = Vec::new();
    loop {
        while let Some(ListedMember(member)) = listing.pop() {
            members.push(member);
        }
        let next = listing.next_request().map_err(in_operation)?;
        let NextRequest::Page(query) = next else { return Ok(members) };
        match repository.list_members(group, &query).await {
            Ok(page) => drop(listing.accept(as_listed(page))),
            Err(error) if is_too_large(&error) && listing.shrink_pages() => {}
            Err(error) => return Err(error),
        }
    }
}

fn in_operation(error: Error) -> Error {
    error.in_operation(Operation::List(ListedMember::NAME))
}

fn as_listed(page: ScimListResponse<ScimMember>) -> ScimListResponse<ListedMember> {
    ScimListResponse {
        total_results: page.total_results,
        start_index: page.start_index,
        items_per_page: page.items_per_page,
        next_cursor: None,
        resources: page.resources.into_iter().map(ListedMember).collect(),
    }
}

/// A member as an entry of a list, so that one listing decides when a list is complete.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct ListedMember(ScimMember);

impl Resource for ListedMember {
    const NAME: &'static str = "member";
    const ENDPOINT: &'static str = "members";
    const SCHEMA: &'static str = "urn:ietf:params:scim:schemas:core:2.0:Group";
    const NAMED_BY: &'static str = "display";

    fn id(&self) -> Option<&str> {
        self.0.known_id()
    }

    fn name(&self) -> Option<&str> {
        self.0.display.as_deref()
    }
}
