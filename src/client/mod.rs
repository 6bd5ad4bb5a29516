//! The shared source of both APIs. Each API loads this folder once; for the blocking one,
//! `maybe_async` removes `async` and `.await`.

use super::{Boxed, InFlight, Source, Watched, boxed, example, in_span, maybe_async, sleep};

// In the order in which rustdoc is to list the methods of the service.
mod service;

mod batches;
mod check_step;

mod resources;

mod groups;

mod wats;

mod apply;

mod apply_step;
mod audited;
mod batch;
mod bulk;
mod directory;
mod dynamic;
mod group_step;
mod http_client;
mod http_repository;
mod listing;
mod members;
mod probe;
mod probe_groups;
mod repository;
mod send;
mod settle;
pub(super) mod step;
mod token_provider;
mod tokens;
mod views;

pub use apply::ScimApply;
pub use batch::ScimBatch;
pub use dynamic::{DynHttpClient, DynScimRepository, DynScimRepositoryBuilder, DynScimService};
pub use http_client::HttpClient;
pub use http_repository::HttpScimRepository;
pub use listing::ScimListing;
pub use probe::ScimProbe;
pub use repository::ScimRepository;
pub use resources::ScimResources;
pub use service::ScimService;
pub use token_provider::TokenProvider;
pub use wats::WatsService;
