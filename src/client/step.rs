//! What runs beside other work of the same kind.

use std::sync::{Arc, OnceLock};

use super::bulk::{again, is_lost, send_together, untried};
use super::{ScimRepository, maybe_async};
use crate::batch::{BatchItem, Queued, References};
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::ListQuery;
use crate::model::{Resource, ScimListResponse, ScimWrite, Target};

/// Work on a repository that needs nothing else.
#[maybe_async(AFIT)]
pub(in super::super) trait Job: Send + 'static {
    type Output: Send + 'static;

    fn run<R: ScimRepository>(self, repository: &R) -> impl Future<Output = Self::Output> + Send;

    /// How many failures a result counts for where work is to stop after some of them.
    fn failures(_: &Self::Output) -> u64 {
        0
    }
}

/// The count of a failure after which no other work can succeed.
pub(super) const ENDS_THE_WORK: u64 = u64::MAX;

/// How many failures an error counts for. Without valid credentials, or a journal, nothing else can succeed.
pub(super) fn weight(error: &Error) -> u64 {
    if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Journal) { ENDS_THE_WORK } else { 1 }
}

/// The failure after which no other work can succeed, once there is one. Clones share it: a job with several writes
/// checks it before each of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Over(Arc<OnceLock<Error>>);

impl Over {
    pub(super) fn error(&self) -> Option<&Error> {
        self.0.get()
    }

    pub(super) fn record(&self, error: &Error) {
        if weight(error) == ENDS_THE_WORK {
            // The first one stays.
            let _ = self.0.set(error.clone());
        }
    }
}

/// What work in flight has come to.
pub(in super::super) enum Arrival<O> {
    /// The first result in the order of the work.
    First(O),
    /// Work has ended whose result waits for an earlier one.
    Later,
}

/// What a batch waits for.
pub(in super::super) enum Event<O, I> {
    /// The next item of its source; `None` at its end.
    Source(Option<I>),
    /// A result; `None` if nothing is in flight.
    Arrival(Option<Arrival<O>>),
}

/// Reading a page.
pub(super) struct PageJob<T> {
    query: ListQuery,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T> PageJob<T> {
    pub(super) fn new(query: ListQuery) -> Self {
        Self { query, of: std::marker::PhantomData }
    }
}

#[maybe_async(AFIT)]
impl<T: Resource> Job for PageJob<T> {
    type Output = Result<ScimListResponse<T>>;

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        repository.list(&self.query).await
    }
}

/// Doing some writes of a batch: one alone, or several in a bulk request.
pub(super) struct WriteJob<T> {
    pub(super) writes: Vec<Queued<T>>,
    pub(super) references: References,
    pub(super) over: Over,
}

#[maybe_async(AFIT)]
impl<T: Resource> Job for WriteJob<T> {
    type Output = Vec<BatchItem<T>>;

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        let Self { writes, references, over } = self;
        let in_bulk = if writes.len() > 1 { writes.as_slice() } else { &[] };
        let sent: Vec<ScimWrite<T>> = in_bulk.iter().map(|write| write.sent.clone()).collect();
        let mut answers = send_together(repository, &sent).await.into_iter();
        let mut done = Vec::with_capacity(writes.len());
        for mut write in writes {
            let answer = answers.next().flatten();
            if !answer.as_ref().is_some_and(Result::is_ok) {
                write.resolve(&references);
            }
            let with_origin = write.sent.origin().and_then(|origin| repository.with_origin(origin));
            let repository = with_origin.as_ref().unwrap_or(repository);
            let result = match (write.take_rejection(), over.error(), answer) {
                (Some(rejection), _, _) => Err(rejection),
                (None, Some(error), answer) => untried(answer, error, write.sent.operation()),
                (None, None, Some(Err(error))) if is_lost(&error) => again(repository, &write.sent, error).await,
                (None, None, Some(answer)) => answer,
                (None, None, None) => once(repository, &write.sent).await,
            };
            if let Err(error) = &result {
                over.record(error);
            }
            references.settle(&write.sent, &result);
            done.push((write, result));
        }
        // A resource can refer to a later one.
        done.into_iter().map(|(write, result)| write.into_item(&references, result)).collect()
    }

    fn failures(items: &Vec<BatchItem<T>>) -> u64 {
        items.iter().filter_map(|item| item.result.as_ref().err()).map(weight).fold(0, u64::saturating_add)
    }
}

#[maybe_async]
pub(super) async fn once<R: ScimRepository, T: Resource>(repository: &R, write: &ScimWrite<T>) -> Result<Option<T>> {
    match write {
        ScimWrite::Create { resource, .. } => repository.create(resource).await.map(Some),
        ScimWrite::Patch { id, patch, version, .. } => {
            repository.patch(Target::only_in_version(id, version.as_deref()), patch).await
        }
        ScimWrite::Delete { id, version, .. } => {
            repository.delete::<T>(Target::only_in_version(id, version.as_deref())).await.map(|()| None)
        }
    }
}
