use http::{Request, Response};

use super::maybe_async;
use crate::error::TransportError;

/// Something that sends a request and waits for the answer.
///
/// Any closure of that shape is one, so a stack of your own, an embedded one or a test can take
/// the place of this crate's transport.
///
/// An answer of any status is an answer, not an error. A client must not follow redirects (the
/// credentials would leave the server they are for), must not repeat a request, and should bound
/// its time and the size of the body.
#[maybe_async(AFIT)]
pub trait HttpClient: Send + Sync + 'static {
    /// Sends one request.
    ///
    /// # Errors
    ///
    /// A [`TransportError`] if there was no whole answer.
    fn send(&self, request: Request<Vec<u8>>)
    -> impl Future<Output = Result<Response<Vec<u8>>, TransportError>> + Send;
}
