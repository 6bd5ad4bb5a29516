//! The answers that the proxy makes itself. No I/O.

use std::io::{self, Read};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::StatusCode;

/// As long as a real page, and marked so that a log shows its origin.
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\
    <body><form action=\"/login\"><input name=\"user\"></form><p>fault proxy</p></body></html>\n";

/// A status without a body.
pub(super) fn status(code: StatusCode, retry_after: Option<Duration>) -> Vec<u8> {
    let field = retry_after.map(|wait| format!("Retry-After: {}\r\n", wait.as_secs()));
    answer(code, field.as_deref().unwrap_or_default(), b"")
}

/// A redirect to `location`.
pub(super) fn redirect(code: StatusCode, location: &str) -> Vec<u8> {
    // A line break would end the field.
    let location: String = location.chars().filter(|character| !character.is_control()).collect();
    answer(code, &format!("Location: {location}\r\n"), b"")
}

/// A web page with status 200.
pub(super) fn page() -> Vec<u8> {
    answer(StatusCode::OK, "Content-Type: text/html; charset=utf-8\r\n", PAGE.as_bytes())
}

/// Plain text with status 200.
pub(super) fn plain_text() -> Vec<u8> {
    answer(StatusCode::OK, "Content-Type: text/plain\r\n", b"this is not the answer that was expected\n")
}

/// The head of a JSON answer whose body is `length` bytes long.
pub(super) fn json_head(length: u64) -> Vec<u8> {
    head(StatusCode::OK, "Content-Type: application/scim+json\r\n", length)
}

/// An answer with a gzip body of `length` zeros.
pub(super) fn zeros(length: u64) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    io::copy(&mut io::repeat(0).take(length), &mut encoder)?;
    let fields = "Content-Type: application/scim+json\r\nContent-Encoding: gzip\r\n";
    Ok(answer(StatusCode::OK, fields, &encoder.finish()?))
}

/// The answer if the server behind the proxy is unreachable.
pub(super) fn unreachable(why: &io::Error) -> Vec<u8> {
    let why = format!("the fault proxy cannot reach the server behind it: {why}\n");
    answer(StatusCode::BAD_GATEWAY, "Content-Type: text/plain\r\n", why.as_bytes())
}

fn answer(code: StatusCode, fields: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = head(code, fields, u64::try_from(body.len()).unwrap_or(u64::MAX));
    answer.extend_from_slice(body);
    answer
}

fn head(code: StatusCode, fields: &str, length: u64) -> Vec<u8> {
    let reason = code.canonical_reason().unwrap_or_default();
    // RFC 9110 §8.6: these have neither a body nor a length.
    let length = match code.as_u16() {
        204 | 304 => String::new(),
        _ => format!("Content-Length: {length}\r\n"),
    };
    format!("HTTP/1.1 {} {reason}\r\n{fields}{length}\r\n", code.as_u16()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: Vec<u8>) -> String {
        String::from_utf8(answer).unwrap()
    }

    #[test]
    fn a_status_can_have_a_retry_after() {
        let answer = text(status(StatusCode::TOO_MANY_REQUESTS, Some(Duration::from_secs(7))));
        assert_eq!(answer, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
        assert!(!text(status(StatusCode::BAD_GATEWAY, None)).contains("Retry-After"));
        assert_eq!(text(status(StatusCode::NO_CONTENT, None)), "HTTP/1.1 204 No Content\r\n\r\n");
    }

    #[test]
    fn a_location_cannot_break_out_of_its_field() {
        let answer = text(redirect(StatusCode::FOUND, "http://x/\r\nA: b"));
        assert_eq!(answer, "HTTP/1.1 302 Found\r\nLocation: http://x/A: b\r\nContent-Length: 0\r\n\r\n");
    }

    #[test]
    fn zeros_are_small_on_the_wire() {
        let answer = zeros(1 << 20).unwrap();
        assert!(answer.len() < 2048);
        let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let mut body = Vec::new();
        flate2::read::GzDecoder::new(&answer[at..]).read_to_end(&mut body).unwrap();
        assert_eq!(body, vec![0; 1 << 20]);
    }
}
