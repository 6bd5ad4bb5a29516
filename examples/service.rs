//! A service in front of a SCIM server: it creates, finds and deactivates users over HTTP, and stops gracefully.
//! `cargo run --features async --example service -- 127.0.0.1:3000`; without an address, it calls itself

mod support;

use std::env;
use std::error::Error;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use http_body_util::BodyExt;
use tower::ServiceExt;
use wats_scim::asynchronous::ScimClient;
use wats_scim::{Error as ScimError, ErrorKind, ScimUser, filter::Filter};

/// The error of the SCIM server, as the error of this one.
struct Failed(ScimError);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (self.0.kind().http_status(), Json(self.0.to_scim())).into_response()
    }
}

/// A write goes on when its caller hangs up, so that it is not cut off in the middle.
async fn create(State(scim): State<ScimClient>, Json(user): Json<ScimUser>) -> Result<Response, Failed> {
    let written = tokio::spawn(async move { scim.create_user(&user).await }).await;
    let created = written.unwrap_or_else(|panic| Err(ScimError::new(ErrorKind::Server, panic.to_string())));
    created.map(|user| (StatusCode::CREATED, Json(user)).into_response()).map_err(Failed)
}

#[derive(serde::Deserialize)]
struct Search {
    filter: String,
}

async fn find(State(scim): State<ScimClient>, Query(search): Query<Search>) -> Result<Json<Vec<ScimUser>>, Failed> {
    let filter: Filter = search.filter.parse().map_err(|error: wats_scim::filter::FilterError| {
        Failed(ScimError::new(ErrorKind::InvalidInput, error.to_string()))
    })?;
    let mut found = Vec::new();
    let mut users = scim.iter_users().matching(filter).at_most(200);
    while let Some(user) = users.try_next().await.map_err(Failed)? {
        found.push(user);
    }
    Ok(Json(found))
}

async fn set_active(State(scim): State<ScimClient>, Path((id, active)): Path<(String, bool)>) -> Result<(), Failed> {
    scim.set_user_active(&id, active).await.map(drop).map_err(Failed)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (config, _sandbox) = support::server(0)?;
    let service = Router::new()
        .route("/users", get(find).post(create))
        .route("/users/{id}/active/{active}", patch(set_active))
        .with_state(ScimClient::with_config(&config)?);
    if let Some(address) = env::args().nth(1) {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let stopped = async { drop(tokio::signal::ctrl_c().await) };
        return Ok(axum::serve(listener, service).with_graceful_shutdown(stopped).await?);
    }
    let user = format!(r#"{{"userName":"service-{}@example.com"}}"#, std::process::id());
    let find = "/users?filter=userName%20sw%20%22service-%22";
    for (method, path, body) in [("POST", "/users", &*user), ("POST", "/users", &*user), ("GET", find, "")] {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let answer = service.clone().oneshot(request.body(Body::from(body.to_owned()))?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        println!("{method} {path}: {status} {}", String::from_utf8_lossy(&body));
    }
    Ok(())
}
