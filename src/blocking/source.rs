/// The source of the items of a batch.
pub(super) struct Source<T>(Box<dyn Iterator<Item = T> + Send>);

impl<T> Source<T> {
    pub(super) fn of<I>(items: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        Self(Box::new(items.into_iter()))
    }

    pub(super) fn next(&mut self) -> Option<T> {
        self.0.next()
    }

    pub(super) fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
