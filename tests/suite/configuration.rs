//! Both transports follow the settings.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use wats_scim::{Credentials, ErrorKind, ListQuery, RetryPolicy, ScimConfig};
use wats_scim_sandbox::Sandbox;

use super::{MS, client, config};
use crate::{ScimClient, maybe_async, test};

#[maybe_async]
#[test]
async fn credentials_and_user_agent_are_sent() {
    let sandbox = Sandbox::start().unwrap();
    client(&sandbox).get_users(&ListQuery::new()).await.unwrap();
    let client = ScimClient::with_config(&config(&sandbox).user_agent("onboarding/1.0")).unwrap();
    client.get_users(&ListQuery::new()).await.unwrap();
    let agents: Vec<_> = sandbox.requests().iter().map(|request| request.headers["user-agent"].clone()).collect();
    assert_eq!(agents, [concat!("wats-scim/", env!("CARGO_PKG_VERSION")), "onboarding/1.0"]);
}

#[maybe_async]
#[test]
async fn every_form_of_the_base_url_reaches_the_server() {
    let sandbox = Sandbox::start().unwrap();
    for end in ["", "/", "/api", "/api/", "/api/SCIM/v2", "/api/SCIM/v2/"] {
        let base = format!("{}{end}", sandbox.base_url());
        let client = ScimClient::new(base, Credentials::wats_token(sandbox.token())).unwrap();
        let answer = client.get_users(&ListQuery::new()).await;
        assert!(answer.is_ok(), "{end}");
    }
}

#[maybe_async]
#[test]
async fn a_slow_response_is_a_timeout() {
    let sandbox = Sandbox::builder().latency(Duration::from_secs(5)).start().unwrap();
    let config = config(&sandbox).timeout(100 * MS).retry(RetryPolicy::none());
    let started = Instant::now();
    let error = ScimClient::with_config(&config).unwrap().get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("did not answer in time"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[maybe_async]
#[test]
async fn a_too_large_response_is_rejected() {
    let sandbox = Sandbox::builder().users(100).start().unwrap();
    let small = ScimClient::with_config(&config(&sandbox).max_response_bytes(1000)).unwrap();
    let answer = small.get_users(&ListQuery::new()).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::ResponseTooLarge);
    let answer = small.get_users(&ListQuery::new().count(1)).await;
    assert!(answer.is_ok());
}

#[maybe_async]
#[test]
async fn invalid_settings_are_rejected_when_a_client_is_created() {
    let token = || Credentials::wats_token("dTpw");
    for config in [
        ScimConfig::new("http://acme.wats.com", token()),
        ScimConfig::new("acme", token()),
        ScimConfig::new("https://acme.wats.com", Credentials::wats_token("")),
        ScimConfig::new("https://acme.wats.com", token()).user_agent("a\nb"),
        ScimConfig::new("https://acme.wats.com", token()).proxy("socks4://p:1"),
        ScimConfig::new("https://acme.wats.com", token()).root_certificates("no certificate"),
        ScimConfig::new("https://acme.wats.com", token())
            .root_certificates("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"),
    ] {
        assert_eq!(ScimClient::with_config(&config).unwrap_err().kind(), ErrorKind::InvalidInput, "{config:?}");
    }
}

/// Accepts one connection, answers with `answer` and returns the received head.
fn one_connection(answer: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        send.send(String::from_utf8_lossy(&head).into_owned()).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
    });
    (address, receive)
}

#[maybe_async]
#[test]
async fn a_proxy_is_used_and_its_password_is_redacted() {
    let (address, received) = one_connection("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    let config = ScimConfig::new("https://acme.invalid", Credentials::wats_token("dTpw"))
        .proxy(format!("http://someone:canary@{address}"))
        .retry(RetryPolicy::none());
    let error = ScimClient::with_config(&config).unwrap().get_user("1").await.unwrap_err();
    let head = received.recv().unwrap();
    assert!(head.starts_with("CONNECT acme.invalid:443 HTTP/1.1"), "{head}");
    assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic c29tzw9uztpjyw5hcnk="), "{head}");
    assert!(!head.contains("dTpw"), "the token is for the server, not for the proxy");
    assert_eq!(error.kind(), ErrorKind::Connection);
    let text = format!("{error} {error:?} {config:?}");
    assert!(!text.contains("canary") && !text.contains("c29tZW9uZTpjYW5hcnk"), "{text}");
}

#[maybe_async]
#[test]
async fn a_trusted_certificate_of_another_host_is_rejected() {
    let server = super::tls::TlsServer::start();
    let elsewhere = server.base_url().replace("localhost", "127.0.0.1");
    let config = ScimConfig::new(elsewhere, Credentials::wats_token("dTpw")).retry(RetryPolicy::none());
    let client = ScimClient::with_config(&config.root_certificates(server.certificate())).unwrap();
    let error = client.get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
}

#[maybe_async]
#[test]
async fn a_configured_certificate_is_trusted() {
    let server = super::tls::TlsServer::start();
    let config = ScimConfig::new(server.base_url(), Credentials::wats_token("dTpw")).retry(RetryPolicy::none());
    let error = ScimClient::with_config(&config).unwrap().get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");

    let trusting = ScimClient::with_config(&config.root_certificates(server.certificate())).unwrap();
    let answer = trusting.get_user("1").await;
    assert_eq!(answer.unwrap().unwrap().id.as_deref(), Some("over TLS"));
}
