//! Each fault over a real connection. These tests need the raw bytes, so they are unit tests.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::*;
use crate::Sandbox;

const MS: Duration = Duration::from_millis(1);

/// A sandbox with one user, and a proxy that injects this fault into the first request.
fn start(fault: Fault) -> (Sandbox, FaultProxy) {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(FaultRule::new(fault).times(1)).start().unwrap();
    (sandbox, proxy)
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.base_url().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn ask(stream: &mut TcpStream, sandbox: &Sandbox) {
    let token = sandbox.token();
    let request = format!("GET /api/SCIM/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {token}\r\n\r\n");
    // In one write: the first of two may already be answered with a reset.
    stream.write_all(request.as_bytes()).unwrap();
}

/// All bytes until the connection ends, and how it ended.
fn rest(stream: &mut TcpStream) -> (String, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}

/// One answer, read by its `Content-Length`; the connection stays open.
fn answer(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length =
        head.to_ascii_lowercase().split("content-length: ").nth(1).unwrap().split_once('\r').unwrap().0.parse();
    let mut body = vec![0; length.unwrap()];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

/// All bytes that one request gets under a fault until its connection ends, and how it ended.
fn ends(fault: &Fault) -> (String, Option<ErrorKind>) {
    let (sandbox, proxy) = start(fault.clone());
    let mut stream = connect(&proxy);
    ask(&mut stream, &sandbox);
    let end = rest(&mut stream);
    check_record(&proxy, fault, &sandbox);
    end
}

/// The answer that one request gets under a fault. The next request on the same connection must get
/// the answer of the server.
fn answers(fault: &Fault) -> (String, Vec<u8>) {
    let (sandbox, proxy) = start(fault.clone());
    let mut stream = connect(&proxy);
    ask(&mut stream, &sandbox);
    let (head, body) = answer(&mut stream);
    check_record(&proxy, fault, &sandbox);
    ask(&mut stream, &sandbox);
    let next = answer(&mut stream);
    assert!(next.0.starts_with("HTTP/1.1 200") && next.1.starts_with(b"{\"schemas\""), "{next:?}");
    assert_eq!(proxy.injected_count(), 1);
    (head, body)
}

fn check_record(proxy: &FaultProxy, fault: &Fault, sandbox: &Sandbox) {
    let injected = proxy.injected();
    assert_eq!(injected.len(), 1);
    assert_eq!((&injected[0].fault, injected[0].target.as_str()), (fault, "/api/SCIM/v2/Users"));
    assert_eq!((injected[0].was_forwarded(), &injected[0].method), (fault.forwards(), &Method::GET));
    assert_eq!(injected[0].upstream_status, sandbox.requests().first().and_then(|request| request.status));
    assert_eq!(sandbox.requests().len(), usize::from(fault.forwards()));
}

#[test]
fn without_a_rule_all_requests_pass_on_one_connection() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    let (mut through, mut direct) = (connect(&proxy), TcpStream::connect(&sandbox.base_url()[7..]).unwrap());
    for _ in 0..3 {
        ask(&mut through, &sandbox);
        ask(&mut direct, &sandbox);
        assert_eq!(answer(&mut through).1, answer(&mut direct).1);
    }
    assert_eq!((sandbox.connections(), proxy.injected_count()), (2, 0));
}

#[test]
fn resets_are_resets() {
    for fault in [Fault::ResetBeforeAnswer, Fault::ResetAfterApplied] {
        let (text, end) = ends(&fault);
        assert_eq!((text.as_str(), end), ("", Some(ErrorKind::ConnectionReset)));
    }
}

#[test]
fn stalls_last_and_then_close() {
    for fault in [Fault::Stall(50 * MS), Fault::StallAfterApplied(50 * MS)] {
        let sent = Instant::now();
        let (text, end) = ends(&fault);
        assert_eq!((text.as_str(), end), ("", None));
        assert!(sent.elapsed() >= 50 * MS);
    }
}

#[test]
fn a_truncated_answer_announces_more_than_it_contains() {
    let (text, end) = ends(&Fault::Truncate);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let promised = head.split("ontent-length: ").nth(1).or(head.split("ontent-Length: ").nth(1)).unwrap();
    let promised: usize = promised.lines().next().unwrap().parse().unwrap();
    assert_eq!((body.len(), end), (promised / 2, None));
}

#[test]
fn a_trickle_arrives_completely_and_slowly() {
    let sent = Instant::now();
    let (_, body) = answers(&Fault::Trickle { bytes: 100, every: 5 * MS });
    let pieces = u32::try_from(body.len().div_ceil(100)).unwrap();
    assert!(pieces > 2 && sent.elapsed() >= 5 * MS * pieces);
    let list: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(list["totalResults"], 1);
}

#[test]
fn a_status_replaces_the_answer_before_or_after_forwarding() {
    let (code, retry_after) = (StatusCode::TOO_MANY_REQUESTS, Some(Duration::ZERO));
    for fault in [Fault::Status { code, retry_after }, Fault::StatusAfterApplied { code, retry_after }] {
        let (head, body) = answers(&fault);
        assert!(head.starts_with("HTTP/1.1 429 ") && head.contains("\r\nRetry-After: 0\r\n"), "{head}");
        assert!(body.is_empty());
    }
}

#[test]
fn a_redirect_has_a_location() {
    for code in [StatusCode::FOUND, StatusCode::TEMPORARY_REDIRECT] {
        let (head, _) = answers(&Fault::Redirect { code, location: "https://login.test/".to_owned() });
        assert!(head.starts_with(&format!("HTTP/1.1 {} ", code.as_u16())), "{head}");
        assert!(head.contains("\r\nLocation: https://login.test/\r\n"), "{head}");
    }
}

#[test]
fn odd_answers_are_given_under_200() {
    for (fault, media_type, start) in [
        (Fault::Html, "text/html", "<!DOCTYPE html>"),
        (Fault::HtmlAfterApplied, "text/html", "<!DOCTYPE html>"),
        (Fault::Empty, "", ""),
        (Fault::WrongMediaType, "text/plain", "this"),
    ] {
        let (head, body) = answers(&fault);
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains(media_type), "{head}");
        assert!(String::from_utf8(body).unwrap().starts_with(start));
    }
}

