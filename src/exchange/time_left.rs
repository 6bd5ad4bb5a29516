use std::time::Duration;

/// How long an [`HttpClient`](crate::blocking::HttpClient) may take for a request, if that is less
/// than its own timeout: what is left of the deadline over all attempts.
///
/// It travels in the request's extensions, for a client of your own to keep to.
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
