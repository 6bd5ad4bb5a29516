//! A proxy that makes requests fail, for testing what becomes of them.

mod builder;
mod canned;
mod connection;
mod kind;
mod message;
mod random;
mod rule;
#[cfg(test)]
mod tests;
mod worker;

use std::fmt;
use std::io;
use std::sync::Arc;

use http::{Method, StatusCode};

use self::connection::Shared;
use self::worker::Worker;
use super::server::lock;

pub use self::builder::FaultProxyBuilder;
pub use self::kind::Fault;
pub use self::rule::FaultRule;

/// A proxy on a loopback port that stands before a server and makes requests fail.
///
/// What you point at [`base_url`](Self::base_url) in place of the server meets resets, stalls,
/// truncated answers, gateway errors and other [`Fault`]s, as its [`FaultRule`]s say; what no rule
/// is for goes through unchanged. Connections are kept alive on both sides. Dropping the proxy
/// closes every connection and stops it.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use http::Method;
/// use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox};
///
/// let sandbox = Sandbox::start()?;
/// // The first creation is carried out, but its answer is lost.
/// let lost = FaultRule::new(Fault::ResetAfterApplied).on_method(Method::POST).times(1);
/// let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(lost).start()?;
///
/// let mut stream = TcpStream::connect(proxy.base_url().trim_start_matches("http://"))?;
/// let (token, body) = (sandbox.token(), r#"{"userName": "jane@example.com"}"#);
/// let length = body.len();
/// write!(
///     stream,
///     "POST /api/SCIM/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {token}\r\nContent-Length: {length}\r\n\r\n{body}"
/// )?;
/// assert!(stream.read_to_end(&mut Vec::new()).is_err());
/// assert_eq!(sandbox.users().len(), 1);
/// assert_eq!(proxy.injected()[0].fault, Fault::ResetAfterApplied);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FaultProxy {
    base_url: String,
    shared: Arc<Shared>,
    worker: Worker,
}

/// A fault that a [`FaultProxy`] brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InjectedFault {
    /// What it did.
    pub fault: Fault,
    /// The method of the request.
    pub method: Method,
    /// The request target, path and query, as it was sent.
    pub target: String,
    /// What the server answered; `None` if the request was not forwarded.
    ///
    /// A write was applied if this is a success.
    pub upstream_status: Option<StatusCode>,
}

impl InjectedFault {
    /// Whether the server had the request before it failed.
    #[must_use]
    pub fn was_forwarded(&self) -> bool {
        self.upstream_status.is_some()
    }
}

impl FaultProxy {
    /// A proxy before a server on this machine, without any rule yet.
    ///
    /// # Errors
    ///
    /// As [`FaultProxyBuilder::start`].
    pub fn before(upstream_base_url: &str) -> io::Result<Self> {
        Self::builder(upstream_base_url).start()
    }

    /// Sets up a proxy before a server on this machine, usually
    /// [`Sandbox::base_url`](super::Sandbox::base_url).
    pub fn builder(upstream_base_url: &str) -> FaultProxyBuilder {
        FaultProxyBuilder::new(upstream_base_url)
    }

    /// What a client is given as the server's address: that of the server behind it, with this
    /// proxy's port.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Adds a rule after those that it has.
    pub fn add_rule(&self, rule: FaultRule) {
        lock(&self.shared.rules).add(rule);
    }

    /// Puts these rules in the place of those that it has; none at all lets everything through.
    ///
    /// Requests that meet a fault by then are not spared.
    pub fn set_rules(&self, rules: impl IntoIterator<Item = FaultRule>) {
        lock(&self.shared.rules).set(rules.into_iter().collect());
    }

    /// Every fault since the start, in the order they were brought about.
    #[must_use]
    pub fn injected(&self) -> Vec<InjectedFault> {
        lock(&self.shared.injected).clone()
    }

    /// How many faults there were since the start.
    #[must_use]
    pub fn injected_count(&self) -> usize {
        lock(&self.shared.injected).len()
    }

    /// Whether the server is to be down: with `true` the listener is closed, so that connecting is
    /// refused, and with `false` it is opened again on the same port.
    ///
    /// Connections that are open close as soon as the answer under way is given.
    ///
    /// # Errors
    ///
    /// If the port was taken by somebody else meanwhile, which it holds on to if it can.
    pub fn refuse_connections(&self, refuse: bool) -> io::Result<()> {
        self.worker.refuse(refuse)
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy")
            .field("base_url", &self.base_url)
            .field("upstream", &self.shared.upstream)
            .field("injected_count", &self.injected_count())
            .finish_non_exhaustive()
    }
}
