use std::io::Read;

use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, AsSendBody, Body, Error as UreqError, Proxy, SendBody};

use super::failure::{RequestBody, Sent, failure};
use super::resolver::BriefResolver;
use super::{HttpClient, HttpScimRepository, ScimService};
use crate::body_limit::BodyLimit;
use crate::config::ScimConfig;
use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::tls;
use crate::transport_error::TransportError;
use crate::wire::TimeLeft;

/// The blocking client: a [`ScimService`] over [`Ureq`].
pub type ScimClient = ScimService<HttpScimRepository<Ureq>>;

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
        Self::over(config, Ureq::new(config)?)
    }
}

/// The transport of the blocking face. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Ureq {
    agent: Agent,
    body_limit: BodyLimit,
}

impl Ureq {
    /// A transport with these settings.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the proxy or a root certificate cannot
    /// be used.
    pub fn new(config: &ScimConfig) -> Result<Self> {
        let roots = match tls::trusted(config)? {
            None => RootCerts::PlatformVerifier,
            Some(trusted) => {
                let trusted: Vec<_> = trusted.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
                RootCerts::new_with_certs(&trusted)
            }
        };
        let tls =
            TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(tls::crypto_provider()).build();
        let proxy = config.proxy_url()?.map(|url| Proxy::new(url.expose())).transpose();
        let agent_config = Agent::config_builder()
            // The body of an error says what is wrong.
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy.map_err(|_| Error::invalid("the proxy is not of the form http://host:port"))?)
            .tls_config(tls)
            .timeout_global(Some(config.timeout))
            .timeout_connect(Some(config.connect_timeout))
            .max_idle_connections(256)
            .max_idle_connections_per_host(256)
            .build();
        let agent = Agent::with_parts(agent_config, DefaultConnector::default(), BriefResolver::default());
        Ok(Self { agent, body_limit: BodyLimit(config.max_response_bytes) })
    }
}

impl Ureq {
    fn run(&self, request: Request<impl AsSendBody>, time_left: Option<TimeLeft>) -> Result<Response<Body>, UreqError> {
        match time_left {
            None => self.agent.run(request),
            Some(TimeLeft(left)) => {
                self.agent.run(self.agent.configure_request(request).timeout_global(Some(left)).build())
            }
        }
    }
}

impl HttpClient for Ureq {
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let time_left = request.extensions().get::<TimeLeft>().copied();
        let (mut head, body) = request.into_parts();
        let response = if body.is_empty() {
            self.run(Request::from_parts(head, ()), time_left).map_err(|error| failure(error, Sent::NotKnown))?
        } else {
            head.headers.insert(CONTENT_LENGTH, body.len().into());
            let mut body = RequestBody::new(&body);
            let request = Request::from_parts(head, SendBody::from_reader(&mut body));
            self.run(request, time_left).map_err(|error| failure(error, body.sent()))?
        };
        let (head, body) = response.into_parts();
        let mut bytes = Vec::with_capacity(self.body_limit.capacity(body.content_length()));
        let read = body.into_reader().take(self.body_limit.0.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| failure(UreqError::from(error), Sent::Perhaps))?;
        if self.body_limit.is_exceeded_by(bytes.len()) {
            return Err(TransportError::too_large());
        }
        Ok(Response::from_parts(head, bytes))
    }
}
