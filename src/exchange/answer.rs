use std::sync::Arc;

use http::header::{CONTENT_TYPE, LOCATION};
use http::{Response, StatusCode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_json::{Map, Value};
use wats_scim_filter::json::{self, same_text};

use super::retry_after::retry_after;
use super::version::set_from_header;
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::error::{ErrorMessage, Sender, TransportError, TransportErrorKind};
use crate::error::{Secrets, is_scim_error, is_web_page, one_line, without_mark};
use crate::model::{Listed, MemberPage, Resource, ScimListResponse, ScimMember, read_json};
use crate::outside::{clock, mistake};
use crate::wats::ScimToken;

/// A successful answer of the server, and the operation that it belongs to.
#[derive(Debug)]
pub(crate) struct Answer {
    operation: Operation,
    response: Response<Vec<u8>>,
    /// To redact in errors.
    secrets: Arc<Secrets>,
    /// Whether the header `ETag` is the version of the resource.
    pub(super) reads_versions: bool,
}

/// What the answer to a create contains.
pub(crate) enum Created<T> {
    /// The resource.
    Shown(T),
    /// Only the id of the resource, from the `Location` header.
    At(String),
    /// Neither.
    Unseen,
}

impl Answer {
    /// The answer, or an error if it is not a success: by its status, or because its body is the error
    /// message of RFC 7644 §3.12 whatever the status is.
    pub(crate) fn new(operation: Operation, response: Response<Vec<u8>>, secrets: &Arc<Secrets>) -> Result<Self> {
        let status = response.status();
        if !status.is_success() {
            return Err(refusal(operation, status, &response, secrets));
        }
        match error_in(response.body()) {
            Some(error) => Err(refusal(operation, status_of(&error).unwrap_or(status), &response, secrets)),
            None => Ok(Self { operation, response, secrets: Arc::clone(secrets), reads_versions: false }),
        }
    }

    /// The answer to a request that an earlier attempt has already applied.
    pub(crate) fn done(operation: Operation) -> Self {
        let mut response = Response::new(Vec::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Self { operation, response, secrets: Arc::default(), reads_versions: false }
    }

    /// The secrets to redact in what an error quotes.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// One resource.
    pub(crate) fn resource<T: Resource>(&self) -> Result<T> {
        let mut resource: T = self.json(T::NAME)?;
        self.set_version(&mut resource);
        self.with_id(resource)
    }

    /// The resource after a change, if the server returns it.
    pub(crate) fn patched<T: Resource>(&self) -> Result<Option<T>> {
        if self.is_empty() { Ok(None) } else { self.resource().map(Some) }
    }

    pub(crate) fn created<T: Resource>(&self) -> Result<Created<T>> {
        let shown = if self.is_empty() { None } else { Some(self.json::<T>(T::NAME)?) };
        Ok(match shown.filter(|resource| resource.id().is_some_and(|id| !id.is_empty())) {
            Some(mut resource) => {
                self.set_version(&mut resource);
                Created::Shown(resource)
            }
            None => self.location_id(T::ENDPOINT).map_or(Created::Unseen, Created::At),
        })
    }

    /// Checks that the answer comes from the SCIM server. Any JSON is accepted; a web page or other text
    /// comes from a login form or a proxy, so the resource was not deleted.
    pub(crate) fn deleted(&self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { self.json::<IgnoredAny>("confirmation").map(drop) }
    }

    pub(crate) fn list<T: Resource>(&self) -> Result<ScimListResponse<T>> {
        self.json("list")
    }

    /// A page of members: a list, or a group with a page of its members.
    pub(crate) fn members(&self) -> Result<ScimListResponse<ScimMember>> {
        self.json("page of members").map(|MemberPage(page)| page)
    }

    /// The resource that was requested by name. If the server returns a resource with another name, it
    /// misread the request, and using the answer would change the wrong person.
    pub(crate) fn named<T: Resource>(&self, name: &str) -> Result<T> {
        let resource: T = self.resource()?;
        if is_named(&resource, name) { Ok(resource) } else { Err(self.unexpected(&another::<T>())) }
    }

    /// The resource with this name, from a filtered list.
    pub(crate) fn only_one_named<T: Resource>(&self, name: &str) -> Result<Option<T>> {
        let list = self.list::<T>()?;
        check_shown(&list).map_err(|error| error.with_status(self.response.status()).in_operation(self.operation))?;
        let mut found = list.distinct();
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(one), None) if !is_named(one, name) => Err(self.unexpected(&another::<T>())),
            // A page can be that small, and the other one the one that was meant.
            (Some(_), None) if !list.has_at_most(1) => Err(self.unexpected(&format!(
                "it shows one {} of this {}, and states that there are several",
                T::NAME,
                T::NAMED_BY
            ))),
            (Some(one), None) => Ok(Some(one.clone())),
            (Some(_), Some(_)) => Err(self.unexpected(&format!(
                "it has more than one {} for one {}; the server may have ignored the filter",
                T::NAME,
                T::NAMED_BY
            ))),
        }
    }

    /// A document about the server itself.
    pub(crate) fn document(&self) -> Result<serde_json::Value> {
        self.json("description")
    }

    /// Documents about the server itself: its schemas or its resource types.
    pub(crate) fn documents<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        self.json("list of descriptions").map(|Listed(documents)| documents)
    }

    pub(crate) fn token(&self) -> Result<ScimToken> {
        let reply = self.json("token")?;
        ScimToken::read(&reply).map_err(|why| self.unexpected(&format!("the answer is not a token reply: {why}")))
    }

    fn json<T: DeserializeOwned>(&self, what: &str) -> Result<T> {
        if self.is_empty() {
            let message = format!("the server answered {} without a body; expected a {what}", self.response.status());
            return Err(self.failed(ErrorKind::EmptyBody, message));
        }
        if is_web_page(self.body()) {
            return Err(
                self.unexpected("the answer is a web page, perhaps from a login form or a proxy; check the base URL")
            );
        }
        read_json(self.body()).map_err(|error| {
            let why = match (error.classify(), self.media_type()) {
                // The message of serde_json quotes the value, which can be anything, even credentials.
                (Category::Data, _) => {
                    let text = error.to_string();
                    let problem = text.split_once(", expected ").map(|(_, expected)| format!("expected {expected}"));
                    let problem = one_line(&self.secrets.hide(&problem.unwrap_or(text))).unwrap_or_default();
                    return self.unexpected(&format!("the answer is not a {what}: {problem}"));
                }
                (_, Some(media_type)) if !media_type.contains("json") => {
                    format!("the answer is not JSON but {:.60}", self.secrets.hide(media_type))
                }
                (Category::Eof, _) => "the JSON ends too early".to_owned(),
                _ => "the answer is not valid JSON".to_owned(),
            };
            self.unexpected(&why).with_source(error)
        })
    }

    fn body(&self) -> &[u8] {
        without_mark(self.response.body())
    }

    /// Whether the body is empty or `null`.
    fn is_empty(&self) -> bool {
        matches!(self.body().trim_ascii(), b"" | b"null")
    }

    fn media_type(&self) -> Option<&str> {
        self.response.headers().get(CONTENT_TYPE)?.to_str().ok()
    }

    fn with_id<T: Resource>(&self, resource: T) -> Result<T> {
        if resource.id().is_some_and(|id| !id.is_empty()) {
            Ok(resource)
        } else {
            Err(self.unexpected(&format!("the {} has no id", T::NAME)))
        }
    }

    fn set_version<T: Resource>(&self, resource: &mut T) {
        if self.reads_versions {
            set_from_header(resource, self.response.headers());
        }
    }

    fn location_id(&self, endpoint: &str) -> Option<String> {
        id_in(self.response.headers().get(LOCATION)?.to_str().ok()?, endpoint)
    }

    fn unexpected(&self, why: &str) -> Error {
        let message = format!("the server answered {}, but {why}", self.response.status());
        self.failed(ErrorKind::UnexpectedBody, message)
    }

    /// An error for an answer with a success status. A write may have been applied.
    fn failed(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(kind, message)
            .with_status(self.response.status())
            .with_outcome(WriteOutcome::Unknown)
            .in_operation(self.operation)
    }
}

