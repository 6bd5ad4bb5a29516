//! Streams, where the blocking API has iterators.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{Stream, unfold};

use super::source::Source;
use super::{ScimApply, ScimBatch, ScimListing, ScimRepository, ScimService, example};
use crate::batch::BatchItem;
use crate::error::Result;
use crate::model::ScimWrite;
use crate::model::{Resource, ScimUser};
use crate::plan::AppliedStep;

impl<R: ScimRepository> ScimService<R> {
    /// Sends the writes of a stream concurrently; the stream form of
    /// [`write_users`](Self::write_users).
    ///
    #[doc = example!(
        "use futures_util::stream;\n\n\
         let names = stream::iter([\"ann\", \"bob\"]);\n\
         let writes = futures_util::StreamExt::map(names, |name| ScimWrite::create(ScimUser::new(name)));\n\
         let items = client.write_users_from(writes).run()" await ";\n\
         assert_eq!(items.len(), 2);"
    )]
    pub fn write_users_from(&self, writes: impl Stream<Item = ScimWrite> + Send + 'static) -> ScimBatch<R, ScimUser> {
        ScimBatch::new(Arc::clone(self.shared_repository()), Source::of_stream(writes))
    }
}

impl<R: ScimRepository, T: Resource> ScimListing<R, T> {
    /// Converts the listing to a [`Stream`], which ends after the first error.
    ///
    #[doc = example!(
        "use futures_util::TryStreamExt;\n\n\
         let users: Vec<ScimUser> = client.iter_users().into_stream().try_collect()" await "?;\n\
         assert_eq!(users.len(), 3);"
    )]
    #[must_use]
    pub fn into_stream(self) -> Pin<Box<dyn Stream<Item = Result<T>> + Send>> {
        Box::pin(unfold(self, |mut pages| async {
            let next = pages.try_next().await.transpose()?;
            Some((next, pages))
        }))
    }
}

impl<R: ScimRepository> ScimApply<R> {
    /// Converts the apply to a [`Stream`] of steps with their outcomes, which ends after the first
    /// error.
    #[must_use]
    pub fn into_stream(self) -> Pin<Box<dyn Stream<Item = Result<AppliedStep>> + Send>> {
        Box::pin(unfold(self, |mut apply| async {
            let next = apply.try_next().await.transpose()?;
            Some((next, apply))
        }))
    }
}

impl<R: ScimRepository, T: Resource> ScimBatch<R, T> {
    /// Converts the batch to a [`Stream`] of writes with their results.
    #[must_use]
    pub fn into_stream(self) -> Pin<Box<dyn Stream<Item = BatchItem<T>> + Send>> {
        Box::pin(unfold(self, |mut batch| async {
            let item = batch.next().await?;
            Some((item, batch))
        }))
    }
}
