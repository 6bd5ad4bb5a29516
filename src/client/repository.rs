use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::{HttpClient, maybe_async};
use crate::audit::{Subject, Trail};
use crate::config::BulkLimits;
use crate::config::Profile;
use crate::config::RetryPolicy;
use crate::config::ScimConfig;
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::ListQuery;
use crate::exchange::Throttle;
use crate::exchange::{Attempts, Budget, ByName, Endpoint, absent_as_none, bulk_results, id_in};
use crate::model::ScimWrite;
use crate::model::Target;
use crate::model::{IfChanged, Resource, ScimListResponse, ScimPatchRequest};
use crate::wats::ScimToken;

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
    fn patch<T: Resource>(
        &self,
        target: Target<'_>,
        patch: &ScimPatchRequest,
    ) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Deletes a resource.
    ///
    /// # Errors
    ///
    /// [`Error`], absence among them.
    fn delete<T: Resource>(&self, target: Target<'_>) -> impl Future<Output = Result<()>> + Send;

    /// Puts a resource in the place of what is there, as long as that is the version that it
    /// carries, if it carries one. `None` if the server does not show the result.
    ///
    /// # Errors
    ///
    /// [`Error`], absence among them. By default
    /// [`Unsupported`](crate::ErrorKind::Unsupported).
    fn replace<T: Resource>(&self, resource: &T) -> impl Future<Output = Result<Option<T>>> + Send {
        async {
            let _ = resource;
            Err(unsupported("replacing"))
        }
    }

    /// Reads a resource again; `None` if it is still in the version that is known.
    ///
    /// # Errors
    ///
    /// [`Error`], absence among them. By default
    /// [`Unsupported`](crate::ErrorKind::Unsupported).
    fn get_if_changed<T: Resource>(&self, known: &T) -> impl Future<Output = Result<IfChanged<T>>> + Send {
        async {
            let _ = known;
            Err(unsupported("reading by version"))
        }
    }

    /// Reads one page, with nothing of the query in a URL.
    ///
    /// # Errors
    ///
    /// [`Error`]. By default [`Unsupported`](crate::ErrorKind::Unsupported).
    fn search<T: Resource>(&self, query: &ListQuery) -> impl Future<Output = Result<ScimListResponse<T>>> + Send {
        async {
            let _ = query;
            Err(unsupported("searches"))
        }
    }

    /// Reads the resource that the credentials belong to.
    ///
    /// # Errors
    ///
    /// [`Error`]. By default [`Unsupported`](crate::ErrorKind::Unsupported).
    fn me<T: Resource>(&self) -> impl Future<Output = Result<T>> + Send {
        async { Err(unsupported("/Me")) }
    }

    /// Does several writes in one request, and returns what became of each, in their order
    /// (RFC 7644 §3.7).
    ///
    /// # Errors
    ///
    /// [`Error`] if there is no answer for them; its `write_outcome` holds for all
    /// of them. By default [`Unsupported`](crate::ErrorKind::Unsupported).
    fn bulk<T: Resource>(
        &self,
        writes: &[ScimWrite<T>],
    ) -> impl Future<Output = Result<Vec<Result<Option<T>>>>> + Send {
        async {
            let _ = writes;
            Err(unsupported("bulk requests"))
        }
    }

    /// What one bulk request may hold; by default there are none.
    fn bulk_limits(&self) -> Option<BulkLimits> {
        None
    }

    /// Whether listings are to go by cursor (RFC 9865); by default not.
    fn pages_by_cursor(&self) -> bool {
        false
    }
}

/// The resources of a server, over HTTP.
#[derive(Clone, Debug)]
pub struct HttpScimRepository<C> {
    pub(super) endpoint: Endpoint,
    pub(super) client: C,
    pub(super) retry: RetryPolicy,
    pub(super) timeout: Duration,
    pub(super) throttle: Arc<Throttle>,
    pub(super) audit: Option<Trail>,
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
            throttle: Arc::new(Throttle::new(config)?),
            audit: config.audit.clone(),
        })
    }
}