/// Names are compared as on the server (RFC 7644 §5).
fn is_named<T: Resource>(resource: &T, name: &str) -> bool {
    resource.name().is_some_and(|known| same_text(known, name))
}

/// Checks that a look-up shows what it has found. A number of results without the results is an error:
/// they exist, and the credentials may not allow to read them.
pub(crate) fn check_shown<T: Resource>(list: &ScimListResponse<T>) -> Result<()> {
    match list.total_results {
        Some(total) if total > 0 && list.resources.is_empty() => {
            let message = format!("the server states that it has {total} such {}s, but shows none", T::NAME);
            Err(Error::new(ErrorKind::UnexpectedBody, message).with_outcome(WriteOutcome::Unknown))
        }
        _ => Ok(()),
    }
}

fn another<T: Resource>() -> String {
    format!("it is another {} than the one requested", T::NAME)
}

/// Turns the error for a missing resource into `None`. What a gateway says is not one.
pub(crate) fn absent_as_none(answer: Result<Answer>) -> Result<Option<Answer>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The body, if it is an error message.
fn error_in(body: &[u8]) -> Option<Map<String, Value>> {
    // A page of users is not searched.
    let body = without_mark(body);
    let text = if body.len() > 8 << 10 { return None } else { std::str::from_utf8(body).ok()? };
    if !text.contains("messages:2.0:Error") {
        return None;
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) if is_scim_error(&object) => Some(object),
        _ => None,
    }
}

