use std::time::Duration;

/// The remaining time of an operation: what is left of the deadline over all attempts.
///
/// It is in the extensions of the request if it is shorter than the timeout of one request. An
/// [`HttpClient`](crate::blocking::HttpClient) of your own should fail when this time is over.
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
