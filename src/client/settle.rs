//! A creation, whose outcome is found out where it is not known.

use std::time::Instant;

use wats_scim_filter::Filter;

use super::{HttpClient, HttpScimRepository, ScimRepository, boxed, maybe_async, sleep};
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::exchange::ListQuery;
use crate::exchange::{Call, Created, is_the_one_sent};
use crate::model::Resource;

#[maybe_async]
impl<C: HttpClient> HttpScimRepository<C> {
    /// Creates a resource once, however often that has to be tried.
    pub(super) async fn create_once<T: Resource>(&self, resource: &T, call: &Call) -> Result<T> {
        let (started, mut rounds) = (Instant::now(), 0);
        loop {
            rounds += 1;
            let error = match self.send(call).await.and_then(|answer| answer.created()) {
                Ok(Created::Shown(resource)) => return Ok(resource),
                Ok(Created::At(id)) => return boxed(self.read_back(resource, Some(id))).await,
                Ok(Created::Unseen) => return boxed(self.read_back(resource, None)).await,
                Err(error) => error,
            };
            let is_second_conflict = rounds > 1 && error.kind() == ErrorKind::Conflict;
            if !self.retry.is_on() || (error.outcome() == WriteOutcome::NotApplied && !is_second_conflict) {
                return Err(if rounds > 1 { error.with_outcome(WriteOutcome::Unknown) } else { error });
            }
            match boxed(self.find_sent(resource)).await {
                Ok(Some(held)) if is_the_one_sent(resource, &held) => return Ok(held),
                Ok(Some(_)) => return Err(taken::<T>(error)),
                Ok(None) => {}
                Err(lookup) => return Err(unsettled(error, &lookup)),
            }
            match self.retry.delay_after(rounds, error.retry_after()) {
                // The deadline is one over all rounds too.
                Some(delay) if error.is_retryable() && started.elapsed() + delay < self.retry.deadline => {
                    sleep(delay).await;
                }
                _ => return Err(error.with_outcome(WriteOutcome::Unknown)),
            }
        }
    }

    /// Looks for a resource that may have been created: by its name, and by its external id where
    /// the server may have changed the name.
    async fn find_sent<T: Resource>(&self, sent: &T) -> Result<Option<T>> {
        if let Some(name) = sent.name() {
            let found = self.get_by_name(name).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        let Some(external_id) = sent.external_id() else { return Ok(None) };
        let query = ListQuery::new().filter(Filter::eq("externalId", external_id)).count(2);
        match self.list::<T>(&query).await {
            Ok(page) => Ok(page.resources.into_iter().find(|held| held.external_id() == Some(external_id))),
            // A server need not support filters; then the name alone decides.
            Err(error) if error.outcome() == WriteOutcome::NotApplied && !error.is_retryable() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A resource that the server created without showing it.
    async fn read_back<T: Resource>(&self, resource: &T, id: Option<String>) -> Result<T> {
        let found = match (id, resource.name()) {
            (Some(id), _) => self.get(&id).await,
            (None, Some(name)) => self.get_by_name(name).await,
            (None, None) => Ok(None),
        };
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

/// Somebody else has the name, so what was sent was not created.
fn taken<T: Resource>(first: Error) -> Error {
    let message = format!("the {} is taken by another {}", T::NAMED_BY, T::NAME);
    Error::new(ErrorKind::Conflict, message).with_source(first).in_operation(Operation::Create(T::NAME))
}

fn unsettled(error: Error, lookup: &Error) -> Error {
    error.with_outcome(WriteOutcome::Unknown).with_note(&format!("; looking for it failed too ({lookup})"))
}
