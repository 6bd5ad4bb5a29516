//! The settings of a client.

mod access_token;
mod base_url;
mod bulk_limits;
mod client_credentials;
mod connection;
mod credentials;
mod headers;
mod membership;
mod profile;
mod proxy;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod request_event;
mod retry;
#[cfg(feature = "tls")]
pub(crate) mod tls;
mod token_file;

use std::time::Duration;

pub use access_token::AccessToken;
pub(crate) use base_url::BaseUrl;
use base_url::GivenUrl;
pub use bulk_limits::BulkLimits;
pub use client_credentials::ClientCredentials;
#[cfg(feature = "tls")]
pub(crate) use client_credentials::PrivateKey;
pub(crate) use client_credentials::Proof;
pub use credentials::Credentials;
pub(crate) use credentials::{Origin, sensitive};
pub(crate) use headers::Header;
pub use membership::{MemberPages, Membership};
pub use profile::Profile;
use proxy::Proxy;
#[cfg(feature = "blocking")]
pub(crate) use proxy::ProxyChoice;
#[cfg(feature = "rate-limit")]
pub(crate) use rate_limit::RateLimit;
pub(crate) use request_event::Observer;
pub use request_event::{RequestEvent, RetryReason};
pub use retry::RetryPolicy;
pub(crate) use token_file::TokenFile;

use crate::audit::Trail;
use crate::error::{Error, Result};
use crate::error::{Secret, Secrets};

/// The longest timeout. Adding a longer one to the current time could overflow.
pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The settings of a client, the same for the blocking and the async API.
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
    base_url: GivenUrl,
    pub(crate) credentials: Credentials,
    profile: Option<Profile>,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) user_agent: String,
    pub(crate) headers: Vec<Header>,
    pub(crate) media_type: Option<String>,
    pub(crate) root_certificates: Vec<Vec<u8>>,
    pub(crate) client_certificate: Option<(Vec<u8>, Secret)>,
    proxy: Proxy,
    pub(crate) allow_plain_http: bool,
    pub(crate) allow_http2: bool,
    pub(crate) plain_json: bool,
    pub(crate) retry: RetryPolicy,
    #[cfg(feature = "rate-limit")]
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) max_response_bytes: u64,
    pub(crate) audit: Option<Trail>,
    pub(crate) observer: Option<Observer>,
}

impl ScimConfig {
    /// Creates settings from the server's base URL and the credentials.
    ///
    /// The path of a WATS server's URL is empty, or ends with `/api` or `/api/SCIM/v2`; a trailing
    /// `/` is ignored. A URL with any other path is the SCIM base URL of another server, used
    /// unchanged and with [`Profile::standard`]. Override this with [`profile`](Self::profile). The
    /// URL is validated when a client is created.
    #[must_use]
    pub fn new(base_url: impl Into<String>, credentials: Credentials) -> Self {
        Self {
            base_url: GivenUrl(base_url.into()),
            credentials,
            profile: None,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            user_agent: concat!("wats-scim/", env!("CARGO_PKG_VERSION")).to_owned(),
            headers: Vec::new(),
            media_type: None,
            root_certificates: Vec::new(),
            client_certificate: None,
            proxy: Proxy::Environment,
            allow_plain_http: false,
            allow_http2: false,
            plain_json: false,
            retry: RetryPolicy::default(),
            #[cfg(feature = "rate-limit")]
            rate_limit: None,
            max_response_bytes: 64 << 20,
            audit: None,
            observer: None,
        }
    }

