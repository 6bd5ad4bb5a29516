//! What went wrong, as a person understands it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use wats_scim::{Error, ErrorKind, WriteOutcome};

use super::page::{Frame, answer};

/// A page, or a part of one.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) sentence: String,
    /// Whether a change was applied.
    pub(super) outcome: Option<&'static str>,
    /// For the person who runs the portal. The library leaves secrets out.
    pub(super) details: Option<String>,
    /// The page to go back to.
    pub(super) back: Option<String>,
}

#[derive(Template)]
#[template(path = "problem.html", config = "src/commands/portal/askama.toml")]
struct ProblemPage {
    frame: Frame,
    problem: Problem,
}

const NOT_APPLIED: &str = "Nothing was changed.";
const UNKNOWN: &str = "The change may have been applied. Look at the current values before you try again.";

impl Problem {
    pub(super) fn new(status: StatusCode, sentence: &str) -> Self {
        Self { status, sentence: sentence.to_owned(), outcome: None, details: None, back: None }
    }

    pub(super) fn no_page() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such page.")
    }

    pub(super) fn no_user() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such user. It may have been deleted.")
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The portal could not do this. Tell the person who runs it.")
    }

    /// A change that was not sent.
    pub(super) fn unsent(status: StatusCode, sentence: &str) -> Self {
        Self { outcome: Some(NOT_APPLIED), ..Self::new(status, sentence) }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            // A read returns `None` for a user that is not found, so this is another 404.
            ErrorKind::NotFound if error.write_outcome().is_none() => StatusCode::BAD_GATEWAY,
            kind => kind.http_status(),
        };
        let outcome = error.write_outcome().map(|outcome| match outcome {
            WriteOutcome::NotApplied => NOT_APPLIED,
            _ => UNKNOWN,
        });
        Self { status, sentence: sentence(&error).to_owned(), outcome, details: Some(error.to_string()), back: None }
    }
}

fn sentence(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::BadRequest => "The server does not accept this.",
        ErrorKind::Unsupported => "The server does not support this.",
        ErrorKind::Trail => "The change cannot be recorded, so it was not sent. Tell the person who runs the portal.",
        ErrorKind::Unauthorized => "The server does not accept the portal. Tell the person who runs it.",
        ErrorKind::Forbidden => "The server does not allow the portal to do this. Tell the person who runs it.",
        ErrorKind::NotFound if error.write_outcome().is_some() => "The user is no longer on the server.",
        ErrorKind::Conflict => "Another user already has this value.",
        ErrorKind::PreconditionFailed => "The user was changed by another person at the same time.",
        ErrorKind::TooManyRequests => "The server has too much to do. Try again in a minute.",
        ErrorKind::Connection => "The server cannot be reached. Try again in a minute.",
        ErrorKind::Timeout => "The server did not answer in time. Try again in a minute.",
        ErrorKind::Server => "The server has a problem. Try again in a minute.",
        _ => "The server gave an answer that is no answer to this. Tell the person who runs the portal.",
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        answer(self.status, &ProblemPage { frame: Frame::default(), problem: self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_answer_may_have_been_applied() {
        let lost = Error::new(ErrorKind::Timeout, "timed out").with_outcome(WriteOutcome::Unknown);
        let lost = lost.in_operation(wats_scim::Operation::Replace("user"));
        let problem = Problem::from(lost);
        assert_eq!((problem.status, problem.outcome), (StatusCode::GATEWAY_TIMEOUT, Some(UNKNOWN)));
    }
}
