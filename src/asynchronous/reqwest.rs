use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use reqwest::redirect::Policy;
use reqwest::{Client, NoProxy, Proxy, Url};
use rustls::{ClientConfig, RootCertStore};

use super::{HttpClient, HttpScimRepository, ScimService, example};
use crate::config::Credentials;
use crate::config::ScimConfig;
use crate::config::tls;
use crate::error::TransportError;
use crate::error::{Error, Result};
use crate::exchange::BodyLimit;
use crate::exchange::TimeLeft;

/// The async client: a [`ScimService`] with the transport [`Reqwest`]. It needs a tokio runtime.
pub type ScimClient = ScimService<HttpScimRepository<Reqwest>>;

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
        Self::with_http_client(config, Reqwest::new(config)?)
    }
}

/// The transport of the async client, based on reqwest. A clone shares the connections. It needs a
/// tokio runtime, and uses HTTP/1.1 unless [`ScimConfig::allow_http2`] is set.
#[derive(Clone, Debug)]
pub struct Reqwest {
    client: Client,
    /// Whether the client was made here, with the settings that this transport needs.
    is_own: bool,
    timeout: Duration,
    body_limit: BodyLimit,
    server: Arc<Option<Server>>,
}

/// The server of the configuration, with its URL in the form of reqwest. Parsing a URL for each
/// request took 13 % of a call.
#[derive(Debug)]
struct Server {
    scheme: Scheme,
    authority: Authority,
    url: Url,
}

impl Reqwest {
    /// Creates a transport with the timeouts, the proxy, the root certificates and the size limit of
    /// a configuration.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the proxy or a root certificate is not
    /// valid.
    pub fn new(config: &ScimConfig) -> Result<Self> {
        // The configuration decides about the proxy, so reqwest does not search for one.
        let mut builder = Client::builder().no_proxy();
        if let Some(choice) = config.proxy_choice()? {
            let proxy = Proxy::all(choice.url.expose());
            let proxy = proxy.map_err(|_| Error::invalid("the proxy is not of the form http://host:port"))?;
            builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(&choice.without.join(","))));
        }
        let client = builder
            .tls_backend_preconfigured(tls_config(config)?)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .timeout(config.timeout)
            .connect_timeout(config.connect_timeout)
            .build()
            .map_err(|error| Error::invalid("the HTTP client cannot be set up").with_source(error.without_url()))?;
        Ok(Self { is_own: true, ..Self::over(client, config)? })
    }

    /// Creates a transport over a client of your own, with the timeout and the size limit of a
    /// configuration. Its other settings are those of your client: connections, TLS, proxy.
    ///
    /// Redirects and retries of your client must be off: build it with `redirect(Policy::none())` and
    /// `retry(retry::never())`. A response that was redirected is rejected, but its request may have
    /// been sent to another server, with its headers.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the base URL is not valid.
    pub fn over(client: Client, config: &ScimConfig) -> Result<Self> {
        Ok(Self {
            client,
            is_own: false,
            timeout: config.timeout,
            body_limit: BodyLimit(config.max_response_bytes),
            server: Arc::new(Server::of(&config.base_url()?.uri())),
        })
    }

    /// Converts a request to the type of reqwest.
    fn request(&self, request: Request<Vec<u8>>) -> reqwest::Result<reqwest::Request> {
        let time_left = request.extensions().get::<TimeLeft>().copied();
        let mut request = match (*self.server).as_ref().and_then(|server| server.url(request.uri())) {
            None => request.try_into()?,
            Some(url) => {
                let (head, body) = request.into_parts();
                let mut request = reqwest::Request::new(head.method, url);
                *request.headers_mut() = head.headers;
                *request.version_mut() = head.version;
                if !body.is_empty() {
                    *request.body_mut() = Some(body.into());
                }
                request
            }
        };
        *request.timeout_mut() = match time_left {
            Some(TimeLeft(left)) => Some(left),
            // It is the default of the client that was made here.
            None => (!self.is_own).then_some(self.timeout),
        };
        Ok(request)
    }
}

impl Server {
    fn of(uri: &Uri) -> Option<Self> {
        let url = Url::parse(&uri.to_string()).ok()?;
        Some(Self { scheme: uri.scheme()?.clone(), authority: uri.authority()?.clone(), url })
    }

    /// The URL of a request to this server; `None` for another server.
    fn url(&self, uri: &Uri) -> Option<Url> {
        if uri.scheme() != Some(&self.scheme) || uri.authority() != Some(&self.authority) {
            return None;
        }
        let mut url = self.url.clone();
        if url.path() != uri.path() {
            url.set_path(uri.path());
        }
        if url.query() != uri.query() {
            url.set_query(uri.query());
        }
        Some(url)
    }
}

