//! Requests that are shaped: headers, media types, certificates, proxies, and views of a client.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{HeaderMap, Response};
use wats_scim::{Credentials, ErrorKind, ListQuery, RetryPolicy, ScimConfig, ScimUser};
use wats_scim_sandbox::Sandbox;

use super::tls::{ClientAuthority, TlsServer};
use super::{MS, answer, config};
use crate::api::ScimService;
use crate::{ScimClient, answering, maybe_async, test};

/// The headers of the requests that a transport was given.
#[derive(Clone, Default)]
struct Headers(Arc<Mutex<Vec<HeaderMap>>>);

impl Headers {
    fn last(&self, name: &str) -> Option<String> {
        Some(self.0.lock().unwrap().last()?.get(name)?.to_str().unwrap().to_owned())
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

macro_rules! service {
    ($config:expr, $headers:expr, $answer:expr) => {{
        let headers = $headers.clone();
        let transport = answering(move |request| {
            headers.0.lock().unwrap().push(request.headers().clone());
            $answer
        });
        ScimService::with_http_client(&$config, transport).unwrap()
    }};
}

fn jane() -> Response<Vec<u8>> {
    answer(200, "application/json", r#"{"id":"1","userName":"jane"}"#)
}

fn standard() -> ScimConfig {
    ScimConfig::new("https://scim.example.com/v2", Credentials::bearer("token")).retry(super::quick())
}

#[maybe_async]
#[test]
async fn headers_are_sent_with_every_request_and_secret_ones_are_redacted() {
    let config = standard().header("X-Tenant", "first").header("x-tenant", "acme").secret_header("X-Key", "canary-key");
    let headers = Headers::default();
    let refused = r#"{"detail":"the key canary-key is unknown"}"#;
    let client = service!(config, headers, answer(400, "application/json", refused));
    let error = client.create_user(&ScimUser::new("jane")).await.unwrap_err();
    assert_eq!(
        (headers.last("x-tenant").as_deref(), headers.last("x-key").as_deref()),
        (Some("acme"), Some("canary-key"))
    );
    assert_eq!(error.detail(), Some("the key [redacted] is unknown"));
    assert!(!format!("{error:?} {client:?} {config:?}").contains("canary"), "{error:?}");
    let whole = ScimClient::with_config(&config).unwrap();
    assert!(!format!("{:?}", whole.repository()).contains("canary"));
}

#[maybe_async]
#[test]
async fn an_authorization_of_the_servers_own_needs_no_credentials() {
    let headers = Headers::default();
    let config = ScimConfig::new("https://scim.example.com/v2", Credentials::none());
    let config = config.secret_header("Authorization", "Token canary");
    service!(config, headers, jane()).get_user("1").await.unwrap();
    assert_eq!(headers.last("authorization").as_deref(), Some("Token canary"));
    let both = standard().secret_header("authorization", "Token canary");
    let error = ScimClient::with_config(&both).unwrap_err();
    assert!(error.to_string().contains("Credentials::none"), "{error}");
    for refused in [standard().header("If-Match", "x"), standard().header("a b", "x"), standard().media_type("a\nb")] {
        assert_eq!(ScimClient::with_config(&refused).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[maybe_async]
#[test]
async fn headers_of_the_server_are_not_for_its_token_endpoint() {
    let servers = super::tokens::Servers::default();
    let transport = servers.clone();
    let config =
        super::tokens::config(super::tokens::credentials()).secret_header("X-Key", "s").header("X-Tenant", "a");
    let transport = answering(move |request| transport.answer(request));
    ScimService::with_http_client(&config, transport).unwrap().get_user("1").await.unwrap();
    let state = servers.state();
    let headers = state.token_requests[0].headers();
    assert!(!headers.contains_key("x-key") && !headers.contains_key("x-tenant"), "{headers:?}");
}

#[maybe_async]
#[test]
async fn bodies_have_the_media_type_of_the_configuration_until_it_is_rejected() {
    let media_type = "application/scim+json;charset=utf-8";
    let headers = Headers::default();
    let client = service!(standard().media_type(media_type), headers, jane());
    client.create_user(&ScimUser::new("jane")).await.unwrap();
    assert_eq!(headers.last("content-type").as_deref(), Some(media_type));

    let headers = Headers::default();
    let client = service!(standard().media_type(media_type), headers, answer(415, "text/plain", "no"));
    client.create_user(&ScimUser::new("jane")).await.unwrap_err();
    assert_eq!((headers.last("content-type").as_deref(), headers.count()), (Some("application/json"), 2));
}

#[maybe_async]
#[test]
async fn a_view_has_its_own_header_and_retries() {
    let headers = Headers::default();
    let client = service!(standard(), headers, answer(503, "text/plain", "down"));
    let view = client.with_header("X-Request-Id", "4711").unwrap().with_retry(RetryPolicy::none());
    view.get_user("1").await.unwrap_err();
    assert_eq!((headers.last("x-request-id").as_deref(), headers.count()), (Some("4711"), 1));
    client.get_user("1").await.unwrap_err();
    assert_eq!((headers.last("x-request-id"), headers.count()), (None, 4));
    assert_eq!(client.with_header("Host", "x").unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[maybe_async]
#[test]
async fn a_view_has_its_own_timeout() {
    let sandbox = Sandbox::builder().latency(600 * MS).start().unwrap();
    let slow = config(&sandbox).retry(RetryPolicy::none());
    let client = ScimClient::with_config(&slow).unwrap();
    let begun = Instant::now();
    let error = client.with_timeout(50 * MS).get_user("1").await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && begun.elapsed() < 550 * MS, "{error:?}");

    // Longer than that of the configuration, also after a shorter one.
    let client = ScimClient::with_config(&slow.timeout(100 * MS)).unwrap();
    let error = client.get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let patient = client.with_timeout(Duration::from_secs(20));
    for _ in 0..2 {
        let answer = patient.get_users(&ListQuery::new()).await;
        assert!(answer.is_ok(), "{answer:?}");
    }
}

#[maybe_async]
#[test]
async fn a_client_shows_its_certificate() {
    let authority = ClientAuthority::new();
    let server = TlsServer::for_clients_of(&authority);
    let (certificate, key) = authority.client();
    let config = || {
        ScimConfig::new(server.base_url(), Credentials::none())
            .root_certificates(server.certificate())
            .retry(RetryPolicy::none())
    };
    let client = ScimClient::with_config(&config().client_certificate(certificate.as_str(), key.as_str())).unwrap();
    let answer = client.get_user("1").await;
    assert_eq!(answer.unwrap().unwrap().id.as_deref(), Some("over TLS"));

    // Without one, and with one of another authority.
    let error = ScimClient::with_config(&config()).unwrap().get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    let (other, other_key) = ClientAuthority::new().client();
    let stranger = ScimClient::with_config(&config().client_certificate(other, other_key.as_str())).unwrap();
    let error = stranger.get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);

    for (certificate, key) in [("no", key.as_str()), (certificate.as_str(), "canary"), (&certificate, &other_key)] {
        let config = config().client_certificate(certificate, key);
        let error = ScimClient::with_config(&config).unwrap_err();
        let text = format!("{error} {error:?} {config:?}");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!text.contains("canary") && !text.contains("PRIVATE KEY"), "{text}");
    }
}

#[maybe_async]
#[test]
async fn a_socks_proxy_is_used() {
    for (scheme, names_host) in [("socks5h", true), ("socks5", false)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (send, received) = mpsc::channel();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut greeting = [0; 2];
            stream.read_exact(&mut greeting).unwrap();
            let mut methods = vec![0; greeting[1].into()];
            stream.read_exact(&mut methods).unwrap();
            assert!(methods.contains(&2), "a password is offered");
            // RFC 1929: the name and the password.
            stream.write_all(&[5, 2]).unwrap();
            let mut login = [0; 2 + 7 + 1 + 6];
            stream.read_exact(&mut login).unwrap();
            assert_eq!(&login, b"\x01\x07someone\x06canary");
            stream.write_all(&[1, 0]).unwrap();
            let mut request = [0; 4];
            stream.read_exact(&mut request).unwrap();
            send.send(request).unwrap();
        });
        // A name that is resolved here.
        let config = ScimConfig::new("https://localhost:1", Credentials::bearer("token"))
            .proxy(format!("{scheme}://someone:canary@{address}"))
            .retry(RetryPolicy::none());
        let error = ScimClient::with_config(&config).unwrap().get_user("1").await.unwrap_err();
        let [version, command, _, kind] = received.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!((version, command), (5, 1), "CONNECT");
        assert_eq!(kind == 3, names_host, "{scheme}");
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        assert!(!format!("{error} {error:?} {config:?}").contains("canary"), "{error:?}");
    }
}

#[maybe_async]
#[test]
async fn a_proxy_can_be_reached_over_tls() {
    let proxy = TlsServer::answering(None, 502);
    let config = ScimConfig::new("https://acme.invalid", Credentials::bearer("token"))
        .root_certificates(proxy.certificate())
        .proxy(proxy.base_url())
        .retry(RetryPolicy::none());
    let error = ScimClient::with_config(&config).unwrap().get_user("1").await.unwrap_err();
    let head = proxy.received.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(head.starts_with("CONNECT acme.invalid:443 HTTP/1.1"), "{head}");
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
}
