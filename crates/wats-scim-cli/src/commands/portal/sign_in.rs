//! Signing in and out.

use askama::Template;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use wats_scim::Secret;

use super::door::{Door, secret, set_cookie};
use super::page::{Frame, answer};
use super::problem::Problem;
use super::router::Shared;
use super::sessions::SignIn;
use super::throttle::PAUSE;

#[derive(Template)]
#[template(path = "sign_in.html", config = "src/commands/portal/askama.toml")]
pub(super) struct SignInPage {
    frame: Frame,
    /// The page that was asked for.
    to: String,
    name: String,
    problem: Option<String>,
}

impl SignInPage {
    pub(super) fn new(to: &str) -> Self {
        Self { frame: Frame::default(), to: to.to_owned(), name: String::new(), problem: None }
    }

    pub(super) fn answer(&self, status: StatusCode) -> Response {
        answer(status, self)
    }
}

#[derive(Deserialize)]
pub(super) struct Fields {
    name: String,
    password: String,
    to: String,
}

pub(super) async fn sign_in(State(portal): State<Shared>, Form(fields): Form<Fields>) -> Result<Response, Problem> {
    let Door::Passwords(sessions) = &portal.door else { return Err(Problem::no_page()) };
    let (name, password) = (fields.name.trim(), Secret::new(fields.password.trim()));
    let (status, problem) = match sessions.sign_in(name, password).await? {
        SignIn::Done(secret) => {
            let cookie = [(header::SET_COOKIE, set_cookie(portal.has_tls, &secret))];
            return Ok((cookie, Redirect::to(own(&fields.to))).into_response());
        }
        SignIn::Wrong => (StatusCode::UNAUTHORIZED, "The name or the password is wrong.".to_owned()),
        SignIn::TooMany => (
            StatusCode::TOO_MANY_REQUESTS,
            format!("There were too many attempts. Try again in {} seconds.", PAUSE.as_secs()),
        ),
    };
    let page = SignInPage { name: name.to_owned(), problem: Some(problem), ..SignInPage::new(own(&fields.to)) };
    Ok(page.answer(status))
}

pub(super) async fn sign_out(State(portal): State<Shared>, headers: HeaderMap) -> Result<Response, Problem> {
    let Door::Passwords(sessions) = &portal.door else { return Err(Problem::no_page()) };
    if let Some(secret) = secret(portal.has_tls, &headers) {
        sessions.sign_out(secret);
    }
    let cookie = [(header::SET_COOKIE, set_cookie(portal.has_tls, ""))];
    Ok((cookie, Redirect::to("/")).into_response())
}

/// The page to go to after signing in, which is one of the portal.
fn own(to: &str) -> &str {
    let is_own = to.starts_with('/') && !to.starts_with("//") && to.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if is_own { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn signing_in_leads_to_no_other_site() {
        assert_eq!(own("/users/7?done=saved"), "/users/7?done=saved");
        for to in ["", "users", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/ä"]
        {
            assert_eq!(own(to), "/", "{to}");
        }
    }
}
