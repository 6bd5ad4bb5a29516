//! The list of users, page by page, and the search.

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use serde::Deserialize;
use wats_scim::blocking::ScimClient;
use wats_scim::{Error, ErrorKind, Filter, ListQuery, ScimListResponse};

use super::door::Person;
use super::page::{Frame, answer};
use super::problem::Problem;
use super::router::Shared;
use super::user::Shown;

pub(super) const PER_PAGE: u64 = 20;

/// A longer search has no results.
const LONGEST: usize = 200;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// The name of a search.
    search: Option<String>,
    start: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Search {
    search: String,
}

#[derive(Template)]
#[template(path = "users.html", config = "src/commands/portal/askama.toml")]
struct UsersPage {
    frame: Frame,
    search: String,
    count: String,
    users: Vec<Shown>,
    previous: Option<String>,
    next: Option<String>,
}

/// Keeps a search, and leads to what it finds.
pub(super) async fn search(State(portal): State<Shared>, Form(form): Form<Search>) -> Result<Redirect, Problem> {
    let text: String = form.search.trim().chars().take(LONGEST).collect();
    Ok(if text.is_empty() {
        Redirect::to("/")
    } else {
        Redirect::to(&format!("/?search={}", portal.searches.keep(&text)?))
    })
}

pub(super) async fn list(
    State(portal): State<Shared>,
    Extension(person): Extension<Person>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let start = asked.start.unwrap_or(1).max(1);
    let named = asked.search.as_deref().and_then(|name| portal.searches.named(name));
    let search = named.clone().unwrap_or_default();
    let found = portal.ask(move |client| read(client, start, named.as_deref())).await?;
    // From past the end, the way back leads to the last page.
    let end = found.page.total_results.map_or(start, |total| start.min(total.saturating_add(1)));
    let name = if search.is_empty() { None } else { asked.search };
    let link = |start: u64| match &name {
        Some(name) => format!("/?search={name}&start={start}"),
        None => format!("/?start={start}"),
    };
    let page = UsersPage {
        count: counted(&found.page, start, !search.is_empty()),
        previous: (start > 1).then(|| link(end.saturating_sub(PER_PAGE).max(1))),
        next: found.next.map(link),
        users: found.page.resources.iter().map(|user| portal.fields.shown(user)).collect(),
        frame: Frame::of(&person),
        search,
    };
    Ok(answer(StatusCode::OK, &page))
}

struct Found {
    page: ScimListResponse,
    /// Where the next page starts.
    next: Option<u64>,
}

fn read(client: &ScimClient, start: u64, search: Option<&str>) -> Result<Found, Error> {
    let all = ListQuery::new().start_index(start).count(PER_PAGE);
    let (query, page) = match search {
        None => client.get_users(&all).map(|page| (all, page))?,
        Some(text) => matching(client, &all, text)?,
    };
    // A page may hold fewer users than requested, so its length does not show whether it is the last.
    let after = start.saturating_add(page.resources.len() as u64);
    let has_next = match page.total_results {
        _ if page.resources.is_empty() => false,
        Some(total) => after <= total,
        None => !client.get_users(&query.start_index(after).count(1))?.resources.is_empty(),
    };
    Ok(Found { page, next: has_next.then_some(after) })
}

/// A value cannot break out of the filter, whatever is in it. WATS, and servers that do not support `or`, search the
/// names that people sign in with.
fn matching(client: &ScimClient, all: &ListQuery, text: &str) -> Result<(ListQuery, ScimListResponse), Error> {
    let user_name = Filter::co("userName", text);
    if !client.profile().is_wats() {
        let others = ["displayName", "name.givenName", "name.familyName", "emails.value"];
        let any = others.iter().fold(user_name.clone(), |any, path| any.or(Filter::co(path, text)));
        let query = all.clone().filter(any);
        match client.get_users(&query) {
            Err(error) if matches!(error.kind(), ErrorKind::BadRequest | ErrorKind::Unsupported) => {}
            found => return found.map(|page| (query, page)),
        }
    }
    let query = all.clone().filter(user_name);
    client.get_users(&query).map(|page| (query, page))
}

/// How many there are, and which of them are on the page.
fn counted(page: &ScimListResponse, start: u64, is_search: bool) -> String {
    let here = page.resources.len() as u64;
    let last = start.saturating_add(here).saturating_sub(1);
    let what = if is_search { "found" } else { "in all" };
    match page.total_results {
        Some(0) if is_search => "No user found".to_owned(),
        Some(0) => "No users".to_owned(),
        Some(1) if here == 1 => format!("1 user {what}"),
        Some(total) if here == total => format!("{total} users {what}"),
        Some(total) if here > 0 => format!("{total} users {what}, {start} to {last} on this page"),
        Some(total) => format!("{total} users {what}, none on this page"),
        None if here > 0 => format!("Users {start} to {last}"),
        None => "No users on this page".to_owned(),
    }
}
