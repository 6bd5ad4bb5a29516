//! Finds the end of an HTTP/1.1 message (RFC 9112 §6). No I/O.

use std::io;

use http::{Method, StatusCode};

/// The maximum size of a head, in bytes.
const MAX_HEAD: usize = 256 << 10;

/// A request or an answer, as it was received.
#[derive(Debug)]
pub(super) struct Message<S> {
    pub(super) head: Head<S>,
    /// Head and body, with the chunked encoding if there is one.
    pub(super) bytes: Vec<u8>,
}

/// The head of a message.
#[derive(Debug)]
pub(super) struct Head<S> {
    pub(super) start: S,
    /// The length, including the empty line at the end.
    pub(super) length: usize,
    pub(super) body: Body,
    /// Whether the connection stays open.
    pub(super) keeps_alive: bool,
    /// Whether the client sends the body only after a 100.
    pub(super) expects_continue: bool,
}

/// The length of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Exactly(usize),
    Chunked,
    UntilClose,
}

/// The first line of a request.
#[derive(Debug)]
pub(super) struct RequestLine {
    pub(super) method: Method,
    pub(super) target: String,
}

/// The head of a request; `None` if it is incomplete.
pub(super) fn request_head(bytes: &[u8]) -> io::Result<Option<Head<RequestLine>>> {
    let Some(fields) = Fields::read(bytes)? else { return Ok(None) };
    let mut words = fields.start.split(' ');
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Err(malformed("the request line"));
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| malformed("the method"))?;
    let keeps_alive = fields.keeps_alive(version);
    let start = RequestLine { method, target: target.to_owned() };
    let (length, expects_continue) = (fields.length, fields.expects_continue);
    Ok(Some(Head { start, length, body: fields.body.unwrap_or(Body::Exactly(0)), keeps_alive, expects_continue }))
}

/// The head of the answer to a request with this method; `None` if it is incomplete.
pub(super) fn answer_head(bytes: &[u8], method: &Method) -> io::Result<Option<Head<StatusCode>>> {
    let Some(fields) = Fields::read(bytes)? else { return Ok(None) };
    let mut words = fields.start.split(' ');
    let (Some(version), Some(code)) = (words.next(), words.next()) else {
        return Err(malformed("the status line"));
    };
    let status = StatusCode::from_bytes(code.as_bytes()).map_err(|_| malformed("the status"))?;
    let has_no_body = method == Method::HEAD || status.is_informational() || matches!(status.as_u16(), 204 | 304);
    let body = if has_no_body { Body::Exactly(0) } else { fields.body.unwrap_or(Body::UntilClose) };
    let keeps_alive = fields.keeps_alive(version);
    Ok(Some(Head { start: status, length: fields.length, body, keeps_alive, expects_continue: false }))
}

impl<S> Head<S> {
    /// The end of the message; `None` if it is incomplete, or if it ends with the connection.
    pub(super) fn end(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let body = bytes.get(self.length..).unwrap_or_default();
        let length = match self.body {
            Body::Exactly(length) => Some(length).filter(|length| body.len() >= *length),
            Body::Chunked => chunks_end(body)?,
            Body::UntilClose => None,
        };
        Ok(length.map(|length| self.length.saturating_add(length)))
    }
}

impl<S> Message<S> {
    /// Adds `Content-Length` to a message that ended with its connection. Without it, a truncated message
    /// would look complete.
    pub(super) fn with_known_length(mut self) -> Self {
        if self.head.body == Body::UntilClose {
            let field = format!("Content-Length: {}\r\n", self.bytes.len().saturating_sub(self.head.length));
            let end_of_fields = self.head.length.saturating_sub(2).min(self.bytes.len());
            self.bytes.splice(end_of_fields..end_of_fields, field.bytes());
            self.head.length = self.head.length.saturating_add(field.len());
        }
        self
    }

    /// Splits the message into head and body.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        self.bytes.split_at_checked(self.head.length).unwrap_or((&self.bytes, &[]))
    }

    /// The head and half of the body, or half of the head if there is no body.
    pub(super) fn half(&self) -> &[u8] {
        let (head, body) = self.parts();
        let length = if body.is_empty() { head.len() / 2 } else { head.len().saturating_add(body.len() / 2) };
        self.bytes.get(..length).unwrap_or_default()
    }
}

/// A head, with the fields that matter for the length.
struct Fields {
    start: String,
    length: usize,
    body: Option<Body>,
    connection: String,
    expects_continue: bool,
}

