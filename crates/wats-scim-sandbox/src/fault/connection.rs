//! The connection of one client, and the connection to the server behind it.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::InjectedFault;
use super::canned;
use super::kind::Fault;
use super::message::{Body, Head, Message, RequestLine, answer_head, request_head};
use super::rule::Rules;
use crate::server::lock;

/// A piece of a large body.
static FILLER: [u8; 16 << 10] = [b'x'; 16 << 10];

/// The state that the proxy, its connections and its handle share.
pub(super) struct Shared {
    pub(super) upstream: Vec<SocketAddr>,
    pub(super) rules: Mutex<Rules>,
    pub(super) injected: Mutex<Vec<InjectedFault>>,
    /// Whether the proxy accepts no more requests.
    pub(super) refusing: watch::Sender<bool>,
}

/// What happens to the connection after a request.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Keep,
    Close,
    Reset,
}

/// Serves a client until one side closes the connection.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let refusing = shared.refusing.subscribe();
    let mut connection = Connection { client: Peer::new(stream), upstream: None, refusing, shared };
    loop {
        // An error means that one side closed the connection. Then the other one is closed too.
        match connection.exchange().await.unwrap_or(Next::Close) {
            Next::Keep => {}
            Next::Close => return,
            Next::Reset => {
                let _ = connection.client.stream.set_zero_linger();
                return;
            }
        }
    }
}

struct Connection {
    client: Peer,
    /// Reused for the next request.
    upstream: Option<Peer>,
    refusing: watch::Receiver<bool>,
    shared: Arc<Shared>,
}

impl Connection {
    async fn exchange(&mut self) -> io::Result<Next> {
        if !self.next_begins().await? {
            return Ok(Next::Close);
        }
        let request = self.client.request().await?;
        let RequestLine { method, target } = &request.head.start;
        let fault = lock(&self.shared.rules).decide(method, target);
        let answer = if fault.as_ref().is_none_or(Fault::forwards) {
            match self.connect().await {
                Ok(upstream) => Some(self.forward(upstream, &request).await?),
                Err(error) => {
                    self.send(method, &canned::unreachable(&error)).await?;
                    return Ok(Next::Close);
                }
            }
        } else {
            None
        };
        let keeps_alive = request.head.keeps_alive && answer.as_ref().is_none_or(|answer| answer.head.keeps_alive);
        let next = match fault {
            None => {
                self.client.write(answer.as_ref().map_or(&[], |answer| &answer.bytes)).await?;
                Next::Keep
            }
            Some(fault) => {
                // Recorded before it happens, so that a client that has seen it finds the record.
                lock(&self.shared.injected).push(InjectedFault {
                    fault: fault.clone(),
                    method: method.clone(),
                    target: target.clone(),
                    upstream_status: answer.as_ref().map(|answer| answer.head.start),
                });
                self.inject(&fault, method, answer).await?
            }
        };
        Ok(if next == Next::Keep && !keeps_alive { Next::Close } else { next })
    }

