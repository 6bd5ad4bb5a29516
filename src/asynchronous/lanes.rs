use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;

use super::ScimRepository;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Resource, ScimListResponse};
use crate::query::ListQuery;

type Page<T> = Result<ScimListResponse<T>>;

/// Pages on the way, in the order they were asked for. They move while the listing is awaited.
pub(super) struct Lanes<T>(FuturesOrdered<Pin<Box<dyn Future<Output = Page<T>> + Send>>>);

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self(FuturesOrdered::new())
    }
}

impl<T: Resource> Lanes<T> {
    pub(super) fn start<R: ScimRepository>(&mut self, repository: Arc<R>, query: ListQuery) {
        self.0.push_back(Box::pin(async move { repository.list(&query).await }));
    }

    pub(super) async fn next(&mut self) -> Page<T> {
        let none = || Err(Error::new(ErrorKind::IncompleteList, "no page is on the way"));
        self.0.next().await.unwrap_or_else(none)
    }

    /// Forgets the pages on the way, and ends their requests.
    pub(super) fn clear(&mut self) {
        self.0 = FuturesOrdered::new();
    }
}