impl Fields {
    fn read(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = find(bytes, b"\r\n\r\n") else {
            return if bytes.len() > MAX_HEAD { Err(malformed("the head: it is too long")) } else { Ok(None) };
        };
        let text = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
        let mut lines = text.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let mut fields = Self {
            start,
            length: end.saturating_add(4),
            body: None,
            connection: String::new(),
            expects_continue: false,
        };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim().to_ascii_lowercase();
            match name.to_ascii_lowercase().as_str() {
                "transfer-encoding" if value.ends_with("chunked") => fields.body = Some(Body::Chunked),
                // The chunked encoding overrides a length (RFC 9112 §6.3).
                "content-length" if fields.body != Some(Body::Chunked) => {
                    let length = value.parse().map_err(|_| malformed("Content-Length"))?;
                    fields.body = Some(Body::Exactly(length));
                }
                "connection" => fields.connection = value,
                "expect" => fields.expects_continue = value == "100-continue",
                _ => {}
            }
        }
        Ok(Some(fields))
    }

    fn keeps_alive(&self, version: &str) -> bool {
        let says = |option| self.connection.split(',').any(|one| one.trim() == option);
        if version == "HTTP/1.0" { says("keep-alive") } else { !says("close") }
    }
}

/// The length of a chunked body (RFC 9112 §7.1); `None` if it is incomplete.
fn chunks_end(body: &[u8]) -> io::Result<Option<usize>> {
    let mut at: usize = 0;
    let mut was_last = false;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        let Some(line) = find(rest, b"\r\n") else { return Ok(None) };
        at = at.saturating_add(line).saturating_add(2);
        let line = rest.get(..line).unwrap_or_default();
        match (was_last, line.is_empty()) {
            (true, true) => return Ok(Some(at)),
            // A trailer.
            (true, false) => {}
            (false, _) => {
                let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
                let size = std::str::from_utf8(size).ok().and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
                match size.ok_or_else(|| malformed("a chunk"))? {
                    0 => was_last = true,
                    size => at = at.saturating_add(size).saturating_add(2),
                }
            }
        }
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} is malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The end of a request.
    fn request_end(text: &str) -> Option<usize> {
        request_head(text.as_bytes()).unwrap().and_then(|head| head.end(text.as_bytes()).unwrap())
    }

    fn answer(text: &str) -> Message<StatusCode> {
        let head = answer_head(text.as_bytes(), &Method::GET).unwrap().unwrap();
        Message { head, bytes: text.into() }
    }

    #[test]
    fn a_request_line_is_read() {
        let head = request_head(b"PATCH /Users/1?x=%20 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap().unwrap();
        assert_eq!((head.start.method, head.start.target.as_str()), (Method::PATCH, "/Users/1?x=%20"));
        assert!(request_head(b"PATCH\r\n\r\n").is_err());
    }

    #[test]
    fn a_prefix_of_a_message_is_incomplete() {
        for whole in [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
        ] {
            for length in 0..whole.len() {
                assert_eq!(request_end(&whole[..length]), None, "{length} of {whole}");
            }
            assert_eq!(request_end(&format!("{whole}GET /next")), Some(whole.len()), "{whole}");
        }
    }

    #[test]
    fn malformed_input_is_an_error_and_does_not_panic() {
        for text in ["Content-Length: -1", "Content-Length: 99999999999999999999999"] {
            assert!(request_head(format!("GET / HTTP/1.1\r\n{text}\r\n\r\n").as_bytes()).is_err(), "{text}");
        }
        assert!(chunks_end(b"x\r\n").is_err());
        assert_eq!(chunks_end(b"ffffffffffffffff\r\n").unwrap(), None);
        assert!(request_head(&vec![b'x'; MAX_HEAD + 1]).is_err());
        assert!(answer_head(b"HTTP/1.1 9999 x\r\n\r\n", &Method::GET).is_err());
    }

    #[test]
    fn some_answers_never_have_a_body() {
        for (status, method) in
            [("204", Method::GET), ("304", Method::GET), ("100", Method::GET), ("200", Method::HEAD)]
        {
            let text = format!("HTTP/1.1 {status} x\r\nContent-Length: 5\r\n\r\n");
            let head = answer_head(text.as_bytes(), &method).unwrap().unwrap();
            assert_eq!(head.end(text.as_bytes()).unwrap(), Some(text.len()), "{status}");
        }
    }

    #[test]
    fn the_connection_header_tells_whether_the_connection_stays_open() {
        let keeps = |version: &str, connection: &str| {
            let text = format!("HTTP/{version} 200 OK\r\nConnection: {connection}\r\nContent-Length: 0\r\n\r\n");
            answer(&text).head.keeps_alive
        };
        assert!(keeps("1.1", "x") && !keeps("1.1", "x, Close"));
        assert!(!keeps("1.0", "x") && keeps("1.0", "Keep-Alive"));
    }

    #[test]
    fn half_an_answer_keeps_its_head() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
        assert_eq!(answer(&format!("{head}abcd")).half(), format!("{head}ab").as_bytes());
        assert_eq!(answer("HTTP/1.1 204 OK\r\n\r\n").half(), b"HTTP/1.1 ");
    }

    #[test]
    fn an_answer_that_ends_with_its_connection_gets_a_length() {
        let message = answer("HTTP/1.0 200 OK\r\nA: b\r\n\r\nabcd").with_known_length();
        assert_eq!(message.bytes, b"HTTP/1.0 200 OK\r\nA: b\r\nContent-Length: 4\r\n\r\nabcd");
        assert_eq!(message.parts().1, b"abcd");
    }
}
