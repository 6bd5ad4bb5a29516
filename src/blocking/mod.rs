//! The blocking face: everything here waits on the thread that calls it.
//!
//! It is the same source as the [async face](crate::asynchronous) without `.await`.

use http::{Request, Response};
use maybe_async::must_be_sync as maybe_async;

#[path = "../client/mod.rs"]
mod client;

#[cfg(feature = "blocking")]
mod failure;
#[cfg(feature = "blocking")]
mod idle;
mod in_flight;
mod source;
#[cfg(feature = "blocking")]
mod ureq;

pub use client::{
    HttpClient, HttpScimRepository, ScimApply, ScimBatch, ScimListing, ScimRepository, ScimResources, ScimService,
    WatsService,
};

use self::in_flight::InFlight;
use self::source::Source;
#[cfg(feature = "blocking")]
pub use self::ureq::{ScimClient, Ureq};
use crate::batch::BatchItem;
use crate::error::Result;
use crate::error::TransportError;
use crate::model::Resource;
use crate::plan::AppliedStep;

macro_rules! example {
    ($($line:tt)*) => {
        $crate::example::written_once!(
            face: "blocking", main: "fn main", fn: "fn", await: "", lines: $($line)*
        )
    };
}
use example;

/// What the async face keeps small by putting it elsewhere.
fn boxed<T>(value: T) -> T {
    value
}

fn sleep(duration: std::time::Duration) {
    std::thread::sleep(duration);
}

impl<F> HttpClient for F
where
    F: Fn(Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> + Send + Sync + 'static,
{
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        self(request)
    }
}

/// The results of the writes.
impl<R: ScimRepository, T: Resource> Iterator for ScimBatch<R, T> {
    type Item = BatchItem<T>;

    fn next(&mut self) -> Option<Self::Item> {
        Self::next(self)
    }
}

/// The steps and their outcomes; ends after the first error.
impl<R: ScimRepository> Iterator for ScimApply<R> {
    type Item = Result<AppliedStep>;

    fn next(&mut self) -> Option<Self::Item> {
        self.try_next().transpose()
    }
}

/// Ends after the first error.
impl<R: ScimRepository, T: Resource> Iterator for ScimListing<R, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.try_next().transpose()
    }
}
