use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::step::{Arrival, Event, WriteJob};
use super::{InFlight, ScimRepository, Source, example, maybe_async};
use crate::batch::{BatchItem, Progress, Queued, References};
use crate::exchange::fitting;
use crate::model::Resource;
use crate::model::ScimWrite;

/// Many writes, several at a time. Their results come one by one, in the order of the writes.
///
/// Nothing is sent before the first result is asked for. Writes are taken from their source while
/// there is room for them: when any write ends, the next one takes its place in flight, within a
/// [bound](Self::buffer) on the results that wait for an earlier one. When the server throttles, one answer of 429 holds up the whole batch
/// for as long as the server asks.
///
/// Where the server takes bulk requests, as [`discover`](super::ScimService::discover) finds out,
/// the writes go together within its limits, with the same results. What a bulk request left
/// unanswered is settled one by one. A created resource is then what was sent, with the id and the
/// version that the server gave, unless the server shows more.
///
/// A write can refer to what an earlier one creates; see [`ScimWrite::create_as`].
///
/// Dropping a batch starts no further write. Those on their way may still be applied.
///
#[doc = example!(
    "let names = [\"ann\", \"bob\", \"cy\"];\n\
     let users = names.map(|name| ScimUser::new(format!(\"{name}@example.com\")));\n\
     let mut batch = client.create_users(users).in_flight(16).on_progress(|progress| {\n    \
         println!(\"{} done, {} failed\", progress.done, progress.failed);\n\
     });\n\
     while let Some(item) = batch.next()" await " {\n    \
         if let Err(error) = item.result {\n        \
             println!(\"{:?}: {error}\", item.write);\n    \
         }\n\
     }\n\
     assert_eq!(batch.progress().failed, 0);"
)]
#[must_use = "a batch sends nothing until its results are read"]
pub struct ScimBatch<R, T> {
    repository: Arc<R>,
    writes: Source<ScimWrite<T>>,
    is_source_empty: bool,
    in_flight: usize,
    buffer: usize,
    stop_after: Option<u64>,
    on_progress: Option<Box<dyn FnMut(Progress) + Send>>,
    progress: Progress,
    running: InFlight<Vec<BatchItem<T>>>,
    /// Writes that are taken from their source and not yet on their way.
    taken: VecDeque<Queued<T>>,
    references: References,
    ready: VecDeque<BatchItem<T>>,
}

impl<R: ScimRepository, T: Resource> ScimBatch<R, T> {
    pub(in super::super) fn new(repository: Arc<R>, writes: Source<ScimWrite<T>>) -> Self {
        Self {
            repository,
            progress: Progress::of(writes.size_hint()),
            writes,
            is_source_empty: false,
            in_flight: 8,
            buffer: RESULT_BUFFER,
            stop_after: None,
            on_progress: None,
            running: InFlight::default(),
            taken: VecDeque::new(),
            references: References::default(),
            ready: VecDeque::new(),
        }
    }

    /// How many requests may be on their way at the same time; 8 by default, and at least 1.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.in_flight = requests;
        self
    }

    /// How many results may wait for an earlier one, besides the writes in flight; 1,000 by default
    /// (bulk requests count as one). A write whose answer is late holds up no other until so many
    /// wait; with 0, each write waits for the oldest one in flight.
    pub fn buffer(mut self, results: usize) -> Self {
        self.buffer = results;
        self
    }

    /// Starts no further write once so many have failed; 1 stops at the first failure. Writes that
    /// are in flight at that moment still end, and their results are returned. By default a batch
    /// does not stop.
    pub fn stop_after(mut self, failures: u64) -> Self {
        self.stop_after = Some(failures.max(1));
        self
    }

    /// Is told of each result, to show how far the batch is.
    pub fn on_progress(mut self, on_progress: impl FnMut(Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Names that stand for these ids, beside those that the batch gives with
    /// [`ScimWrite::create_as`]: those of resources that are there, or of
    /// [another batch](Self::ids).
    ///
    #[doc = example!(
        standard
        "let mut users = client.write_users([ScimWrite::create_as(\"jane\", ScimUser::new(\"jane@example.com\"))]);\n\
         while let Some(item) = users.next()" await " {\n    \
             item.result?;\n\
         }\n\
         let testers = ScimGroup::new(\"Testers\").with_member(ScimMember::new(\"bulkId:jane\"));\n\
         let items = client.groups().write([ScimWrite::create(testers)]).with_ids(users.ids()).run()" await ";\n\
         assert!(items[0].result.is_ok());"
    )]
    pub fn with_ids(self, ids: impl IntoIterator<Item = (String, String)>) -> Self {
        self.references.add_known(ids);
        self
    }

    /// The ids of what was created under a name so far, for writes of another kind that refer to
    /// it.
    #[must_use]
    pub fn ids(&self) -> HashMap<String, String> {
        self.references.ids()
    }

    /// How far the batch is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Whether it was stopped by failures, so that writes may be left over.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop_after.is_some_and(|failures| self.running.failures() >= failures)
    }
}

