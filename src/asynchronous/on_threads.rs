//! A blocking transport under the async API, on threads of its own.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, Builder};
use std::time::Instant;

use http::{Request, Response};

use super::HttpClient;
use crate::blocking;
use crate::error::TransportError;
use crate::exchange::{TimeLeft, in_span_of_caller};

/// Runs a transport of the blocking API, such as [`Ureq`](crate::blocking::Ureq), on a few threads of its
/// own: an [`HttpClient`] for smol, async-std or any other executor, without tokio.
///
/// A thread starts when a request finds none free, up to a maximum; more requests wait for a free one.
/// Dropping a future before its request has begun cancels it; a request in flight ends in the background.
/// The threads end when the last clone is dropped.
///
/// ```
/// use wats_scim::asynchronous::{OnThreads, ScimService};
/// use wats_scim::blocking::Ureq;
/// use wats_scim::{Credentials, ScimConfig, ScimUser};
/// # let sandbox = wats_scim_sandbox::Sandbox::start()?;
/// # let (base_url, token) = (sandbox.base_url(), sandbox.token());
///
/// let config = ScimConfig::new(base_url, Credentials::wats_token(token));
/// let client = ScimService::with_http_client(&config, OnThreads::new(Ureq::new(&config)?))?;
/// smol::block_on(client.create_user(&ScimUser::new("jane@example.com")))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OnThreads<C> {
    client: Arc<C>,
    pool: Arc<Pool>,
}

impl<C: blocking::HttpClient> OnThreads<C> {
    const THREADS: usize = 16;

    /// Runs this transport, on at most 16 threads.
    pub fn new(client: C) -> Self {
        Self { client: Arc::new(client), pool: Arc::new(Pool(Arc::new(Shared::new(Self::THREADS)))) }
    }

    /// Sets the maximum number of threads, which is that of requests in flight; 16 by default, and at
    /// least 1.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        self.pool.0.lock().most = threads.max(1);
        self
    }
}

impl<C> Clone for OnThreads<C> {
    fn clone(&self) -> Self {
        Self { client: Arc::clone(&self.client), pool: Arc::clone(&self.pool) }
    }
}

impl<C> fmt::Debug for OnThreads<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.pool.0.lock();
        let (threads, most) = (state.threads, state.most);
        f.debug_struct("OnThreads").field("threads", &threads).field("most", &most).finish_non_exhaustive()
    }
}

type Sent = Result<Response<Vec<u8>>, TransportError>;

impl<C: blocking::HttpClient> HttpClient for OnThreads<C> {
    async fn send(&self, request: Request<Vec<u8>>) -> Sent {
        let (client, reply) = (Arc::clone(&self.client), Arc::new(Reply::default()));
        let (wanted, queued) = (Arc::clone(&reply), Instant::now());
        let work = in_span_of_caller(move || {
            // The future that waits for it holds the other one.
            if Arc::strong_count(&wanted) > 1 {
                wanted.put(catch_unwind(AssertUnwindSafe(|| send_after(&*client, request, queued))));
            }
        });
        self.pool.0.start(Box::new(work)).map_err(TransportError::not_connected)?;
        Answered(reply).await.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Sends a request that has waited for a thread.
fn send_after(client: &impl blocking::HttpClient, mut request: Request<Vec<u8>>, queued: Instant) -> Sent {
    if let Some(TimeLeft(left)) = request.extensions_mut().get_mut() {
        *left = left.saturating_sub(queued.elapsed());
        if left.is_zero() {
            let message = "no thread was free in the time of the request; raise OnThreads::threads";
            return Err(TransportError::not_connected(message));
        }
    }
    client.send(request)
}

/// The threads, which end with the last clone of the client.
struct Pool(Arc<Shared>);

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.has_work.notify_all();
    }
}

struct Shared {
    state: Mutex<State>,
    has_work: Condvar,
}

struct State {
    queue: VecDeque<Work>,
    threads: usize,
    /// How many threads wait for work.
    idle: usize,
    most: usize,
    is_closed: bool,
}

type Work = Box<dyn FnOnce() + Send>;

impl Shared {
    fn new(most: usize) -> Self {
        let state = State { queue: VecDeque::new(), threads: 0, idle: 0, most, is_closed: false };
        Self { state: Mutex::new(state), has_work: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues work. It fails if there is no thread, and none can be started.
    fn start(self: &Arc<Self>, work: Work) -> io::Result<()> {
        let mut state = self.lock();
        state.queue.push_back(work);
        if state.queue.len() > state.idle && state.threads < state.most {
            let shared = Arc::clone(self);
            match Builder::new().name("wats-scim".to_owned()).spawn(move || shared.work()) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    state.queue.pop_back();
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        self.has_work.notify_one();
        Ok(())
    }

    /// The loop of a thread.
    fn work(&self) {
        let mut state = self.lock();
        while !state.is_closed {
            if let Some(work) = state.queue.pop_front() {
                drop(state);
                work();
                state = self.lock();
            } else {
                state.idle += 1;
                state = self.has_work.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}

/// The answer to one request, which a task waits for.
#[derive(Default)]
struct Reply(Mutex<(Option<thread::Result<Sent>>, Option<Waker>)>);

impl Reply {
    fn put(&self, answer: thread::Result<Sent>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = Some(answer);
        let waker = state.1.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

struct Answered(Arc<Reply>);

impl Future for Answered {
    type Output = thread::Result<Sent>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = state.0.take() {
            return Poll::Ready(answer);
        }
        state.1 = Some(cx.waker().clone());
        Poll::Pending
    }
}
