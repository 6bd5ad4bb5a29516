use std::sync::Arc;
use std::time::Duration;

use super::{HttpClient, maybe_async};
use crate::config::ScimConfig;
use crate::error::Result;
use crate::model::{Resource, ScimListResponse, ScimPatchRequest, ScimToken};
use crate::pace::Pace;
use crate::query::ListQuery;
use crate::retry::RetryPolicy;
use crate::wire::{ByName, Endpoint, absent_as_none};

/// Access to the resources of a SCIM server, whatever they are.
///
/// [`HttpScimRepository`] is the real one; a test can put one of its own in its place.
#[maybe_async(AFIT)]
pub trait ScimRepository: Send + Sync + 'static {
    /// Fetches a token that an identity provider signs in with. `None` leaves the duration to the
    /// server.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), as for every method here.
    fn token(&self, duration_days: Option<u32>) -> impl Future<Output = Result<ScimToken>> + Send;

    /// Reads one resource; `None` if there is none with this id.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), but not for absence.
    fn get<T: Resource>(&self, id: &str) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Reads one resource by the attribute that names it, in any letter case.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), but not for absence.
    fn get_by_name<T: Resource>(&self, name: &str) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Reads one page.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error); a page with nobody on it is none.
    fn list<T: Resource>(&self, query: &ListQuery) -> impl Future<Output = Result<ScimListResponse<T>>> + Send;

    /// Creates a resource, and returns it as the server keeps it.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), whose `write_outcome` says whether it may exist now.
    fn create<T: Resource>(&self, resource: &T) -> impl Future<Output = Result<T>> + Send;

    /// Changes a resource. `None` if the server does not show the result.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), absence among them.
    fn patch<T: Resource>(&self, id: &str, patch: &ScimPatchRequest) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Deletes a resource.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), absence among them.
    fn delete<T: Resource>(&self, id: &str) -> impl Future<Output = Result<()>> + Send;
}

/// The resources of a server, over HTTP.
#[derive(Clone, Debug)]
pub struct HttpScimRepository<C> {
    pub(super) endpoint: Endpoint,
    pub(super) client: C,
    pub(super) retry: RetryPolicy,
    pub(super) timeout: Duration,
    pub(super) pace: Arc<Pace>,
}

impl<C: HttpClient> HttpScimRepository<C> {
    /// A repository over an HTTP client of your own.
    ///
    /// Of the configuration, what concerns connections is up to the client: timeouts, proxy,
    /// certificates and the size of a body.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the configuration cannot be used.
    pub fn new(config: &ScimConfig, client: C) -> Result<Self> {
        Ok(Self {
            endpoint: Endpoint::new(config)?,
            client,
            retry: config.retry.clone(),
            timeout: config.timeout,
            pace: Arc::new(Pace::new(config)?),
        })
    }
}

#[maybe_async(AFIT)]
impl<C: HttpClient> ScimRepository for HttpScimRepository<C> {
    async fn token(&self, duration_days: Option<u32>) -> Result<ScimToken> {
        let call = self.endpoint.token(duration_days)?;
        self.send(&call).await?.token()
    }

    async fn get<T: Resource>(&self, id: &str) -> Result<Option<T>> {
        let call = self.endpoint.get::<T>(id)?;
        let answer = self.send(&call).await;
        absent_as_none(answer)?.map(|answer| answer.resource()).transpose()
    }

    async fn get_by_name<T: Resource>(&self, name: &str) -> Result<Option<T>> {
        match self.endpoint.get_by_name::<T>(name)? {
            ByName::Route(call) => {
                let answer = self.send(&call).await;
                match absent_as_none(answer)? {
                    Some(answer) => answer.named(name).map(Some),
                    None => Ok(None),
                }
            }
            ByName::Filter(call) => self.send(&call).await?.only_one_named(name),
        }
    }

    async fn list<T: Resource>(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        let call = self.endpoint.list::<T>(query)?;
        self.send(&call).await?.list()
    }

    async fn create<T: Resource>(&self, resource: &T) -> Result<T> {
        self.create_once(resource).await
    }

    async fn patch<T: Resource>(&self, id: &str, patch: &ScimPatchRequest) -> Result<Option<T>> {
        let call = self.endpoint.patch::<T>(id, patch)?;
        self.send(&call).await?.patched()
    }

    async fn delete<T: Resource>(&self, id: &str) -> Result<()> {
        let call = self.endpoint.delete::<T>(id)?;
        self.send(&call).await?.deleted()
    }
}
