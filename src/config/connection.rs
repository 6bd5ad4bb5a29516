//! How a client connects to its server: certificates, proxy, and HTTP versions.

use super::ScimConfig;
use super::proxy::Proxy;
#[cfg(feature = "tls")]
use super::proxy::{ProxyChoice, Server};
#[cfg(feature = "tls")]
use crate::error::Result;
use crate::error::Secret;

impl ScimConfig {
    /// Sets the certificate that the client shows to the server (mutual TLS), and its private key, both
    /// in PEM format; the certificates of intermediate authorities follow the client's own. None by
    /// default. With [`Credentials::none`](crate::Credentials::none) it is all that the server knows the client by.
    ///
    /// ```
    /// use wats_scim::{Credentials, ScimConfig};
    ///
    /// # fn read() -> std::io::Result<()> {
    /// let certificate = std::fs::read("client.pem")?;
    /// let key = std::fs::read_to_string("client.key")?;
    /// let config = ScimConfig::new("https://scim.example.com/v2", Credentials::none())
    ///     .client_certificate(certificate, key);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn client_certificate(mut self, pem: impl Into<Vec<u8>>, private_key: impl Into<Secret>) -> Self {
        self.client_certificate = Some((pem.into(), private_key.into()));
        self
    }

    /// Adds PEM certificates to trust, in addition to those of the operating system. Can be called
    /// more than once.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Sets the proxy: `http://host:port`, `https://host:port`, `socks5://host:port` (the client resolves
    /// host names) or `socks5h://host:port` (the proxy does), each also with `user:password@`.
    ///
    /// By default the proxy comes from the environment: `https_proxy` or `all_proxy`. Hosts in
    /// `no_proxy` (names, addresses, networks such as `10.0.0.0/8`) and the local machine are reached
    /// without a proxy. A plain HTTP base URL cannot be combined with a proxy, which would receive
    /// the credentials.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.proxy = Proxy::Given(url.into());
        self
    }

    /// Disables the proxy, including one from the environment.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.proxy = Proxy::Direct;
        self
    }

    /// Sets whether plain `http://` to other machines is allowed. Not allowed by default, because
    /// the credentials are sent unencrypted. To the local machine it is always allowed.
    #[must_use]
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.allow_plain_http = allow;
        self
    }

    /// Sets whether the async client uses HTTP/2 if the server supports it over TLS. Not by default;
    /// the blocking client never does.
    ///
    /// With HTTP/2 all requests share one connection. That saves connections, but a server limits the
    /// requests on one connection, often to 100, and up to 16 requests in flight cost more processor
    /// time than with HTTP/1.1 (`benches/README.md` has the figures).
    #[must_use]
    pub fn allow_http2(mut self, allow: bool) -> Self {
        self.allow_http2 = allow;
        self
    }

    /// Returns the proxy that the built-in transports use for the server, without its user name and password:
    /// `http://proxy.example.com:8080`. `None` if they connect directly.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the base URL or the proxy is not valid.
    ///
    /// ```
    /// use wats_scim::{Credentials, ScimConfig};
    ///
    /// let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw"))
    ///     .proxy("http://user:s3cret@proxy.example.com:8080");
    /// assert_eq!(config.proxy_in_use()?.as_deref(), Some("http://proxy.example.com:8080"));
    /// assert_eq!(config.no_proxy().proxy_in_use()?, None);
    /// # Ok::<(), wats_scim::Error>(())
    /// ```
    #[cfg(any(feature = "blocking", feature = "async"))]
    pub fn proxy_in_use(&self) -> Result<Option<String>> {
        let host = self.base_url()?.host().to_owned();
        let choice = self.proxy_choice()?.filter(|choice| !choice.without.contains(&host));
        Ok(choice.map(|choice| choice.shown()))
    }

    /// Returns the proxy, if any.
    #[cfg(feature = "tls")]
    pub(crate) fn proxy_choice(&self) -> Result<Option<ProxyChoice>> {
        let base = self.base_url()?;
        let token_url = self.credentials.token_url(self.allow_plain_http)?;
        let token_server = token_url.as_ref().and_then(Server::of);
        let servers = std::iter::once(Server { host: base.host(), is_https: base.is_https() });
        let servers: Vec<_> = servers.chain(token_server).collect();
        self.proxy.choice(&servers, |name| std::env::var(name).ok())
    }
}
