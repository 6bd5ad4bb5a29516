//! A server with the rules of WATS.

mod builder;
mod directory;
pub(crate) mod gate;
pub(crate) mod intake;
mod patch;
pub(crate) mod restrictions;
pub(crate) mod routes;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;

use self::gate::Account;
use crate::server::{Server, Shared, lock};

pub use self::builder::SandboxBuilder;

/// A running WATS SCIM server of your own.
///
/// It starts in about a millisecond, on a port that nobody else uses, so each test can have one.
/// Dropping it closes every connection and stops it.
///
/// ```
/// use wats_scim_sandbox::Sandbox;
///
/// let sandbox = Sandbox::start()?;
/// assert!(sandbox.base_url().starts_with("http://127.0.0.1:"));
/// // Point a client at `sandbox.base_url()`, with `sandbox.token()` as its API token, and then:
/// assert!(sandbox.users().is_empty());
/// assert!(sandbox.requests().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Its rules
///
/// - **Credentials**: `Basic` with [`token`](Self::token), or `Bearer` with a token that its
///   `/Token` route issued and that has not expired. Anything else is answered with 401.
/// - **Create** ignores the client's `id`, requires a `userName` that nobody has in any letter
///   case (409 `uniqueness`), and answers 201 with the user.
/// - **Patch** knows `op: "replace"` only, on `fullName`, `familyName`, `givenName`, `email`,
///   `roles`, `active`, `levels`, `productGroups` and `displayName`. Values are strings;
///   `active` is a boolean, or `"True"` and `"False"`. A patch is applied wholly or not at all.
/// - **Roles, levels and product groups** must exist: [`ROLES`](Self::ROLES),
///   [`LEVELS`](Self::LEVELS), [`PRODUCT_GROUPS`](Self::PRODUCT_GROUPS). As on a real server, a
///   patch only ever adds levels and product groups.
/// - **Lists** hold 100 users where no `count` is given, in the order of their creation.
/// - **Errors** have the body of RFC 7644 §3.12.
///
/// [`builder`](Self::builder) fills it with users and makes it misbehave, or makes it a complete
/// SCIM 2.0 server with [`standard`](SandboxBuilder::standard).
pub struct Sandbox {
    base_url: String,
    scim_url: String,
    account: Account,
    shared: Arc<Shared>,
    _server: Server,
}

impl Sandbox {
    /// The roles that a patch may give a user.
    pub const ROLES: &'static [&'static str] = patch::ROLES;

    /// The levels that exist, in the extension attribute `levels`.
    pub const LEVELS: &'static [&'static str] = restrictions::LEVELS;

    /// The product groups that exist, in the extension attribute `productGroups`.
    pub const PRODUCT_GROUPS: &'static [&'static str] = restrictions::PRODUCT_GROUPS;

    /// Starts a server that holds no users and keeps to the rules.
    ///
    /// # Errors
    ///
    /// If no loopback port can be bound, or no thread or runtime started.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Sets up a server with users in it, or with the quirks of real ones.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// What a client is given as the server's address: `http://127.0.0.1:PORT`.
    ///
    /// A WATS client appends `/api/SCIM/v2` to it.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The SCIM base: [`base_url`](Self::base_url) with `/api/SCIM/v2`, or with `/scim/v2` after
    /// [`standard`](SandboxBuilder::standard) or
    /// [`standard_path`](SandboxBuilder::standard_path).
    #[must_use]
    pub fn scim_url(&self) -> &str {
        &self.scim_url
    }

    /// The API token, to be sent as `Authorization: Basic <token>`.
    ///
    /// As in WATS, it is the base64 form of `user:password`.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.account.token
    }

    /// The name of the account that the API token belongs to: `sandbox`.
    #[must_use]
    pub fn user_name(&self) -> &str {
        &self.account.user_name
    }

    /// The account's password: a random one for each sandbox.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.account.password
    }

    /// The users as the server holds them now, in the order of their creation.
    #[must_use]
    pub fn users(&self) -> Vec<Value> {
        match &self.shared.standard {
            Some(standard) => lock(standard).resources("Users"),
            None => lock(&self.shared.state).directory.iter().cloned().collect(),
        }
    }

    /// The groups as the server holds them now, in the order of their creation.
    ///
    /// There are none unless the sandbox is [`standard`](SandboxBuilder::standard).
    #[must_use]
    pub fn groups(&self) -> Vec<Value> {
        self.shared.standard.as_ref().map(|standard| lock(standard).resources("Groups")).unwrap_or_default()
    }

    /// Every request received since the start, or since the last
    /// [`clear_requests`](Self::clear_requests), in the order they came in.
    ///
    /// Those that are not HTTP, or that broke off within their body, are not among them. Always
    /// empty after [`record_requests(false)`](SandboxBuilder::record_requests).
    #[must_use]
    pub fn requests(&self) -> Vec<crate::RecordedRequest> {
        lock(&self.shared.log).requests().to_vec()
    }

    /// Forgets the requests received so far.
    pub fn clear_requests(&self) {
        lock(&self.shared.log).clear();
    }

    /// How many TCP connections the server has accepted since the start.
    ///
    /// A client that reuses its connection makes one for many requests.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

/// Shows neither the token nor the password.
impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("scim_url", &self.scim_url)
            .field("user_name", &self.account.user_name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::time::{Duration, Instant};

    use super::*;

    /// Sends one request on a connection of its own; the whole answer as text.
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
    fn a_created_user_is_held() {
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
    fn it_records_nothing_if_told_so() {
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
    fn latency_is_waited_for() {
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
        // An end or an error, as long as it is not an answer.
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
