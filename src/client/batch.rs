use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::step::{Arrival, ENDS_THE_WORK, Event, Over, WriteJob};
use super::{InFlight, ScimRepository, ScimService, Source, example, maybe_async};
use crate::batch::{BatchItem, Progress, Queued, References};
use crate::exchange::{Work, WorkSpan, fitting};
use crate::model::Resource;
use crate::model::ScimWrite;

/// Many writes, sent concurrently. The results are returned in the order of the writes.
///
/// Lazy: no request is sent until the first result is read. The iterator of writes is read only as
/// fast as requests complete: a finished write makes room for the next one, within a
/// [limit](Self::buffer) on results that wait for an earlier one. If the server answers 429, the
/// whole batch pauses for as long as the server asks.
///
/// If the server supports bulk requests, as [`discover`](super::ScimService::discover) finds out,
/// writes are combined within the limits of the server, with the same results. A write that a bulk
/// response leaves out, or at which the server failed, is settled with separate requests, and one for
/// which it was too busy is sent alone. A resource that was created
/// in bulk is returned as it was sent, with the id and version that the server assigned, unless the
/// server returns the resource itself.
///
/// A write can refer to a resource that an earlier write creates; see [`ScimWrite::create_as`].
///
/// After the first write that fails with [`Unauthorized`](crate::ErrorKind::Unauthorized) no more writes
/// start, because the credentials have expired and could not be renewed; [`resume`](Self::resume)
/// continues with others.
///
/// Dropping a batch starts no more writes. Writes in flight may still be applied.
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
    /// Writes that were read from the source and are not in flight yet.
    taken: VecDeque<Queued<T>>,
    references: References,
    over: Over,
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
            running: InFlight::within(WorkSpan::of(Work::Batch)),
            taken: VecDeque::new(),
            references: References::default(),
            over: Over::default(),
            ready: VecDeque::new(),
        }
    }

    /// The maximum number of requests in flight; 8 by default, and at least 1.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.in_flight = requests;
        self
    }

    /// The maximum number of finished results that wait for an earlier one; 1,000 by default. A bulk
    /// request counts as one result.
    ///
    /// Results are returned in order, so a slow write delays the results behind it. Once this many
    /// wait, no more writes start until the slow one finishes. With 0, each write waits for the oldest
    /// one in flight.
    pub fn buffer(mut self, results: usize) -> Self {
        self.buffer = results;
        self
    }

    /// Starts no more writes after this many failures; 1 stops at the first one. Writes in flight are
    /// completed, and their results returned. By default a batch stops only after a write that fails with
    /// [`Unauthorized`](crate::ErrorKind::Unauthorized).
    pub fn stop_after(mut self, failures: u64) -> Self {
        self.stop_after = Some(failures.max(1));
        self
    }

    /// Sets a function that is called after each result, to show progress.
    pub fn on_progress(mut self, on_progress: impl FnMut(Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Adds names for the ids of existing resources, in the form of name and id. Writes can refer to
    /// these names like to those of [`ScimWrite::create_as`]. The [`ids`](Self::ids) of another batch
    /// have this form.
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

    /// The ids of the resources that were created under a name so far, by that name. Pass them to
    /// [`with_ids`](Self::with_ids) of a batch that refers to them.
    #[must_use]
    pub fn ids(&self) -> HashMap<String, String> {
        self.references.ids()
    }

    /// The current progress.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Whether [`stop_after`](Self::stop_after), or a write without valid credentials, ended the batch, so
    /// that some writes may not have been started.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.running.failures() >= self.stop_after.unwrap_or(ENDS_THE_WORK)
    }

    /// Returns a batch of the writes that a [stopped](Self::is_stopped) one has not started, sent by this
    /// client, which can have other credentials. Everything else stays as it is: the settings, the
    /// progress, and results that were not read yet.
    ///
    #[doc = example!(
        "let expired = ScimClient::new(sandbox.base_url(), Credentials::wats_token(\"expired\"))?;\n\
         let names = [\"ann\", \"bob\", \"cy\"];\n\
         let mut batch = expired.create_users(names.map(ScimUser::new)).in_flight(1);\n\
         while let Some(item) = batch.next()" await " {\n    \
             assert_eq!(item.result.unwrap_err().kind(), ErrorKind::Unauthorized);\n\
         }\n\
         assert!(batch.is_stopped() && batch.progress().done == 1);\n\
         let rest = batch.resume(&client).run()" await ";\n\
         assert!(rest.len() == 2 && rest.iter().all(|item| item.result.is_ok()));"
    )]
    pub fn resume(mut self, client: &ScimService<R>) -> Self {
        self.repository = Arc::clone(client.shared_repository());
        self.running.forget_failures();
        self.over = Over::default();
        self
    }
}

impl<R: ScimRepository, T: Resource> ScimBatch<R, T> {
    fn has_room(&self) -> bool {
        !self.is_stopped() && self.running.has_room(self.in_flight.max(1), self.buffer)
    }

    /// Whether to read another write from the source: while the next request has room for it.
    fn wants_write(&self) -> bool {
        !self.is_source_empty && self.taken.len() < self.most_in_a_request() && self.has_room()
    }

    fn most_in_a_request(&self) -> usize {
        self.repository.bulk_limits().map_or(1, |limits| limits.max_operations).max(1)
    }

    /// Starts the requests that are full: one write each, or as many as a bulk request may contain.
    fn start_taken(&mut self) {
        while self.has_room() && (self.is_source_empty || self.taken.len() >= self.most_in_a_request()) {
            let ready = self.ready_writes();
            let sent = self.taken.iter().take(ready).map(|write| &write.sent);
            let count = self.repository.bulk_limits().map_or(1, |limits| fitting(limits, sent)).min(ready);
            if count == 0 {
                break;
            }
            let (references, over) = (self.references.clone(), self.over.clone());
            let job = WriteJob { writes: self.taken.drain(..count).collect(), references, over };
            self.running.start(Arc::clone(&self.repository), job);
        }
    }

    /// How many of the writes in `taken` can be sent in one request.
    fn ready_writes(&mut self) -> usize {
        let mut created = HashSet::new();
        for (at, write) in self.taken.iter_mut().enumerate() {
            write.resolve(&self.references);
            // A rejected write is not sent, and the server may ignore a version in a bulk request.
            let goes_alone = write.sent.version().is_some() && !self.repository.profile().checks_versions_in_bulk;
            if write.is_rejected() || goes_alone {
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
    /// Returns the next write with its result; `None` at the end.
    #[allow(clippy::should_implement_trait, reason = "a blocking batch is an iterator too")]
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

    /// Sends all writes and returns them with their results, in order.
    ///
    #[doc = example!(
        "let writes = [ScimWrite::create(ScimUser::new(\"jane@example.com\")), ScimWrite::delete(\"unknown-id\")];\n\
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

/// The default of `buffer`.
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
