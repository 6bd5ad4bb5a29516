//! A server that behaves like the SCIM endpoint of WATS.

mod builder;
mod directory;
mod gate;
mod intake;
mod patch;
pub(crate) mod restrictions;
mod routes;

use std::fmt;
use std::io;

use self::routes::Wats;
use crate::example::example;
use crate::running::{Running, shared_methods};

pub use self::builder::SandboxBuilder;

/// A running server that behaves like the SCIM endpoint of WATS.
///
/// It starts in about a millisecond on a free port, so each test can have its own. Dropping it closes
/// all connections and stops it.
///
/// ```
/// use wats_scim_sandbox::Sandbox;
///
/// let sandbox = Sandbox::start()?;
/// assert!(sandbox.base_url().starts_with("http://127.0.0.1:"));
/// // Run a client with `sandbox.base_url()` and `sandbox.token()`, and then check the result:
/// assert!(sandbox.users().is_empty());
/// assert!(sandbox.requests().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Rules
///
/// - **Credentials**: `Basic` with [`token`](Self::token), or `Bearer` with an unexpired token from the
///   `/Token` route. Otherwise the answer is 401.
/// - **Create** ignores `id`, requires a `userName` that is unique ignoring letter case (409
///   `uniqueness`), and answers 201 with the user.
/// - **Patch** supports only `op: "replace"`, on `fullName`, `familyName`, `givenName`, `email`,
///   `roles`, `active`, `levels`, `productGroups` and `displayName`. Values are strings; `active` is a
///   boolean, `"True"` or `"False"`. A patch is all or nothing.
/// - **Roles, levels and product groups** must exist: [`ROLES`](Self::ROLES),
///   [`LEVELS`](Self::LEVELS), [`PRODUCT_GROUPS`](Self::PRODUCT_GROUPS). As on a real server, a patch
///   can add levels and product groups but not remove them.
/// - **Lists** are in the order of creation, with 100 users per page by default.
/// - **Errors** have the body of RFC 7644 §3.12.
///
/// Use [`builder`](Self::builder) to add users and quirks. For a server that follows the RFCs, see
/// [`StandardSandbox`](crate::StandardSandbox).
pub struct Sandbox {
    running: Running<Wats>,
}

impl Sandbox {
    /// The roles that exist.
    ///
    #[doc = example!("Sandbox": "assert_eq!(Sandbox::ROLES, [\"Administrator\", \"Manager\", \"Operator\", \"Viewer\"]);")]
    pub const ROLES: &'static [&'static str] = patch::ROLES;

    /// The levels that exist, for the extension attribute `levels`.
    ///
    #[doc = example!("Sandbox": "assert!(Sandbox::LEVELS.contains(&\"Level 1\"));")]
    pub const LEVELS: &'static [&'static str] = restrictions::LEVELS;

    /// The product groups that exist, for the extension attribute `productGroups`.
    ///
    #[doc = example!("Sandbox": "assert!(Sandbox::PRODUCT_GROUPS.contains(&\"Group A\"));")]
    pub const PRODUCT_GROUPS: &'static [&'static str] = restrictions::PRODUCT_GROUPS;

    /// Starts a server without users and without quirks.
    ///
    #[doc = example!("Sandbox": "assert!(Sandbox::start()?.users().is_empty());")]
    ///
    /// # Errors
    ///
    /// If a loopback port, a thread or a runtime is not available.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Builds a server with users, or with the quirks of real servers.
    ///
    #[doc = example!("Sandbox": "assert_eq!(Sandbox::builder().users(3).start()?.users().len(), 3);")]
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    shared_methods!("Sandbox", "char::is_numeric", "\"/api/SCIM/v2\"");
}

/// Redacts the token and the password.
impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sandbox").field(&self.running).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::time::{Duration, Instant};

    use super::*;

    /// Sends one request on a new connection, and returns the whole answer as text.
    fn send(sandbox: &Sandbox, method: &str, target: &str, body: &str) -> String {
        let address = sandbox.base_url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let token = sandbox.token();
        let length = body.len();
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {token}\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_answers_over_tcp() {
        let sandbox = Sandbox::builder().users(2).start().unwrap();
        let answer = send(&sandbox, "GET", "/api/SCIM/v2/Users", "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("\"totalResults\":2"), "{answer}");
    }

    #[test]
    fn a_created_user_is_stored() {
        let sandbox = Sandbox::start().unwrap();
        send(&sandbox, "POST", "/api/SCIM/v2/Users", r#"{"userName": "jane"}"#);
        assert_eq!(sandbox.users()[0]["userName"], "jane");
    }

    #[test]
    fn it_records_what_it_receives() {
        let sandbox = Sandbox::start().unwrap();
        send(&sandbox, "DELETE", "/api/SCIM/v2/Users/a%2Fb?x=+", "{}");
        let requests = sandbox.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].method, http::Method::DELETE);
        assert_eq!(requests[0].target, "/api/SCIM/v2/Users/a%2Fb?x=+");
        assert_eq!(requests[0].body, b"{}");
        assert_eq!(requests[0].status, Some(http::StatusCode::NOT_FOUND));
    }

    #[test]
    fn it_records_nothing_if_recording_is_off() {
        let sandbox = Sandbox::builder().record_requests(false).start().unwrap();
        send(&sandbox, "GET", "/", "");
        assert!(sandbox.requests().is_empty());
    }

    #[test]
    fn cleared_requests_are_gone() {
        let sandbox = Sandbox::start().unwrap();
        send(&sandbox, "GET", "/", "");
        sandbox.clear_requests();
        assert!(sandbox.requests().is_empty());
    }

    #[test]
    fn it_counts_connections() {
        let sandbox = Sandbox::start().unwrap();
        send(&sandbox, "GET", "/", "");
        send(&sandbox, "GET", "/", "");
        assert_eq!(sandbox.connections(), 2);
    }

    #[test]
    fn a_hook_answers_first() {
        let sandbox =
            Sandbox::builder().respond_with(|_| Some(http::Response::new(b"<html>".to_vec()))).start().unwrap();
        let answer = send(&sandbox, "GET", "/api/SCIM/v2/Users", "");
        assert!(answer.ends_with("<html>"), "{answer}");
    }

    #[test]
    fn latency_delays_the_answer() {
        let latency = Duration::from_millis(20);
        let sandbox = Sandbox::builder().latency(latency).start().unwrap();
        let sent = Instant::now();
        send(&sandbox, "GET", "/", "");
        assert!(sent.elapsed() >= latency);
    }

    #[test]
    fn a_dropped_sandbox_does_not_wait_for_its_answers() {
        let latency = Duration::from_secs(600);
        let sandbox = Sandbox::builder().latency(latency).start().unwrap();
        let address = sandbox.base_url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        drop(sandbox);
        // The end of the connection or an error, but not an answer.
        assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0);
    }

    #[test]
    fn debug_shows_no_secret() {
        let sandbox = Sandbox::start().unwrap();
        let shown = format!("{sandbox:?}");
        assert!(!shown.contains(sandbox.token()));
        assert!(!shown.contains(sandbox.password()));
    }

    #[test]
    fn it_can_be_shared_between_threads() {
        fn shareable<T: Send + Sync + 'static>() {}
        shareable::<Sandbox>();
        shareable::<SandboxBuilder>();
    }
}
