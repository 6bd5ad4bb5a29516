//! The async face: everything here returns a future that any executor can run.
//!
//! It is the same source as the [blocking face](crate::blocking) with `.await`. Only its
//! transport, [`Reqwest`], needs tokio.

use http::{Request, Response};
use maybe_async::must_be_async as maybe_async;

#[path = "../client/mod.rs"]
mod client;

mod in_flight;
#[cfg(feature = "async")]
mod reqwest;
mod source;
mod streams;

pub use client::{
    HttpClient, HttpScimRepository, ScimApply, ScimBatch, ScimListing, ScimRepository, ScimResources, ScimService,
    WatsService,
};

use self::in_flight::InFlight;
#[cfg(feature = "async")]
pub use self::reqwest::{Reqwest, ScimClient};
use self::source::Source;
use crate::error::TransportError;

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

/// A large or rare future in a box of its own, so that those around it stay small to move.
fn boxed<F: Future>(future: F) -> std::pin::Pin<Box<F>> {
    Box::pin(future)
}

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
