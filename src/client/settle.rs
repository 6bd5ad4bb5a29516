//! A creation whose outcome is not known: the client looks for the resource before it creates it
//! again.

use http::StatusCode;
use wats_scim_filter::Filter;

use super::{HttpClient, HttpScimRepository, ScimRepository, boxed, maybe_async, sleep};
use crate::error::{Error, ErrorKind, Operation, Result, Sender, WriteOutcome};
use crate::exchange::{Attempts, Budget, Call, Created, ListQuery, check_shown, is_the_one_sent};
use crate::model::{Resource, ScimListResponse};
use crate::outside::{clock, mistake};

pub(super) const LOOK_FAILED: &str = "looking for it failed too";

/// What a look for a resource has found.
pub(super) enum Found<T> {
    /// The resource that was sent.
    Sent(T),
    /// Another one that has its name.
    Other(T),
    /// One that has its external id, and another name or other values: the one that was sent, if the
    /// server changes what it stores, or an older one.
    Perhaps(T),
    Nothing,
}

/// Where to look for a resource.
#[maybe_async(AFIT)]
pub(super) trait LookUp: Send {
    fn by_name<T: Resource>(&mut self, name: &str) -> impl Future<Output = Result<Option<T>>> + Send;

    fn page<T: Resource>(&mut self, query: &ListQuery) -> impl Future<Output = Result<ScimListResponse<T>>> + Send;
}

#[maybe_async(AFIT)]
impl<R: ScimRepository> LookUp for &R {
    async fn by_name<T: Resource>(&mut self, name: &str) -> Result<Option<T>> {
        self.get_by_name(name).await
    }

    async fn page<T: Resource>(&mut self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        self.list(query).await
    }
}

/// The look of an operation that has a budget.
struct Within<'a, 'b, C> {
    repository: &'a HttpScimRepository<C>,
    budget: &'a mut Budget<'b>,
}

#[maybe_async(AFIT)]
impl<C: HttpClient> LookUp for Within<'_, '_, C> {
    async fn by_name<T: Resource>(&mut self, name: &str) -> Result<Option<T>> {
        self.repository.get_by_name_within(name, self.budget).await
    }

    async fn page<T: Resource>(&mut self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        self.repository.list_within(query, self.budget).await
    }
}

/// Looks for a resource that may have been created: by its name, and by its external id where the
/// server may have changed the name. Single creations, batches, bulk requests and applies all look
/// here before they create again.
#[maybe_async]
pub(super) async fn look_for<T: Resource>(mut look_up: impl LookUp, sent: &T) -> Result<Found<T>> {
    if let Some(name) = sent.name()
        && let Some(held) = look_up.by_name::<T>(name).await?
    {
        return Ok(Found::of(sent, held));
    }
    let Some(external_id) = sent.external_id() else { return Ok(Found::Nothing) };
    let query = ListQuery::new().filter(Filter::eq("externalId", external_id)).count(2);
    match look_up.page::<T>(&query).await {
        Ok(page) => {
            check_shown(&page)?;
            let is_meant = |held: &T| held.external_id() == Some(external_id);
            // Each of several attempts may have created one.
            if !page.has_at_most(1) && page.resources.iter().all(is_meant) {
                let why = format!("the server has several {}s with this externalId", T::NAME);
                return Err(Error::new(ErrorKind::Conflict, why).with_outcome(WriteOutcome::Unknown));
            }
            let held = page.resources.into_iter().find(is_meant);
            Ok(held.map_or(Found::Nothing, |held| Found::of(sent, held)))
        }
        // A server need not support filters; then the name alone decides.
        Err(error) if rejects_filters(&error) => Ok(Found::Nothing),
        Err(error) => Err(error),
    }
}

/// Whether the server itself says that it does not filter. What a gateway rejects says nothing.
pub(super) fn rejects_filters(error: &Error) -> bool {
    let is_rejected = matches!(error.status(), Some(StatusCode::BAD_REQUEST | StatusCode::NOT_IMPLEMENTED));
    error.kind() == ErrorKind::Unsupported || (is_rejected && error.sender() == Sender::Server)
}

impl<T: Resource> Found<T> {
    fn of(sent: &T, held: T) -> Self {
        if is_the_one_sent(sent, &held) {
            Self::Sent(held)
        } else if sent.external_id().is_some() && sent.external_id() == held.external_id() {
            Self::Perhaps(held)
        } else {
            Self::Other(held)
        }
    }

    /// The outcome of a creation that ended with this error; the error again if it was not applied.
    fn settle(self, error: Error) -> Result<Result<T>> {
        match self {
            Self::Sent(held) => Ok(Ok(held)),
            Self::Other(_) => Ok(Err(taken::<T>(error))),
            Self::Perhaps(held) => Ok(Err(changed(error, &held))),
            Self::Nothing => Err(error),
        }
    }
}

/// Looks for a resource after a creation that may have been applied, and returns the outcome of the creation; the error
/// again if the resource is not there.
#[maybe_async]
pub(super) async fn look_and_settle<T: Resource>(look_up: impl LookUp, sent: &T, error: Error) -> Result<Result<T>> {
    match look_for(look_up, sent).await {
        Ok(found) => found.settle(error),
        Err(look) => Ok(Err(error.followed_by(&look, LOOK_FAILED).with_outcome(WriteOutcome::Unknown))),
    }
}

