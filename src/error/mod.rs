mod message;
mod operation;
mod secret;
mod shared;
mod transport;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

pub(crate) use message::{ErrorMessage, Sender, is_scim_error, is_web_page, one_line, without_mark};
pub use operation::Operation;
pub use secret::Secret;
pub(crate) use secret::Secrets;
pub use transport::TransportError;
pub(crate) use transport::TransportErrorKind;

/// A result with [`Error`] as its error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// An error of the blocking or the async client.
///
/// `Display` is one line: the operation, the cause, and for a write whether it was applied. The
/// error of the transport or the JSON parser is the [`source`](std::error::Error::source). `Debug`,
/// which `main` prints, includes both.
///
/// ```
/// use wats_scim::blocking::ScimClient;
/// use wats_scim_sandbox::Sandbox;
/// use wats_scim::{Credentials, ErrorKind, ScimUser, WriteOutcome};
///
/// let sandbox = Sandbox::start()?;
/// let client = ScimClient::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()))?;
/// client.create_user(&ScimUser::new("jane@example.com"))?;
/// let error = client.create_user(&ScimUser::new("jane@example.com")).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Conflict);
/// assert_eq!(error.scim_type(), Some("uniqueness"));
/// assert_eq!(error.write_outcome(), Some(WriteOutcome::NotApplied));
/// assert!(error.to_string().starts_with("could not create user: the server answered 409 Conflict"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Parts>);

#[derive(thiserror::Error)]
#[error("{}", self.sentence())]
struct Parts {
    kind: ErrorKind,
    operation: Option<Operation>,
    status: Option<StatusCode>,
    scim_type: Option<String>,
    detail: Option<String>,
    message: String,
    outcome: WriteOutcome,
    is_unprocessed: bool,
    /// No request was sent, because there was no access token, or because it was rejected before.
    is_unsent: bool,
    sender: Sender,
    retry_after: Option<Duration>,
    redirect: Option<String>,
    attempts: u32,
    source: Option<Source>,
}

/// The kind of an [`Error`].
///
/// *Retryable* means that the same request can succeed later; see [`Error::is_retryable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument or a setting is not valid; no request was sent. Not retryable.
    InvalidInput,
    /// The server does not support the operation; no request was sent. Not retryable.
    Unsupported,
    /// A creation of the same batch that this write refers to failed, so the write was not applied.
    /// Not retryable.
    FailedReference,
    /// The [`Trail`](crate::audit::Trail) could not record the start of a write, so no request was
    /// sent. Not retryable.
    Trail,
    /// 400: the server rejected the request as invalid. Not retryable.
    BadRequest,
    /// 401, or no access token for the request: the credentials are missing, wrong or expired. No other
    /// request would succeed, so a batch and an apply stop. Not retryable.
    Unauthorized,
    /// 403: the credentials do not permit the operation. Not retryable. With `Retry-After` it is
    /// [`TooManyRequests`](Self::TooManyRequests).
    Forbidden,
    /// 404: the server has no such resource or endpoint. Not retryable. A 404 of a gateway or a web
    /// page, which says nothing about the resource, is [`UnexpectedBody`](Self::UnexpectedBody).
    NotFound,
    /// 409, or 400 with the `scimType` `uniqueness`: the write conflicts with an existing resource,
    /// usually with its name. Not retryable.
    Conflict,
    /// 412: the resource no longer has the expected version. Not retryable; read it again first.
    PreconditionFailed,
    /// 413: the request is larger than the server allows. Not retryable.
    PayloadTooLarge,
    /// 429, or 403 with `Retry-After`: the server limits the rate of requests. Retryable, after
    /// [`retry_after`](Error::retry_after) if the server sent it.
    TooManyRequests,
    /// 5xx: the server or a gateway failed. Retryable for 500, 502, 503 and 504.
    Server,
    /// 3xx: a redirect. Redirects are never followed. Not retryable.
    Redirect,
    /// Any other status. Retryable for 408.
    UnexpectedStatus,
    /// The response has no body where one is required. Not retryable.
    EmptyBody,
    /// The response is successful or 404, but its body is not the expected SCIM message: a web page
    /// of a gateway, for example. Not retryable.
    UnexpectedBody,
    /// The response is larger than [`max_response_bytes`](crate::ScimConfig::max_response_bytes).
    /// Not retryable.
    ResponseTooLarge,
    /// No connection, or it broke. Retryable.
    Connection,
    /// The request timed out. Retryable.
    Timeout,
    /// The server did not return all resources of a list. Retryable, from the start.
    IncompleteList,
    /// The journal of an apply cannot be read or written, or belongs to another plan. Not
    /// retryable.
    Journal,
}

