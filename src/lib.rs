//! Provision the users of a WATS server, or of any SCIM 2.0 server: blocking or async, from one
//! source.
//!
//! ```
//! use wats_scim::blocking::ScimClient;
//! use wats_scim::{Credentials, ScimUser};
//! # let sandbox = wats_scim_sandbox::Sandbox::start()?;
//! # let (base_url, token) = (sandbox.base_url(), sandbox.token());
//!
//! let client = ScimClient::new(base_url, Credentials::wats_token(token))?;
//! let jane = client.create_user(&ScimUser::new("jane@example.com").with_display_name("Jane Doe"))?;
//! for user in client.iter_users() {
//!     println!("{}", user?.user_name.unwrap_or_default());
//! }
//! client.deactivate_user(&jane)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The async face is the same with `.await`: `wats_scim::asynchronous::ScimClient`.
//!
//! # Where to look
//!
//! | to | see |
//! |---|---|
//! | make a client | `ScimClient` in [`blocking`] or [`asynchronous`], [`ScimConfig`], [`Credentials`] |
//! | ask for something | `ScimService`, which `ScimClient` is |
//! | say what to send | [`ScimUser`], [`ScimPatchRequest`], [`ListQuery`], [`Filter`] |
//! | make the users those of another system | [`Policy`], [`Plan`], `ScimApply` in each face |
//! | find out what went wrong | [`Error`], [`ErrorKind`], [`WriteOutcome`] |
//! | read users from a file | [`users_from_json`], [`UserCsv`] |
//! | decide what is sent again | [`RetryPolicy`] |
//! | keep a trail of what was written | [`Trail`] |
//! | use another HTTP stack, or none | `HttpClient` and `ScimRepository` in each face |
//! | try it without a server, or test | the crate `wats-scim-sandbox` |
//!
//! # What you can rely on
//!
//! - A listing is complete, or it ends in an error.
//! - Nothing is written twice, and a write that failed says whether it may have been applied.
//! - No id, name or filter can break out of its place in a URL, and bad input is refused before
//!   anything is sent.
//! - What a server sends and this crate does not know is kept, and sent back.
//! - Redirects are not followed, credentials go to the configured server only, and no text that
//!   this crate makes shows them.
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `blocking` (default) | `blocking-api` and its transport over ureq |
//! | `async` | `async-api` and its transport over reqwest, on tokio |
//! | `blocking-api`, `async-api` | the face alone, for an `HttpClient` of your own |
//! | `tracing` | a span for each operation, without bodies or personal data |
//! | `rate-limit` | `ScimConfig::rate_limit` |
//! | `csv` | [`UserCsv`] |
//!
//! Features only add: any set of them compiles, and both faces can be on in one build.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(any(feature = "blocking", feature = "async")),
    allow(dead_code, unused_imports, reason = "parts of the core serve a face or a transport alone")
)]
#![cfg_attr(
    not(all(feature = "blocking-api", feature = "async-api", feature = "csv")),
    allow(rustdoc::broken_intra_doc_links, reason = "the documentation names what other features bring")
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "async-api")]
#[cfg_attr(docsrs, doc(cfg(feature = "async-api")))]
pub mod asynchronous;
pub mod audit;
mod batch;
#[cfg(feature = "blocking-api")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking-api")))]
pub mod blocking;
mod config;
mod error;
#[cfg(any(feature = "blocking-api", feature = "async-api"))]
mod example;
mod exchange;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(any(doc, all(doctest, feature = "blocking", feature = "async", feature = "csv")))]
pub mod guide;
pub mod import;
mod listing;
mod model;
pub mod plan;
pub mod transport;
mod wats;

pub use http;
pub use serde_json::Value;
/// Filters and attribute paths (RFC 7644 §3.4.2.2, §3.5.2): the crate `wats-scim-filter`.
pub use wats_scim_filter as filter;

pub use batch::{BatchItem, Progress};
pub use config::{BulkLimits, Credentials, Profile, RetryPolicy, ScimConfig};
pub use error::{Error, ErrorKind, Operation, Result, Secret, WriteOutcome};
pub use exchange::ListQuery;
pub use filter::Filter;
pub use model::{
    Attributes, EnterpriseUser, Extension, IfChanged, PatchOp, Resource, ResourceId, ScimGroup, ScimListResponse,
    ScimManager, ScimMember, ScimMeta, ScimPatchOperation, ScimPatchRequest, ScimUser, ScimUserEmail, ScimUserName,
    ScimWrite, Target,
};
pub use wats::{ScimToken, WatsUser};

#[cfg(all(doctest, feature = "blocking", feature = "async"))]
#[doc = include_str!("../README.md")]
struct Readme;
