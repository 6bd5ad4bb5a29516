//! What a batch is made of.

mod progress;
mod references;

pub use progress::Progress;
#[cfg(any(feature = "blocking-api", feature = "async-api"))]
pub(crate) use references::{References, Taken};

use crate::error::Result;
use crate::model::{ScimUser, ScimWrite};

/// One write of a batch, and what became of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchItem<T = ScimUser> {
    /// The write, as it was given.
    pub write: ScimWrite<T>,
    /// The resource as it is now, if the server shows it; or why the write failed.
    pub result: Result<Option<T>>,
}