impl<C> HttpScimRepository<C> {
    /// What the server offers, as far as is known.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        self.endpoint.profile()
    }
}

#[maybe_async]
impl<C: HttpClient> HttpScimRepository<C> {
    /// The same repository, with what the server says it offers: its resource types and its
    /// configuration (RFC 7644 §4). A server that does not describe itself (404, 501) counts as
    /// [`Profile::standard`]; a WATS server is not asked, for it does not say.
    ///
    /// # Errors
    ///
    /// [`Error`], but not for a server that does not describe itself.
    pub async fn discover(self) -> Result<Self> {
        if self.profile().is_wats() {
            return Ok(self);
        }
        let configuration = self.about("ServiceProviderConfig").await?;
        let resource_types = self.about("ResourceTypes").await?;
        let profile = Profile::described(configuration.as_ref(), resource_types.as_ref());
        Ok(Self { endpoint: self.endpoint.with_profile(profile), ..self })
    }

    async fn about(&self, what: &str) -> Result<Option<Value>> {
        let call = self.endpoint.about(what)?;
        match self.send(&call).await {
            Err(error) if matches!(error.status().map(|status| status.as_u16()), Some(404 | 405 | 501)) => Ok(None),
            answer => answer?.document().map(Some),
        }
    }
}

/// Reads within the budget of an operation.
#[maybe_async]
impl<C: HttpClient> HttpScimRepository<C> {
    pub(super) async fn get_within<T: Resource>(&self, id: &str, budget: &mut Budget<'_>) -> Result<Option<T>> {
        let call = self.endpoint.get::<T>(id)?;
        let answer = self.send_within(&call, &mut Attempts::default(), budget).await;
        absent_as_none(answer)?.map(|answer| answer.resource()).transpose()
    }

    pub(super) async fn get_by_name_within<T: Resource>(
        &self,
        name: &str,
        budget: &mut Budget<'_>,
    ) -> Result<Option<T>> {
        let mut attempts = Attempts::default();
        match self.endpoint.get_by_name::<T>(name)? {
            ByName::Route(call) => {
                let answer = self.send_within(&call, &mut attempts, budget).await;
                match absent_as_none(answer)? {
                    Some(answer) => answer.named(name).map(Some),
                    None => Ok(None),
                }
            }
            ByName::Filter(call) => self.send_within(&call, &mut attempts, budget).await?.only_one_named(name),
        }
    }

    pub(super) async fn list_within<T: Resource>(
        &self,
        query: &ListQuery,
        budget: &mut Budget<'_>,
    ) -> Result<ScimListResponse<T>> {
        let call = self.endpoint.list::<T>(query)?;
        self.send_within(&call, &mut Attempts::default(), budget).await?.list()
    }
}

/// What a repository of one's own need not offer.
fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("this repository offers no {what}"))
}

#[maybe_async(AFIT)]
impl<C: HttpClient> ScimRepository for HttpScimRepository<C> {
    async fn token(&self, duration_days: Option<u32>) -> Result<ScimToken> {
        let call = self.endpoint.token(duration_days)?;
        self.send(&call).await?.token()
    }

    async fn get<T: Resource>(&self, id: &str) -> Result<Option<T>> {
        self.get_within(id, &mut self.budget()).await
    }

    async fn get_by_name<T: Resource>(&self, name: &str) -> Result<Option<T>> {
        self.get_by_name_within(name, &mut self.budget()).await
    }

    async fn list<T: Resource>(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        self.list_within(query, &mut self.budget()).await
    }

    async fn create<T: Resource>(&self, resource: &T) -> Result<T> {
        let call = self.endpoint.create(resource);
        let (call, record) = self.recorded(call, |values| vec![Subject::create(resource, values)])?;
        let created = self.create_once(resource, &call).await;
        self.ended(record, created, |created| Some(created))
    }

