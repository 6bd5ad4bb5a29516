//! Writes that are sent in one bulk request, and what becomes of each: as if it were sent alone.

use super::settle::{look_and_settle, only_one};
use super::step::{ENDS_THE_WORK, once, weight};
use super::{ScimRepository, maybe_async};
use crate::error::{Error, ErrorKind, Operation, Result, WriteOutcome};
use crate::exchange::gives_the_same_twice;
use crate::model::{Resource, ScimWrite};
use crate::outside::mistake;

/// The answer to one write of a bulk request.
pub(in super::super) type Answer<T> = Result<Option<T>>;

/// Sends several writes in one request, and returns the answer to each; `None` for a write that is to be sent
/// alone. A single write is not sent.
#[maybe_async]
pub(super) async fn send_together<R: ScimRepository, T: Resource>(
    repository: &R,
    writes: &[ScimWrite<T>],
) -> Vec<Option<Answer<T>>> {
    if writes.len() < 2 {
        return Vec::new();
    }
    match repository.bulk(writes).await {
        Ok(results) => {
            let mut results = results.into_iter();
            let answer = |write: &ScimWrite<T>| {
                let result = results.next().unwrap_or_else(|| Err(unanswered(write.operation())));
                Some(result).filter(|result| !result.as_ref().is_err_and(may_succeed_alone))
            };
            writes.iter().map(answer).collect()
        }
        Err(error) if weight(&error) == ENDS_THE_WORK || error.outcome() == WriteOutcome::Unknown => {
            let error = |write: &ScimWrite<T>| error.repeated().in_operation(write.operation());
            writes.iter().map(|write| Some(Err(error(write)))).collect()
        }
        Err(_) => Vec::new(),
    }
}

/// Whether a write that was not applied would be tried again if it had been sent alone.
fn may_succeed_alone(error: &Error) -> bool {
    error.outcome() == WriteOutcome::NotApplied && error.is_retryable()
}

/// Whether a write may have been applied, and is worth another request.
pub(super) fn is_lost(error: &Error) -> bool {
    error.outcome() == WriteOutcome::Unknown && weight(error) != ENDS_THE_WORK
}

/// What is said of a write after a failure that ends the work, so that nothing is sent for it.
pub(super) fn untried<T>(answer: Option<Answer<T>>, over: &Error, operation: Operation) -> Answer<T> {
    let over = over.repeated().in_operation(operation);
    match answer {
        Some(Ok(shown)) => Ok(shown),
        Some(Err(error)) => Err(over.with_outcome(error.outcome())),
        None => Err(over.with_outcome(WriteOutcome::NotApplied).unsent()),
    }
}

/// Settles a write that may have been applied.
#[maybe_async]
pub(super) async fn again<R: ScimRepository, T: Resource>(
    repository: &R,
    write: &ScimWrite<T>,
    lost: Error,
) -> Answer<T> {
    match write {
        ScimWrite::Create { resource, .. } => return create_again(repository, resource, lost).await.map(Some),
        ScimWrite::Patch { patch, .. } if !gives_the_same_twice(patch) => return Err(lost),
        ScimWrite::Patch { .. } | ScimWrite::Delete { .. } => {}
    }
    match (once(repository, write).await, write) {
        // The bulk request deleted it.
        (Err(error), ScimWrite::Delete { .. }) if error.is_certain_absence() => Ok(None),
        (Err(error), _) => Err(error.with_outcome(WriteOutcome::Unknown)),
        (done, _) => done,
    }
}

/// Settles a creation that may have been applied.
#[maybe_async]
pub(super) async fn create_again<R: ScimRepository, T: Resource>(
    repository: &R,
    resource: &T,
    lost: Error,
) -> Result<T> {
    if !mistake!("a creation of a lost bulk request is sent again without a look")
        && let Ok(outcome) = look_and_settle(repository, resource, lost).await
    {
        return outcome;
    }
    let error = match repository.create(resource).await {
        Ok(created) => return only_one(repository, created).await,
        Err(error) => error,
    };
    let is_taken = error.kind() == ErrorKind::Conflict && error.outcome() == WriteOutcome::NotApplied;
    let error = error.with_outcome(WriteOutcome::Unknown);
    if !is_taken {
        return Err(error);
    }
    // The bulk request may have been carried out after the look.
    look_and_settle(repository, resource, error).await.unwrap_or_else(Err)
}

fn unanswered(operation: Operation) -> Error {
    Error::new(ErrorKind::UnexpectedBody, "the answer to the bulk request has no result for this write")
        .with_outcome(WriteOutcome::Unknown)
        .in_operation(operation)
}
