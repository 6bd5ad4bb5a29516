//! How far a request got before ureq failed.

use std::io::{self, Read};

use ureq::{Error as UreqError, Timeout};

use crate::error::TransportError;

/// Whether a failed request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Its body was not sent completely, so the server cannot have acted on it.
    NotWhole,
    /// It may have been sent completely.
    Perhaps,
    /// Unknown, because it has no body; the error decides.
    NotKnown,
}

/// The body of a request. ureq reads it after it has connected and sent the head, and does not report
/// in any other way that it got that far.
pub(super) struct RequestBody<'a> {
    rest: &'a [u8],
    is_begun: bool,
}

impl<'a> RequestBody<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: body, is_begun: false }
    }

    pub(super) fn sent(&self) -> Sent {
        if self.is_begun { Sent::Perhaps } else { Sent::NotWhole }
    }
}

impl Read for RequestBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.is_begun = true;
        self.rest.read(buffer)
    }
}

/// Classifies a failure as exactly as possible. A request that may have been sent is never reported as
/// not sent.
pub(super) fn failure(error: UreqError, sent: Sent) -> TransportError {
    // An I/O error may contain an error of ureq.
    let error = if let UreqError::Io(error) = error { UreqError::from(error) } else { error };
    match error {
        UreqError::Timeout(Timeout::Resolve | Timeout::Connect) => TransportError::not_connected(error),
        UreqError::Timeout(_) => TransportError::timeout(error),
        UreqError::Io(error) if error.kind() == io::ErrorKind::TimedOut => TransportError::timeout(error),
        error => match sent {
            Sent::NotWhole => TransportError::not_connected(error),
            Sent::Perhaps => TransportError::interrupted(error),
            Sent::NotKnown => by_error(error),
        },
    }
}

fn by_error(error: UreqError) -> TransportError {
    match error {
        UreqError::Io(error) if is_of_connecting(&error) => TransportError::not_connected(error),
        UreqError::Io(error) => TransportError::from(error),
        UreqError::BadUri(_)
        | UreqError::HostNotFound
        | UreqError::ConnectionFailed
        | UreqError::ConnectProxyFailed(_)
        | UreqError::Tls(_)
        | UreqError::TlsRequired
        | UreqError::Rustls(_) => TransportError::not_connected(error),
        other => TransportError::interrupted(other),
    }
}

/// Whether an error can only come from name resolution or from the TLS handshake.
fn is_of_connecting(error: &io::Error) -> bool {
    let Some(inner) = error.get_ref() else { return false };
    match inner.downcast_ref::<rustls::Error>() {
        Some(error) => {
            matches!(
                error,
                rustls::Error::InvalidCertificate(_)
                    | rustls::Error::NoCertificatesPresented
                    | rustls::Error::PeerIncompatible(_)
            )
        }
        // The standard library has no error kind for this.
        None => inner.to_string().starts_with("failed to lookup address information"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: [Sent; 3] = [Sent::NotWhole, Sent::Perhaps, Sent::NotKnown];

    fn never_sent(error: impl Fn() -> UreqError) -> [bool; 3] {
        EVERY.map(|sent| failure(error(), sent).never_sent())
    }

    #[test]
    fn a_body_that_was_not_read_was_not_sent() {
        let mut body = RequestBody::new(b"{}");
        assert_eq!(body.sent(), Sent::NotWhole);
        let mut sent = String::new();
        body.read_to_string(&mut sent).unwrap();
        assert_eq!((body.sent(), sent.as_str()), (Sent::Perhaps, "{}"));
    }

    #[test]
    fn only_requests_that_were_not_sent_are_reported_as_not_sent() {
        let io = |kind: io::ErrorKind| move || UreqError::Io(kind.into());
        let rustls = |error: rustls::Error| move || UreqError::Io(io::Error::other(error.clone()));
        assert_eq!(never_sent(io(io::ErrorKind::ConnectionReset)), [true, false, false]);
        assert_eq!(never_sent(io(io::ErrorKind::UnexpectedEof)), [true, false, false]);
        assert_eq!(never_sent(io(io::ErrorKind::ConnectionRefused)), [true, false, true]);
        assert_eq!(never_sent(rustls(rustls::Error::NoCertificatesPresented)), [true, false, true]);
        assert_eq!(never_sent(rustls(rustls::Error::DecryptError)), [true, false, false]);
        assert_eq!(never_sent(|| UreqError::HostNotFound), [true, false, true]);
        assert_eq!(never_sent(|| UreqError::Timeout(Timeout::Connect)), [true; 3]);
        assert_eq!(never_sent(|| UreqError::Timeout(Timeout::Global)), [false; 3]);
        assert_eq!(never_sent(|| UreqError::Io(io::Error::other(UreqError::HostNotFound))), [true, false, true]);
    }
}
