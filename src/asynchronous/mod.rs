//! The async API: every call returns a future.
//!
//! [`ScimClient`] is the place to start. The [blocking API](crate::blocking) is compiled from the
//! same source, without `.await`. Only [`ScimClient`] and its transport [`Reqwest`] need tokio; with
//! your own [`HttpClient`], the futures run on any executor.
//!
#![cfg_attr(feature = "async", doc = "```")]
#![cfg_attr(not(feature = "async"), doc = "```ignore")]
//! use wats_scim::Credentials;
//! use wats_scim::asynchronous::ScimClient;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = wats_scim_sandbox::Sandbox::builder().users(3).start()?;
//! # let (base_url, token) = (sandbox.base_url(), sandbox.token());
//!
//! let client = ScimClient::new(base_url, Credentials::wats_token(token))?;
//! let mut users = client.iter_users();
//! while let Some(user) = users.try_next().await? {
//!     println!("{}", user.user_name.unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | type | purpose |
//! |---|---|
//! | [`ScimClient`] | [`ScimService`] with the built-in transport [`Reqwest`] |
//! | [`ScimService`] | tokens, users, groups, batches and plans |
//! | [`ScimListing`], [`ScimBatch`], [`ScimApply`] | many resources: read, written, or changed by a plan |
//! | [`ScimProbe`] | what a server does, measured |
//! | [`ScimResources`] | one type of resource: users, groups, or your own |
//! | [`WatsService`] | what only WATS has |
//! | [`HttpClient`], [`ScimRepository`] | the two layers below, to replace by your own |
//! | [`DynHttpClient`], [`DynScimService`] | the same, chosen at run time |
//! | [`OnThreads`] | a blocking transport, for executors other than tokio |
//! | [`TokenProvider`] | access tokens of your own |

use http::{Request, Response};
use maybe_async::must_be_async as maybe_async;

// Before the methods of the service: rustdoc lists the constructors of `ScimClient` first.
#[cfg(feature = "async")]
mod reqwest;

#[path = "../client/mod.rs"]
mod client;

mod in_flight;
#[cfg(feature = "blocking-api")]
mod on_threads;
mod source;
mod streams;
mod watched;

pub use client::{
    DynHttpClient, DynScimRepository, DynScimRepositoryBuilder, DynScimService, HttpClient, HttpScimRepository,
    ScimApply, ScimBatch, ScimListing, ScimProbe, ScimRepository, ScimResources, ScimService, TokenProvider,
    WatsService,
};

use self::in_flight::InFlight;
#[cfg(feature = "blocking-api")]
pub use self::on_threads::OnThreads;
#[cfg(feature = "async")]
pub use self::reqwest::{Reqwest, ScimClient};
use self::source::Source;
use self::watched::Watched;
use crate::config::AccessToken;
use crate::error::{Result, TransportError};
use crate::exchange::RequestSpan;
use crate::outside::clock::sleep;

macro_rules! example {
    ($($line:tt)*) => {
        $crate::example::written_once!(
            api: "asynchronous",
            main: "#[tokio::main(flavor = \"current_thread\")]\n# async fn main",
            fn: "async fn",
            async: "async ",
            await: ".await",
            lines: $($line)*
        )
    };
}
use example;

/// What [`boxed`] returns, of any type.
type Boxed<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Puts a large or rarely used future on the heap, so that the futures that contain it stay small.
fn boxed<F: Future>(future: F) -> std::pin::Pin<Box<F>> {
    Box::pin(future)
}

/// Sends a request in its span, on the heap like [`boxed`].
fn in_span<F: Future>(span: &RequestSpan, send: impl FnOnce() -> F) -> impl Future<Output = F::Output> {
    boxed(span.around(span.within(send)))
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

impl<F, Fut> TokenProvider for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AccessToken>> + Send,
{
    fn token(&self) -> impl Future<Output = Result<AccessToken>> + Send {
        self()
    }
}
