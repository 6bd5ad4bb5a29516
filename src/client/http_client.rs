use http::{Request, Response};

use super::{example, maybe_async};
use crate::error::TransportError;

/// Sends HTTP requests: the transport of a client.
///
/// Every closure with the signature of [`send`](Self::send) implements it, so another HTTP library or
/// a test can replace the built-in transport.
///
/// An implementation returns an answer with any status as `Ok`. It must not follow redirects, which
/// would send the credentials to another server, and must not retry. It should limit the time of a
/// request and the size of a body; [`TimeLeft`](crate::transport::TimeLeft) is the time that remains
/// for an operation.
///
#[doc = example!(
    "use http::{Request, Response};\n\
     use wats_scim::transport::TransportError;\n\n\
     let unplugged = |_request: Request<Vec<u8>>| " async "{\n    \
         Err::<Response<Vec<u8>>, _>(TransportError::not_connected(\"the cable is unplugged\"))\n\
     };\n\
     let config = ScimConfig::new(\"https://acme.wats.com\", Credentials::wats_token(\"dTpw\"))\n    \
         .retry(RetryPolicy::none());\n\
     let client = ScimService::with_http_client(&config, unplugged)?;\n\
     let error = client.get_user(\"1\")" await ".unwrap_err();\n\
     assert_eq!(error.kind(), ErrorKind::Connection);"
)]
#[maybe_async(AFIT)]
pub trait HttpClient: Send + Sync + 'static {
    /// Sends one request and returns its answer.
    ///
    /// # Errors
    ///
    /// A [`TransportError`] if no complete answer was received. It reports whether the request may have
    /// reached the server, which decides whether a write is retried.
    fn send(&self, request: Request<Vec<u8>>)
    -> impl Future<Output = Result<Response<Vec<u8>>, TransportError>> + Send;
}