    /// Waits for a request; `false` if the client sends none or the proxy accepts none.
    async fn next_begins(&mut self) -> io::Result<bool> {
        let refused = self.refusing.wait_for(|refusing| *refusing);
        if !self.client.buffer.is_empty() {
            return Ok(!*self.shared.refusing.borrow());
        }
        match unless(refused, self.client.more()).await {
            Some(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Some(read) => read.map(|()| true),
            None => Ok(false),
        }
    }

    async fn inject(
        &mut self,
        fault: &Fault,
        method: &Method,
        answer: Option<Message<StatusCode>>,
    ) -> io::Result<Next> {
        // A fault that forwards the request has an answer.
        let whole = answer.as_ref().map_or(&[][..], |answer| &answer.bytes);
        match fault {
            Fault::ResetBeforeAnswer | Fault::ResetAfterApplied => return Ok(Next::Reset),
            Fault::Stall(wait) | Fault::StallAfterApplied(wait) => {
                self.client.hold(*wait).await;
                return Ok(Next::Close);
            }
            Fault::Truncate => {
                self.client.write(answer.as_ref().map_or(&[], Message::half)).await?;
                return Ok(Next::Close);
            }
            Fault::CloseIdle => {
                self.client.write(whole).await?;
                return Ok(Next::Close);
            }
            Fault::CloseOnReuse => {
                self.client.write(whole).await?;
                return Ok(if self.next_begins().await? { Next::Reset } else { Next::Close });
            }
            Fault::Trickle { bytes, every } => {
                let (head, body) = answer.as_ref().map_or((&[][..], &[][..]), Message::parts);
                self.client.trickle(head, body, *bytes, *every).await?;
            }
            Fault::Status { code, retry_after } | Fault::StatusAfterApplied { code, retry_after } => {
                self.send(method, &canned::status(*code, *retry_after)).await?;
            }
            Fault::Redirect { code, location } => self.send(method, &canned::redirect(*code, location)).await?,
            Fault::Html | Fault::HtmlAfterApplied => self.send(method, &canned::page()).await?,
            Fault::Empty => self.send(method, &canned::status(StatusCode::OK, None)).await?,
            Fault::WrongMediaType => self.send(method, &canned::plain_text()).await?,
            Fault::Oversized(length) => {
                self.send(method, &canned::json_head(*length)).await?;
                if method != Method::HEAD {
                    self.client.write_json(*length).await?;
                }
            }
            Fault::GzipBomb(length) => {
                let length = *length;
                // Compression takes a while, and other connections wait for their answers.
                let bomb = tokio::task::spawn_blocking(move || canned::zeros(length)).await;
                self.send(method, &bomb.map_err(io::Error::other)??).await?;
            }
        }
        Ok(Next::Keep)
    }

    /// Sends an answer to a request with this method.
    async fn send(&mut self, method: &Method, answer: &[u8]) -> io::Result<()> {
        let head = if method == Method::HEAD { answer_head(answer, method)? } else { None };
        let length = head.map_or(answer.len(), |head| head.length);
        self.client.write(answer.get(..length).unwrap_or(answer)).await
    }

    /// The connection to the server; the previous one if it is still open.
    async fn connect(&mut self) -> io::Result<Peer> {
        match self.upstream.take().filter(Peer::is_open) {
            Some(upstream) => Ok(upstream),
            None => Ok(Peer::new(TcpStream::connect(self.shared.upstream.as_slice()).await?)),
        }
    }

    /// The complete answer to a request. It is awaited even if the client has closed the connection.
    async fn forward(&mut self, mut upstream: Peer, request: &Message<RequestLine>) -> io::Result<Message<StatusCode>> {
        upstream.write(&request.bytes).await?;
        loop {
            let answer = upstream.answer(&request.head.start.method).await?;
            // The client already got its 100.
            if !answer.head.start.is_informational() {
                self.upstream = Some(upstream).filter(|_| answer.head.keeps_alive);
                return Ok(answer.with_known_length());
            }
        }
    }
}

/// One end of a connection.
struct Peer {
    stream: TcpStream,
    /// Received bytes that are not processed yet.
    buffer: Vec<u8>,
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        // Without this, a small message may wait 40 ms for the acknowledgement of the peer.
        let _ = stream.set_nodelay(true);
        Self { stream, buffer: Vec::new() }
    }

    /// Whether the connection is idle: open, without unexpected data.
    fn is_open(&self) -> bool {
        let read = self.stream.try_read(&mut [0]);
        self.buffer.is_empty() && read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    async fn request(&mut self) -> io::Result<Message<RequestLine>> {
        let head = self.head(request_head).await?;
        if head.expects_continue {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        self.message(head).await
    }

    async fn answer(&mut self, method: &Method) -> io::Result<Message<StatusCode>> {
        let head = self.head(|bytes| answer_head(bytes, method)).await?;
        self.message(head).await
    }

    async fn head<S>(&mut self, read: impl Fn(&[u8]) -> io::Result<Option<Head<S>>>) -> io::Result<Head<S>> {
        loop {
            if let Some(head) = read(&self.buffer)? {
                return Ok(head);
            }
            self.more().await?;
        }
    }

    async fn message<S>(&mut self, head: Head<S>) -> io::Result<Message<S>> {
        let end = loop {
            if let Some(end) = head.end(&self.buffer)? {
                break end;
            }
            match self.more().await {
                Err(error) if head.body == Body::UntilClose && error.kind() == io::ErrorKind::UnexpectedEof => {
                    break self.buffer.len();
                }
                read => read?,
            }
        };
        let rest = self.buffer.split_off(end.min(self.buffer.len()));
        Ok(Message { head, bytes: std::mem::replace(&mut self.buffer, rest) })
    }

    async fn trickle(&mut self, head: &[u8], body: &[u8], bytes: usize, every: Duration) -> io::Result<()> {
        self.write(head).await?;
        for piece in body.chunks(bytes.max(1)) {
            tokio::time::sleep(every).await;
            self.write(piece).await?;
        }
        Ok(())
    }

    /// Writes JSON of this many bytes, which is never completely in memory.
    async fn write_json(&mut self, length: u64) -> io::Result<()> {
        self.write(b"\"".get(..usize::from(length > 0)).unwrap_or_default()).await?;
        let mut left = length.saturating_sub(2);
        while left > 0 {
            let piece = usize::try_from(left).unwrap_or(usize::MAX).min(FILLER.len());
            self.write(FILLER.get(..piece).unwrap_or_default()).await?;
            left = left.saturating_sub(u64::try_from(piece).unwrap_or(u64::MAX));
        }
        self.write(b"\"".get(..usize::from(length > 1)).unwrap_or_default()).await
    }

    /// Waits without sending anything; ends early if the peer closes the connection.
    async fn hold(&mut self, wait: Duration) {
        let hung_up = async { while self.more().await.is_ok() {} };
        unless(hung_up, tokio::time::sleep(wait)).await;
    }
}

/// The result of `work`, or `None` if `end` completes first.
async fn unless<W: Future>(end: impl Future, work: W) -> Option<W::Output> {
    let (mut end, mut work) = (pin!(end), pin!(work));
    poll_fn(|context| match end.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(context).map(Some),
    })
    .await
}
