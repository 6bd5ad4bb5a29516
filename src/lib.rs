//! Manage the users of a WATS server, or of any other SCIM 2.0 server, from Rust.
//!
//! The crate has two APIs, compiled from one source: [`blocking`] (the default) and
//! [`asynchronous`]. They have the same names, arguments and results.
//!
//! # First call
//!
//! ```toml
//! [dependencies]
//! wats-scim = "0.1"
//! ```
//!
//! `base_url` is the address of the WATS server, such as `https://acme.wats.com`; `token` is an
//! API token from its Control Panel.
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
//! For a server other than WATS, set [`Profile::standard`] with [`ScimConfig::profile`], or let
//! [`discover`](blocking::ScimService::discover) read what the server supports.
//!
//! # The same call, async
//!
//! Turn on the feature `async` and add `.await`:
//!
#![cfg_attr(feature = "async", doc = "```")]
#![cfg_attr(not(feature = "async"), doc = "```ignore")]
//! use wats_scim::asynchronous::ScimClient;
//! use wats_scim::{Credentials, ScimUser};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = wats_scim_sandbox::Sandbox::start()?;
//! # let (base_url, token) = (sandbox.base_url(), sandbox.token());
//!
//! let client = ScimClient::new(base_url, Credentials::wats_token(token))?;
//! let jane = client.create_user(&ScimUser::new("jane@example.com").with_display_name("Jane Doe")).await?;
//! let mut users = client.iter_users();
//! while let Some(user) = users.try_next().await? {
//!     println!("{}", user.user_name.unwrap_or_default());
//! }
//! client.deactivate_user(&jane).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! | to | blocking | async |
//! |---|---|---|
//! | connect to a server | [`ScimClient`](blocking::ScimClient) | [`ScimClient`](asynchronous::ScimClient) |
//! | read and write users | [`ScimService`](blocking::ScimService) | [`ScimService`](asynchronous::ScimService) |
//! | read all users | [`ScimListing`](blocking::ScimListing) | [`ScimListing`](asynchronous::ScimListing) |
//! | write many users at once | [`ScimBatch`](blocking::ScimBatch) | [`ScimBatch`](asynchronous::ScimBatch) |
//! | read and write groups, or a resource type of your own | [`ScimResources`](blocking::ScimResources) | [`ScimResources`](asynchronous::ScimResources) |
//! | set what only WATS has: role, levels, product groups | [`WatsService`](blocking::WatsService) | [`WatsService`](asynchronous::WatsService) |
//! | apply a plan | [`ScimApply`](blocking::ScimApply) | [`ScimApply`](asynchronous::ScimApply) |
//! | use your own HTTP client | [`HttpClient`](blocking::HttpClient) | [`HttpClient`](asynchronous::HttpClient) |
//! | choose the repository or the HTTP client at run time | [`DynScimService`](blocking::DynScimService), [`DynHttpClient`](blocking::DynHttpClient) | [`DynScimService`](asynchronous::DynScimService), [`DynHttpClient`](asynchronous::DynHttpClient) |
//! | use an executor other than tokio | – | [`OnThreads`](asynchronous::OnThreads) |
//! | use access tokens of your own, such as those of a vault | [`TokenProvider`](blocking::TokenProvider) | [`TokenProvider`](asynchronous::TokenProvider) |
//! | replace the server in a test | [`ScimRepository`](blocking::ScimRepository) | [`ScimRepository`](asynchronous::ScimRepository) |
//!
//! These types are the same for both APIs:
//!
//! | for | see |
//! |---|---|
//! | settings | [`ScimConfig`], [`Secret`], [`RetryPolicy`], [`Profile`], [`BulkLimits`] |
//! | credentials, also such that renew | [`Credentials`], [`ClientCredentials`], [`AccessToken`] |
//! | users | [`ScimUser`], [`ScimUserName`], [`ScimUserEmail`], [`ScimValue`], [`ScimAddress`], [`ScimMeta`], [`Attributes`] |
//! | extensions of a user | [`WatsUser`], [`EnterpriseUser`], [`ScimManager`], [`Extension`] |
//! | groups, and resource types of your own | [`ScimGroup`], [`ScimMember`], [`Resource`] |
//! | a value by its path, such as `emails[type eq "work"].value` | [`ScimUser::get`], [`ScimGroup::get`], [`Resource::get`] |
//! | what a server accepts, before a resource is sent | [`Schemas::check`], [`Schema`], [`SchemaAttribute`], [`SchemaProblem`], [`ResourceType`] |
//! | changes | [`ScimPatchRequest`], [`ScimPatchOperation`], [`PatchOp`] |
//! | which resource a call is about, and its version | [`ResourceId`], [`Target`], [`IfChanged`] |
//! | queries and their pages | [`ListQuery`], [`Filter`], [`ScimListResponse`] |
//! | batches | [`ScimWrite`], [`BatchItem`], [`Progress`] |
//! | metrics | [`RequestEvent`], [`RetryReason`] |
//! | the token for Microsoft Entra ID or Okta | [`ScimToken`] |
//! | failures | [`Error`], [`ErrorKind`], [`WriteOutcome`], [`Operation`], [`Result`] |
//!
//! # Namespaces
//!
//! | module | contents |
//! |---|---|
//! | [`plan`] | make the users of a server match another system: [`Policy`](plan::Policy), [`Plan`](plan::Plan), [`Journal`](plan::Journal), [`Report`](plan::Report) |
//! | [`import`] | read users from a file: [`UserCsv`](import::UserCsv), [`users_from_json`](import::users_from_json) |
//! | [`audit`] | record every write: [`Trail`](audit::Trail), [`Sink`](audit::Sink), [`Event`](audit::Event), [`EventQuery`](audit::EventQuery), [`Log`](audit::Log) |
//! | [`probe`] | what a server does, measured: [`Report`](probe::Report) |
//! | [`filter`] | filters and attribute paths: [`PatchPath`](filter::PatchPath), [`AttributePath`](filter::AttributePath) |
//! | [`transport`] | what an HTTP client of your own needs: [`TransportError`](transport::TransportError), [`TimeLeft`](transport::TimeLeft) |
//!
//! [`http`] and [`Value`] of `serde_json` are re-exported, because they appear in signatures. The crate
//! `wats-scim-sandbox` has SCIM servers for tests.
//!
//! # What you can rely on
//!
//! - **Lists are complete.** A listing returns every resource once, or ends in an error.
//! - **Failed writes report their outcome.** [`Error::write_outcome`] reports whether the server may
//!   have applied the write. Only requests that are safe to repeat are retried.
//! - **Input is checked before a request is sent.** No id, name or filter value can break out of its
//!   place in a URL or a filter.
//! - **Unknown attributes are preserved.** Attributes that this crate does not know are read, kept
//!   and sent back unchanged.
//! - **Credentials stay secret.** They are sent to the configured server only, redirects are not
//!   followed, and errors, logs and `Debug` output are redacted.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `blocking` (default) | the blocking API with [`Ureq`](blocking::Ureq), its transport |
//! | `async` | the async API with [`Reqwest`](asynchronous::Reqwest), its transport; runs on tokio |
//! | `blocking-api` | the blocking API without a transport, for your own [`HttpClient`](blocking::HttpClient) |
//! | `async-api` | the async API without a transport, for your own [`HttpClient`](asynchronous::HttpClient); no tokio |
//! | `tracing` | `tracing` spans for operations, requests, listings, batches and applies, without bodies or personal data |
//! | `rate-limit` | [`ScimConfig::rate_limit`] |
//! | `csv` | [`UserCsv`](import::UserCsv) |
//!
//! Features only add. Every combination compiles, and both APIs can be used in one program.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(any(feature = "blocking", feature = "async")),
    allow(dead_code, unused_imports, reason = "some of the core is used by one API or one transport only")
)]
#![cfg_attr(
    not(all(feature = "blocking", feature = "async", feature = "csv", feature = "rate-limit")),
    allow(rustdoc::broken_intra_doc_links, reason = "the documentation links to items of other features")
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
mod outside;
pub mod plan;
pub mod probe;
pub mod transport;
mod wats;

