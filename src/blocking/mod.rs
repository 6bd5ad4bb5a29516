//! The blocking API: every call runs on the calling thread and returns when it is done.
//!
//! [`ScimClient`] is the place to start. The [async API](crate::asynchronous) is compiled from the
//! same source, with `.await`.
//!
//! ```
//! use wats_scim::Credentials;
//! use wats_scim::blocking::ScimClient;
//! # let sandbox = wats_scim_sandbox::Sandbox::builder().users(3).start()?;
//! # let (base_url, token) = (sandbox.base_url(), sandbox.token());
//!
//! let client = ScimClient::new(base_url, Credentials::wats_token(token))?;
//! for user in client.iter_users() {
//!     println!("{}", user?.user_name.unwrap_or_default());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | type | purpose |
//! |---|---|
//! | [`ScimClient`] | [`ScimService`] with the built-in transport [`Ureq`] |
//! | [`ScimService`] | tokens, users, groups, batches and plans |
//! | [`ScimListing`], [`ScimBatch`], [`ScimApply`] | many resources: read, written, or changed by a plan |
//! | [`ScimProbe`] | what a server does, measured |
//! | [`ScimResources`] | one type of resource: users, groups, or your own |
//! | [`WatsService`] | what only WATS has |
//! | [`HttpClient`], [`ScimRepository`] | the two layers below, to replace by your own |
//! | [`DynHttpClient`], [`DynScimService`] | the same, chosen at run time |
//! | [`TokenProvider`] | access tokens of your own |

use http::{Request, Response};
use maybe_async::must_be_sync as maybe_async;

// Before the methods of the service: rustdoc lists the constructors of `ScimClient` first.
#[cfg(feature = "blocking")]
mod ureq;

#[path = "../client/mod.rs"]
mod client;

#[cfg(feature = "blocking")]
mod failure;
#[cfg(feature = "blocking")]
mod idle;
mod in_flight;
mod source;
mod watched;

pub use client::{
    DynHttpClient, DynScimRepository, DynScimRepositoryBuilder, DynScimService, HttpClient, HttpScimRepository,
    ScimApply, ScimBatch, ScimListing, ScimProbe, ScimRepository, ScimResources, ScimService, TokenProvider,
    WatsService,
};

use self::in_flight::InFlight;
use self::source::Source;
#[cfg(feature = "blocking")]
pub use self::ureq::{ScimClient, Ureq};
use self::watched::Watched;
use crate::batch::BatchItem;
use crate::config::AccessToken;
use crate::error::Result;
use crate::error::TransportError;
use crate::exchange::RequestSpan;
use crate::model::Resource;
use crate::outside::clock::pause as sleep;
use crate::plan::AppliedStep;

macro_rules! example {
    ($($line:tt)*) => {
        $crate::example::written_once!(
            api: "blocking", main: "fn main", fn: "fn", async: "", await: "", lines: $($line)*
        )
    };
}
use example;

/// What [`boxed`] returns.
type Boxed<'a, T> = T;

/// The async API puts large futures on the heap; a blocking call has no future.
fn boxed<T>(value: T) -> T {
    value
}

/// Sends a request in its span.
fn in_span<T>(span: &RequestSpan, send: impl FnOnce() -> T) -> T {
    span.within(send)
}

impl<F> HttpClient for F
where
    F: Fn(Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> + Send + Sync + 'static,
{
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        self(request)
    }
}

impl<F> TokenProvider for F
where
    F: Fn() -> Result<AccessToken> + Send + Sync + 'static,
{
    fn token(&self) -> Result<AccessToken> {
        self()
    }
}

/// Returns the writes with their results.
impl<R: ScimRepository, T: Resource> Iterator for ScimBatch<R, T> {
    type Item = BatchItem<T>;

    fn next(&mut self) -> Option<Self::Item> {
        Self::next(self)
    }
}

/// Returns the steps with their outcomes; ends after the first error.
impl<R: ScimRepository> Iterator for ScimApply<R> {
    type Item = Result<AppliedStep>;

    fn next(&mut self) -> Option<Self::Item> {
        self.try_next().transpose()
    }
}

/// Returns the resources; ends after the first error.
impl<R: ScimRepository, T: Resource> Iterator for ScimListing<R, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.try_next().transpose()
    }
}
