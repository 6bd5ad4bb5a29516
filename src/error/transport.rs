use std::error::Error as StdError;
use std::fmt;
use std::io;

/// Why an [`HttpClient`](crate::blocking::HttpClient) got no answer.
///
/// The kind decides what is safe to do next, so an `HttpClient` of your own should name it as
/// exactly as it can; [`interrupted`](Self::interrupted) is always right.
///
/// ```
/// use wats_scim::transport::TransportError;
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// assert!(TransportError::from(refused).never_sent());
/// ```
#[derive(Debug)]
pub struct TransportError {
    pub(crate) kind: TransportErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransportErrorKind {
    NotConnected,
    Timeout,
    Interrupted,
    TooLarge,
}

impl TransportError {
    /// No connection was made, so the request cannot have reached the server.
    pub fn not_connected(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: TransportErrorKind::NotConnected, source: Some(source.into()) }
    }

    /// No whole answer came in time; the request may have reached the server.
    pub fn timeout(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: TransportErrorKind::Timeout, source: Some(source.into()) }
    }

    /// The exchange broke; the request may have reached the server.
    pub fn interrupted(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: TransportErrorKind::Interrupted, source: Some(source.into()) }
    }

    /// The answer's body was larger than allowed, after decompression.
    #[must_use]
    pub fn too_large() -> Self {
        Self { kind: TransportErrorKind::TooLarge, source: None }
    }

    /// Whether it is certain that the request never reached the server.
    #[must_use]
    pub fn never_sent(&self) -> bool {
        self.kind == TransportErrorKind::NotConnected
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::NotConnected => "no connection was made",
            TransportErrorKind::Timeout => "no whole answer came in time",
            TransportErrorKind::Interrupted => "the exchange was interrupted",
            TransportErrorKind::TooLarge => "the answer is larger than allowed",
        })
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<io::Error> for TransportError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
        match error.kind() {
            ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable => Self::not_connected(error),
            TimedOut => Self::timeout(error),
            _ => Self::interrupted(error),
        }
    }
}