    async fn patch<T: Resource>(&self, target: Target<'_>, patch: &ScimPatchRequest) -> Result<Option<T>> {
        let call = self.endpoint.patch::<T>(target, patch);
        let (call, record) = self.recorded(call, |values| vec![Subject::patch::<T>(target, patch, values)])?;
        let patched = self.send(&call).await.and_then(|answer| answer.patched());
        self.ended(record, patched, Option::as_ref)
    }

    async fn delete<T: Resource>(&self, target: Target<'_>) -> Result<()> {
        let call = self.endpoint.delete::<T>(target);
        let (call, record) = self.recorded(call, |_| vec![Subject::delete::<T>(target)])?;
        let deleted = self.send(&call).await.and_then(|answer| answer.deleted());
        self.ended(record, deleted, |()| None::<&T>)
    }

    async fn replace<T: Resource>(&self, resource: &T) -> Result<Option<T>> {
        let call = self.endpoint.replace(resource);
        let (call, record) = self.recorded(call, |values| vec![Subject::replace(resource, values)])?;
        let replaced = self.send(&call).await.and_then(|answer| answer.patched());
        self.ended(record, replaced, Option::as_ref)
    }

    async fn get_if_changed<T: Resource>(&self, known: &T) -> Result<IfChanged<T>> {
        let known = Target::unchanged(known).map_err(|error| error.in_operation(Operation::Get(T::NAME)))?;
        let call = self.endpoint.get_if_changed::<T>(known)?;
        match self.send(&call).await {
            Err(error) if error.status() == Some(StatusCode::NOT_MODIFIED) => Ok(IfChanged::Unchanged),
            answer => answer?.resource().map(IfChanged::Changed),
        }
    }

    async fn search<T: Resource>(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        let call = self.endpoint.search::<T>(query)?;
        self.send(&call).await?.list()
    }

    async fn me<T: Resource>(&self) -> Result<T> {
        let call = self.endpoint.me()?;
        let error = match self.send(&call).await {
            Ok(answer) => return answer.resource(),
            Err(error) => error,
        };
        // A server may point to the resource instead of showing it. Its id is all that is taken
        // from there: the request stays with the configured server.
        if let Some(id) = error.redirect_target().and_then(|target| id_in(target, T::ENDPOINT)) {
            return self.get(&id).await?.ok_or(error);
        }
        if error.status() == Some(StatusCode::NOT_IMPLEMENTED) {
            let message = "the server does not say who is signed in (501)";
            return Err(Error::new(ErrorKind::Unsupported, message).with_source(error).in_operation(Operation::Me));
        }
        Err(error)
    }

    async fn bulk<T: Resource>(&self, writes: &[ScimWrite<T>]) -> Result<Vec<Result<Option<T>>>> {
        let checks: Vec<Result<()>> = writes
            .iter()
            .map(|write| self.checked(self.endpoint.check_write(write), |values| Subject::write(write, values)))
            .collect();
        let sent: Vec<&ScimWrite<T>> =
            writes.iter().zip(&checks).filter(|(_, check)| check.is_ok()).map(|(write, _)| write).collect();
        let mut results = Vec::new();
        if !sent.is_empty() {
            let subjects = |values| sent.iter().map(|write| Subject::write(write, values)).collect();
            let (call, record) = self.recorded(self.endpoint.bulk(&sent), subjects)?;
            let answer = self.send(&call).await.and_then(|answer| answer.document());
            results = self.all_ended(record, answer.map(|answer| bulk_results(&sent, &answer)))?;
        }
        // Those that were refused stand between those that were sent.
        let mut results = results.into_iter();
        Ok(checks
            .into_iter()
            .filter_map(|check| check.map_or_else(|error| Some(Err(error)), |()| results.next()))
            .collect())
    }

    fn bulk_limits(&self) -> Option<BulkLimits> {
        self.endpoint.profile().bulk()
    }

    fn pages_by_cursor(&self) -> bool {
        self.endpoint.profile().pages_by_cursor
    }
}
