use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use http::header::{CONNECTION, CONTENT_LENGTH};
use http::response::Parts;
use http::uri::Authority;
use http::{HeaderValue, Request, Response, Uri, Version};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body, Error as UreqError, Proxy, ProxyBuilder, SendBody, Timeout};

use super::failure::{RequestBody, Sent, failure};
use super::idle::IdleConnections;
use super::{HttpClient, HttpScimRepository, ScimService, example};
use crate::config::Credentials;
use crate::config::tls;
use crate::config::{ProxyChoice, ScimConfig};
use crate::error::TransportError;
use crate::error::{Error, Result};
use crate::exchange::BodyLimit;
use crate::exchange::TimeLeft;

/// The blocking client: a [`ScimService`] with the transport [`Ureq`].
pub type ScimClient = ScimService<HttpScimRepository<Ureq>>;

impl ScimClient {
    /// Creates a client with default settings.
    ///
    /// `base_url` is the address of a WATS server, such as `https://acme.wats.com`; for another
    /// server see [`ScimConfig::profile`]. No request is sent.
    ///
    /// # Errors
    ///
    /// As [`with_config`](Self::with_config).
    ///
    #[doc = example!(
        "assert!(client.get_users(&ListQuery::new().count(1))" await ".is_ok());"
    )]
    pub fn new(base_url: impl Into<String>, credentials: Credentials) -> Result<Self> {
        Self::with_config(&ScimConfig::new(base_url, credentials))
    }

    /// Creates a client with these settings. No request is sent.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if a setting is not valid: the base URL, the
    /// credentials, the proxy or a root certificate.
    ///
    #[doc = example!(
        "use std::time::Duration;\n\n\
         let config = ScimConfig::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()))\n    \
             .timeout(Duration::from_secs(10));\n\
         let client = ScimClient::with_config(&config)?;\n\
         assert!(client.get_users(&ListQuery::new().count(1))" await ".is_ok());"
    )]
    pub fn with_config(config: &ScimConfig) -> Result<Self> {
        Self::with_http_client(config, Ureq::new(config)?)
    }
}

/// The transport of the blocking client, based on ureq. A clone shares the connections.
///
/// The host name is resolved for every request, even if an open connection is reused. The headers of
/// an answer can be up to 32 KiB in total, the URL and each header of a request up to 16 KiB.
#[derive(Clone, Debug)]
pub struct Ureq {
    agent: Agent,
    /// Whether the agent was made here, with the settings that this transport needs.
    is_own: bool,
    /// Host and port of the server. A token endpoint can be elsewhere.
    server: Option<Authority>,
    idle: Arc<IdleConnections>,
    timeout: Duration,
    body_limit: BodyLimit,
}

impl Ureq {
    const INPUT: usize = 32 << 10;
    const OUTPUT: usize = 16 << 10;

    /// Creates a transport with the timeouts, the proxy, the root certificates and the size limit of
    /// a configuration.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the proxy or a root certificate is not
    /// valid.
    pub fn new(config: &ScimConfig) -> Result<Self> {
        let roots = match tls::trusted(config)? {
            None => RootCerts::PlatformVerifier,
            Some(trusted) => {
                let trusted: Vec<_> = trusted.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
                RootCerts::new_with_certs(&trusted)
            }
        };
        let proxy = config.proxy_choice()?.map(|choice| proxy(&choice)).transpose()?;
        let identity = match (tls::identity(config)?, &config.client_certificate) {
            (Some((certificates, _)), Some((_, key))) => {
                let certificates: Vec<_> =
                    certificates.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
                let key = PrivateKey::from_pem(key.expose().as_bytes());
                let key = key.map_err(|_| Error::invalid("the private key of the client certificate is not valid"))?;
                Some(ClientCert::new_with_certs(&certificates, key))
            }
            _ => None,
        };
        let agent = Agent::config_builder()
            // The body of an error answer contains the reason.
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .tls_config(TlsConfig::builder().root_certs(roots).client_cert(identity).build())
            .timeout_global(Some(config.timeout))
            .timeout_connect(Some(config.connect_timeout.min(config.timeout)))
            .timeout_send_request(Some(config.timeout))
            .timeout_send_body(Some(config.timeout))
            .timeout_recv_response(Some(config.timeout))
            .timeout_recv_body(Some(after_a_quick_head(config.timeout)))
            // By default a connection has two buffers of 128 KiB each, and two more with TLS.
            .input_buffer_size(Self::INPUT)
            .output_buffer_size(Self::OUTPUT)
            // ureq reports a full buffer without the end of the headers as a closed connection.
            .max_response_header_size(Self::INPUT - 1)
            .max_idle_connections(256)
            .max_idle_connections_per_host(256)
            .build()
            .new_agent();
        Ok(Self { is_own: true, ..Self::over(agent, config)? })
    }

    /// Creates a transport over an agent of your own, with the timeout and the size limit of a
    /// configuration. Its other settings are those of your agent: connections, TLS, proxy.
    ///
    /// Redirects of your agent are not followed, whatever its settings are.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the base URL is not valid.
    pub fn over(client: Agent, config: &ScimConfig) -> Result<Self> {
        let body_limit = BodyLimit(config.max_response_bytes);
        let server = config.base_url()?.uri().authority().cloned();
        Ok(Self { agent: client, is_own: false, server, idle: Arc::default(), timeout: config.timeout, body_limit })
    }
}

