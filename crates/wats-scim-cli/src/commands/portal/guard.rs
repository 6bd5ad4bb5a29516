//! The requests that the portal accepts, and the headers of its answers.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::{self, Body};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::problem::Problem;
use super::site::Site;

/// Nothing but the portal's own style, script and icon is loaded.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer`, browsers would say `Origin: null` of the portal's own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// More than any form of the portal.
const LARGEST_BODY: usize = 64 << 10;

/// The address that a connection is from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// What a request must fulfil.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    site: Site,
    /// The other machines that are answered.
    proxies: Vec<IpAddr>,
    /// How long a browser may take to send a form.
    pub(super) time_for_body: Duration,
}

impl Guard {
    pub(super) fn new(site: Site, proxies: Vec<IpAddr>) -> Self {
        Self { site, proxies, time_for_body: Duration::from_secs(10) }
    }

    pub(super) fn site(&self) -> &Site {
        &self.site
    }

    async fn answer(&self, request: Request, next: Next) -> Result<Response, Problem> {
        let forbidden = |sentence: String| Problem::new(StatusCode::FORBIDDEN, &sentence);
        if !request.extensions().get::<Peer>().is_some_and(|peer| self.answers(*peer)) {
            return Err(forbidden("The portal answers only its own machine and its reverse proxy.".to_owned()));
        }
        // Another site can make its own name lead to this machine (DNS rebinding).
        if only(request.headers(), &header::HOST) != Some(self.site.host()) {
            return Err(forbidden(format!("The portal is at {}/.", self.site.origin())));
        }
        if request.method().is_safe() {
            return Ok(next.run(request).await);
        }
        if !self.is_own(request.headers()) {
            return Err(forbidden("This did not come from a page of the portal: nothing was changed.".to_owned()));
        }
        let (head, body) = request.into_parts();
        let body = timeout(self.time_for_body, body::to_bytes(body, LARGEST_BODY)).await;
        let body = body.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "The form took too long to arrive."))?;
        let body = body.map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The form is too large."))?;
        Ok(next.run(Request::from_parts(head, Body::from(body))).await)
    }

    fn answers(&self, Peer(address): Peer) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.proxies.contains(&address)
    }

    /// Browsers say where a POST is from in headers that no page can set: in `Sec-Fetch-Site` unless they are old, and
    /// in `Origin` unless it is a script of the same origin that sends it.
    fn is_own(&self, headers: &HeaderMap) -> bool {
        let site_name = HeaderName::from_static("sec-fetch-site");
        let site = only(headers, &site_name);
        if !headers.contains_key(&header::ORIGIN) {
            return site == Some("same-origin");
        }
        let is_same_site = !headers.contains_key(&site_name) || matches!(site, Some("same-origin" | "none"));
        only(headers, &header::ORIGIN) == Some(self.site.origin().as_str()) && is_same_site
    }
}

/// Rejects requests to another host, and changes that do not come from the portal's own pages.
pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = guard.answer(request, next).await.into_response();
    let headers = response.headers_mut();
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    // What names people is kept nowhere.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The value of a header that is sent once. Of several, another program may read another one.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    std::str::from_utf8(value.as_bytes()).ok()
}