#[test]
fn an_oversized_answer_is_json_of_that_size() {
    for length in [0, 1, 2, 3, 100_000] {
        let (_, body) = answers(&Fault::Oversized(length));
        assert_eq!(u64::try_from(body.len()).unwrap(), length);
        assert_eq!(serde_json::from_slice::<String>(&body).is_ok(), length >= 2, "{length}");
    }
}

#[test]
fn a_bomb_is_small_on_the_wire() {
    let (head, body) = answers(&Fault::GzipBomb(1 << 20));
    assert!(head.contains("Content-Encoding: gzip"), "{head}");
    assert!(body.len() < 2048);
}

#[test]
fn an_idle_connection_closes_after_a_whole_answer() {
    let (text, end) = ends(&Fault::CloseIdle);
    assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with('}') && !text.contains("close"), "{text}");
    assert_eq!(end, None);
}

#[test]
fn a_reused_connection_is_reset() {
    let (sandbox, proxy) = start(Fault::CloseOnReuse);
    let mut stream = connect(&proxy);
    ask(&mut stream, &sandbox);
    assert!(answer(&mut stream).0.starts_with("HTTP/1.1 200 "));
    ask(&mut stream, &sandbox);
    assert_eq!(rest(&mut stream), (String::new(), Some(ErrorKind::ConnectionReset)));
    assert_eq!(sandbox.requests().len(), 1, "the second one is not forwarded");
}

#[test]
fn connections_are_refused_and_accepted_again() {
    let sandbox = Sandbox::start().unwrap();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    let address = proxy.base_url().strip_prefix("http://").unwrap();
    let mut before = connect(&proxy);
    ask(&mut before, &sandbox);
    answer(&mut before);
    for _ in 0..3 {
        proxy.refuse_connections(true).unwrap();
        proxy.refuse_connections(true).unwrap();
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(before.read(&mut [0]).unwrap(), 0, "an idle connection is closed");
        proxy.refuse_connections(false).unwrap();
        proxy.refuse_connections(false).unwrap();
        before = connect(&proxy);
        ask(&mut before, &sandbox);
        assert!(answer(&mut before).0.starts_with("HTTP/1.1 200 "));
    }
}

#[test]
fn rules_can_change_while_the_proxy_runs() {
    let (sandbox, proxy) = start(Fault::Empty);
    let mut stream = connect(&proxy);
    let mut next = || {
        ask(&mut stream, &sandbox);
        answer(&mut stream).1
    };
    proxy.set_rules([]);
    assert!(next().starts_with(b"{"));
    proxy.add_rule(FaultRule::new(Fault::Html));
    proxy.add_rule(FaultRule::new(Fault::Empty));
    assert!(next().starts_with(b"<!DOCTYPE"));
}

#[test]
fn an_unreachable_server_is_a_bad_gateway() {
    let sandbox = Sandbox::start().unwrap();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    let mut stream = connect(&proxy);
    write!(stream, "GET / HTTP/1.1\r\n\r\n").unwrap();
    answer(&mut stream);
    drop(sandbox);
    write!(stream, "GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(answer(&mut stream).0.starts_with("HTTP/1.1 502 "));
}

#[test]
fn a_write_is_applied_although_its_client_gave_up() {
    let sandbox = Sandbox::builder().latency(50 * MS).start().unwrap();
    let proxy = FaultProxy::before(sandbox.base_url()).unwrap();
    let mut stream = connect(&proxy);
    let (token, body) = (sandbox.token(), r#"{"userName": "jane"}"#);
    write!(stream, "POST /api/SCIM/v2/Users HTTP/1.1\r\nAuthorization: Basic {token}\r\nHost: x\r\n").unwrap();
    write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    drop(stream);
    let sent = Instant::now();
    while sandbox.users().is_empty() && sent.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(MS);
    }
    assert_eq!(sandbox.users().len(), 1);
}

#[test]
fn many_connections_are_served_at_once() {
    let (sandbox, proxy) = start(Fault::Empty);
    proxy.set_rules([FaultRule::new(Fault::Stall(Duration::from_secs(600))).times(64)]);
    let mut stalled: Vec<_> = (0..64).map(|_| connect(&proxy)).collect();
    for stream in &mut stalled {
        ask(stream, &sandbox);
    }
    let waited = Instant::now();
    while proxy.injected_count() < 64 && waited.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(MS);
    }
    let mut stream = connect(&proxy);
    ask(&mut stream, &sandbox);
    assert!(answer(&mut stream).0.starts_with("HTTP/1.1 200 "));
    // The proxy does not wait for the stalled connections.
    drop(proxy);
    assert_eq!(rest(&mut stalled[0]).0, "");
}

#[test]
fn a_proxy_is_send_sync_and_debug() {
    fn shareable<T: Send + Sync + 'static>(_: &T) {}
    let (_sandbox, proxy) = start(Fault::Empty);
    shareable(&proxy);
    assert!(format!("{proxy:?}").contains(proxy.base_url()));
}
