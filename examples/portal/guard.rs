//! What the portal lets in, and the headers that it sends along.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

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

/// Refuses what is for another host, and changes that do not come from the portal's own pages.
pub(crate) async fn guard(State(host): State<Arc<str>>, request: Request, next: Next) -> Response {
    let is_change = !request.method().is_safe();
    // Another site can make its own name lead to this machine (DNS rebinding).
    let mut response = if text(request.headers(), header::HOST) != Some(&host) {
        Problem::new(StatusCode::FORBIDDEN, &format!("The portal is at http://{host}/.")).into_response()
    } else if is_change && !is_from(&host, request.headers()) {
        Problem::new(StatusCode::FORBIDDEN, "This did not come from a page of the portal.").into_response()
    } else {
        next.run(request).await
    };
    response.headers_mut().extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// Browsers say where a POST comes from in headers that no page can set: in `Origin`, and unless they
/// are old in `Sec-Fetch-Site`.
fn is_from(host: &str, headers: &HeaderMap) -> bool {
    let origin = text(headers, header::ORIGIN).and_then(|origin| origin.strip_prefix("http://"));
    let site = headers.get("sec-fetch-site");
    origin == Some(host) && site.is_none_or(|site| site == "same-origin" || site == "none")
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
