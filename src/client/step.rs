//! What runs beside other work of the same kind.

use super::settle::{look_for, only_one};
use super::{ScimRepository, maybe_async};
use crate::batch::{BatchItem, Queued, References};
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::exchange::ListQuery;
use crate::exchange::gives_the_same_twice;
use crate::model::ScimWrite;
use crate::model::Target;
use crate::model::{Resource, ScimListResponse};
use crate::outside::mistake;

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

/// How many failures an error counts for. Without valid credentials, nothing else can succeed.
pub(super) fn weight(error: &Error) -> u64 {
    if error.kind() == ErrorKind::Unauthorized { ENDS_THE_WORK } else { 1 }
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
}

#[maybe_async(AFIT)]
impl<T: Resource> Job for WriteJob<T> {
    type Output = Vec<BatchItem<T>>;

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        let Self { writes, references } = self;
        let mut failure = None;
        if writes.len() > 1 {
            let sent: Vec<ScimWrite<T>> = writes.iter().map(|write| write.sent.clone()).collect();
            match repository.bulk(&sent).await {
                Ok(results) => {
                    sent.iter().zip(&results).for_each(|(write, result)| references.settle(write, result));
                    let items = writes.into_iter().zip(results);
                    return items.map(|(write, result)| write.into_item(&references, result)).collect();
                }
                Err(error) => failure = Some(error),
            }
        }
        let may_be_done = failure.as_ref().is_some_and(|error| error.outcome() == WriteOutcome::Unknown);
        // The error that all further writes would have too.
        let mut ended = failure.filter(|error| weight(error) == ENDS_THE_WORK);
        let mut items = Vec::with_capacity(writes.len());
        for mut write in writes {
            write.resolve(&references);
            let with_origin = write.sent.origin().and_then(|origin| repository.with_origin(origin));
            let repository = with_origin.as_ref().unwrap_or(repository);
            let result = match (write.take_rejection(), &ended) {
                (Some(rejection), _) => Err(rejection),
                (None, Some(error)) => Err(error.repeated().in_operation(write.sent.operation())),
                (None, None) if may_be_done => again(repository, &write.sent).await,
                (None, None) => once(repository, &write.sent).await,
            };
            if let (None, Err(error)) = (&ended, &result)
                && weight(error) == ENDS_THE_WORK
            {
                // The rest is not sent, but the bulk request may have done it.
                let rest = error.repeated();
                ended = Some(if may_be_done {
                    rest.with_outcome(WriteOutcome::Unknown)
                } else {
                    rest.with_outcome(WriteOutcome::NotApplied).unsent()
                });
            }
            references.settle(&write.sent, &result);
            items.push(write.into_item(&references, result));
        }
        items
    }

    fn failures(items: &Vec<BatchItem<T>>) -> u64 {
        items.iter().filter_map(|item| item.result.as_ref().err()).map(weight).fold(0, u64::saturating_add)
    }
}

#[maybe_async]
async fn once<R: ScimRepository, T: Resource>(repository: &R, write: &ScimWrite<T>) -> Result<Option<T>> {
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

/// A creation whose bulk request may have been applied, although no answer came.
#[maybe_async]
pub(super) async fn create_again<R: ScimRepository, T: Resource>(repository: &R, resource: &T) -> Result<T> {
    if !mistake!("a creation of a lost bulk request is sent again without a look") {
        let found = look_for(repository, resource).await.map_err(unknown::<T>)?;
        if let Ok(outcome) = found.settle(cut_off(Operation::Create(T::NAME))) {
            return outcome;
        }
    }
    let created = repository.create(resource).await.map_err(|error| error.with_outcome(WriteOutcome::Unknown))?;
    only_one(repository, created).await
}

/// A write whose bulk request may have been applied, although no answer came.
#[maybe_async]
async fn again<R: ScimRepository, T: Resource>(repository: &R, write: &ScimWrite<T>) -> Result<Option<T>> {
    match write {
        ScimWrite::Create { resource, .. } => return create_again(repository, resource).await.map(Some),
        ScimWrite::Patch { patch, .. } if !gives_the_same_twice(patch) => {
            return Err(cut_off(Operation::Patch(T::NAME)));
        }
        ScimWrite::Patch { .. } | ScimWrite::Delete { .. } => {}
    }
    match (once(repository, write).await, write) {
        // The bulk request deleted it.
        (Err(error), ScimWrite::Delete { .. }) if error.is_certain_absence() => Ok(None),
        (Err(error), _) => Err(error.with_outcome(WriteOutcome::Unknown)),
        (done, _) => done,
    }
}

fn cut_off(operation: Operation) -> Error {
    let cut_off = Error::new(ErrorKind::Connection, "no answer came to the bulk request that it was in");
    cut_off.with_outcome(WriteOutcome::Unknown).in_operation(operation)
}

fn unknown<T: Resource>(error: Error) -> Error {
    Error::new(error.kind(), "no answer came to the bulk request that it was in, and looking for it failed too")
        .with_source(error)
        .with_outcome(WriteOutcome::Unknown)
        .in_operation(Operation::Create(T::NAME))
}
