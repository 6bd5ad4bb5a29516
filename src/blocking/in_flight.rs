use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

use super::ScimRepository;
use super::job::Job;

/// Work on the way, each on a thread of its own, in the order it was started.
pub(super) struct InFlight<O>(VecDeque<Box<dyn FnOnce() -> Option<O> + Send>>);

impl<O> Default for InFlight<O> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<O: Send + 'static> InFlight<O> {
    pub(super) fn start<R: ScimRepository, J: Job<Output = O>>(&mut self, repository: Arc<R>, job: J) {
        let job = Arc::new(Mutex::new(Some(job)));
        let work = move || {
            let job = job.lock().unwrap_or_else(PoisonError::into_inner).take();
            job.map(|job| job.run(&*repository))
        };
        // Where no thread is to be had, the work is done when it is its turn.
        let here = work.clone();
        let thread = Builder::new().name("wats-scim".to_owned()).spawn(work);
        self.0.push_back(Box::new(move || match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => here(),
        }));
    }

    /// Takes what needs no work into the order.
    pub(super) fn put(&mut self, output: O) {
        self.0.push_back(Box::new(move || Some(output)));
    }

    /// What the first of them came to.
    pub(super) fn next(&mut self) -> Option<O> {
        self.0.pop_front()?()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets the work on the way. Its threads end with their request.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
