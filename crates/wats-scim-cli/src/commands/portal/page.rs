//! What all pages have in common.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::door::Person;

/// The frame of a page.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) person: Option<String>,
    pub(super) signs_out: bool,
}

impl Frame {
    pub(super) fn of(person: &Person) -> Self {
        Self { person: Some(person.name.to_string()), signs_out: person.signs_out }
    }

    /// A part of the addresses of style and script, so that browsers keep those of this version only.
    #[allow(clippy::unused_self, reason = "it is part of the frame")]
    pub(super) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

/// What a template puts into a page, askama escapes.
pub(super) fn answer(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A file that is no secret and changes with the version.
pub(super) fn file(kind: &'static str, text: &'static str) -> impl IntoResponse + Clone {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=86400")], text)
}
