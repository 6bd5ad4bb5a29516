use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::Builder;

use super::ScimRepository;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Resource, ScimListResponse};
use crate::query::ListQuery;

type Page<T> = Result<ScimListResponse<T>>;

/// Pages on the way, each on a thread of its own, in the order they were asked for.
pub(super) struct Lanes<T>(VecDeque<Box<dyn FnOnce() -> Page<T> + Send>>);

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Resource> Lanes<T> {
    pub(super) fn start<R: ScimRepository>(&mut self, repository: Arc<R>, query: ListQuery) {
        let thread = Builder::new().name("scim-page".to_owned()).spawn({
            let (repository, query) = (Arc::clone(&repository), query.clone());
            move || repository.list(&query)
        });
        self.0.push_back(match thread {
            Ok(thread) => Box::new(move || thread.join().unwrap_or_else(|panic| resume_unwind(panic))),
            // Where no thread is to be had, the page comes when it is its turn.
            Err(_) => Box::new(move || repository.list(&query)),
        });
    }

    pub(super) fn next(&mut self) -> Page<T> {
        let none = || Err(Error::new(ErrorKind::IncompleteList, "no page is on the way"));
        self.0.pop_front().map_or_else(none, |page| page())
    }

    /// Forgets the pages on the way. Their threads end with their request.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
