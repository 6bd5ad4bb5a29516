//! Batches: their results, their progress, and references between their writes.

mod progress;
mod references;

pub use progress::Progress;
#[cfg(any(feature = "blocking-api", feature = "async-api"))]
pub(crate) use references::{Queued, References};

use crate::error::Result;
use crate::model::{ScimUser, ScimWrite};

/// One write of a batch and its result.
///
/// ```
/// # let sandbox = wats_scim_sandbox::Sandbox::start()?;
/// # let credentials = wats_scim::Credentials::wats_token(sandbox.token());
/// # let client = wats_scim::blocking::ScimClient::new(sandbox.base_url(), credentials)?;
/// for item in client.delete_users(["7f3a".to_owned()]).run() {
///     if let Err(error) = item.result {
///         println!("{:?}: {error}", item.write);
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchItem<T = ScimUser> {
    /// The write, as passed to the batch.
    pub write: ScimWrite<T>,
    /// The current resource, or `None` if the server returned no body; or the error of the write.
    pub result: Result<Option<T>>,
}
