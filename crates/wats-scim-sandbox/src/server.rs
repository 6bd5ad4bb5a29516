//! The thread that listens, reads requests and writes answers. All I/O of the servers is here.

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

/// Answers a request instead of the server, or leaves it to the server.
pub(super) type Hook = dyn Fn(&Request<Vec<u8>>) -> Option<Response<Vec<u8>>> + Send + Sync;

/// The rules of a server, which decide the answer to each request.
pub(crate) trait Service: Send + 'static {
    /// Applies a request and answers it.
    fn respond(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>>;
}

/// The state that the server and its handle share.
pub(super) struct Shared<S> {
    pub(super) service: Mutex<S>,
    pub(super) log: Mutex<Log>,
    pub(super) connections: AtomicUsize,
    pub(super) records_requests: bool,
    pub(super) latency: Duration,
    pub(super) hook: Option<Arc<Hook>>,
}

/// Takes a lock, even if a thread panicked while it had the lock: the failed test reports more.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Binds a loopback port; with 0, a free one.
pub(super) fn bind(port: u16) -> io::Result<(StdListener, SocketAddr)> {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The running server. Dropping it stops the server and waits for its end.
pub(super) struct Server {
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a thread that serves `listener`, and returns when it accepts requests.
    pub(super) fn spawn<S: Service>(listener: StdListener, shared: Arc<Shared<S>>) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (report, started) = mpsc::channel();
        let thread = thread::Builder::new().name("wats-sandbox".to_owned()).spawn(move || {
            // The runtime is created and dropped on this thread. The thread that starts a sandbox may
            // belong to another runtime, in which dropping this one would panic.
            let runtime = match prepare(listener, shared) {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = report.send(Err(error));
                    return;
                }
            };
            let _ = report.send(Ok(()));
            // Ends when the sender is dropped; the runtime then closes all connections.
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
            // A panic of the server thread was already reported on stderr.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

/// A runtime on which the server accepts connections.
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
            // Probably out of file descriptors, which become available as connections close.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        shared.connections.fetch_add(1, Ordering::Relaxed);
        // Without this, a small answer may wait 40 ms for the acknowledgement of the client.
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| serve(Arc::clone(&shared), request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // An error means that the client closed the connection; there is nothing to do.
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
    // The request is applied before the delay: a client that times out does not undo it. That is why
    // the outcome of a timed-out create is unknown.
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }
    Ok(response.map(|body| Full::new(Bytes::from(body))))
}

fn answer<S: Service>(shared: &Shared<S>, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    let ticket = shared.records_requests.then(|| lock(&shared.log).received(request));
    // The hook runs without a lock, so it can call methods of the sandbox.
    let response = shared.hook.as_ref().and_then(|hook| hook(request));
    let response = response.unwrap_or_else(|| lock(&shared.service).respond(request));
    if let Some(ticket) = ticket {
        lock(&shared.log).answered(ticket, response.status());
    }
    response
}
