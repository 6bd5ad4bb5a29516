//! The async client against HTTP/2 servers that refuse requests and close connections.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::Reason;
use h2::server::SendResponse;
use http::{Request, Response};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use wats_scim::asynchronous::ScimClient;
use wats_scim::{Credentials, ErrorKind, Profile, RetryPolicy, ScimConfig, ScimUser, WriteOutcome};

const TOKEN: &str = "c2VjcmV0LW9mLWgy";

/// What the server does with a connection or a request, by its number from 0 on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rude {
    /// Resets a stream with this reason before it is processed, if its number has this remainder of 3.
    Reset(Reason, u32),
    /// Closes every connection but each third with GOAWAY, which says that nothing was processed.
    GoAway,
    /// Resets every stream.
    ResetAll(Reason),
}

struct Server {
    base_url: String,
    certificate: String,
    /// How often each user was created.
    created: Arc<Mutex<HashMap<String, u32>>>,
    requests: Arc<Mutex<u32>>,
}

impl Server {
    async fn start(rude: Rude) -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let mut tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("https://localhost:{}/scim", listener.local_addr().unwrap().port());
        let (created, requests) = (Arc::<Mutex<HashMap<_, _>>>::default(), Arc::<Mutex<u32>>::default());
        let server = Self {
            base_url,
            certificate: own.cert.pem(),
            created: Arc::clone(&created),
            requests: Arc::clone(&requests),
        };
        tokio::spawn(async move {
            for number in 0_u32.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, created, requests) = (acceptor.clone(), Arc::clone(&created), Arc::clone(&requests));
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(stream).await else { return };
                    if rude == Rude::GoAway && number % 3 != 2 {
                        go_away(tls).await;
                    } else {
                        serve(tls, rude, created, requests).await;
                    }
                });
            }
        });
        server
    }

    fn client(&self, retry: RetryPolicy) -> ScimClient {
        let config = ScimConfig::new(&*self.base_url, Credentials::bearer(TOKEN))
            .profile(Profile::standard())
            .root_certificates(self.certificate.as_str())
            .allow_http2(true)
            .retry(retry);
        ScimClient::with_config(&config).unwrap()
    }

    fn created(&self, name: &str) -> u32 {
        self.created.lock().unwrap().get(name).copied().unwrap_or(0)
    }
}

async fn serve(
    tls: TlsStream<TcpStream>,
    rude: Rude,
    created: Arc<Mutex<HashMap<String, u32>>>,
    requests: Arc<Mutex<u32>>,
) {
    let Ok(mut connection) = h2::server::handshake(tls).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let number = {
            let mut requests = requests.lock().unwrap();
            *requests += 1;
            *requests - 1
        };
        match rude {
            Rude::Reset(reason, remainder) if number % 3 == remainder => refuse(respond, reason),
            Rude::ResetAll(reason) => refuse(respond, reason),
            _ => drop(tokio::spawn(create(request, respond, Arc::clone(&created)))),
        }
    }
}

fn refuse(mut respond: SendResponse<Bytes>, reason: Reason) {
    respond.send_reset(reason);
}

/// Creates the user of a POST, and finds nothing for a GET.
async fn create(
    request: Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
    created: Arc<Mutex<HashMap<String, u32>>>,
) {
    let mut body = Vec::new();
    let is_post = request.method() == http::Method::POST;
    let mut stream = request.into_body();
    while let Some(Ok(chunk)) = poll_fn(|context| stream.poll_data(context)).await {
        let _ = stream.flow_control().release_capacity(chunk.len());
        body.extend_from_slice(&chunk);
    }
    let (status, answer) = if is_post {
        let mut user: Value = serde_json::from_slice(&body).unwrap();
        let name = user["userName"].as_str().unwrap().to_owned();
        user["id"] = json!(name);
        *created.lock().unwrap().entry(name).or_default() += 1;
        (201, user)
    } else {
        (200, json!({ "totalResults": 0, "Resources": [] }))
    };
    let head = Response::builder().status(status).header("content-type", "application/scim+json").body(()).unwrap();
    if let Ok(mut body) = respond.send_response(head, false) {
        let _ = body.send_data(answer.to_string().into(), true);
    }
}

