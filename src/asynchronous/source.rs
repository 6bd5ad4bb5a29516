use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{Stream, iter};

/// The source of the items of a batch.
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

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.as_mut().poll_next(cx)
    }

    pub(super) fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
