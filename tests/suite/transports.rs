//! Both transports with servers that are slow, send a wrong length, or close the connection.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use wats_scim::{Credentials, ErrorKind, Result, RetryPolicy, ScimConfig, ScimPatchRequest, ScimUser, WriteOutcome};

use super::MS;
use crate::{ScimClient, maybe_async, test};

/// Far more than the timeout, and far less than the time the server needs.
const LONG_AFTER: Duration = Duration::from_secs(10);
type Answer = fn(&mut TcpStream) -> io::Result<()>;

const QUICK: &str = r#"{"id":"quick"}"#;

/// A server on a loopback port that answers a request for the user `quick` at once, and every other
/// request with `other`.
pub(crate) fn server(other: impl Fn(&mut TcpStream) -> io::Result<()> + Clone + Send + 'static) -> String {
    serve(move |stream| {
        loop {
            if read_head(stream)?.contains("/quick") {
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{QUICK}", QUICK.len())?;
            } else {
                other(stream)?;
            }
        }
    })
}

/// A server on a loopback port that calls this for each connection until it fails.
fn serve(connection: impl Fn(&mut TcpStream) -> io::Result<()> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let connection = connection.clone();
            std::thread::spawn(move || connection(&mut stream));
        }
    });
    format!("http://{address}")
}

fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Sends a byte every 100 ms, for 30 s at most.
fn drip(stream: &mut TcpStream, text: &str) -> io::Result<()> {
    for byte in text.bytes().chain(std::iter::repeat(b' ')).take(300) {
        stream.write_all(&[byte])?;
        std::thread::sleep(100 * MS);
    }
    Ok(())
}

