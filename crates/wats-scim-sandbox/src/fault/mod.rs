//! A proxy that injects faults.

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
use crate::example::example;
use crate::server::lock;

pub use self::builder::FaultProxyBuilder;
pub use self::kind::Fault;
pub use self::rule::FaultRule;

/// A proxy on a loopback port, between a client and a server, that injects faults.
///
/// Give [`base_url`](Self::base_url) to the client instead of the address of the server. The
/// [`FaultRule`]s of the proxy decide which requests get a [`Fault`]: a reset, a stall, a truncated
/// answer, a gateway error and so on. All other requests pass unchanged. Connections are kept alive on
/// both sides. Dropping the proxy closes all connections and stops it.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use http::Method;
/// use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox};
///
/// let sandbox = Sandbox::start()?;
/// // The first create is applied, but its answer is lost.
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

/// A fault that a [`FaultProxy`] injected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InjectedFault {
    /// The fault.
    pub fault: Fault,
    /// The method of the request.
    pub method: Method,
    /// The request target: path and query, unchanged.
    pub target: String,
    /// The status of the answer of the server; `None` if the request was not forwarded.
    ///
    /// A write was applied if this is a success.
    pub upstream_status: Option<StatusCode>,
}

impl InjectedFault {
    /// Whether the server received the request before it failed.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::one_of([Fault::Html])).start()?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert!(!proxy.injected()[0].was_forwarded());",
    )]
    #[must_use]
    pub fn was_forwarded(&self) -> bool {
        self.upstream_status.is_some()
    }
}

impl FaultProxy {
    /// Starts a proxy without rules in front of a server on this machine.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::before(sandbox.base_url())?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert_eq!(sandbox.requests().len(), 1);",
    )]
    ///
    /// # Errors
    ///
    /// As [`FaultProxyBuilder::start`].
    pub fn before(upstream_base_url: &str) -> io::Result<Self> {
        Self::builder(upstream_base_url).start()
    }

    /// Builds a proxy in front of a server on this machine, usually
    /// [`Sandbox::base_url`](super::Sandbox::base_url).
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(Fault::Html)).start()?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert!(sandbox.requests().is_empty());",
    )]
    pub fn builder(upstream_base_url: &str) -> FaultProxyBuilder {
        FaultProxyBuilder::new(upstream_base_url)
    }

    /// The base URL for a client: the base URL of the server with the port of the proxy.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::before(sandbox.scim_url())?;\n",
        "assert!(proxy.base_url().ends_with(\"/api/SCIM/v2\"));\n",
        "assert_ne!(proxy.base_url(), sandbox.scim_url());",
    )]
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Adds a rule after the existing ones.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::before(sandbox.base_url())?;\n",
        "proxy.add_rule(FaultRule::new(Fault::Html).times(1));\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert_eq!(proxy.injected_count(), 1);",
    )]
    pub fn add_rule(&self, rule: FaultRule) {
        lock(&self.shared.rules).add(rule);
    }

    /// Replaces all rules. Without rules, every request passes.
    ///
    /// Faults in progress still happen.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(Fault::Html)).start()?;\n",
        "proxy.set_rules([]);\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert_eq!(proxy.injected_count(), 0);",
    )]
    pub fn set_rules(&self, rules: impl IntoIterator<Item = FaultRule>) {
        lock(&self.shared.rules).set(rules.into_iter().collect());
    }

    /// All injected faults since the start, in order.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(Fault::HtmlAfterApplied)).start()?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "let injected = &proxy.injected()[0];\n",
        "assert_eq!((&injected.fault, injected.method.as_str()), (&Fault::HtmlAfterApplied, \"GET\"));\n",
        "assert_eq!(injected.upstream_status.map(|status| status.as_u16()), Some(404));",
    )]
    #[must_use]
    pub fn injected(&self) -> Vec<InjectedFault> {
        lock(&self.shared.injected).clone()
    }

    /// The number of injected faults since the start.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "assert_eq!(FaultProxy::before(sandbox.base_url())?.injected_count(), 0);",
    )]
    #[must_use]
    pub fn injected_count(&self) -> usize {
        lock(&self.shared.injected).len()
    }

    /// Simulates a server that is down: `true` closes the listener, so that connections are refused;
    /// `false` opens it again on the same port.
    ///
    /// Open connections are closed after the answer in flight.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::before(sandbox.base_url())?;\n",
        "proxy.refuse_connections(true)?;\n",
        "assert!(send(\"GET\", proxy.base_url(), sandbox.token(), \"\").is_err());\n",
        "proxy.refuse_connections(false)?;\n",
        "assert!(send(\"GET\", proxy.base_url(), sandbox.token(), \"\").is_ok());",
    )]
    ///
    /// # Errors
    ///
    /// If another process has bound the port in the meantime. The proxy reserves the port if the
    /// operating system allows that.
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
