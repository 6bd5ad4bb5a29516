//! The settings of a proxy.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex};

use http::Uri;
use tokio::sync::watch;

use super::FaultProxy;
use super::connection::Shared;
use super::rule::{FaultRule, Rules};
use super::worker::Worker;
use crate::example::example;
use crate::server;

/// Builds a [`FaultProxy`] from its server and rules.
///
/// ```
/// use std::time::Duration;
/// use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox};
///
/// let sandbox = Sandbox::start()?;
/// let proxy = FaultProxy::builder(sandbox.base_url())
///     .with_rule(FaultRule::new(Fault::Stall(Duration::from_secs(1))).times(1))
///     .with_rule(FaultRule::one_of([Fault::Truncate, Fault::CloseIdle]).probability(0.1))
///     .seed(42)
///     .start()?;
/// assert_eq!(proxy.injected_count(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct FaultProxyBuilder {
    upstream: String,
    rules: Vec<FaultRule>,
    seed: u64,
}

impl FaultProxyBuilder {
    pub(super) fn new(upstream: &str) -> Self {
        Self { upstream: upstream.to_owned(), rules: Vec::new(), seed: 0 }
    }

    /// Adds a rule. For each request, the first rule with a fault for it applies.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let proxy = FaultProxy::builder(sandbox.base_url())\n",
        "    .with_rule(FaultRule::new(Fault::Html).times(1))\n",
        "    .with_rule(FaultRule::new(Fault::Empty))\n",
        "    .start()?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "assert_eq!(proxy.injected()[1].fault, Fault::Empty);",
    )]
    pub fn with_rule(mut self, rule: FaultRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Sets the seed of the random choices; 0 by default.
    ///
    /// With the same seed, the same requests in the same order get the same faults.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "let half = FaultRule::new(Fault::Html).probability(0.5);\n",
        "let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(half.clone()).seed(7).start()?;\n",
        "let same = FaultProxy::builder(sandbox.base_url()).with_rule(half).seed(7).start()?;\n",
        "for _ in 0..8 {\n",
        "    send(\"GET\", proxy.base_url(), sandbox.token(), \"\")?;\n",
        "    send(\"GET\", same.base_url(), sandbox.token(), \"\")?;\n",
        "}\n",
        "assert_eq!(proxy.injected_count(), same.injected_count());",
    )]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Starts the proxy. It accepts connections when this returns. The server behind it does not have to
    /// run yet.
    ///
    #[doc = example!("{Fault, FaultProxy, FaultRule, Sandbox}":
        "let sandbox = Sandbox::start()?;\n",
        "assert!(FaultProxy::builder(sandbox.base_url()).start().is_ok());\n",
        "assert!(FaultProxy::builder(\"https://scim.example\").start().is_err());",
    )]
    ///
    /// # Errors
    ///
    /// If the base URL of the server is not an `http://` URL on this machine, or if a loopback port, a
    /// thread or a runtime is not available.
    pub fn start(self) -> io::Result<FaultProxy> {
        let (upstream, path) = upstream(&self.upstream)?;
        let (listener, address) = server::bind(0)?;
        let shared = Arc::new(Shared {
            upstream,
            rules: Mutex::new(Rules::new(self.rules, self.seed)),
            injected: Mutex::new(Vec::new()),
            refusing: watch::Sender::new(false),
        });
        let worker = Worker::spawn(listener, Arc::clone(&shared))?;
        Ok(FaultProxy { base_url: format!("http://{address}{path}"), shared, worker })
    }
}

/// The addresses of a server, and the path of its base URL without the trailing `/`.
fn upstream(base_url: &str) -> io::Result<(Vec<SocketAddr>, String)> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, format!("the upstream base URL {what}"));
    let uri: Uri = base_url.parse().map_err(|_| invalid("is not a URL"))?;
    if uri.scheme_str() != Some("http") {
        return Err(invalid("does not begin with http://"));
    }
    let host = uri.host().ok_or_else(|| invalid("has no host"))?;
    // `host` returns an IPv6 address in brackets.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = (host, uri.port_u16().unwrap_or(80)).to_socket_addrs()?;
    // On another machine, the proxy would disturb other users, and forward credentials.
    let addresses: Vec<_> = addresses.filter(|address| address.ip().is_loopback()).collect();
    if addresses.is_empty() {
        return Err(invalid("is not on this machine"));
    }
    Ok((addresses, uri.path().trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_path() {
        let (addresses, path) = upstream("http://127.0.0.1:81/scim/v2/").unwrap();
        assert_eq!((addresses, path.as_str()), (vec![([127, 0, 0, 1], 81).into()], "/scim/v2"));
        assert_eq!(upstream("http://[::1]").unwrap().0, [([0, 0, 0, 0, 0, 0, 0, 1], 80).into()]);
    }

    #[test]
    fn only_a_server_on_this_machine_is_accepted() {
        for base_url in ["", "127.0.0.1:80", "/x", "https://127.0.0.1", "http://192.0.2.1", "http://"] {
            let error = FaultProxy::before(base_url).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{base_url}");
        }
    }
}