/// The status of an error message.
fn status_of(error: &Map<String, Value>) -> Option<StatusCode> {
    let code = match json::member(error, "status")? {
        Value::String(text) => text.trim().parse().ok()?,
        number => u16::try_from(number.as_u64()?).ok()?,
    };
    StatusCode::from_u16(code).ok().filter(|status| status.is_client_error() || status.is_server_error())
}

/// The error for an answer that is not a success. All such errors are made here.
fn refusal(operation: Operation, status: StatusCode, response: &Response<Vec<u8>>, secrets: &Secrets) -> Error {
    let message = ErrorMessage::read(response.body(), secrets);
    let is_page = is_web_page(response.body());
    let target = if status.is_redirection() { redirect_target(response, secrets) } else { None };
    let note = match status.as_u16() {
        _ if status.is_redirection() => match &target {
            Some(target) => format!("it redirects to {target}, and redirects are not followed; check the base URL"),
            None => "redirects are not followed; check the base URL".to_owned(),
        },
        404 if is_page => "the answer is a web page; check the base URL".to_owned(),
        401 => "check the credentials; they may be wrong or expired".to_owned(),
        403 => "the credentials do not allow this".to_owned(),
        413 => "the request is larger than the server accepts".to_owned(),
        429 => "too many requests; wait before the next one".to_owned(),
        _ => String::new(),
    };
    let is_of_intermediary = status == StatusCode::NOT_FOUND && message.sender == Sender::Intermediary && !is_page;
    let error = Error::of_status(status, message, &note);
    let error = if is_of_intermediary {
        error
            .with_note("; this is not an answer of a SCIM server: a gateway may have sent it, or the base URL is wrong")
    } else {
        error
    };
    error
        .with_outcome(outcome_of(status))
        .in_operation(operation)
        .pointing_to(target)
        .asking_to_wait(retry_after(response.headers(), clock::date()))
}

/// A server that rejects a write has changed nothing. But a gateway may answer 5xx or 408 although the
/// server behind it applied the request, a 300 to 303 may follow a request that was applied, and an
/// error message with a status of success contradicts itself.
fn outcome_of(status: StatusCode) -> WriteOutcome {
    match status.as_u16() {
        502 if mistake!("a 502 means not applied") => WriteOutcome::NotApplied,
        408 | 500..=599 | 200..=303 => WriteOutcome::Unknown,
        _ => WriteOutcome::NotApplied,
    }
}

/// The id at the end of a `Location` below an endpoint; the URL may be relative (RFC 7644 §3.3).
pub(crate) fn id_in(location: &str, endpoint: &str) -> Option<String> {
    let path = location.split(['?', '#']).next()?.trim_end_matches('/');
    let (before, id) = path.rsplit_once('/')?;
    if !before.rsplit('/').next()?.eq_ignore_ascii_case(endpoint) {
        return None;
    }
    let id = percent_encoding::percent_decode_str(id).decode_utf8().ok()?;
    (!id.is_empty()).then(|| id.into_owned())
}

/// The target of a redirect, without the parts that may be secret: user, query and fragment. The host
/// may follow two slashes without a scheme (RFC 3986 §4.2).
fn redirect_target(response: &Response<Vec<u8>>, secrets: &Secrets) -> Option<String> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let bare = location.split(['?', '#']).next()?;
    let (scheme, rest) = bare.split_once("//").filter(|(scheme, _)| !scheme.contains('/')).unwrap_or(("", bare));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next()?;
    let slashes = if rest.len() < bare.len() { "//" } else { "" };
    let target = format!("{scheme}{slashes}{host}{path}");
    (!target.is_empty()).then(|| secrets.hide(&target).chars().take(200).collect())
}

/// The error for a request without an answer.
pub(crate) fn unanswered(operation: Operation, origin: &str, error: TransportError) -> Error {
    no_answer(origin, error).in_operation(operation)
}

/// The error for a request to this server without an answer.
pub(super) fn no_answer(origin: &str, error: TransportError) -> Error {
    let (kind, message) = match error.kind {
        TransportErrorKind::NotConnected => (ErrorKind::Connection, format!("no connection to {origin}")),
        TransportErrorKind::NotProcessed => {
            (ErrorKind::Connection, format!("{origin} closed the connection without processing the request"))
        }
        TransportErrorKind::Interrupted => {
            (ErrorKind::Connection, format!("the connection to {origin} was interrupted"))
        }
        TransportErrorKind::Timeout => (ErrorKind::Timeout, format!("{origin} did not answer in time")),
        TransportErrorKind::TooLarge => {
            (ErrorKind::ResponseTooLarge, "the answer is larger than ScimConfig::max_response_bytes allows".to_owned())
        }
    };
    let outcome = if error.never_sent() { WriteOutcome::NotApplied } else { WriteOutcome::Unknown };
    let is_unprocessed = error.kind == TransportErrorKind::NotProcessed;
    let unanswered = Error::new(kind, message).with_outcome(outcome).with_source(error);
    if is_unprocessed { unanswered.not_processed() } else { unanswered }
}
