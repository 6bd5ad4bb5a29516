use std::error::Error as StdError;
use std::fmt;
use std::io;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// The reason why an [`HttpClient`](crate::blocking::HttpClient) got no response.
///
/// The reason decides whether a retry is safe, so your own `HttpClient` should be as specific as
/// possible. If in doubt, [`interrupted`](Self::interrupted) is always correct.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TransportErrorKind {
    NotConnected,
    NotProcessed,
    Timeout,
    Interrupted,
    TooLarge,
}

impl TransportError {
    /// The connection failed, so the request cannot have reached the server.
    pub fn not_connected(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: TransportErrorKind::NotConnected, source: Some(source.into()) }
    }

    /// The server has said that it did not process the request, and it can be sent again at once: with
    /// HTTP/2, an error `REFUSED_STREAM`, or a `GOAWAY` whose last stream is an earlier one (RFC 9113
    /// §6.8 and §8.7).
    pub fn not_processed(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: TransportErrorKind::NotProcessed, source: Some(source.into()) }
    }

    /// The request timed out. It may have reached the server.
    pub fn timeout(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: TransportErrorKind::Timeout, source: Some(source.into()) }
    }

    /// The connection broke. The request may have reached the server.
    pub fn interrupted(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: TransportErrorKind::Interrupted, source: Some(source.into()) }
    }

    /// The response body is larger than allowed, after decompression.
    #[must_use]
    pub fn too_large() -> Self {
        Self { kind: TransportErrorKind::TooLarge, source: None }
    }

    /// Returns whether the server certainly did not process the request, because it did not reach the
    /// server, or because the server says so.
    #[must_use]
    pub fn never_sent(&self) -> bool {
        matches!(self.kind, TransportErrorKind::NotConnected | TransportErrorKind::NotProcessed)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::NotConnected => "the connection failed",
            TransportErrorKind::NotProcessed => "the server did not process the request",
            TransportErrorKind::Timeout => "the request timed out",
            TransportErrorKind::Interrupted => "the connection broke during the request",
            TransportErrorKind::TooLarge => "the response is larger than allowed",
        })
    }
}

/// Serializes its `kind` and its `message`.
impl Serialize for TransportError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("TransportError", 2)?;
        object.serialize_field("kind", &self.kind)?;
        object.serialize_field("message", &self.to_string())?;
        object.end()
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
