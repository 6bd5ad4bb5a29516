//! A self-service portal to start from: web pages that list, search, edit and deactivate users.
//! `cargo run --features async --example portal`, and `-- PORT` for another port than 3000
//!
//! It uses a sandbox, or your own server if `WATS_BASE_URL` and `WATS_TOKEN` are set. What it leaves
//! to whoever takes it over:
//!
//! - Signing people in, and who may do what. As it is, whoever reaches it may do everything, which on
//!   this machine is every program and everybody who has an account.
//! - TLS, without which it is for this machine alone. `guard.rs` then has to know the name that
//!   browsers use, and `https`.

mod guard;
#[path = "../support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Router, middleware, routing};
use serde::Deserialize;
use tokio::net::TcpListener;
use wats_scim::asynchronous::ScimClient;
use wats_scim::{ErrorKind, Filter, ListQuery, ScimListResponse, ScimPatchRequest, ScimUser};

const PER_PAGE: u64 = 20;
/// What can be edited, by the paths that WATS takes.
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
    let host: Arc<str> = address.strip_suffix(":80").unwrap_or(&address).into();
    let style = ([(header::CONTENT_TYPE, "text/css")], include_str!("style.css"));
    let portal = Router::new()
        .route("/", routing::get(list))
        .route("/users/{id}", routing::get(show).post(change))
        .route("/style.css", routing::get(style))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "There is no such page."))
        .layer(middleware::from_fn_with_state(Arc::clone(&host), guard::guard))
        .with_state(client);

    println!("Portal: http://{host}/\nCtrl-C stops it.");
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, portal).with_graceful_shutdown(stop).await?;
    Ok(())
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

    // A page may hold fewer than were asked for.
    let after = start.saturating_add(page.resources.len() as u64);
    let is_last = page.resources.is_empty() || page.total_results.is_some_and(|total| after > total);
    Ok(render(&UsersPage {
        search: asked.search,
        page,
        previous: (start > 1).then(|| start.saturating_sub(PER_PAGE).max(1)),
        next: (!is_last).then_some(after),
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

/// Sends what differs from what was shown and nothing else, so that what others changed since then is
/// kept. Of two who change the same, the last one wins.
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
            ErrorKind::InvalidInput | ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
            // Of a read, it says that the server is not where it was sought.
            ErrorKind::NotFound if error.write_outcome().is_some() => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            _ => StatusCode::BAD_GATEWAY,
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
