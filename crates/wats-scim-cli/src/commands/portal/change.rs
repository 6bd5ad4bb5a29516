//! Changes of users. The person who is signed in is the label of each, on the trail.

use std::collections::HashMap;

use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use wats_scim::{ScimPatchRequest, ScimUser};

use super::door::Person;
use super::page::{Frame, answer};
use super::problem::Problem;
use super::router::Shared;
use super::user::{UserPage, read};

/// Saves the form. If that fails, what was typed stays in the form.
pub(super) async fn save(
    State(portal): State<Shared>,
    Extension(person): Extension<Person>,
    Path(id): Path<String>,
    uri: Uri,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Response, Problem> {
    let user = read(&portal, id).await?;
    let edited = portal.fields.edit(&user, &form);
    let problem = if edited.has_problems() {
        let status = if edited.is_conflict { StatusCode::CONFLICT } else { StatusCode::BAD_REQUEST };
        Some(Problem::unsent(status, "Some fields need another look."))
    } else {
        match patch(portal.fields.is_of_wats(), &user, &edited.user) {
            Ok(patch) if patch.operations.is_empty() => return Ok(back_to(uri.path(), "unchanged")),
            Ok(patch) => {
                let (label, old) = (person.name.to_string(), user.clone());
                portal.ask(move |client| client.labelled(label).update_user(&old, &patch)).await.err()
            }
            Err(problem) => Some(problem),
        }
    };
    let Some(problem) = problem else { return Ok(back_to(uri.path(), "saved")) };
    let page = UserPage {
        frame: Frame::of(&person),
        user: portal.fields.shown(&user),
        fields: edited.fields,
        done: None,
        problem: Some(problem),
    };
    Ok(answer(page.problem.as_ref().map_or(StatusCode::OK, |problem| problem.status), &page))
}

fn patch(is_wats: bool, old: &ScimUser, new: &ScimUser) -> Result<ScimPatchRequest, Problem> {
    if !is_wats {
        return ScimPatchRequest::between(old, new).map_err(|_| Problem::internal());
    }
    let (patch, left_out) = ScimPatchRequest::between_for_wats(old, new).map_err(|_| Problem::internal())?;
    if left_out.is_empty() {
        return Ok(patch);
    }
    let problem = Problem::unsent(StatusCode::NOT_IMPLEMENTED, "The server cannot change this.");
    Err(Problem { details: Some(left_out.join(", ")), ..problem })
}

pub(super) async fn activate(portal: State<Shared>, person: Extension<Person>, id: Path<String>, uri: Uri) -> Answer {
    set_active(portal, person, id, &uri, true).await
}

pub(super) async fn deactivate(portal: State<Shared>, person: Extension<Person>, id: Path<String>, uri: Uri) -> Answer {
    set_active(portal, person, id, &uri, false).await
}

type Answer = Result<Response, Problem>;

async fn set_active(
    State(portal): State<Shared>,
    Extension(person): Extension<Person>,
    Path(id): Path<String>,
    uri: &Uri,
    active: bool,
) -> Answer {
    let page = uri.path().rsplit_once('/').map_or("/", |(page, _)| page);
    let label = person.name.to_string();
    let done = portal.ask(move |client| client.labelled(label).set_user_active(&id, active)).await;
    match done {
        Ok(_) => Ok(back_to(page, if active { "activated" } else { "deactivated" })),
        Err(problem) => Err(Problem { back: Some(page.to_owned()), ..problem }),
    }
}

fn back_to(page: &str, done: &str) -> Response {
    Redirect::to(&format!("{page}?done={done}")).into_response()
}
