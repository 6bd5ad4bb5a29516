//! The server, in its own process, so that the processor time of the bench does not include it.
//!
//! It is stateless. Its path has the number of users and the latency: `/50000/20/Users` has 50,000
//! users and 20 ms. For a varying [`Latency`], the number of a creation is the number in the user's
//! name, and the number of a page is the number of pages of a hundred before its first user. Each
//! connection has a thread.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use http::StatusCode;

use super::latency::Latency;
use super::users::{self, Users};

/// The argument that makes the bench the server.
const SERVE: &str = "serve";

/// A running server. It exits with this process.
pub(crate) struct Server {
    process: Child,
    port: u16,
}

impl Server {
    pub(crate) fn start() -> io::Result<Self> {
        let mut process =
            Command::new(env::current_exe()?).arg(SERVE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let port = line.trim().parse().map_err(|_| io::Error::other("the server printed no port"))?;
        Ok(Self { process, port })
    }

    /// The base URL of a directory with this number of users and this latency.
    pub(crate) fn base(&self, users: u64, latency: impl Into<Latency>) -> String {
        format!("http://127.0.0.1:{}/{users}/{}", self.port, latency.into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the server if this process was started as one, until its parent exits.
pub(crate) fn serve_as_child() -> io::Result<()> {
    if env::args().nth(1).as_deref() != Some(SERVE) {
        return Ok(());
    }
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?.port());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A closed connection is no failure.
            thread::spawn(move || serve(&stream));
        }
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    std::process::exit(0);
}

fn serve(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let users = Users::new();
    let mut requests = BufReader::new(stream);
    let mut answer = Vec::new();
    let mut body = Vec::new();
    while let Some(request) = Request::read(&mut requests)? {
        thread::sleep(request.latency());
        body.clear();
        let status = request.answer(&users, &mut body);
        answer.clear();
        write!(
            answer,
            "HTTP/1.1 {status}\r\nContent-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )?;
        answer.extend_from_slice(&body);
        (&mut &*stream).write_all(&answer)?;
    }
    Ok(())
}

/// The relevant parts of a request.
pub(crate) struct Request {
    users: u64,
    latency: Latency,
    asked: Asked,
}

enum Asked {
    /// The creation of the user with this number in its name.
    Creation(u64),
    /// A read or change of the user with this number at the end of its id.
    User(u64),
    Page {
        start: u64,
        count: u64,
    },
}

impl Request {
    /// The next request; `None` when the connection is closed.
    fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut first = String::new();
        if from.read_line(&mut first)? == 0 {
            return Ok(None);
        }
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            from.read_line(&mut line)?;
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().unwrap_or(0);
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = Vec::new();
        from.take(length).read_to_end(&mut body)?;
        let mut words = first.split(' ');
        let request = words.next().zip(words.next()).and_then(|(method, target)| Self::of(method, target, &body));
        request.map(Some).ok_or_else(|| io::Error::other("not a request for this server"))
    }

    pub(crate) fn of(method: &str, target: &str, body: &[u8]) -> Option<Self> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut segments = path.split('/').skip(1);
        let users = segments.next()?.parse().ok()?;
        let latency = segments.next()?.parse().ok()?;
        if segments.next()? != "Users" {
            return None;
        }
        let given =
            |name: &str| query.split('&').find_map(|one| one.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
        let asked = match segments.next() {
            Some(id) => Asked::User(id.get(id.len().checked_sub(7)?..)?.parse().ok()?),
            None if method == "POST" => Asked::Creation(users::number_in(body)),
            None => {
                Asked::Page { start: given("startIndex").unwrap_or(1).max(1), count: given("count").unwrap_or(100) }
            }
        };
        Some(Self { users, latency, asked })
    }

    /// The latency of the response. Overlapping pages of a client have the same latencies as pages
    /// without overlap.
    pub(crate) fn latency(&self) -> Duration {
        self.latency.of(match self.asked {
            Asked::Creation(number) | Asked::User(number) => number,
            Asked::Page { start, .. } => (start - 1) / 100,
        })
    }

    pub(crate) fn answer(&self, users: &Users, body: &mut Vec<u8>) -> StatusCode {
        match self.asked {
            Asked::Creation(_) => {
                users.put(1, body);
                return StatusCode::CREATED;
            }
            Asked::User(number) => users.put(number, body),
            Asked::Page { start, count } => {
                let end = start.saturating_add(count).min(self.users + 1);
                users.put_page(self.users, start, start..end.max(start), body);
            }
        }
        StatusCode::OK
    }
}
