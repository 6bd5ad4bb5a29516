#![doc = "The front page."]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "async-api")]
pub mod asynchronous;
#[cfg(feature = "blocking-api")]
pub mod blocking;
mod config;
mod credentials;
mod error;
#[cfg(any(feature = "blocking-api", feature = "async-api"))]
mod example;
mod filter;
#[cfg(any(feature = "blocking-api", feature = "async-api"))]
mod listing;
mod model;
mod operation;
mod profile;
mod query;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod retry;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod secret;
#[cfg(any(feature = "blocking", feature = "async"))]
mod tls;
#[cfg(any(feature = "blocking-api", feature = "async-api"))]
mod trace;
mod transport_error;
#[cfg(any(feature = "blocking-api", feature = "async-api"))]
mod wire;

pub use config::ScimConfig;
pub use credentials::Credentials;
pub use error::{Error, ErrorKind, Result, WriteOutcome};
pub use filter::{AttributePath, Filter, FilterError, PatchPath};
#[cfg(any(feature = "blocking-api", feature = "async-api"))]
pub use listing::ListProgress;
pub use model::{
    Attributes, PatchOp, Resource, ScimListResponse, ScimMeta, ScimPatchOperation, ScimPatchRequest, ScimToken,
    ScimUser, ScimUserEmail, ScimUserName,
};
pub use operation::Operation;
pub use profile::Profile;
pub use query::ListQuery;
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use transport_error::TransportError;
#[cfg(any(feature = "blocking-api", feature = "async-api"))]
pub use wire::TimeLeft;
