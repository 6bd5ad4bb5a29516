//! What the portal lets in, and the headers that it sends along.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{self, Body};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::Problem;

/// Nothing but the style is loaded, and no script runs.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer`, browsers would say `Origin: null` of the portal's own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// More than any form of the portal.
const LARGEST_BODY: usize = 64 << 10;

/// What a request must fulfil.
#[derive(Clone)]
pub(crate) struct Guard {
    /// The address of the portal, as browsers name it.
    host: Arc<str>,
    /// How long a browser may take to send a form.
    pub(crate) time_for_body: Duration,
}

impl Guard {
    pub(crate) fn new(host: &str) -> Self {
        Self { host: host.into(), time_for_body: Duration::from_secs(10) }
    }

    async fn answer(&self, request: Request, next: Next) -> Result<Response, Problem> {
        // Another site can make its own name lead to this machine (DNS rebinding).
        if only(request.headers(), &header::HOST) != Some(&self.host) {
            let sentence = format!("The portal is at http://{}/.", self.host);
            return Err(Problem::new(StatusCode::FORBIDDEN, &sentence));
        }
        if request.method().is_safe() {
            return Ok(next.run(request).await);
        }
        if !is_from(&self.host, request.headers()) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "This did not come from a page of the portal."));
        }
        let (head, body) = request.into_parts();
        let body = timeout(self.time_for_body, body::to_bytes(body, LARGEST_BODY)).await;
        let body = body.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "The form took too long to arrive."))?;
        let body = body.map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The form is too large."))?;
        Ok(next.run(Request::from_parts(head, Body::from(body))).await)
    }
}

/// Rejects requests to another host, and changes that do not come from the portal's own pages.
pub(crate) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = guard.answer(request, next).await.into_response();
    response.headers_mut().extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// Browsers name the origin of a POST in headers that no page can set: in `Origin`, and unless they
/// are old in `Sec-Fetch-Site`.
fn is_from(host: &str, headers: &HeaderMap) -> bool {
    let origin = only(headers, &header::ORIGIN).and_then(|origin| origin.strip_prefix("http://"));
    let site_name = HeaderName::from_static("sec-fetch-site");
    let is_same_site = !headers.contains_key(&site_name)
        || only(headers, &site_name).is_some_and(|site| site == "same-origin" || site == "none");
    origin == Some(host) && is_same_site
}

/// The value of a header that is sent once. Of several, another program may read another one.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())?.to_str().ok()
}
