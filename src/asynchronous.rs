//! The async face: everything here returns a future that any executor can run.
//!
//! It is the same source as the [blocking face](crate::blocking) with `.await`. Only its
//! transport, [`Reqwest`], needs tokio.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use http::{Request, Response};
use maybe_async::must_be_async as maybe_async;

#[path = "dual/batch.rs"]
mod batch;
#[path = "dual/batches.rs"]
mod batches;
#[path = "dual/creation.rs"]
mod creation;
#[path = "dual/exchange.rs"]
mod exchange;
#[path = "dual/http_client.rs"]
mod http_client;
#[path = "dual/job.rs"]
mod job;
#[path = "dual/pages.rs"]
mod pages;
#[path = "dual/repository.rs"]
mod repository;
#[path = "dual/service.rs"]
mod service;
#[path = "dual/wats.rs"]
mod wats;

mod lanes;
#[cfg(feature = "async")]
mod reqwest;
mod source;

pub use batch::ScimBatch;
pub use http_client::HttpClient;
pub use pages::ScimPages;
pub use repository::{HttpScimRepository, ScimRepository};
pub use service::ScimService;

use self::lanes::Lanes;
#[cfg(feature = "async")]
pub use self::reqwest::{Reqwest, ScimClient};
use self::source::Source;
use crate::batch::ScimWrite;
use crate::error::Result;
use crate::model::{Resource, ScimUser};
use crate::transport_error::TransportError;

macro_rules! example {
    ($($line:tt)*) => {
        $crate::example::written_once!(
            face: "asynchronous",
            main: "#[tokio::main(flavor = \"current_thread\")]\n# async fn main",
            fn: "async fn",
            await: ".await",
            lines: $($line)*
        )
    };
}
use example;

/// A timer that needs no particular executor.
async fn sleep(duration: std::time::Duration) {
    futures_timer::Delay::new(duration).await;
}

impl<F, Fut> HttpClient for F
where
    F: Fn(Request<Vec<u8>>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<Vec<u8>>, TransportError>> + Send,
{
    fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> impl Future<Output = Result<Response<Vec<u8>>, TransportError>> + Send {
        self(request)
    }
}

impl<R: ScimRepository> ScimService<R> {
    /// Any writes, as they come from a stream, several at a time; see
    /// [`write_users`](Self::write_users).
    pub fn write_users_from(&self, writes: impl Stream<Item = ScimWrite> + Send + 'static) -> ScimBatch<R, ScimUser> {
        ScimBatch::new(Arc::clone(self.shared_repository()), Source::of_stream(writes))
    }
}

impl<R: ScimRepository, T: Resource> ScimPages<R, T> {
    /// The listing as a [`Stream`], which ends after the first error.
    pub fn into_stream(self) -> ScimStream<R, T> {
        ScimStream(State::Resting(Box::new(self)))
    }
}

/// A listing as a [`Stream`]; see [`ScimPages::into_stream`].
#[must_use = "a stream does nothing until it is polled"]
pub struct ScimStream<R, T>(State<R, T>);

type Reading<R, T> = Pin<Box<dyn Future<Output = (Option<Result<T>>, Box<ScimPages<R, T>>)> + Send>>;

enum State<R, T> {
    Resting(Box<ScimPages<R, T>>),
    Reading(Reading<R, T>),
    /// Only while it is polled, or after a panic in there.
    Moved,
}

impl<R: ScimRepository, T: Resource> Stream for ScimStream<R, T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut reading: Reading<R, T> = match std::mem::replace(&mut self.0, State::Moved) {
            State::Resting(mut pages) => Box::pin(async move {
                let next = pages.try_next().await.transpose();
                (next, pages)
            }),
            State::Reading(reading) => reading,
            State::Moved => return Poll::Ready(None),
        };
        match reading.as_mut().poll(cx) {
            Poll::Ready((next, pages)) => {
                self.0 = State::Resting(pages);
                Poll::Ready(next)
            }
            Poll::Pending => {
                self.0 = State::Reading(reading);
                Poll::Pending
            }
        }
    }
}

impl<R, T> std::fmt::Debug for ScimStream<R, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScimStream").finish_non_exhaustive()
    }
}