/// A resource that was created although an earlier attempt may be applied after the look that did not
/// find it: if there are two of its name, the outcome is unknown.
#[maybe_async]
pub(super) async fn only_one<T: Resource>(mut look_up: impl LookUp, created: T) -> Result<T> {
    let Some(name) = created.name() else { return Ok(created) };
    let query = ListQuery::new().filter(Filter::eq(T::NAMED_BY, name)).count(2);
    let why = match look_up.page::<T>(&query).await {
        Ok(page) if page.has_at_most(1) => return Ok(created),
        Ok(_) => {
            let message = format!(
                "the server has two {}s of this name now; an earlier attempt may have created the other",
                T::NAME
            );
            Error::new(ErrorKind::Conflict, message)
        }
        Err(error) => {
            let message = "a later attempt created it, but whether an earlier one did too could not be read";
            Error::new(error.kind(), message).with_source(error)
        }
    };
    Err(why.with_outcome(WriteOutcome::Unknown).in_operation(Operation::Create(T::NAME)))
}

#[maybe_async]
impl<C: HttpClient> HttpScimRepository<C> {
    /// Creates a resource once, however many attempts that takes.
    pub(super) async fn create_once<T: Resource>(&self, resource: &T, call: &Call) -> Result<T> {
        let (mut attempts, mut budget) = (Attempts::default(), self.budget());
        let mut is_first = true;
        loop {
            let answer = self.send_within(call, &mut attempts, &mut budget).await;
            let error = match answer.and_then(|answer| answer.created()) {
                Ok(created) => {
                    let created = match created {
                        Created::Shown(created) => created,
                        Created::At(id) => boxed(self.read_back(resource, Some(&id), &mut budget)).await?,
                        Created::Unseen => boxed(self.read_back(resource, None, &mut budget)).await?,
                    };
                    if is_first || self.endpoint.keeps_names_unique() || mistake!("a second creation is not looked at")
                    {
                        return Ok(created);
                    }
                    return boxed(only_one(self.within(&mut budget), created)).await;
                }
                Err(error) => error,
            };
            let is_second_conflict = !is_first && error.kind() == ErrorKind::Conflict;
            if !self.retry.is_on() || (error.outcome() == WriteOutcome::NotApplied && !is_second_conflict) {
                return Err(if is_first { error } else { error.with_outcome(WriteOutcome::Unknown) });
            }
            is_first = false;
            let settled = if mistake!("a creation is sent again without a look") {
                Err(error)
            } else {
                boxed(look_and_settle(self.within(&mut budget), resource, error)).await
            };
            let error = match settled {
                Ok(outcome) => return outcome,
                Err(error) => error,
            };
            attempts.settle();
            let retry = if error.is_retryable() {
                budget.retry(error.retry_after(), clock::now(), clock::random())
            } else {
                None
            };
            match retry {
                Some(delay) => sleep(delay).await,
                None => return Err(error.with_outcome(WriteOutcome::Unknown)),
            }
        }
    }

    fn within<'a, 'b>(&'a self, budget: &'a mut Budget<'b>) -> Within<'a, 'b, C> {
        Within { repository: self, budget }
    }

    /// A resource that the server created without showing it. It is read by its id, or else by its name.
    async fn read_back<T: Resource>(&self, resource: &T, id: Option<&str>, budget: &mut Budget<'_>) -> Result<T> {
        let mut found = match id {
            Some(id) => self.get_within(id, budget).await,
            None => Ok(None),
        };
        if let (Ok(None), Some(name)) = (&found, resource.name()) {
            found = self.get_by_name_within(name, budget).await;
        }
        let error = match found {
            Ok(Some(resource)) => return Ok(resource),
            Ok(None) => {
                let message = format!("the server accepted the {}, but does not show it", T::NAME);
                Error::new(ErrorKind::EmptyBody, message)
            }
            Err(error) => {
                Error::new(error.kind(), "the server accepted it, but it could not be read back").with_source(error)
            }
        };
        Err(error.with_outcome(WriteOutcome::Unknown).in_operation(Operation::Create(T::NAME)))
    }
}

/// The name belongs to another resource now. A late attempt can be applied when it no longer does.
fn taken<T: Resource>(first: Error) -> Error {
    let message = format!("the {} is taken by another {} now", T::NAMED_BY, T::NAME);
    let taken = Error::new(ErrorKind::Conflict, message).with_source(first).with_outcome(WriteOutcome::Unknown);
    taken.in_operation(Operation::Create(T::NAME))
}

/// A resource with the same external id has another name or other values.
fn changed<T: Resource>(error: Error, held: &T) -> Error {
    let id = held.id().unwrap_or_default();
    let note = format!(
        "; the {} with the id {id:?} has the same externalId, and another {} or other values",
        T::NAME,
        T::NAMED_BY
    );
    error.with_outcome(WriteOutcome::Unknown).with_note(&note)
}
