//! Who uses the portal.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::guard::only;
use super::problem::Problem;
use super::router::Shared;
use super::sessions::{LONGEST, Sessions};
use super::sign_in::SignInPage;

/// A longer value of the header is no name.
const LONGEST_NAME: usize = 256;

/// How people are known.
pub(super) enum Door {
    /// By a header of the reverse proxy.
    Header(HeaderName),
    /// By their passwords.
    Passwords(Sessions),
}

/// The person who is signed in, for the trail.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) name: Arc<str>,
    /// Whether the portal, and not the proxy, signs people out.
    pub(super) signs_out: bool,
}

/// Admits requests of people who are signed in.
pub(super) async fn enter(State(portal): State<Shared>, mut request: Request, next: Next) -> Response {
    match &portal.door {
        Door::Header(name) => {
            let person = only(request.headers(), name).map(str::trim);
            let person = person.filter(|person| !person.is_empty() && person.len() <= LONGEST_NAME);
            let Some(person) = person.map(Arc::from) else {
                let sentence = "The portal is used through its reverse proxy, which did not say who you are.";
                return Problem::new(StatusCode::FORBIDDEN, sentence).into_response();
            };
            request.extensions_mut().insert(Person { name: person, signs_out: false });
        }
        Door::Passwords(sessions) => {
            let secret = secret(portal.has_tls, request.headers());
            let Some(person) = secret.and_then(|secret| sessions.person(secret, Instant::now())) else {
                // What was sent is lost, so it is not repeated after signing in.
                let to = if request.method().is_safe() { request.uri().to_string() } else { "/".to_owned() };
                return SignInPage::new(&to).answer(StatusCode::UNAUTHORIZED);
            };
            request.extensions_mut().insert(Person { name: person, signs_out: true });
        }
    }
    next.run(request).await
}

/// The name of the cookie. With TLS, browsers accept it from this host only.
fn cookie(has_tls: bool) -> &'static str {
    if has_tls { "__Host-wats-scim-portal" } else { "wats-scim-portal" }
}

/// The secret of the session, from the cookie.
pub(super) fn secret(has_tls: bool, headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == cookie(has_tls)).map(|(_, secret)| secret)
}

/// The header that keeps the secret of a session in the browser; an empty one removes it.
pub(super) fn set_cookie(has_tls: bool, secret: &str) -> String {
    let seconds = if secret.is_empty() { 0 } else { LONGEST.as_secs() };
    let tls = if has_tls { "; Secure" } else { "" };
    format!("{}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{tls}", cookie(has_tls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_sent_to_the_portal_only_and_no_script_reads_it() {
        let plain = set_cookie(false, "abc");
        assert_eq!(plain, "wats-scim-portal=abc; Path=/; Max-Age=36000; HttpOnly; SameSite=Strict");
        let gone = set_cookie(true, "");
        assert_eq!(gone, "__Host-wats-scim-portal=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b; xwats-scim-portal=1".parse().unwrap());
        headers.append(header::COOKIE, "wats-scim-portal=2; c".parse().unwrap());
        assert_eq!((secret(false, &headers), secret(true, &headers)), (Some("2"), None));
    }
}
