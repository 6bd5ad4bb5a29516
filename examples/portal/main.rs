//! A self-service portal to start from: web pages that list, search, edit and deactivate users.
//! `cargo run --features async --example portal`, and `-- PORT` for another port than 3000
//!
//! It uses a sandbox, or your own server if `WATS_BASE_URL` and `WATS_TOKEN` are set. Add before you
//! use it for more than a trial:
//!
//! - Authentication and authorization. Without them, every program and every account on this machine
//!   can change every user.
//! - TLS, without which the portal listens on this machine only. `guard.rs` then needs the name that
//!   browsers use, and `https`.

mod guard;
mod serve;
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::net::Ipv4Addr;
use std::time::Duration;

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Router, middleware, routing};
use guard::Guard;
use serde::Deserialize;
use serve::serve;
use tokio::net::TcpListener;
use wats_scim::asynchronous::ScimClient;
use wats_scim::{ErrorKind, Filter, ListQuery, ScimListResponse, ScimPatchRequest, ScimUser};

const PER_PAGE: u64 = 20;
/// How long a browser may take to send the head of a request.
const TIME_FOR_HEAD: Duration = Duration::from_secs(10);
/// The fields of the form, as PATCH paths of WATS.
const EDITABLE: [&str; 3] = ["givenName", "familyName", "email"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port =
        env::args().nth(1).map_or(Ok(3000), |port| port.parse()).map_err(|_| "a port is a number up to 65535")?;
    let (config, _sandbox) = support::server(60)?;
    let client = ScimClient::with_config(&config)?;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?.to_string();
    // As browsers write it: without the port of HTTP.
    let host = address.strip_suffix(":80").unwrap_or(&address);
    let portal = portal(client, Guard::new(host));

    println!("Portal: http://{host}/\nCtrl-C stops it.");
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    serve(listener, portal, TIME_FOR_HEAD, stop).await?;
    Ok(())
}

fn portal(client: ScimClient, guard: Guard) -> Router {
    let style = ([(header::CONTENT_TYPE, "text/css")], include_str!("style.css"));
    Router::new()
        .route("/", routing::get(list))
        .route("/users/{id}", routing::get(show).post(change))
        .route("/style.css", routing::get(style))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "There is no such page."))
        .layer(middleware::from_fn_with_state(guard, guard::check))
        .with_state(client)
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    search: String,
    start: Option<u64>,
}

/// What a template puts into a page, askama escapes.
#[derive(Template)]
#[template(path = "users.html", config = "examples/portal/askama.toml")]
struct UsersPage {
    search: String,
    page: ScimListResponse,
    previous: Option<u64>,
    next: Option<u64>,
}

async fn list(State(client): State<ScimClient>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let start = asked.start.unwrap_or(1);
    let mut query = ListQuery::new().start_index(start).count(PER_PAGE);
    if !asked.search.is_empty() {
        // A value cannot break out of the filter, whatever is in it.
        query = query.filter(Filter::co("userName", asked.search.as_str()));
    }
    let page = client.get_users(&query).await?;

    // A page may hold fewer users than requested, so its length does not show whether it is the last.
    let after = start.saturating_add(page.resources.len() as u64);
    let has_next = match page.total_results {
        _ if page.resources.is_empty() => false,
        Some(total) => after <= total,
        None => !client.get_users(&query.start_index(after).count(1)).await?.resources.is_empty(),
    };
    // From past the end, the way back leads to the last page.
    let end = page.total_results.map_or(start, |total| start.min(total.saturating_add(1)));
    Ok(render(&UsersPage {
        search: asked.search,
        page,
        previous: (start > 1).then(|| end.saturating_sub(PER_PAGE).max(1)),
        next: has_next.then_some(after),
    }))
}

#[derive(Template)]
#[template(path = "user.html", config = "examples/portal/askama.toml")]
struct UserPage {
    user: ScimUser,
}

async fn show(State(client): State<ScimClient>, Path(id): Path<String>) -> Result<Response, Problem> {
    match client.get_user(&id).await? {
        Some(user) => Ok(render(&UserPage { user })),
        None => Err(Problem::new(StatusCode::NOT_FOUND, "There is no such user.")),
    }
}

/// Sends only the fields that were edited, so that changes which others made meanwhile are kept. If two
/// change the same field, the last one wins.
async fn change(
    State(client): State<ScimClient>,
    Path(id): Path<String>,
    uri: Uri,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Redirect, Problem> {
    let mut patch = ScimPatchRequest::new();
    for path in EDITABLE {
        let (wanted, shown) = (form.get(path), form.get(&format!("shown {path}")));
        let Some(wanted) = wanted.filter(|_| wanted != shown) else { continue };
        if wanted.trim().is_empty() {
            let sentence = format!("{path} cannot be empty: nothing was changed.");
            return Err(Problem::new(StatusCode::BAD_REQUEST, &sentence));
        }
        patch = patch.replace(path, wanted.trim());
    }
    if let Some(Ok(active)) = form.get("active").map(|active| active.parse::<bool>()) {
        patch = patch.replace("active", active);
    }
    if !patch.operations.is_empty() {
        client.update_user(&id, &patch).await?;
    }
    Ok(Redirect::to(uri.path()))
}

#[derive(Template)]
#[template(path = "problem.html", config = "examples/portal/askama.toml")]
struct Problem {
    status: StatusCode,
    sentence: String,
}

impl Problem {
    fn new(status: StatusCode, sentence: &str) -> Self {
        Self { status, sentence: sentence.to_owned() }
    }
}

/// An error of the library is a sentence without secrets.
impl From<wats_scim::Error> for Problem {
    fn from(error: wats_scim::Error) -> Self {
        let status = match error.kind() {
            // A read returns `None` for a user that is not found, so this is another 404.
            ErrorKind::NotFound if error.write_outcome().is_none() => StatusCode::BAD_GATEWAY,
            kind => kind.http_status(),
        };
        Self::new(status, &error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, render(&self)).into_response()
    }
}

fn render(page: &impl Template) -> Response {
    page.render().map(Html).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR).into_response()
}
