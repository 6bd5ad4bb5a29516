use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use reqwest::redirect::Policy;
use reqwest::{Client, Proxy};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};

use super::{HttpClient, HttpScimRepository, ScimService};
use crate::body_limit::BodyLimit;
use crate::config::ScimConfig;
use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::tls;
use crate::transport_error::TransportError;
use crate::wire::TimeLeft;

/// The async client: a [`ScimService`] over [`Reqwest`]. It runs on tokio.
pub type ScimClient = ScimService<HttpScimRepository<Reqwest>>;

impl ScimClient {
    /// A client with every setting at its default.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn connect(base_url: impl Into<String>, credentials: Credentials) -> Result<Self> {
        Self::new(&ScimConfig::new(base_url, credentials))
    }

    /// A client with settings of your own. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if a setting cannot be used.
    pub fn new(config: &ScimConfig) -> Result<Self> {
        Self::over(config, Reqwest::new(config)?)
    }
}

/// The transport of the async face. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Reqwest {
    client: Client,
    timeout: Duration,
    body_limit: BodyLimit,
}

impl Reqwest {
    /// A transport with these settings.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the proxy or a root certificate cannot
    /// be used.
    pub fn new(config: &ScimConfig) -> Result<Self> {
        // The proxy is chosen by the configuration, so reqwest is not to look for one.
        let mut builder = Client::builder().no_proxy();
        if let Some(url) = config.proxy_url()? {
            let proxy = Proxy::all(url.expose());
            builder =
                builder.proxy(proxy.map_err(|_| Error::invalid("the proxy is not of the form http://host:port"))?);
        }
        let client = builder
            .tls_backend_preconfigured(tls_config(config)?)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .timeout(config.timeout)
            .connect_timeout(config.connect_timeout)
            .build()
            .map_err(|error| Error::invalid("the HTTP client cannot be set up").with_source(error.without_url()))?;
        Ok(Self { client, timeout: config.timeout, body_limit: BodyLimit(config.max_response_bytes) })
    }
}

fn tls_config(config: &ScimConfig) -> Result<ClientConfig> {
    // As ureq chooses it: the one that the application has installed, or else ring.
    let provider = CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()));
    let failed = |error: rustls::Error| Error::invalid("TLS cannot be set up").with_source(error);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let mut tls = match tls::trusted(config)? {
        None => {
            let verifier = rustls_platform_verifier::Verifier::new(provider).map_err(failed)?;
            // Not dangerous: it is how rustls takes the operating system's own verifier.
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
        Some(trusted) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(trusted);
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

impl HttpClient for Reqwest {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let time_left = request.extensions().get::<TimeLeft>().copied();
        let mut request = reqwest::Request::try_from(request).map_err(failure)?;
        if let Some(TimeLeft(left)) = time_left {
            *request.timeout_mut() = Some(left.min(self.timeout));
        }
        let mut response = self.client.execute(request).await.map_err(failure)?;
        let mut body = Vec::with_capacity(self.body_limit.capacity(response.content_length()));
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if self.body_limit.is_exceeded_by(body.len().saturating_add(chunk.len())) {
                return Err(TransportError::too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = Response::new(body);
        *answer.status_mut() = response.status();
        *answer.version_mut() = response.version();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

/// How far the request had come when it failed. A URL in the error may name a person.
fn failure(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() || error.is_builder() {
        TransportError::not_connected(error)
    } else if error.is_timeout() {
        TransportError::timeout(error)
    } else {
        TransportError::interrupted(error)
    }
}
