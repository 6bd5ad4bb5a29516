//! What runs beside other work of the same kind.

use super::{ScimRepository, maybe_async};
use crate::batch::{BatchItem, ScimWrite};
use crate::error::Result;
use crate::model::{Resource, ScimListResponse};
use crate::query::ListQuery;
use crate::target::Target;

/// Work on a repository that needs nothing else.
#[maybe_async(AFIT)]
pub(super) trait Job: Send + 'static {
    type Output: Send + 'static;

    fn run<R: ScimRepository>(self, repository: &R) -> impl Future<Output = Self::Output> + Send;
}

/// Reading a page.
pub(super) struct PageJob<T> {
    query: ListQuery,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T> PageJob<T> {
    pub(super) fn new(query: ListQuery) -> Self {
        Self { query, of: std::marker::PhantomData }
    }
}

#[maybe_async(AFIT)]
impl<T: Resource> Job for PageJob<T> {
    type Output = Result<ScimListResponse<T>>;

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        repository.list(&self.query).await
    }
}

/// Doing one write of a batch.
pub(super) struct WriteJob<T>(pub(super) ScimWrite<T>);

#[maybe_async(AFIT)]
impl<T: Resource> Job for WriteJob<T> {
    type Output = BatchItem<T>;

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        let write = self.0;
        let result = match &write {
            ScimWrite::Create(resource) => repository.create(resource).await.map(Some),
            ScimWrite::Patch { id, patch } => repository.patch(Target::id(id), patch).await,
            ScimWrite::Delete { id } => repository.delete::<T>(Target::id(id)).await.map(|()| None),
        };
        BatchItem { write, result }
    }
}
