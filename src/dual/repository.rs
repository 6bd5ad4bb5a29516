use super::{HttpClient, maybe_async};
use crate::config::ScimConfig;
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::model::{Resource, ScimListResponse, ScimPatchRequest, ScimToken};
use crate::operation::Operation;
use crate::query::ListQuery;
use crate::wire::{Answer, ByName, Call, Created, Endpoint, absent_as_none, unanswered};

/// Access to the resources of a SCIM server, whatever they are.
///
/// [`HttpScimRepository`] is the real one; a test can put one of its own in its place.
#[maybe_async(AFIT)]
pub trait ScimRepository: Send + Sync {
    /// Fetches a token that an identity provider signs in with. `None` leaves the duration to the
    /// server.
    ///
    /// # Errors
    ///
    /// [`Error`], as for every method here.
    fn token(&self, duration_days: Option<u32>) -> impl Future<Output = Result<ScimToken>> + Send;

    /// Reads one resource; `None` if there is none with this id.
    ///
    /// # Errors
    ///
    /// [`Error`], but not for absence.
    fn get<T: Resource>(&self, id: &str) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Reads one resource by the attribute that names it, in any letter case.
    ///
    /// # Errors
    ///
    /// [`Error`], but not for absence.
    fn get_by_name<T: Resource>(&self, name: &str) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Reads one page.
    ///
    /// # Errors
    ///
    /// [`Error`]; a page with nobody on it is none.
    fn list<T: Resource>(&self, query: &ListQuery) -> impl Future<Output = Result<ScimListResponse<T>>> + Send;

    /// Creates a resource, and returns it as the server keeps it.
    ///
    /// # Errors
    ///
    /// [`Error`], whose `write_outcome` says whether it may exist now.
    fn create<T: Resource>(&self, resource: &T) -> impl Future<Output = Result<T>> + Send;

    /// Changes a resource. `None` if the server does not show the result.
    ///
    /// # Errors
    ///
    /// [`Error`], absence among them.
    fn patch<T: Resource>(&self, id: &str, patch: &ScimPatchRequest) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Deletes a resource.
    ///
    /// # Errors
    ///
    /// [`Error`], absence among them.
    fn delete<T: Resource>(&self, id: &str) -> impl Future<Output = Result<()>> + Send;
}

/// The resources of a server, over HTTP.
#[derive(Clone, Debug)]
pub struct HttpScimRepository<C> {
    endpoint: Endpoint,
    client: C,
}

impl<C: HttpClient> HttpScimRepository<C> {
    /// A repository over an HTTP client of your own.
    ///
    /// Of the configuration, address, credentials and user agent are used; everything else is up
    /// to the client.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the configuration cannot be used.
    pub fn new(config: &ScimConfig, client: C) -> Result<Self> {
        Ok(Self { endpoint: Endpoint::new(config)?, client })
    }
}

#[maybe_async]
impl<C: HttpClient> HttpScimRepository<C> {
    async fn send(&self, call: Call) -> Result<Answer> {
        let Call { operation, request } = call;
        match self.client.send(request).await {
            Ok(response) => Answer::new(operation, response),
            Err(error) => Err(unanswered(operation, self.endpoint.origin(), error)),
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

#[maybe_async(AFIT)]
impl<C: HttpClient> ScimRepository for HttpScimRepository<C> {
    async fn token(&self, duration_days: Option<u32>) -> Result<ScimToken> {
        let call = self.endpoint.token(duration_days)?;
        self.send(call).await?.token()
    }

    async fn get<T: Resource>(&self, id: &str) -> Result<Option<T>> {
        let call = self.endpoint.get::<T>(id)?;
        let answer = self.send(call).await;
        absent_as_none(answer)?.map(|answer| answer.resource()).transpose()
    }

    async fn get_by_name<T: Resource>(&self, name: &str) -> Result<Option<T>> {
        match self.endpoint.get_by_name::<T>(name)? {
            ByName::Route(call) => {
                let answer = self.send(call).await;
                match absent_as_none(answer)? {
                    Some(answer) => answer.named(name).map(Some),
                    None => Ok(None),
                }
            }
            ByName::Filter(call) => self.send(call).await?.only_one_named(name),
        }
    }

    async fn list<T: Resource>(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        let call = self.endpoint.list::<T>(query)?;
        self.send(call).await?.list()
    }

    async fn create<T: Resource>(&self, resource: &T) -> Result<T> {
        let call = self.endpoint.create(resource)?;
        match self.send(call).await?.created()? {
            Created::Shown(resource) => Ok(resource),
            Created::At(id) => self.read_back(resource, Some(id)).await,
            Created::Unseen => self.read_back(resource, None).await,
        }
    }

    async fn patch<T: Resource>(&self, id: &str, patch: &ScimPatchRequest) -> Result<Option<T>> {
        let call = self.endpoint.patch::<T>(id, patch)?;
        self.send(call).await?.patched()
    }

    async fn delete<T: Resource>(&self, id: &str) -> Result<()> {
        let call = self.endpoint.delete::<T>(id)?;
        self.send(call).await.map(drop)
    }
}