pub(crate) fn config(base_url: &str) -> ScimConfig {
    ScimConfig::new(base_url, Credentials::wats_token("dTpw")).retry(RetryPolicy::none())
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/scim+json\r\ncontent-length: 100000\r\n\r\n";

#[maybe_async]
#[test]
async fn a_request_times_out_however_slow_the_response_is() {
    let slow: [(&str, Answer); 5] = [
        ("no answer", |stream| stream.read_exact(&mut [0])),
        ("a head byte by byte", |stream| drip(stream, HEAD)),
        ("a body byte by byte", |stream| stream.write_all(HEAD.as_bytes()).and_then(|()| drip(stream, "{"))),
        ("a late head and no body", |stream| {
            std::thread::sleep(200 * MS);
            stream.write_all(HEAD.as_bytes())?;
            stream.read_exact(&mut [0])
        }),
        ("a late head and a body byte by byte", |stream| {
            std::thread::sleep(200 * MS);
            stream.write_all(HEAD.as_bytes())?;
            drip(stream, "{")
        }),
    ];
    for (name, answer) in slow {
        let base_url = server(answer);
        let patient = config(&base_url).timeout(300 * MS);
        let deadline = RetryPolicy::default().attempts(2).deadline(100 * MS);
        let hurried = config(&base_url).timeout(LONG_AFTER * 9).retry(deadline);
        for config in [patient, hurried] {
            let client = ScimClient::with_config(&config).unwrap();
            // On a new connection and on a reused one.
            for id in ["slow", "quick", "slow"] {
                let started = Instant::now();
                let answer = client.get_user(id).await;
                if id == "slow" {
                    assert_eq!(answer.as_ref().unwrap_err().kind(), ErrorKind::Timeout, "{name}: {answer:?}");
                }
                assert!(started.elapsed() < LONG_AFTER, "{name}: {:?}", started.elapsed());
            }
        }
    }
}

#[maybe_async]
#[test]
async fn a_late_head_does_not_extend_the_timeout_of_the_body() {
    let base_url = server(|stream| {
        std::thread::sleep(800 * MS);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n")?;
        std::thread::sleep(700 * MS);
        stream.write_all(br#"{"id":"too"}"#)
    });
    // On a busy machine the body can arrive before the timeout is checked, so one try must suffice.
    for _ in 0..5 {
        let client = ScimClient::with_config(&config(&base_url).timeout(Duration::from_secs(1))).unwrap();
        drop(client.get_user("quick").await);
        let answer = client.get_user("slow").await;
        if let Err(error) = answer {
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
            return;
        }
    }
    panic!("1.5 s were within 1 s");
}

#[maybe_async]
#[test]
async fn a_late_response_within_the_timeout_is_read() {
    let base_url = server(|stream| {
        std::thread::sleep(800 * MS);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n")?;
        stream.write_all(br#"{"id":"late"}"#)
    });
    let client = ScimClient::with_config(&config(&base_url).timeout(Duration::from_secs(60))).unwrap();
    for (id, found) in [("quick", "quick"), ("slow", "late"), ("slow", "late"), ("quick", "quick")] {
        let user = client.get_user(id).await;
        assert_eq!(user.unwrap().unwrap().id.as_deref(), Some(found));
    }
}

#[maybe_async]
#[test]
async fn the_longest_timeouts_do_not_panic() {
    let config = config(&server(|_| Ok(()))).connect_timeout(Duration::MAX).timeout(Duration::MAX);
    let user = ScimClient::with_config(&config).unwrap().get_user("quick").await;
    assert_eq!(user.unwrap().unwrap().id.as_deref(), Some("quick"));
}

#[maybe_async]
#[test]
async fn a_wrong_content_length_allocates_no_memory() {
    let base_url = server(|stream| {
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{{", 1_u64 << 60)?;
        Err(io::ErrorKind::ConnectionAborted.into())
    });
    let client = ScimClient::with_config(&config(&base_url).max_response_bytes(u64::MAX)).unwrap();
    let error = client.get_user("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
}

/// The outcomes of a creation, a patch and a deletion.
#[maybe_async]
async fn outcomes(config: &ScimConfig) -> [Option<WriteOutcome>; 3] {
    fn outcome<T>(result: Result<T>) -> Option<WriteOutcome> {
        let error = result.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        error.write_outcome()
    }
    let client = ScimClient::with_config(config).unwrap();
    let patch = ScimPatchRequest::new().replace("active", false);
    let created = client.create_user(&ScimUser::new("jane")).await;
    let updated = client.update_user("1", &patch).await;
    let deleted = client.delete_user("1").await;
    [outcome(created), outcome(updated), outcome(deleted)]
}

#[maybe_async]
#[test]
async fn a_write_without_a_connection_is_not_applied() {
    let not_applied = Some(WriteOutcome::NotApplied);
    let untrusted = super::tls::TlsServer::start();
    let of_untrusted = outcomes(&config(untrusted.base_url())).await;
    assert_eq!(of_untrusted, [not_applied; 3], "the certificate is not trusted");

    // A label of a name has at most 63 characters (RFC 1035 §2.3.4), so no DNS query is sent.
    let nowhere = config(&format!("http://{}.invalid", "x".repeat(64))).allow_plain_http(true);
    let of_nowhere = outcomes(&nowhere).await;
    assert_eq!(of_nowhere, [not_applied; 3], "the host name is unknown");

    let hangs_up = serve(|_| Ok(())).replace("http://", "https://");
    let [created, updated, _] = outcomes(&config(&hangs_up)).await;
    assert_eq!([created, updated], [not_applied; 2], "there was no TLS");
}

#[maybe_async]
#[test]
async fn a_write_with_a_broken_connection_is_unknown() {
    let breaks = serve(|stream| read_head(stream).map(drop));
    let broken = outcomes(&config(&breaks)).await;
    assert_eq!(broken, [Some(WriteOutcome::Unknown); 3]);
}

#[maybe_async]
#[test]
async fn long_headers_and_urls_are_supported() {
    let base_url = server(|stream| {
        let length = QUICK.len();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nx-long: {}\r\n\r\n", "x".repeat(30_000))?;
        stream.write_all(QUICK.as_bytes())
    });
    let client = ScimClient::with_config(&config(&base_url)).unwrap();
    for id in ["long", &"x".repeat(15_000)] {
        let user = client.get_user(id).await;
        assert_eq!(user.unwrap().unwrap().id.as_deref(), Some("quick"));
    }
}
