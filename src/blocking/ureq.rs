use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use http::header::{CONNECTION, CONTENT_LENGTH};
use http::response::Parts;
use http::{HeaderValue, Request, Response, Version};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body, Error as UreqError, Proxy, SendBody, Timeout};

use super::failure::{RequestBody, Sent, failure};
use super::idle::IdleConnections;
use super::{HttpClient, HttpScimRepository, ScimService};
use crate::config::Credentials;
use crate::config::ScimConfig;
use crate::config::tls;
use crate::error::TransportError;
use crate::error::{Error, Result};
use crate::exchange::BodyLimit;
use crate::exchange::TimeLeft;

/// The blocking client: a [`ScimService`] over [`Ureq`].
pub type ScimClient = ScimService<HttpScimRepository<Ureq>>;

impl ScimClient {
    /// A client with every setting at its default.
    ///
    /// # Errors
    ///
    /// As [`with_config`](Self::with_config).
    pub fn new(base_url: impl Into<String>, credentials: Credentials) -> Result<Self> {
        Self::with_config(&ScimConfig::new(base_url, credentials))
    }

    /// A client with settings of your own. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if a setting cannot be used.
    pub fn with_config(config: &ScimConfig) -> Result<Self> {
        Self::with_http_client(config, Ureq::new(config)?)
    }
}

/// The transport of the blocking client, over ureq. A clone shares the connections.
///
/// The server's name is looked up for each request, even if an open connection then serves it. The
/// headers of an answer must fit into 32 KiB, and the address and each header of a request into
/// 16 KiB.
#[derive(Clone, Debug)]
pub struct Ureq {
    agent: Agent,
    idle: Arc<IdleConnections>,
    timeout: Duration,
    body_limit: BodyLimit,
}

impl Ureq {
    const INPUT: usize = 32 << 10;
    const OUTPUT: usize = 16 << 10;

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
        let proxy = config.proxy_url()?.map(|url| Proxy::new(url.expose())).transpose();
        let agent = Agent::config_builder()
            // The body of an error says what is wrong.
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy.map_err(|_| Error::invalid("the proxy is not of the form http://host:port"))?)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .timeout_global(Some(config.timeout))
            .timeout_connect(Some(config.connect_timeout.min(config.timeout)))
            .timeout_send_request(Some(config.timeout))
            .timeout_send_body(Some(config.timeout))
            .timeout_recv_response(Some(config.timeout))
            .timeout_recv_body(Some(after_a_quick_head(config.timeout)))
            // By default each connection has two buffers of 128 KiB, and with TLS two more.
            .input_buffer_size(Self::INPUT)
            .output_buffer_size(Self::OUTPUT)
            // A full buffer without the end of the headers reads as a closed connection.
            .max_response_header_size(Self::INPUT - 1)
            .max_idle_connections(256)
            .max_idle_connections_per_host(256)
            .build()
            .new_agent();
        let body_limit = BodyLimit(config.max_response_bytes);
        Ok(Self { agent, idle: Arc::default(), timeout: config.timeout, body_limit })
    }
}

/// The time for a body whose head came at once, which is nearly all of it.
fn after_a_quick_head(total: Duration) -> Duration {
    total.saturating_sub(total / 100)
}

/// How ureq bounds the time of a request.
///
/// With a bound on the whole, it looks the server's name up on a new thread, which costs about three
/// times as much as the rest of a call. So each phase has its own bound where the phases together
/// stay within the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Whole(Duration),
    /// Only the head and the body can take long: the server's name was looked up a moment ago, a
    /// connection is open, and what is sent fits into the buffers of the sockets.
    Phases,
}

impl Ureq {
    /// What the sockets of both sides can hold before the server reads any of it.
    const BUFFERED: usize = 16 << 10;

    fn bound(&self, request: &Request<Vec<u8>>, now: Instant) -> Bound {
        let is_open = self.idle.take(now);
        match request.extensions().get::<TimeLeft>() {
            Some(TimeLeft(left)) if *left < self.timeout => Bound::Whole(*left),
            _ if is_open && request.body().len() <= Self::BUFFERED => Bound::Phases,
            _ => Bound::Whole(self.timeout),
        }
    }

    fn run(&self, request: Request<impl AsSendBody>, bound: Bound) -> Result<Response<Body>, UreqError> {
        let global = match bound {
            // The default. ureq keeps its TLS configuration only for requests without their own settings.
            Bound::Whole(total) if total == self.timeout => return self.agent.run(request),
            Bound::Whole(total) => Some(total),
            Bound::Phases => None,
        };
        self.agent.run(self.agent.configure_request(request).timeout_global(global).build())
    }

    /// Reads a body, whose time ureq bounds.
    fn read(body: Body, limit: BodyLimit) -> Result<Vec<u8>, TransportError> {
        let mut bytes = Vec::with_capacity(limit.capacity(body.content_length()));
        let read = body.into_reader().take(limit.0.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| failure(UreqError::from(error), Sent::Perhaps))?;
        if limit.is_exceeded_by(bytes.len()) { Err(TransportError::too_large()) } else { Ok(bytes) }
    }

    /// Reads a body for which less time is left than ureq gives it, on a thread that need not be
    /// waited for. ureq's own bound ends that thread.
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
        if !is_closed_after(&head) {
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
