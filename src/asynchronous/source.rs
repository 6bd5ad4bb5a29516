use std::pin::Pin;

use futures_util::stream::{Stream, StreamExt, iter};

/// Where the items of a batch come from.
pub(super) struct Source<T>(Pin<Box<dyn Stream<Item = T> + Send>>);

impl<T: 'static> Source<T> {
    pub(super) fn of<I>(items: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        Self(Box::pin(iter(items)))
    }

    pub(super) fn of_stream(items: impl Stream<Item = T> + Send + 'static) -> Self {
        Self(Box::pin(items))
    }

    pub(super) async fn next(&mut self) -> Option<T> {
        self.0.next().await
    }

    pub(super) fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
