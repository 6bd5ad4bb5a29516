//! Work in flight, as futures that are polled together.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::client::step::{Arrival, Event, Job};
use super::{ScimRepository, Source};
use crate::exchange::WorkSpan;

/// Work in flight, and the results that wait for an earlier one. Results are returned in the order in
/// which the work was started. The work advances only while an arrival is awaited.
pub(super) struct InFlight<O> {
    span: WorkSpan,
    /// Work that was not polled yet.
    fresh: Vec<Work<O>>,
    running: FuturesUnordered<Work<O>>,
    /// An entry for each piece of work, in order; `None` until it has finished.
    results: VecDeque<Option<O>>,
    /// The number of the first entry of `results`.
    first: u64,
    failures: u64,
}

type Work<O> = Pin<Box<dyn Future<Output = Ended<O>> + Send>>;

/// A result, with the number of its work and its count of failures.
struct Ended<O> {
    number: u64,
    output: O,
    failures: u64,
}

impl<O> InFlight<O> {
    /// Work whose requests are in this span.
    pub(super) fn within(span: WorkSpan) -> Self {
        let (fresh, running, results) = (Vec::new(), FuturesUnordered::new(), VecDeque::new());
        Self { span, fresh, running, results, first: 0, failures: 0 }
    }
}

impl<O: Send + 'static> InFlight<O> {
    pub(super) fn start<R: ScimRepository, J: Job<Output = O>>(&mut self, repository: Arc<R>, job: J) {
        let number = self.first.saturating_add(as_number(self.results.len()));
        self.results.push_back(None);
        self.fresh.push(Box::pin(self.span.around(async move {
            let output = job.run(&*repository).await;
            let failures = J::failures(&output);
            Ended { number, output, failures }
        })));
    }

    /// Adds a result that needs no work.
    pub(super) fn put(&mut self, output: O) {
        self.results.push_back(Some(output));
    }

    /// Waits for the first result; `None` if nothing is in flight. Returns [`Arrival::Later`] if
    /// another piece of work has finished first, so that there may be room for more. Cancel-safe:
    /// dropping the future loses no result.
    pub(super) async fn arrival(&mut self) -> Option<Arrival<O>> {
        poll_fn(|cx| self.poll_arrival(cx)).await
    }

    /// Waits for an arrival, and also for the next item of a source if `wants_item`, so that a slow
    /// source does not delay the work in flight.
    pub(super) async fn event<I: 'static>(&mut self, source: &mut Source<I>, wants_item: bool) -> Event<O, I> {
        poll_fn(|cx| {
            if wants_item && let Poll::Ready(item) = source.poll_next(cx) {
                return Poll::Ready(Event::Source(item));
            }
            match self.poll_arrival(cx) {
                Poll::Ready(None) if wants_item => Poll::Pending,
                arrival => arrival.map(Event::Arrival),
            }
        })
        .await
    }

    /// Sends the new requests before any answer is decoded, so that the server can work on them.
    fn send(&mut self, cx: &mut Context<'_>) {
        for mut work in std::mem::take(&mut self.fresh) {
            match work.as_mut().poll(cx) {
                Poll::Ready(ended) => self.keep(ended),
                Poll::Pending => self.running.push(work),
            }
        }
    }

    fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<Option<Arrival<O>>> {
        self.send(cx);
        if let Some(output) = self.results.front_mut().and_then(Option::take) {
            self.results.pop_front();
            self.first = self.first.saturating_add(1);
            return Poll::Ready(Some(Arrival::First(output)));
        }
        if self.results.is_empty() {
            return Poll::Ready(None);
        }
        self.running.poll_next_unpin(cx).map(|ended| {
            self.keep(ended?);
            Some(Arrival::Later)
        })
    }

    fn keep(&mut self, ended: Ended<O>) {
        self.failures = self.failures.saturating_add(ended.failures);
        let place = ended.number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some(place) = place.and_then(|at| self.results.get_mut(at)) {
            *place = Some(ended.output);
        }
    }
}

impl<O> InFlight<O> {
    /// Whether more work can start within these limits on the work in flight and on the results that
    /// wait for an earlier one.
    pub(super) fn has_room(&self, in_flight: usize, buffer: usize) -> bool {
        self.fresh.len() + self.running.len() < in_flight && self.results.len() < in_flight.saturating_add(buffer)
    }

    /// The number of failed writes, including those whose results wait.
    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    /// Counts failures from 0 again.
    pub(super) fn forget_failures(&mut self) {
        self.failures = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// Drops the work in flight, which cancels its requests.
    pub(super) fn clear(&mut self) {
        if !self.is_empty() {
            *self = Self::within(self.span.clone());
        }
    }
}

fn as_number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