pub use http;
pub use serde_json::Value;
/// Filters and attribute paths (RFC 7644 §3.4.2.2, §3.5.2), from the crate `wats-scim-filter`.
pub use wats_scim_filter as filter;

pub use batch::{BatchItem, Progress};
pub use config::{
    AccessToken, BulkLimits, ClientCredentials, Credentials, MemberPages, Membership, Profile, RequestEvent,
    RetryPolicy, RetryReason, ScimConfig,
};
pub use error::{Error, ErrorKind, Operation, Result, Secret, WriteOutcome};
pub use exchange::ListQuery;
pub use filter::Filter;
pub use model::{
    AttributeType, Attributes, EnterpriseUser, Extension, IfChanged, Mutability, PatchOp, Resource, ResourceId,
    ResourceType, Returned, Schema, SchemaAttribute, SchemaExtension, SchemaProblem, SchemaProblemKind, Schemas,
    ScimAddress, ScimGroup, ScimListResponse, ScimManager, ScimMember, ScimMeta, ScimPatchOperation, ScimPatchRequest,
    ScimUser, ScimUserEmail, ScimUserName, ScimValue, ScimWrite, Target, Uniqueness,
};
#[cfg(sim)]
#[doc(hidden)]
pub use outside::sim;
pub use wats::{ScimToken, WatsUser};

#[cfg(all(doctest, feature = "blocking", feature = "async"))]
#[doc = include_str!("../README.md")]
struct Readme;
