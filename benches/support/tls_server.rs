//! The same server over TLS, for HTTP/1.1 and HTTP/2, in its own process.

use std::convert::Infallible;
use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::Result;
use crate::support::latency::Latency;
use crate::support::server::Request;
use crate::support::users::Users;

/// The argument that makes the bench the server.
const SERVE: &str = "serve-tls";
const END: &str = "-----END CERTIFICATE-----";

/// The protocol of a server.
#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    Http1,
    /// HTTP/2 with this number of concurrent streams on a connection.
    Http2 {
        streams: u32,
    },
}

/// A running server. It exits with this process.
pub(crate) struct TlsServer {
    process: Child,
    ports: Vec<u16>,
    certificate: String,
}

impl TlsServer {
    /// Starts the server, with a port for each of [`PROTOCOLS`](crate::PROTOCOLS).
    pub(crate) fn start() -> Result<Self> {
        let mut process =
            Command::new(env::current_exe()?).arg(SERVE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("the server has no output")?).lines();
        let ports = lines.next().ok_or("the server printed no ports")??;
        let ports = ports.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
        let mut certificate = String::new();
        for line in lines {
            let line = line?;
            certificate.extend([&line, "\n"]);
            if line == END {
                break;
            }
        }
        Ok(Self { process, ports, certificate })
    }

    /// The base URL of a directory with this number of users and this latency.
    pub(crate) fn base(&self, protocol: usize, users: u64, latency: impl Into<Latency>) -> String {
        format!("https://127.0.0.1:{}/{users}/{}", self.ports[protocol], latency.into())
    }

    /// The root certificate for clients.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the server if this process was started as one, until its parent exits.
pub(crate) fn serve_as_child(protocols: &[Protocol]) -> Result<()> {
    if env::args().nth(1).as_deref() != Some(SERVE) {
        return Ok(());
    }
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    tokio::runtime::Runtime::new()?.block_on(serve(protocols))
}

async fn serve(protocols: &[Protocol]) -> Result<()> {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let mut accepting = Vec::new();
    for protocol in protocols {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        print!("{} ", listener.local_addr()?.port());
        accepting.push(tokio::spawn(accept(listener, *protocol, acceptor(&certified, *protocol)?)));
    }
    // The last write: the parent stops reading at the end of the certificate.
    print!("\n{}", certified.cert.pem());
    for task in accepting {
        task.await??;
    }
    Ok(())
}

fn acceptor(certified: &rcgen::CertifiedKey<rcgen::KeyPair>, protocol: Protocol) -> Result<TlsAcceptor> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key)?;
    config.alpn_protocols = vec![match protocol {
        Protocol::Http1 => b"http/1.1".to_vec(),
        Protocol::Http2 { .. } => b"h2".to_vec(),
    }];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(listener: TcpListener, protocol: Protocol, acceptor: TlsAcceptor) -> io::Result<()> {
    let users = Arc::new(Users::new());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (acceptor, users) = (acceptor.clone(), Arc::clone(&users));
        tokio::spawn(async move {
            // A closed connection is no failure.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let stream = TokioIo::new(stream);
            let service = service_fn(move |request| answer(request, Arc::clone(&users)));
            let _ = match protocol {
                Protocol::Http1 => http1::Builder::new().serve_connection(stream, service).await,
                Protocol::Http2 { streams } => {
                    let mut builder = http2::Builder::new(TokioExecutor::new());
                    builder.max_concurrent_streams(streams).serve_connection(stream, service).await
                }
            };
        });
    }
}

async fn answer(
    request: http::Request<Incoming>,
    users: Arc<Users>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let mut response = Response::new(Full::default());
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let Some(request) = Request::of(head.method.as_str(), target, &body) else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(response);
    };
    let latency = request.latency();
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let mut body = Vec::new();
    *response.status_mut() = request.answer(&users, &mut body);
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/scim+json"));
    *response.body_mut() = body.into();
    Ok(response)
}
