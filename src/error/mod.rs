mod json;
mod kind;
mod message;
mod operation;
mod secret;
mod transport;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

pub use kind::ErrorKind;
pub(crate) use message::{ErrorMessage, Sender, is_scim_error, is_web_page, one_line, without_mark};
pub use operation::Operation;
pub use secret::Secret;
pub(crate) use secret::Secrets;
pub use transport::TransportError;
pub(crate) use transport::TransportErrorKind;

/// A result with [`Error`] as its error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Arc<dyn StdError + Send + Sync>;

/// An error of the blocking or the async client.
///
/// `Display` is one line: the operation, the cause, and for a write whether it was applied. The
/// error of the transport or the JSON parser is the [`source`](std::error::Error::source). `Debug`,
/// which `main` prints, includes both. A clone has the same source.
///
/// As JSON (serde), for a log or a report, it is an object without secrets and without its source; what
/// is not known is left out, and `retryAfter` is in seconds:
///
/// ```text
/// {"kind":"conflict","message":"could not create user: the server answered 409 Conflict …","operation":"create user",
///  "status":409,"scimType":"uniqueness","detail":"userName is taken","outcome":"notApplied","attempts":1}
/// ```
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
#[derive(Clone)]
pub struct Error(Box<Parts>);

#[derive(Clone)]
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

/// The outcome of a failed write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum WriteOutcome {
    /// The write was not applied: nothing changed on the server.
    NotApplied,
    /// The write may have been applied. Read the resource before you try again.
    Unknown,
}

impl WriteOutcome {
    /// The stable name of the outcome, as in JSON: `notApplied` or `unknown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotApplied => "notApplied",
            Self::Unknown => "unknown",
        }
    }
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
            // An error of a repository counts as the server's; an answer over HTTP has a sender of its own.
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
        self.0.source = Some(Arc::from(source.into()));
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

    /// The same error for another request.
    pub(crate) fn repeated(&self) -> Self {
        let of = &*self.0;
        let parts = Parts { operation: None, attempts: 0, redirect: None, is_unprocessed: false, ..of.clone() };
        Self(Box::new(parts))
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.sentence())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The text that `main` prints for an error: the message and its causes.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.sentence())?;
        let mut source = self.source();
        while let Some(cause) = source {
            write!(f, "\n  because: {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
