use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;

use super::ScimRepository;
use super::job::Job;

/// Work on the way, in the order it was started. It moves while the next of it is awaited.
pub(super) struct InFlight<O>(FuturesOrdered<Pin<Box<dyn Future<Output = O> + Send>>>);

impl<O> Default for InFlight<O> {
    fn default() -> Self {
        Self(FuturesOrdered::new())
    }
}

impl<O: Send + 'static> InFlight<O> {
    pub(super) fn start<R: ScimRepository, J: Job<Output = O>>(&mut self, repository: Arc<R>, job: J) {
        self.0.push_back(Box::pin(async move { job.run(&*repository).await }));
    }

    /// Takes what needs no work into the order.
    pub(super) fn put(&mut self, output: O) {
        self.0.push_back(Box::pin(std::future::ready(output)));
    }

    /// What the first of them comes to.
    pub(super) async fn next(&mut self) -> Option<O> {
        self.0.next().await
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets the work on the way, and ends its requests.
    pub(super) fn clear(&mut self) {
        if !self.0.is_empty() {
            self.0 = FuturesOrdered::new();
        }
    }
}
