//! What a client needs to know before its first request.

mod base_url;
mod bulk_limits;
mod credentials;
mod profile;
mod proxy;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod retry;
#[cfg(feature = "tls")]
pub(crate) mod tls;

use std::time::Duration;

pub(crate) use base_url::BaseUrl;
pub use bulk_limits::BulkLimits;
pub use credentials::Credentials;
pub use profile::Profile;
use proxy::Proxy;
#[cfg(feature = "rate-limit")]
pub(crate) use rate_limit::RateLimit;
pub use retry::RetryPolicy;

use crate::audit::Trail;
use crate::error::Secret;
use crate::error::{Error, Result};

/// Longer timeouts are cut to this, as adding them to the current time could overflow.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The settings of a client. Both transports obey all of them alike.
///
/// ```
/// use std::time::Duration;
/// use wats_scim::{Credentials, ScimConfig};
///
/// let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("d2F0czpzM2NyZXQ="))
///     .timeout(Duration::from_secs(10))
///     .user_agent("onboarding/1.0");
/// ```
#[derive(Clone, Debug)]
pub struct ScimConfig {
    base_url: String,
    pub(crate) credentials: Credentials,
    profile: Option<Profile>,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) user_agent: String,
    pub(crate) root_certificates: Vec<Vec<u8>>,
    proxy: Proxy,
    allow_plain_http: bool,
    pub(crate) retry: RetryPolicy,
    #[cfg(feature = "rate-limit")]
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) max_response_bytes: u64,
    pub(crate) audit: Option<Trail>,
}

impl ScimConfig {
    /// The server's address, and who asks.
    ///
    /// A WATS server is named with or without `/`, `/api` or `/api/SCIM/v2` at the end. Any other
    /// path makes it the SCIM base of another server, taken as it is and asked in the ways of
    /// RFC 7644; [`profile`](Self::profile) says otherwise. The address is checked when a client
    /// is made of it.
    #[must_use]
    pub fn new(base_url: impl Into<String>, credentials: Credentials) -> Self {
        Self {
            base_url: base_url.into(),
            credentials,
            profile: None,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            user_agent: concat!("wats-scim/", env!("CARGO_PKG_VERSION")).to_owned(),
            root_certificates: Vec::new(),
            proxy: Proxy::Environment,
            allow_plain_http: false,
            retry: RetryPolicy::default(),
            #[cfg(feature = "rate-limit")]
            rate_limit: None,
            max_response_bytes: 64 << 20,
            audit: None,
        }
    }

    /// The address in `WATS_BASE_URL`, with the WATS token in `WATS_TOKEN`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if one of them is not set or is empty.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let given = |name: &str, what: &str| {
            let value = lookup(name).filter(|value| !value.trim().is_empty());
            value.ok_or_else(|| Error::invalid(format!("the environment variable {name} is not set; set it to {what}")))
        };
        let base_url = given("WATS_BASE_URL", "the address of the server, such as https://acme.wats.com")?;
        let token = given("WATS_TOKEN", "a WATS API token")?;
        Ok(Self::new(base_url, Credentials::wats_token(token)))
    }

    /// What kind of server it is, where the address does not tell. With
    /// [`Profile::standard`] the address is taken as it is.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// How long one request may take, from the connection to the last byte of the body. 30 s by
    /// default, and a year at most.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// How long making a connection may take, within [`timeout`](Self::timeout). 10 s by default,
    /// and a year at most.
    #[must_use]
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// What the client calls itself. `wats-scim/<version>` by default.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Trusts the certificates in a PEM file besides those of the operating system. May be called
    /// more than once.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Goes through this HTTP proxy: `http://host:port`, or `http://user:password@host:port`.
    ///
    /// By default the environment decides, as it does for other programs: `https_proxy` or
    /// `all_proxy`, `http_proxy` for plain HTTP, but none for a host in `no_proxy` or on this
    /// machine.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.proxy = Proxy::Given(url.into());
        self
    }

    /// Goes through no proxy, whatever the environment says.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.proxy = Proxy::Direct;
        self
    }

    /// Allows plain `http://` to other machines, over which anybody on the way can read the
    /// credentials. To this machine it is always allowed.
    #[must_use]
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.allow_plain_http = allow;
        self
    }

    /// When a request is sent again.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sends at most so many requests in a period, evenly after the first burst of that many.
    /// Repeated requests count too. No limit by default.
    ///
    /// The clones of a client share the limit. A call that has to wait holds up no executor.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use std::time::Duration;
    /// use wats_scim::{Credentials, ScimConfig};
    ///
    /// let requests = NonZeroU32::new(100).unwrap_or(NonZeroU32::MIN);
    /// let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw"))
    ///     .rate_limit(requests, Duration::from_secs(60));
    /// ```
    #[cfg(feature = "rate-limit")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rate-limit")))]
    #[must_use]
    pub fn rate_limit(mut self, requests: std::num::NonZeroU32, period: Duration) -> Self {
        self.rate_limit = Some(RateLimit { requests, period });
        self
    }

    /// The largest body of an answer, in bytes after decompression. 64 MiB by default.
    #[must_use]
    pub fn max_response_bytes(mut self, bytes: u64) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Reports every write, of all clients that are made with this configuration. None by default.
    ///
    /// ```
    /// use wats_scim::{Credentials, ScimConfig};
    /// use wats_scim::audit::{Event, Trail};
    ///
    /// let audit = Trail::to(|event: &Event| println!("{event:?}")).label("nightly import");
    /// let config = ScimConfig::new("https://acme.wats.com", Credentials::wats_token("dTpw")).audit(audit);
    /// ```
    #[must_use]
    pub fn audit(mut self, audit: Trail) -> Self {
        self.audit = Some(audit);
        self
    }

    /// The base of the SCIM service, which is what an identity provider is given as its tenant
    /// URL.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the address cannot be used.
    ///
    /// ```
    /// use wats_scim::{Credentials, ScimConfig};
    ///
    /// let config = ScimConfig::new("https://acme.wats.com/", Credentials::wats_token("dTpw"));
    /// assert_eq!(config.scim_url()?, "https://acme.wats.com/api/SCIM/v2");
    /// # Ok::<(), wats_scim::Error>(())
    /// ```
    pub fn scim_url(&self) -> Result<String> {
        Ok(self.base_url()?.scim().to_owned())
    }

    /// The address to send to.
    pub(crate) fn base_url(&self) -> Result<BaseUrl> {
        BaseUrl::read(&self.base_url, self.profile.as_ref(), self.allow_plain_http)
    }

    /// The proxy to go through, as a URL.
    pub(crate) fn proxy_url(&self) -> Result<Option<Secret>> {
        self.proxy.url_for(&self.base_url()?, |name| std::env::var(name).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_gives_address_and_token() {
        let config = ScimConfig::from_lookup(|name| {
            Some(if name == "WATS_TOKEN" { "canary".into() } else { "https://acme.wats.com".into() })
        })
        .unwrap();
        assert_eq!(config.base_url().unwrap().scim(), "https://acme.wats.com/api/SCIM/v2");
        assert!(!format!("{config:?}").contains("canary"));
    }

    #[test]
    fn a_missing_variable_is_named() {
        for (set, missing) in [("WATS_TOKEN", "WATS_BASE_URL"), ("WATS_BASE_URL", "WATS_TOKEN")] {
            let error = ScimConfig::from_lookup(|name| (name == set).then(|| "x".into())).unwrap_err();
            assert!(error.to_string().contains(missing), "{error}");
        }
    }
}
