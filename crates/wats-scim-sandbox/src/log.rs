//! The requests that a server has received.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, StatusCode};

use crate::example::example;

/// A request that a server of this crate received, unchanged.
///
/// `Debug` redacts the value of `Authorization`.
///
#[doc = example!("{RecordedRequest, Sandbox}":
    "let sandbox = Sandbox::start()?;\n",
    "send(\"GET\", &format!(\"{}/Users?count=1\", sandbox.scim_url()), sandbox.token(), \"\")?;\n",
    "let request: RecordedRequest = sandbox.requests().remove(0);\n",
    "assert_eq!(request.target, \"/api/SCIM/v2/Users?count=1\");\n",
    "assert!(!format!(\"{request:?}\").contains(sandbox.token()));",
)]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method.
    pub method: Method,
    /// The request target: path and query, with the percent-encoding of the client.
    pub target: String,
    /// All headers, in order. The value of `Authorization` is marked as sensitive.
    pub headers: HeaderMap,
    /// The body, without transfer coding; empty if the request had none.
    pub body: Vec<u8>,
    /// The status of the answer; `None` until the request is answered.
    pub status: Option<StatusCode>,
}

/// Identifies a request in the log, even after earlier ones were cleared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket(usize);

/// All requests since the start, or since the last [`clear`](Self::clear), in order.
#[derive(Debug, Default)]
pub(super) struct Log {
    cleared: usize,
    requests: Vec<RecordedRequest>,
}

impl Log {
    /// Adds a request without an answer.
    pub(super) fn received(&mut self, request: &Request<Vec<u8>>) -> Ticket {
        let mut headers = request.headers().clone();
        if let Some(credentials) = headers.get_mut(AUTHORIZATION) {
            credentials.set_sensitive(true);
        }
        self.requests.push(RecordedRequest {
            method: request.method().clone(),
            target: request.uri().to_string(),
            headers,
            body: request.body().clone(),
            status: None,
        });
        Ticket(self.cleared + self.requests.len() - 1)
    }

    /// Sets the status of the answer.
    pub(super) fn answered(&mut self, Ticket(number): Ticket, status: StatusCode) {
        let index = number.checked_sub(self.cleared);
        if let Some(request) = index.and_then(|index| self.requests.get_mut(index)) {
            request.status = Some(status);
        }
    }

    pub(super) fn requests(&self) -> &[RecordedRequest] {
        &self.requests
    }

    pub(super) fn clear(&mut self) {
        self.cleared += self.requests.len();
        self.requests.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str) -> Request<Vec<u8>> {
        let request = Request::get(target).header(AUTHORIZATION, "Basic secret");
        request.body(Vec::new()).unwrap()
    }

    #[test]
    fn a_target_keeps_its_percent_encoding() {
        let mut log = Log::default();
        log.received(&request("/Users/userName=a%2Fb+c%23?x=%20"));
        assert_eq!(log.requests()[0].target, "/Users/userName=a%2Fb+c%23?x=%20");
    }

    #[test]
    fn an_answer_to_a_cleared_request_does_not_change_another_request() {
        let mut log = Log::default();
        let first = log.received(&request("/1"));
        log.clear();
        log.received(&request("/2"));
        log.answered(first, StatusCode::OK);
        assert_eq!(log.requests()[0].status, None);
    }

    #[test]
    fn debug_shows_no_credentials() {
        let mut log = Log::default();
        log.received(&request("/"));
        assert!(!format!("{log:?}").contains("secret"));
    }
}
