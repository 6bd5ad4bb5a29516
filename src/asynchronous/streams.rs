//! Streams in and out, where the blocking face has iterators.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{Stream, unfold};

use super::source::Source;
use super::{ScimApply, ScimBatch, ScimListing, ScimRepository, ScimService};
use crate::batch::BatchItem;
use crate::error::Result;
use crate::model::ScimWrite;
use crate::model::{Resource, ScimUser};
use crate::plan::AppliedStep;

impl<R: ScimRepository> ScimService<R> {
    /// Any writes, as they come from a stream, several at a time; see
    /// [`write_users`](Self::write_users).
    pub fn write_users_from(&self, writes: impl Stream<Item = ScimWrite> + Send + 'static) -> ScimBatch<R, ScimUser> {
        ScimBatch::new(Arc::clone(self.shared_repository()), Source::of_stream(writes))
    }
}

impl<R: ScimRepository, T: Resource> ScimListing<R, T> {
    /// The listing as a [`Stream`], which ends after the first error.
    #[must_use]
    pub fn into_stream(self) -> Pin<Box<dyn Stream<Item = Result<T>> + Send>> {
        Box::pin(unfold(self, |mut pages| async {
            let next = pages.try_next().await.transpose()?;
            Some((next, pages))
        }))
    }
}

impl<R: ScimRepository> ScimApply<R> {
    /// The steps and their outcomes as a [`Stream`], which ends after the first error.
    #[must_use]
    pub fn into_stream(self) -> Pin<Box<dyn Stream<Item = Result<AppliedStep>> + Send>> {
        Box::pin(unfold(self, |mut apply| async {
            let next = apply.try_next().await.transpose()?;
            Some((next, apply))
        }))
    }
}

impl<R: ScimRepository, T: Resource> ScimBatch<R, T> {
    /// The results as a [`Stream`].
    #[must_use]
    pub fn into_stream(self) -> Pin<Box<dyn Stream<Item = BatchItem<T>> + Send>> {
        Box::pin(unfold(self, |mut batch| async {
            let item = batch.next().await?;
            Some((item, batch))
        }))
    }
}