/// The outcome of a failed write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WriteOutcome {
    /// The write was not applied: nothing changed on the server.
    NotApplied,
    /// The write may have been applied. Read the resource before you try again.
    Unknown,
}

impl Error {
    /// Creates an error, for your own [`ScimRepository`](crate::blocking::ScimRepository).
    ///
    /// The message follows "could not create user: ". Write it in lower case, without a period. The
    /// outcome is [`NotApplied`](WriteOutcome::NotApplied) unless
    /// [`with_outcome`](Self::with_outcome) sets another.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            operation: None,
            status: None,
            scim_type: None,
            detail: None,
            message: message.into(),
            outcome: WriteOutcome::NotApplied,
            is_unprocessed: false,
            is_unsent: false,
            // A repository speaks for its server; an answer over HTTP has a sender of its own.
            sender: Sender::Server,
            retry_after: None,
            redirect: None,
            attempts: 0,
            source: None,
        }))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// Creates the error for a response with this status.
    pub(crate) fn of_status(status: StatusCode, message: ErrorMessage, note: &str) -> Self {
        let mut text = match status.canonical_reason() {
            Some(reason) => format!("the server answered {} {reason}", status.as_u16()),
            None => format!("the server answered {}", status.as_u16()),
        };
        if let Some(scim_type) = &message.scim_type {
            text.extend([" (", scim_type, ")"]);
        }
        if let Some(detail) = message.detail.as_deref().or((!note.is_empty()).then_some(note)) {
            text.push_str(": ");
            text.push_str(detail.trim_end_matches('.'));
        }
        let mut error = Self::new(ErrorKind::of(status, &message), text);
        error.0.status = Some(status);
        error.0.sender = message.sender;
        error.0.scim_type = message.scim_type;
        error.0.detail = message.detail;
        error
    }

    /// Sets the operation that failed, unless it is already set.
    #[must_use]
    pub fn in_operation(mut self, operation: Operation) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Sets whether the write may have been applied.
    #[must_use]
    pub fn with_outcome(mut self, outcome: WriteOutcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// Sets the [`source`](std::error::Error::source), the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Sets the time of `Retry-After`. With it, 403 is a rate limit.
    pub(crate) fn asking_to_wait(mut self, retry_after: Option<Duration>) -> Self {
        if self.0.kind == ErrorKind::Forbidden && retry_after.is_some() {
            self.0.kind = ErrorKind::TooManyRequests;
        }
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn pointing_to(mut self, target: Option<String>) -> Self {
        self.0.redirect = target;
        self
    }

    pub(crate) fn after_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// The outcome, also of an operation that is not a write.
    pub(crate) fn outcome(&self) -> WriteOutcome {
        self.0.outcome
    }

    /// Whether the connection broke after the request was sent.
    pub(crate) fn is_broken_connection(&self) -> bool {
        self.0.kind == ErrorKind::Connection && self.0.outcome == WriteOutcome::Unknown
    }

    pub(crate) fn not_processed(mut self) -> Self {
        self.0.is_unprocessed = true;
        self
    }

    /// Whether the server has said that it did not process the request.
    pub(crate) fn is_unprocessed(&self) -> bool {
        self.0.is_unprocessed
    }

    /// The error of a request that has no access token. Its kind is retryable or
    /// [`Unauthorized`](ErrorKind::Unauthorized), and it has no status that would be the server's.
    pub(crate) fn without_token(mut self) -> Self {
        if !self.is_retryable() {
            self.0.kind = ErrorKind::Unauthorized;
            self.0.status = None;
        }
        self.0.message.insert_str(0, "no access token: ");
        self.0.outcome = WriteOutcome::NotApplied;
        self.0.is_unprocessed = false;
        self.0.is_unsent = true;
        self
    }

    /// No request was sent.
    pub(crate) fn unsent(mut self) -> Self {
        self.0.is_unsent = true;
        self
    }

    /// Whether no request was sent.
    pub(crate) fn is_unsent(&self) -> bool {
        self.0.is_unsent
    }

    /// An earlier attempt was sent.
    pub(crate) fn but_sent_before(mut self) -> Self {
        self.0.is_unsent = false;
        self
    }

    /// Who sent the answer.
    pub(crate) fn sender(&self) -> Sender {
        self.0.sender
    }

    /// Whether the SCIM server itself says that the resource does not exist. An empty answer with
    /// status 404 can come from a gateway.
    pub(crate) fn is_certain_absence(&self) -> bool {
        self.0.kind == ErrorKind::NotFound && self.0.sender == Sender::Server
    }

    /// The `Display` text without the server's message and without details of invalid input,
    /// because both can repeat values that were sent.
    pub(crate) fn without_details(&self) -> String {
        let bare = match (self.0.status, self.0.kind) {
            (Some(status), _) => Self::of_status(status, ErrorMessage::default(), ""),
            (None, kind @ ErrorKind::InvalidInput) => Self::new(kind, "the input is not valid"),
            _ => return self.to_string(),
        };
        let bare = bare.with_outcome(self.0.outcome);
        self.0.operation.into_iter().fold(bare, Self::in_operation).to_string()
    }

    pub(crate) fn with_note(mut self, note: &str) -> Self {
        self.0.message.push_str(note);
        self
    }

    /// The error of a write, and of what failed after it and says nothing about the write. Rejected
    /// credentials are what the caller has to know of.
    pub(crate) fn followed_by(mut self, then: &Self, what: &str) -> Self {
        if then.kind() == ErrorKind::Unauthorized {
            self.0.kind = ErrorKind::Unauthorized;
        }
        self.with_note(&format!("; {what} ({then})"))
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Returns the kind of error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the operation that failed. `None` if the error occurred while a client was created.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// Returns the HTTP status of the response, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns the server's error message, `detail` (RFC 7644 §3.12), as one line of at most about
    /// 300 bytes.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Returns the server's error keyword, `scimType` (RFC 7644 §3.12, table 9), such as
    /// `uniqueness`.
    #[must_use]
    pub fn scim_type(&self) -> Option<&str> {
        self.0.scim_type.as_deref()
    }

    /// Returns whether the same request can succeed later. For a write, check
    /// [`write_outcome`](Self::write_outcome) first.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::TooManyRequests | ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::IncompleteList => true,
            ErrorKind::Server | ErrorKind::UnexpectedStatus => {
                matches!(self.0.status.map(|status| status.as_u16()), Some(408 | 500 | 502 | 503 | 504))
            }
            _ => false,
        }
    }

    /// Returns the time to wait before the next request, if the server sent `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the target of a redirect, which was not followed, without user, query and fragment.
    #[must_use]
    pub fn redirect_target(&self) -> Option<&str> {
        self.0.redirect.as_deref()
    }

    /// Returns how many times the request was sent; 0 if it was rejected before.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns whether a failed write may have been applied. `None` if the operation is not a
    /// write.
    #[must_use]
    pub fn write_outcome(&self) -> Option<WriteOutcome> {
        self.0.write_outcome()
    }
}

