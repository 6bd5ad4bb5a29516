//! Batches: their results, their progress, and references between their writes.

mod item;
mod progress;
mod references;

pub use item::BatchItem;
pub use progress::Progress;
#[cfg(any(feature = "blocking-api", feature = "async-api"))]
pub(crate) use references::{Queued, References};