    /// Creates settings from the environment: the base URL from `WATS_BASE_URL` and the WATS API
    /// token from `WATS_TOKEN`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if one of the variables is not set or
    /// empty.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let given = |name: &str, what: &str| {
            let value = lookup(name).filter(|value| !value.trim().is_empty());
            value.ok_or_else(|| Error::invalid(format!("the environment variable {name} is not set; set it to {what}")))
        };
        let base_url = given("WATS_BASE_URL", "the base URL of the server, such as https://acme.wats.com")?;
        let token = given("WATS_TOKEN", "a WATS API token")?;
        Ok(Self::new(base_url, Credentials::wats_token(token)))
    }

    /// Sets the kind of server. By default it follows from the base URL; see [`new`](Self::new).
    ///
    /// With [`Profile::standard`] the base URL is used unchanged. With [`Profile::wats`],
    /// `/api/SCIM/v2` is appended if it is missing.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// Sets the timeout of one request, from connecting to the last byte of the response body. 30 s
    /// by default, at most a year. Retries have timeouts of their own; see
    /// [`RetryPolicy::deadline`] for the time limit of an operation.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// Sets the timeout for connecting, within [`timeout`](Self::timeout). 10 s by default, at most
    /// a year.
    #[must_use]
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// Sets the `User-Agent` header. `wats-scim/<version>` by default.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Adds a header to every request, such as the tenant that some servers require. A later call with
    /// the same name replaces it. It is not sent to the token endpoint of
    /// [`Credentials::oauth2`].
    ///
    /// Headers that the client sets itself, such as `Content-Type` and `If-Match`, are rejected when a
    /// client is created. `Accept` can be replaced.
    ///
    /// ```
    /// use wats_scim::{Credentials, ScimConfig};
    ///
    /// let config = ScimConfig::new("https://scim.example.com/v2", Credentials::bearer("token"))
    ///     .header("X-Tenant", "acme")
    ///     .secret_header("X-Api-Key", "s3cret");
    /// assert!(!format!("{config:?}").contains("s3cret"));
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Header::Plain(name.into(), value.into()));
        self
    }

    /// Adds a header with a secret value, which is redacted in errors, logs and `Debug`; otherwise as
    /// [`header`](Self::header). With [`Credentials::none`] it can be an `Authorization` header with a
    /// scheme of the server's own.
    #[must_use]
    pub fn secret_header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.headers.push(Header::Secret(name.into(), value.into()));
        self
    }

    /// Sets the `Content-Type` of bodies, such as `application/scim+json;charset=utf-8`.
    /// `application/scim+json` by default. If a server rejects it with 415, bodies are sent as
    /// `application/json` instead; see [`plain_json`](Self::plain_json).
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// Sets whether bodies are sent as `application/json` instead of `application/scim+json`. Not by
    /// default; a client does so by itself after a server has rejected a request with 415, and sends that
    /// request again, also without retries: it was not processed.
    #[must_use]
    pub fn plain_json(mut self, plain: bool) -> Self {
        self.plain_json = plain;
        self
    }

    /// Sets when failed requests are retried.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Limits the number of requests per period. After an initial burst of `requests`, they are
    /// spread evenly. Retries count. No limit by default.
    ///
    /// Clones of a client share the limit. Waiting does not block an async executor.
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

    /// Sets the maximum size of a response body, in bytes after decompression. 64 MiB by default.
    ///
    /// A larger response fails with [`ResponseTooLarge`](crate::ErrorKind::ResponseTooLarge).
    #[must_use]
    pub fn max_response_bytes(mut self, bytes: u64) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Sets a function that is called once after each request to the server, for metrics: also after one
    /// that failed, is retried, or was cancelled. None by default, which costs nothing.
    ///
    /// Clones of the client share it. It is called on the thread of the request and holds it up, so it
    /// should be quick. If it panics, the request goes on. Requests to a token endpoint are not reported.
    ///
    /// ```
    /// use wats_scim::blocking::ScimClient;
    /// use wats_scim::{Credentials, ScimConfig};
    /// # let sandbox = wats_scim_sandbox::Sandbox::start()?;
    ///
    /// let config = ScimConfig::new(sandbox.base_url(), Credentials::wats_token(sandbox.token())).on_request(|request| {
    ///     let status = request.status.map(|status| status.as_u16());
    ///     println!("{} {} {status:?} in {:?}", request.method, request.endpoint, request.duration);
    /// });
    /// ScimClient::with_config(&config)?.get_user("4711")?; // GET /Users/{id} Some(404) in 1.2ms
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_request(mut self, on_request: impl Fn(&RequestEvent) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer::new(on_request));
        self
    }

    /// Sets the audit trail that records every write of all clients with these settings. None by
    /// default.
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

    /// Returns the SCIM base URL. It is the tenant URL to enter in an identity provider.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the base URL is not valid.
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

    /// Returns the validated base URL.
    pub(crate) fn base_url(&self) -> Result<BaseUrl> {
        BaseUrl::read(&self.base_url.0, self.profile.as_ref(), self.allow_plain_http)
    }

    /// The secrets to redact in every answer.
    pub(crate) fn secrets(&self) -> Secrets {
        self.credentials.secrets().with(self.headers.iter().filter_map(Header::secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_sets_base_url_and_token() {
        let config = ScimConfig::from_lookup(|name| {
            Some(if name == "WATS_TOKEN" { "canary".into() } else { "https://acme.wats.com".into() })
        })
        .unwrap();
        assert_eq!(config.base_url().unwrap().scim(), "https://acme.wats.com/api/SCIM/v2");
        assert!(!format!("{config:?}").contains("canary"));
    }

    #[test]
    fn debug_shows_no_password_of_a_base_url() {
        let shown = |url: &str| format!("{:?}", ScimConfig::new(url, Credentials::wats_token("x")));
        for url in ["https://u:canary@acme.wats.com", "https://acme.wats.com?token=canary", "u:canary%40acme.wats.com"]
        {
            assert!(!shown(url).contains("canary"), "{url}");
        }
        assert!(shown("https://acme.wats.com/api").contains("acme.wats.com"));
    }

    #[test]
    fn a_missing_variable_is_named() {
        for (set, missing) in [("WATS_TOKEN", "WATS_BASE_URL"), ("WATS_BASE_URL", "WATS_TOKEN")] {
            let error = ScimConfig::from_lookup(|name| (name == set).then(|| "x".into())).unwrap_err();
            assert!(error.to_string().contains(missing), "{error}");
        }
    }
}