impl Parts {
    fn write_outcome(&self) -> Option<WriteOutcome> {
        self.operation.is_some_and(Operation::is_write).then_some(self.outcome)
    }

    fn sentence(&self) -> String {
        let mut sentence = self.operation.map(|operation| format!("could not {operation}: ")).unwrap_or_default();
        sentence.push_str(&self.message);
        sentence.push_str(match (self.write_outcome(), self.kind) {
            (None, _) => "",
            (Some(WriteOutcome::NotApplied), ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::Trail) => {
                "; nothing was sent"
            }
            (Some(WriteOutcome::NotApplied), _) if self.is_unsent => "; nothing was sent",
            (Some(WriteOutcome::NotApplied), _) => "; nothing was changed",
            (Some(WriteOutcome::Unknown), _) => "; it may have been applied",
        });
        sentence
    }
}

impl ErrorKind {
    fn of(status: StatusCode, message: &ErrorMessage) -> Self {
        let is_of_uniqueness = message.scim_type.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("uniqueness"));
        match status.as_u16() {
            // RFC 7644 §3.12 allows both.
            400 if is_of_uniqueness => Self::Conflict,
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 if message.sender == Sender::Intermediary => Self::UnexpectedBody,
            404 => Self::NotFound,
            409 => Self::Conflict,
            412 => Self::PreconditionFailed,
            413 => Self::PayloadTooLarge,
            429 => Self::TooManyRequests,
            300..=399 => Self::Redirect,
            500..=599 => Self::Server,
            _ => Self::UnexpectedStatus,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text that `main` prints for an error: the message and its causes.
impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        let mut source = self.source();
        while let Some(cause) = source {
            write!(f, "\n  because: {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