fn proxy(choice: &ProxyChoice) -> Result<Proxy> {
    let invalid = |_| Error::invalid("the proxy is not of the form http://host:port");
    let proxy = Proxy::new(choice.url.expose()).map_err(invalid)?;
    if choice.without.is_empty() {
        return Ok(proxy);
    }
    let mut builder = Proxy::builder(proxy.protocol()).host(proxy.host()).port(proxy.port());
    for (set, value) in
        [(ProxyBuilder::username as fn(_, &str) -> _, proxy.username()), (ProxyBuilder::password, proxy.password())]
    {
        if let Some(value) = value {
            builder = set(builder, value);
        }
    }
    choice.without.iter().fold(builder, |builder, host| builder.no_proxy(host)).build().map_err(invalid)
}

/// The time limit for a body whose head arrived at once: almost the whole time.
fn after_a_quick_head(total: Duration) -> Duration {
    total.saturating_sub(total / 100)
}

/// How ureq limits the time of a request.
///
/// With a limit on the whole request, ureq resolves the host name on a new thread, which costs about
/// three times as much as the rest of a call. So the phases are limited separately where they cannot
/// exceed the time in total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Whole(Duration),
    /// Only the head and the body can be slow: the host name was resolved a moment ago, a connection
    /// is open, and the request fits into the socket buffers.
    Phases,
}

impl Ureq {
    /// The number of bytes that the socket buffers accept before the server reads any.
    const BUFFERED: usize = 16 << 10;

    fn bound(&self, request: &Request<Vec<u8>>, now: Instant) -> Bound {
        let is_open = self.is_to_server(request.uri()) && self.idle.take(now);
        match request.extensions().get::<TimeLeft>() {
            Some(TimeLeft(left)) if *left != self.timeout => Bound::Whole(*left),
            _ if is_open && request.body().len() <= Self::BUFFERED => Bound::Phases,
            _ => Bound::Whole(self.timeout),
        }
    }

    fn is_to_server(&self, uri: &Uri) -> bool {
        self.server.is_some() && uri.authority() == self.server.as_ref()
    }

    fn run(&self, request: Request<impl AsSendBody>, bound: Bound) -> Result<Response<Body>, UreqError> {
        let (global, phase) = match bound {
            // The default of the agent. ureq reuses its TLS configuration only for requests without settings.
            Bound::Whole(total) if total == self.timeout && self.is_own => return self.agent.run(request),
            Bound::Whole(total) => (Some(total), total),
            Bound::Phases => (None, self.timeout),
        };
        let request = self.agent.configure_request(request).timeout_global(global);
        if self.is_own && phase <= self.timeout {
            return self.agent.run(request.build());
        }
        let request = request
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_send_request(Some(phase))
            .timeout_send_body(Some(phase))
            .timeout_recv_response(Some(phase))
            .timeout_recv_body(Some(after_a_quick_head(phase)));
        self.agent.run(request.build())
    }

    /// Reads a body within the time limit of ureq.
    fn read(body: Body, limit: BodyLimit) -> Result<Vec<u8>, TransportError> {
        let mut bytes = Vec::with_capacity(limit.capacity(body.content_length()));
        let read = body.into_reader().take(limit.0.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| failure(UreqError::from(error), Sent::Perhaps))?;
        if limit.is_exceeded_by(bytes.len()) { Err(TransportError::too_large()) } else { Ok(bytes) }
    }

    /// Reads a body for which less time is left than the limit of ureq. A thread reads it, and is
    /// abandoned when the time is over; the limit of ureq ends it.
    fn read_within(left: Duration, body: Body, limit: BodyLimit) -> Result<Vec<u8>, TransportError> {
        let late = || TransportError::timeout(UreqError::Timeout(Timeout::RecvBody));
        if left.is_zero() {
            return Err(late());
        }
        let (send, receive) = mpsc::sync_channel(1);
        let read = move || drop(send.send(Self::read(body, limit)));
        thread::Builder::new().name("scim body".into()).spawn(read).map_err(TransportError::interrupted)?;
        receive.recv_timeout(left).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(late()),
            RecvTimeoutError::Disconnected => Err(TransportError::interrupted("the body could not be read")),
        })
    }
}

impl HttpClient for Ureq {
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let started = Instant::now();
        let bound = self.bound(&request, started);
        let is_to_server = self.is_to_server(request.uri());
        let (mut head, body) = request.into_parts();
        let response = if body.is_empty() {
            self.run(Request::from_parts(head, ()), bound).map_err(|error| failure(error, Sent::NotKnown))?
        } else {
            head.headers.insert(CONTENT_LENGTH, body.len().into());
            let mut body = RequestBody::new(&body);
            let request = Request::from_parts(head, SendBody::from_reader(&mut body));
            self.run(request, bound).map_err(|error| failure(error, body.sent()))?
        };
        let (head, body) = response.into_parts();
        let left = self.timeout.saturating_sub(started.elapsed());
        let bytes = if bound == Bound::Phases && left < after_a_quick_head(self.timeout) {
            Self::read_within(left, body, self.body_limit)?
        } else {
            Self::read(body, self.body_limit)?
        };
        if is_to_server && !is_closed_after(&head) {
            self.idle.put(Instant::now());
        }
        Ok(Response::from_parts(head, bytes))
    }
}

/// Whether the server closes the connection after this answer (RFC 9112 §9.3).
fn is_closed_after(head: &Parts) -> bool {
    let says_close = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"close");
    head.version == Version::HTTP_10 || head.headers.get(CONNECTION).is_some_and(says_close)
}
