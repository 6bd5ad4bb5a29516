//! The thread that listens, reads requests and writes answers. Nothing else here waits.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;

use crate::log::Log;

/// Answers a request in the server's place, or leaves it to the server.
pub(super) type Hook = dyn Fn(&Request<Vec<u8>>) -> Option<Response<Vec<u8>>> + Send + Sync;

/// The rules of a server, which decide what each request is answered with.
pub(crate) trait Service: Send + 'static {
    /// Does what a request asks and answers it.
    fn respond(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>>;
}

/// What the server and its handle share.
pub(super) struct Shared<S> {
    pub(super) service: Mutex<S>,
    pub(super) log: Mutex<Log>,
    pub(super) connections: AtomicUsize,
    pub(super) records_requests: bool,
    pub(super) latency: Duration,
    pub(super) hook: Option<Arc<Hook>>,
}

/// Takes a lock, also after a thread panicked with it: a test that fails says more than this.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A free loopback port, which is the server's from now on.
pub(super) fn bind() -> io::Result<(StdListener, SocketAddr)> {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The running server; dropping it stops it and waits until it has.
pub(super) struct Server {
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a thread that serves `listener`; returns once it does.
    pub(super) fn spawn<S: Service>(listener: StdListener, shared: Arc<Shared<S>>) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (report, started) = mpsc::channel();
        let thread = thread::Builder::new().name("wats-sandbox".to_owned()).spawn(move || {
            // The runtime is built, and so dropped, on this thread: the one that starts a
            // sandbox may belong to a runtime itself, where dropping another one panics.
            let runtime = match prepare(listener, shared) {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = report.send(Err(error));
                    return;
                }
            };
            let _ = report.send(Ok(()));
            // Ends when the sender is dropped; the runtime then drops every connection.
            let _ = runtime.block_on(stopped);
        })?;
        let server = Self { stop: Some(stop), thread: Some(thread) };
        started.recv().map_err(io::Error::other)??;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server's thread was already reported on stderr.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

/// A runtime on which the server accepts connections as soon as it runs.
fn prepare<S: Service>(listener: StdListener, shared: Arc<Shared<S>>) -> io::Result<runtime::Runtime> {
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let listener = {
        let _context = runtime.enter();
        TcpListener::from_std(listener)?
    };
    runtime.spawn(accept(listener, shared));
    Ok(runtime)
}

async fn accept<S: Service>(listener: TcpListener, shared: Arc<Shared<S>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: some come back as connections close.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        shared.connections.fetch_add(1, Ordering::Relaxed);
        // Without this, a small answer may wait 40 ms for the peer's acknowledgement.
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| serve(Arc::clone(&shared), request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // An error here is a client that hung up, which is the client's business.
            let _ = connection.await;
        });
    }
}

async fn serve<S: Service>(
    shared: Arc<Shared<S>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    let response = answer(&shared, &Request::from_parts(head, body));
    // The wait comes after the deed: a client that gives up early does not undo its request,
    // which is what makes a timed-out create uncertain.
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }
    Ok(response.map(|body| Full::new(Bytes::from(body))))
}

fn answer<S: Service>(shared: &Shared<S>, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    let ticket = shared.records_requests.then(|| lock(&shared.log).received(request));
    // The hook runs without a lock, so it may look at the sandbox.
    let response = shared.hook.as_ref().and_then(|hook| hook(request));
    let response = response.unwrap_or_else(|| lock(&shared.service).respond(request));
    if let Some(ticket) = ticket {
        lock(&shared.log).answered(ticket, response.status());
    }
    response
}
