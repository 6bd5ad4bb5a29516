mod message;
mod operation;
mod secret;
mod transport;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

pub(crate) use message::{ErrorMessage, is_web_page, one_line};
pub use operation::Operation;
pub use secret::Secret;
pub use transport::TransportError;
pub(crate) use transport::TransportErrorKind;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// Why an operation failed, in both faces.
///
/// `Display` is one line that says what was tried, what went wrong, and for a write whether
/// anything was changed. What the transport or the JSON reader had to say is its `source`; `Debug`,
/// which `main` prints, shows both.
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
    is_web_page: bool,
    retry_after: Option<Duration>,
    redirect: Option<String>,
    attempts: u32,
    source: Option<Source>,
}

/// What went wrong, as a program tells errors apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument or a setting was refused before anything was sent. Not retryable.
    InvalidInput,
    /// The server does not offer this; nothing was sent. Not retryable.
    Unsupported,
    /// A write of the same batch that this one refers to failed, so that it was not sent or not
    /// done. Not retryable.
    FailedReference,
    /// The [`Trail`](crate::audit::Trail) could not report that a write begins, so nothing was sent. Not
    /// retryable.
    Trail,
    /// 400: the server did not accept the request. Not retryable.
    BadRequest,
    /// 401: the credentials are missing, wrong or expired. Not retryable.
    Unauthorized,
    /// 403: the credentials do not allow this. Not retryable.
    Forbidden,
    /// 404: there is no such resource or address. Not retryable.
    NotFound,
    /// 409: it conflicts with what is there, usually a name that is taken. Not retryable.
    Conflict,
    /// 412: the resource changed in between. Not retryable as it is.
    PreconditionFailed,
    /// 413: the request is larger than the server takes. Not retryable.
    PayloadTooLarge,
    /// 429: too many requests. Retryable later.
    TooManyRequests,
    /// 5xx: the server or a gateway before it failed. Retryable for 500, 502, 503 and 504.
    Server,
    /// 3xx: the server pointed elsewhere, which is never followed. Not retryable.
    Redirect,
    /// Any other status. Retryable for 408.
    UnexpectedStatus,
    /// The answer had no body where data was due. Not retryable.
    EmptyBody,
    /// The answer was a success, but a web page or something else that is not what was asked for.
    /// Not retryable.
    UnexpectedBody,
    /// The answer was larger than allowed. Not retryable.
    ResponseTooLarge,
    /// There was no connection, or it broke. Retryable.
    Connection,
    /// No answer came in time. Retryable.
    Timeout,
    /// A listing ended before everything was seen. Retryable from the start.
    IncompleteList,
    /// The journal of an apply could not be read or written, or is of another plan. Not retryable.
    Journal,
}

/// What became of a write that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WriteOutcome {
    /// Nothing was changed.
    NotApplied,
    /// It may have been applied: look before trying again.
    Unknown,
}

impl Error {
    /// An error of your own [`ScimRepository`](crate::blocking::ScimRepository).
    ///
    /// The message completes the sentence "could not …:". The outcome is
    /// [`NotApplied`](WriteOutcome::NotApplied).
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
            is_web_page: false,
            retry_after: None,
            redirect: None,
            attempts: 0,
            source: None,
        }))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// The error that an answer with this status is.
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
        let mut error = Self::new(ErrorKind::of(status), text);
        error.0.status = Some(status);
        error.0.scim_type = message.scim_type;
        error.0.detail = message.detail;
        error
    }

    /// Names the operation that failed.
    #[must_use]
    pub fn in_operation(mut self, operation: Operation) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Says whether the write may have been applied.
    #[must_use]
    pub fn with_outcome(mut self, outcome: WriteOutcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// Names the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn asking_to_wait(mut self, retry_after: Option<Duration>) -> Self {
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

    /// Whether the request may have been applied, had it been a write.
    pub(crate) fn outcome(&self) -> WriteOutcome {
        self.0.outcome
    }

    /// Whether a connection broke in the middle of the exchange.
    pub(crate) fn is_broken_connection(&self) -> bool {
        self.0.kind == ErrorKind::Connection && self.0.outcome == WriteOutcome::Unknown
    }

    pub(crate) fn on_a_web_page(mut self, is_web_page: bool) -> Self {
        self.0.is_web_page = is_web_page;
        self
    }

    /// Whether the server said so with a web page, which is not how a SCIM server speaks.
    pub(crate) fn is_web_page(&self) -> bool {
        self.0.is_web_page
    }

    /// The same error with a secret taken out of its words.
    pub(crate) fn without(mut self, secret: &Secret) -> Self {
        let secret = secret.expose();
        // A shorter one would be found in ordinary words.
        if secret.len() >= 4 {
            let hide = |text: &mut String| {
                if text.contains(secret) {
                    *text = text.replace(secret, "[redacted]");
                }
            };
            hide(&mut self.0.message);
            self.0.detail.iter_mut().chain(&mut self.0.scim_type).for_each(hide);
        }
        self
    }

    /// The sentence without what the server said, and without what was wrong with the input: either
    /// may repeat what was sent.
    pub(crate) fn without_words(&self) -> String {
        let bare = match (self.0.status, self.0.kind) {
            (Some(status), _) => Self::of_status(status, ErrorMessage::default(), ""),
            (None, kind @ ErrorKind::InvalidInput) => Self::new(kind, "it was refused"),
            _ => return self.to_string(),
        };
        let bare = bare.with_outcome(self.0.outcome);
        self.0.operation.into_iter().fold(bare, Self::in_operation).to_string()
    }

    pub(crate) fn with_note(mut self, note: &str) -> Self {
        self.0.message.push_str(note);
        self
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was tried. `None` while a client is being set up.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// The status of the answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The server's own words (`detail`, RFC 7644 §3.12), on one line of at most 300 bytes.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The server's keyword for the error (RFC 7644 §3.12, table 9), such as `uniqueness`.
    #[must_use]
    pub fn scim_type(&self) -> Option<&str> {
        self.0.scim_type.as_deref()
    }

    /// Whether the same request may succeed later. For a write, look at
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

    /// How long the server asked to wait before the next request, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Where the server pointed, for a redirect: without user, query and fragment, and not
    /// followed.
    #[must_use]
    pub fn redirect_target(&self) -> Option<&str> {
        self.0.redirect.as_deref()
    }

    /// How often the request was sent; 0 if it was refused before that.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What became of the write. `None` if it was not a write.
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
            (Some(WriteOutcome::NotApplied), _) => "; nothing was changed",
            (Some(WriteOutcome::Unknown), _) => "; whether it was applied is not known",
        });
        sentence
    }
}

impl ErrorKind {
    fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
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

/// What `main` prints when it returns an error: the sentence, and what is underneath.
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