impl<R: ScimRepository, T: Resource> ScimBatch<R, T> {
    fn has_room(&self) -> bool {
        !self.is_stopped() && self.running.has_room(self.in_flight.max(1), self.buffer)
    }

    /// Whether another write can be taken from the source: while one request has room for it.
    fn wants_write(&self) -> bool {
        !self.is_source_empty && self.taken.len() < self.most_in_a_request() && self.has_room()
    }

    fn most_in_a_request(&self) -> usize {
        self.repository.bulk_limits().map_or(1, |limits| limits.max_operations).max(1)
    }

    /// Starts the requests that can be filled: with one write each, or with as many as a bulk request
    /// holds.
    fn start_taken(&mut self) {
        while self.has_room() && (self.is_source_empty || self.taken.len() >= self.most_in_a_request()) {
            let ready = self.ready_writes();
            let sent = self.taken.iter().take(ready).map(|write| &write.sent);
            let count = self.repository.bulk_limits().map_or(1, |limits| fitting(limits, sent)).min(ready);
            if count == 0 {
                break;
            }
            let job = WriteJob { writes: self.taken.drain(..count).collect(), references: self.references.clone() };
            self.running.start(Arc::clone(&self.repository), job);
        }
    }

    /// How many of those that are taken can go into one request.
    fn ready_writes(&mut self) -> usize {
        let mut created = HashSet::new();
        for (at, write) in self.taken.iter_mut().enumerate() {
            write.resolve(&self.references);
            if write.is_rejected() {
                // It is not sent, so it goes alone.
                return at.max(1);
            }
            if !write.can_join(&created) {
                return at;
            }
            created.extend(write.bulk_id().map(ToOwned::to_owned));
        }
        self.taken.len()
    }
}

#[maybe_async]
impl<R: ScimRepository, T: Resource> ScimBatch<R, T> {
    /// The next write and its result; `None` when there are no more.
    pub async fn next(&mut self) -> Option<BatchItem<T>> {
        while self.ready.is_empty() {
            let is_wanted = self.wants_write();
            match self.running.event(&mut self.writes, is_wanted).await {
                Event::Source(Some(write)) => self.taken.push_back(self.references.queue(write)),
                Event::Source(None) => self.is_source_empty = true,
                Event::Arrival(Some(Arrival::First(items))) => self.ready.extend(items),
                Event::Arrival(Some(Arrival::Later)) => {}
                Event::Arrival(None) => return None,
            }
            self.start_taken();
        }
        let item = self.ready.pop_front()?;
        self.progress.count(item.result.is_err());
        if let Some(on_progress) = &mut self.on_progress {
            on_progress(self.progress);
        }
        Some(item)
    }

    /// All writes and their results.
    ///
    #[doc = example!(
        "let writes = [ScimWrite::create(ScimUser::new(\"jane@example.com\")), ScimWrite::delete(\"nobody\")];\n\
         let items = client.write_users(writes).run()" await ";\n\
         assert!(items[0].result.is_ok() && items[1].result.is_err());"
    )]
    pub async fn run(mut self) -> Vec<BatchItem<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item);
        }
        items
    }
}

/// How many results wait for an earlier one by default.
pub(super) const RESULT_BUFFER: usize = 1_000;

impl<R, T> fmt::Debug for ScimBatch<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimBatch")
            .field("in_flight", &self.in_flight)
            .field("stop_after", &self.stop_after)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
