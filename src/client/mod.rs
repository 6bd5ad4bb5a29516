//! The one source of both clients. Each of them loads this folder once, and `maybe_async` takes
//! `async` and `.await` out for the blocking one.

use super::{InFlight, Source, boxed, example, maybe_async, sleep};

mod apply;
mod audited;
mod batch;
mod batches;
mod groups;
mod http_client;
mod listing;
mod repository;
mod resources;
mod send;
mod service;
mod settle;
pub(super) mod step;
mod wats;

pub use apply::ScimApply;
pub use batch::ScimBatch;
pub use http_client::HttpClient;
pub use listing::ScimListing;
pub use repository::{HttpScimRepository, ScimRepository};
pub use resources::ScimResources;
pub use service::ScimService;
pub use wats::WatsService;