/// Waits for the first request, and answers the connection with GOAWAY and the last stream 0: nothing
/// was processed. The crate h2 has no way to say so of a request that it has received.
async fn go_away(mut tls: TlsStream<TcpStream>) {
    const HEADERS: u8 = 1;
    let mut preface = [0; 24];
    tls.read_exact(&mut preface).await.unwrap();
    // SETTINGS without settings.
    tls.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    loop {
        let mut head = [0; 9];
        if tls.read_exact(&mut head).await.is_err() {
            return;
        }
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        tls.read_exact(&mut payload).await.unwrap();
        if head[3] == HEADERS {
            break;
        }
    }
    // GOAWAY with the last stream 0 and NO_ERROR.
    tls.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    tls.flush().await.unwrap();
    // The client closes the connection.
    let mut rest = Vec::new();
    let _ = tls.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn a_request_that_was_not_processed_is_sent_again_without_a_look_up() {
    for rude in [Rude::Reset(Reason::REFUSED_STREAM, 0), Rude::Reset(Reason::REFUSED_STREAM, 1), Rude::GoAway] {
        let server = Server::start(rude).await;
        let client = server.client(RetryPolicy::default());
        let users = (0..30).map(|number| ScimUser::new(format!("user{number}")));
        let items = client.create_users(users).in_flight(8).run().await;
        for item in &items {
            item.result.as_ref().unwrap_or_else(|error| panic!("{rude:?}: {error:?}"));
        }
        for number in 0..30 {
            assert_eq!(server.created(&format!("user{number}")), 1, "{rude:?}");
        }
    }
}

#[tokio::test]
async fn without_retries_a_request_that_was_not_processed_is_not_applied() {
    for rude in [Rude::ResetAll(Reason::REFUSED_STREAM), Rude::GoAway] {
        let server = Server::start(rude).await;
        let client = server.client(RetryPolicy::none());
        let error = client.create_user(&ScimUser::new("jane")).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.write_outcome()),
            (ErrorKind::Connection, Some(WriteOutcome::NotApplied)),
            "{rude:?}: {error:?}"
        );
        assert!(error.to_string().contains("without processing the request"), "{error}");
        assert_eq!(server.created("jane"), 0);
    }
}

#[tokio::test]
async fn a_request_that_may_have_been_processed_is_unknown() {
    for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR] {
        let server = Server::start(Rude::ResetAll(reason)).await;
        let error = server.client(RetryPolicy::none()).create_user(&ScimUser::new("jane")).await.unwrap_err();
        assert_eq!(error.write_outcome(), Some(WriteOutcome::Unknown), "{reason}: {error:?}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_every_request_is_not_asked_for_ever() {
    let server = Server::start(Rude::ResetAll(Reason::REFUSED_STREAM)).await;
    let error = server.client(RetryPolicy::default()).get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    assert!(*server.requests.lock().unwrap() <= 51);
}

/// What is traced in this program, by everything.
#[derive(Clone, Default)]
struct Traced(Arc<Mutex<Vec<u8>>>);

impl Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_traced() {
    let traced = Traced::default();
    let writer = traced.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
    subscriber.with_ansi(false).with_writer(move || writer.clone()).init();
    let server = Server::start(Rude::Reset(Reason::REFUSED_STREAM, 1)).await;
    let client = server.client(RetryPolicy::default());
    for name in ["jane", "bob"] {
        let user = ScimUser::new(name).with_attribute("password", "canary");
        client.create_user(&user).await.unwrap();
    }
    let text = String::from_utf8(traced.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("TRACE h2") || text.contains("TRACE FramedRead"), "{text}");
    assert!(!text.contains(TOKEN) && !text.contains("canary"), "{text}");
}
