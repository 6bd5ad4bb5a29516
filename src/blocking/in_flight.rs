//! Work in flight, on threads that are reused.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};

use super::client::step::{Arrival, Event, Job};
use super::{ScimRepository, Source};
use crate::exchange::WorkSpan;

/// Work in flight, and the results that wait for an earlier one. Results are returned in the order in
/// which the work was started.
pub(super) struct InFlight<O> {
    span: WorkSpan,
    shared: Arc<Shared<O>>,
    threads: usize,
}

/// The state that the threads and the caller share.
struct Shared<O> {
    state: Mutex<State<O>>,
    has_work: Condvar,
    has_result: Condvar,
}

struct State<O> {
    /// Work that has not started, each with its number.
    queue: VecDeque<(u64, Work<O>)>,
    /// An entry for each piece of work, in order; `None` until it has finished.
    results: VecDeque<Option<thread::Result<O>>>,
    /// The number of the first entry of `results`.
    first: u64,
    unfinished: usize,
    failures: u64,
    /// Whether work has finished since the last call of `arrival`.
    has_ended: bool,
    is_closed: bool,
}

type Work<O> = Box<dyn FnOnce() -> (O, u64) + Send>;

impl<O> InFlight<O> {
    /// Work whose requests are in this span.
    pub(super) fn within(span: WorkSpan) -> Self {
        let state = State {
            queue: VecDeque::new(),
            results: VecDeque::new(),
            first: 0,
            unfinished: 0,
            failures: 0,
            has_ended: false,
            is_closed: false,
        };
        let shared = Shared { state: Mutex::new(state), has_work: Condvar::new(), has_result: Condvar::new() };
        Self { span, shared: Arc::new(shared), threads: 0 }
    }
}

impl<O: Send + 'static> InFlight<O> {
    /// Starts work. Each piece of work in flight has a thread. A single piece runs on the thread of the
    /// caller, and so does all work if no thread can be started.
    pub(super) fn start<R: ScimRepository, J: Job<Output = O>>(&mut self, repository: Arc<R>, job: J) {
        let mut state = self.shared.lock();
        let number = state.first.saturating_add(as_number(state.results.len()));
        state.results.push_back(None);
        let work = move || {
            let output = job.run(&*repository);
            let failures = J::failures(&output);
            (output, failures)
        };
        state.queue.push_back((number, Box::new(self.span.on_any_thread(work))));
        state.unfinished += 1;
        let needed = if state.unfinished > 1 { state.unfinished } else { 0 };
        drop(state);
        while self.threads < needed {
            let shared = Arc::clone(&self.shared);
            if Builder::new().name("wats-scim".to_owned()).spawn(move || shared.work()).is_err() {
                break;
            }
            self.threads += 1;
        }
        self.shared.has_work.notify_one();
    }

    /// Adds a result that needs no work.
    pub(super) fn put(&mut self, output: O) {
        self.shared.lock().results.push_back(Some(Ok(output)));
    }

    /// Waits for the first result; `None` if nothing is in flight. Returns [`Arrival::Later`] if
    /// another piece of work has finished first, so that there may be room for more.
    pub(super) fn arrival(&mut self) -> Option<Arrival<O>> {
        let mut state = self.shared.lock();
        loop {
            if state.results.front()?.is_some() {
                state.first = state.first.saturating_add(1);
                let result = state.results.pop_front()??;
                return Some(Arrival::First(result.unwrap_or_else(|panic| resume_unwind(panic))));
            }
            if std::mem::take(&mut state.has_ended) {
                return Some(Arrival::Later);
            }
            state = match self.threads {
                0 => self.shared.run_next(state),
                _ => self.shared.has_result.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl<O: Send + 'static> InFlight<O> {
    /// Reads the next item of a source if `wants_item`, otherwise waits for an arrival.
    pub(super) fn event<I>(&mut self, source: &mut Source<I>, wants_item: bool) -> Event<O, I> {
        if wants_item { Event::Source(source.next()) } else { Event::Arrival(self.arrival()) }
    }
}

impl<O> InFlight<O> {
    /// Whether more work can start within these limits on the work in flight and on the results that
    /// wait for an earlier one.
    pub(super) fn has_room(&self, in_flight: usize, buffer: usize) -> bool {
        let state = self.shared.lock();
        state.unfinished < in_flight && state.results.len() < in_flight.saturating_add(buffer)
    }

    /// The number of failed writes, including those whose results wait.
    pub(super) fn failures(&self) -> u64 {
        self.shared.lock().failures
    }

    /// Counts failures from 0 again.
    pub(super) fn forget_failures(&mut self) {
        self.shared.lock().failures = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shared.lock().results.is_empty()
    }

    /// Abandons the work in flight. Its threads end after their current request.
    pub(super) fn clear(&mut self) {
        if !self.is_empty() {
            *self = Self::within(self.span.clone());
        }
    }
}

impl<O> Drop for InFlight<O> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        state.queue.clear();
        self.shared.has_work.notify_all();
    }
}

impl<O> Shared<O> {
    fn lock(&self) -> MutexGuard<'_, State<O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loop of a thread.
    fn work(&self) {
        let mut state = self.lock();
        while !state.is_closed {
            state = if state.queue.is_empty() {
                self.has_work.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.run_next(state)
            };
        }
    }

    fn run_next<'a>(&'a self, mut state: MutexGuard<'a, State<O>>) -> MutexGuard<'a, State<O>> {
        let Some((number, work)) = state.queue.pop_front() else { return state };
        drop(state);
        let result = catch_unwind(AssertUnwindSafe(work));
        let mut state = self.lock();
        state.unfinished -= 1;
        state.has_ended = true;
        let (result, failures) = match result {
            Ok((output, failures)) => (Ok(output), failures),
            Err(panic) => (Err(panic), 0),
        };
        state.failures = state.failures.saturating_add(failures);
        let place = number.checked_sub(state.first).and_then(|at| usize::try_from(at).ok());
        if let Some(place) = place.and_then(|at| state.results.get_mut(at)) {
            *place = Some(result);
        }
        self.has_result.notify_one();
        state
    }
}

fn as_number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
