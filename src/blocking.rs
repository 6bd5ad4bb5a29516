//! The blocking face: everything here waits on the thread that calls it.
//!
//! It is the same source as the [async face](crate::asynchronous) without `.await`.

use http::{Request, Response};
use maybe_async::must_be_sync as maybe_async;

#[path = "dual/apply.rs"]
mod apply;
#[path = "dual/audited.rs"]
mod audited;
#[path = "dual/batch.rs"]
mod batch;
#[path = "dual/batches.rs"]
mod batches;
#[path = "dual/creation.rs"]
mod creation;
#[path = "dual/exchange.rs"]
mod exchange;
#[path = "dual/groups.rs"]
mod groups;
#[path = "dual/http_client.rs"]
mod http_client;
#[path = "dual/job.rs"]
mod job;
#[path = "dual/pages.rs"]
mod pages;
#[path = "dual/repository.rs"]
mod repository;
#[path = "dual/resources.rs"]
mod resources;
#[path = "dual/service.rs"]
mod service;
#[path = "dual/wats.rs"]
mod wats;

#[cfg(feature = "blocking")]
mod failure;
#[cfg(feature = "blocking")]
mod idle;
mod lanes;
mod source;
#[cfg(feature = "blocking")]
mod ureq;

pub use apply::ScimApply;
pub use batch::ScimBatch;
pub use http_client::HttpClient;
pub use pages::ScimPages;
pub use repository::{HttpScimRepository, ScimRepository};
pub use resources::ScimResources;
pub use service::ScimService;

use self::lanes::Lanes;
use self::source::Source;
#[cfg(feature = "blocking")]
pub use self::ureq::{ScimClient, Ureq};
use crate::batch::BatchItem;
use crate::error::Result;
use crate::model::Resource;
use crate::transport_error::TransportError;

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
        self.next_item()
    }
}

/// Ends after the first error.
impl<R: ScimRepository, T: Resource> Iterator for ScimPages<R, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.try_next().transpose()
    }
}
