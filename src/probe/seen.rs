//! What the answers to requests looked like, for the evidence. No I/O.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::Value;

use crate::error::{ErrorMessage, Secrets, Sender, is_scim_error, without_mark};

/// The last answer to a request of each method.
#[derive(Debug, Default)]
pub(crate) struct SeenAnswers(Vec<(Method, Seen)>);

/// An answer, without anything that is about a person.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    status: StatusCode,
    form: Form,
    /// Whether the body of the request was sent as `application/json`.
    as_plain_json: bool,
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// There is no body.
    Nothing,
    /// The error message of RFC 7644 §3.12.
    ScimError,
    /// An error message of a SCIM server in another format.
    OtherError,
    /// Any other JSON.
    Json,
    /// A web page or a text.
    Text,
}

impl Seen {
    pub(crate) fn new(asked: &HeaderMap, answer: &Response<Vec<u8>>) -> Self {
        let media_type = asked.get(CONTENT_TYPE).and_then(|media_type| media_type.to_str().ok()).unwrap_or_default();
        let as_plain_json = media_type.starts_with("application/json");
        Self { status: answer.status(), form: form_of(answer.body()), as_plain_json }
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn was_asked_in_plain_json(&self) -> bool {
        self.as_plain_json
    }

    /// Such as `201 with a body`.
    pub(crate) fn describe(&self, body: &str) -> String {
        let status = self.status.as_u16();
        match self.form {
            Form::Nothing => format!("{status} without a body"),
            _ => format!("{status} with {body}"),
        }
    }
}

impl SeenAnswers {
    pub(crate) fn add(&mut self, method: Method, seen: Seen) {
        self.0.retain(|(known, _)| *known != method);
        self.0.push((method, seen));
    }

    pub(crate) fn last(&self, method: &Method) -> Option<Seen> {
        self.0.iter().find(|(known, _)| known == method).map(|(_, seen)| seen.clone())
    }
}

fn form_of(body: &[u8]) -> Form {
    let body = without_mark(body).trim_ascii();
    if body.is_empty() {
        return Form::Nothing;
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(object)) if is_scim_error(&object) => Form::ScimError,
        Ok(_) if ErrorMessage::read(body, &Secrets::default()).sender == Sender::Server => Form::OtherError,
        Ok(_) => Form::Json,
        Err(_) => Form::Text,
    }
}