fn tls_config(config: &ScimConfig) -> Result<ClientConfig> {
    let provider = tls::provider();
    let failed = |error: rustls::Error| Error::invalid("TLS cannot be set up").with_source(error);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let builder = match tls::trusted(config)? {
        None => {
            let verifier = rustls_platform_verifier::Verifier::new(provider).map_err(failed)?;
            // Not dangerous: this is how rustls accepts the verifier of the operating system.
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
        Some(trusted) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(trusted);
            builder.with_root_certificates(roots)
        }
    };
    let mut tls = match tls::identity(config)? {
        None => builder.with_no_client_auth(),
        Some((certificates, key)) => builder.with_client_auth_cert(certificates, key).map_err(failed)?,
    };
    let protocols: &[&[u8]] = if config.allow_http2 { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
    tls.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(tls)
}

impl HttpClient for Reqwest {
    fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> impl Future<Output = Result<Response<Vec<u8>>, TransportError>> + Send {
        // Outside of the future, which is smaller without the request.
        let sent = self.request(request).map(|request| {
            let url = (!self.is_own).then(|| Box::new(request.url().clone()));
            (url, self.client.execute(request))
        });
        async move {
            let (url, sent) = sent.map_err(failure)?;
            let mut response = sent.await.map_err(failure)?;
            if url.is_some_and(|url| *url != *response.url()) {
                let redirected = "the HTTP client followed a redirect; build it with Policy::none()";
                return Err(TransportError::interrupted(redirected));
            }
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
}

/// Classifies a failure by how far the request got. The URL is removed: it may contain personal data.
fn failure(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() || error.is_builder() {
        TransportError::not_connected(error)
    } else if is_unprocessed(error.source()) {
        TransportError::not_processed(error)
    } else if error.is_timeout() {
        TransportError::timeout(error)
    } else {
        TransportError::interrupted(error)
    }
}

/// Whether a request was certainly not processed: an HTTP/2 server says so (RFC 9113 §6.8 and §8.7), or
/// its connection ended before it was sent.
fn is_unprocessed(mut cause: Option<&(dyn std::error::Error + 'static)>) -> bool {
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            // With another reason, h2 reports the same error for streams that may have been processed.
            let gone = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
            return error.is_remote() && (refused || gone);
        }
        cause = error.source();
        // hyper-util has no method to ask whether it has the request unsent. It reports the first where it has it
        // back, and the second where a new connection ended before it could be used. With other texts, the request
        // counts as perhaps processed.
        match error.to_string().as_str() {
            "client error (Canceled)" => return true,
            "client error (SendRequest)" if cause.is_some_and(|cause| cause.to_string() == "channel closed") => {
                return true;
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error with this text, and the error that it follows from.
    #[derive(Debug)]
    struct Said(&'static str, Option<Box<Said>>);

    impl std::fmt::Display for Said {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Said {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&**self.1.as_ref()?)
        }
    }

    #[test]
    fn only_a_request_that_was_certainly_not_sent_is_unprocessed() {
        for (texts, expected) in [
            (&["error sending request", "client error (Canceled)", "connection closed"][..], true),
            (&["error sending request", "client error (SendRequest)", "channel closed"], true),
            (&["error sending request", "client error (SendRequest)", "connection error", "channel closed"], false),
            (&["error sending request", "client error (SendRequest)", "connection closed"], false),
            (&["error sending request", "client error (SendRequest)"], false),
            (&["error reading a body", "channel closed"], false),
            (&[], false),
        ] {
            let error = texts.iter().rev().fold(None, |cause, text| Some(Box::new(Said(text, cause))));
            assert_eq!(is_unprocessed(error.as_deref().map(|error| error as _)), expected, "{texts:?}");
        }
    }

    #[test]
    fn a_url_that_is_put_together_equals_the_parsed_one() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        for base in ["http://127.0.0.1:81/scim/v2", "https://wats.example:443/a%20b//c", "https://u:p@Wats.example"] {
            let server = Server::of(&uri(&format!("{base}/Users?startIndex=1"))).unwrap();
            for path in ["/Users", "/Users/a%2Fb", "/Users/%2e%2E~", "/Users/", "/Users?a=%22b%22&c=", "/Users?", ""] {
                let uri = uri(&format!("{base}{path}"));
                assert_eq!(server.url(&uri), Url::parse(&uri.to_string()).ok(), "{uri}");
            }
        }
        let server = Server::of(&uri("http://wats.example/Users")).unwrap();
        for other in ["https://wats.example/Users", "http://wats.example:81/Users", "http://x@wats.example/Users"] {
            assert_eq!(server.url(&uri(other)), None);
        }
    }
}
