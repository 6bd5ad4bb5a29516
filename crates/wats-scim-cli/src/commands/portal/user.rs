//! The page of a user, and the questions before one is deactivated or activated.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use wats_scim::ScimUser;

use super::door::Person;
use super::fields::Field;
use super::page::{Frame, answer};
use super::problem::Problem;
use super::router::Shared;

/// What is shown of a user everywhere.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) id: String,
    /// A name for people.
    pub(super) title: String,
    pub(super) user_name: String,
    pub(super) email: String,
    pub(super) status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Inactive,
    /// The server does not say.
    Unknown,
}

impl Status {
    pub(super) fn of(active: Option<bool>) -> Self {
        match active {
            Some(true) => Self::Active,
            Some(false) => Self::Inactive,
            None => Self::Unknown,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
            Self::Unknown => "Unknown",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Active => "This user can sign in.",
            Self::Inactive => "This user cannot sign in.",
            Self::Unknown => "The server does not say whether this user can sign in.",
        }
    }

    fn can_become(self, active: bool) -> bool {
        self != Self::of(Some(active))
    }
}

#[derive(Template)]
#[template(path = "user.html", config = "src/commands/portal/askama.toml")]
pub(super) struct UserPage {
    pub(super) frame: Frame,
    pub(super) user: Shown,
    pub(super) fields: Vec<Field>,
    /// What the last change has done.
    pub(super) done: Option<&'static str>,
    pub(super) problem: Option<Problem>,
}

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    done: String,
}

impl After {
    fn sentence(&self) -> Option<&'static str> {
        match self.done.as_str() {
            "saved" => Some("The changes are saved."),
            "unchanged" => Some("There was nothing to change."),
            "activated" => Some("The user is activated."),
            "deactivated" => Some("The user is deactivated."),
            _ => None,
        }
    }
}

pub(super) async fn show(
    State(portal): State<Shared>,
    Extension(person): Extension<Person>,
    Path(id): Path<String>,
    Query(after): Query<After>,
) -> Result<Response, Problem> {
    let user = read(&portal, id).await?;
    let page = UserPage {
        frame: Frame::of(&person),
        user: portal.fields.shown(&user),
        fields: portal.fields.form(&user),
        done: after.sentence(),
        problem: None,
    };
    Ok(answer(StatusCode::OK, &page))
}

pub(super) async fn read(portal: &Shared, id: String) -> Result<ScimUser, Problem> {
    portal.ask(move |client| client.get_user(&id)).await?.ok_or_else(Problem::no_user)
}

#[derive(Template)]
#[template(path = "confirm.html", config = "src/commands/portal/askama.toml")]
struct ConfirmPage {
    frame: Frame,
    user: Shown,
    active: bool,
    /// Whether people are about to lock themselves out.
    is_own: bool,
}

pub(super) async fn activate(portal: State<Shared>, person: Extension<Person>, id: Path<String>) -> Answer {
    confirm(portal, person, id, true).await
}

pub(super) async fn deactivate(portal: State<Shared>, person: Extension<Person>, id: Path<String>) -> Answer {
    confirm(portal, person, id, false).await
}

type Answer = Result<Response, Problem>;

async fn confirm(
    State(portal): State<Shared>,
    Extension(person): Extension<Person>,
    Path(id): Path<String>,
    active: bool,
) -> Answer {
    let user = portal.fields.shown(&read(&portal, id).await?);
    let is_own = !active && user.user_name.eq_ignore_ascii_case(&person.name);
    Ok(answer(StatusCode::OK, &ConfirmPage { frame: Frame::of(&person), user, active, is_own }))
}
