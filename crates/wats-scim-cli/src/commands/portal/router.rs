//! The addresses of the portal, and what all of them share.

use std::sync::Arc;

use axum::{Router, middleware, routing};
use tokio::task::spawn_blocking;
use wats_scim::Error;
use wats_scim::blocking::ScimClient;

use super::door::{self, Door};
use super::fields::Fields;
use super::guard::{self, Guard};
use super::page::file;
use super::problem::Problem;
use super::searches::Searches;
use super::{change, list, sign_in, user};
use crate::failure::Failure;

/// What requests share.
pub(super) struct Portal {
    client: ScimClient,
    pub(super) door: Door,
    pub(super) fields: Fields,
    pub(super) searches: Searches,
    /// Whether browsers reach the portal with TLS.
    pub(super) has_tls: bool,
}

pub(super) type Shared = Arc<Portal>;

impl Portal {
    pub(super) fn new(client: ScimClient, door: Door) -> Result<Self, Failure> {
        let fields = Fields::of(client.profile())?;
        Ok(Self { client, door, fields, searches: Searches::default(), has_tls: false })
    }

    /// Asks the server, on a thread that may wait.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ScimClient) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let client = self.client.clone();
        let done = spawn_blocking(move || work(&client)).await.map_err(|_| Problem::internal())?;
        Ok(done?)
    }
}

pub(super) fn router(portal: Portal, guard: Guard) -> Router {
    let portal = Arc::new(Portal { has_tls: guard.site().has_tls(), ..portal });
    let inside = Router::new()
        .route("/", routing::get(list::list))
        .route("/search", routing::post(list::search))
        .route("/users/{id}", routing::get(user::show).post(change::save))
        .route("/users/{id}/activate", routing::get(user::activate).post(change::activate))
        .route("/users/{id}/deactivate", routing::get(user::deactivate).post(change::deactivate))
        .fallback(async || Problem::no_page())
        .layer(middleware::from_fn_with_state(Arc::clone(&portal), door::enter));
    Router::new()
        .route("/sign-in", routing::post(sign_in::sign_in))
        .route("/sign-out", routing::post(sign_in::sign_out))
        .route("/style.css", routing::get(file("text/css", include_str!("pages/style.css"))))
        .route("/search.js", routing::get(file("text/javascript", include_str!("pages/search.js"))))
        .route("/icon.svg", routing::get(file("image/svg+xml", include_str!("pages/icon.svg"))))
        .merge(inside)
        .layer(middleware::from_fn_with_state(guard, guard::check))
        .with_state(portal)
}
