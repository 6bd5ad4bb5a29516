use std::time::Duration;

/// The time limit of a request: what is left of the deadline of its operation over all attempts, or the
/// timeout of [`with_timeout`](crate::blocking::ScimService::with_timeout) if that is shorter.
///
/// It is in the extensions of the request if it differs from [`ScimConfig::timeout`](crate::ScimConfig::timeout).
/// An [`HttpClient`](crate::blocking::HttpClient) of your own should fail when this time is over.
///
/// ```
/// use wats_scim::transport::TimeLeft;
///
/// let request = http::Request::new(Vec::<u8>::new());
/// let time_left = request.extensions().get::<TimeLeft>().map(|left| left.0);
/// assert_eq!(time_left, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLeft(pub Duration);
