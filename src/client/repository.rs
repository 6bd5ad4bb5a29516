use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::audited::{all_ended, ended};
use super::tokens::Tokens;
use super::{HttpClient, maybe_async};
use crate::audit::{Subject, Trail};
use crate::config::BulkLimits;
use crate::config::Observer;
use crate::config::Profile;
use crate::config::RetryPolicy;
use crate::config::ScimConfig;
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::ListQuery;
use crate::exchange::Throttle;
use crate::exchange::{Answer, Attempts, Budget, ByName, Endpoint, absent_as_none, bulk_results, id_in};
use crate::model::ScimWrite;
use crate::model::Target;
use crate::model::{IfChanged, Resource, ResourceType, Schema, Schemas, ScimListResponse, ScimPatchRequest};
use crate::wats::ScimToken;

/// Reads and writes resources of any type: the layer below [`ScimService`](super::ScimService).
///
/// [`HttpScimRepository`] implements it over HTTP. Implement it to replace the server in a test, or to
/// put a cache or another store in front of it. The last methods have defaults that return
/// [`Unsupported`](crate::ErrorKind::Unsupported).
#[maybe_async(AFIT)]
pub trait ScimRepository: Send + Sync + 'static {
    /// Creates a provisioning token for an identity provider, with a lifetime in days. With `None`
    /// the server decides.
    ///
    /// # Errors
    ///
    /// [`Error`] if the server cannot create a token.
    fn token(&self, duration_days: Option<u32>) -> impl Future<Output = Result<ScimToken>> + Send;

    /// The address of the server, for plans: a plan for one server is not applied to another. Unknown by
    /// default.
    fn server(&self) -> Option<&str> {
        None
    }

    /// Reads a resource by its id; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// [`Error`] if the resource cannot be read. A missing resource is not an error.
    fn get<T: Resource>(&self, id: &str) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Reads a resource by the attribute that names it ([`Resource::NAMED_BY`]), ignoring letter case.
    ///
    /// # Errors
    ///
    /// [`Error`] if the resource cannot be read. A missing resource is not an error.
    fn get_by_name<T: Resource>(&self, name: &str) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Reads one page.
    ///
    /// # Errors
    ///
    /// [`Error`] if the page cannot be read. An empty page is not an error.
    fn list<T: Resource>(&self, query: &ListQuery) -> impl Future<Output = Result<ScimListResponse<T>>> + Send;

    /// Creates a resource and returns it as the server stored it.
    ///
    /// # Errors
    ///
    /// [`Error`], whose `write_outcome` tells whether the resource may have been created.
    fn create<T: Resource>(&self, resource: &T) -> impl Future<Output = Result<T>> + Send;

    /// Changes a resource. Returns `None` if the server returns no body.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`NotFound`](crate::ErrorKind::NotFound) if the resource does not exist.
    fn patch<T: Resource>(
        &self,
        target: Target<'_>,
        patch: &ScimPatchRequest,
    ) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Deletes a resource.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`NotFound`](crate::ErrorKind::NotFound) if the resource does not exist.
    fn delete<T: Resource>(&self, target: Target<'_>) -> impl Future<Output = Result<()>> + Send;

    /// Replaces a resource; if it has a version, only while the server still has that version. Returns
    /// `None` if the server returns no body.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`NotFound`](crate::ErrorKind::NotFound) if the resource does not exist. By default
    /// [`Unsupported`](crate::ErrorKind::Unsupported).
    fn replace<T: Resource>(&self, resource: &T) -> impl Future<Output = Result<Option<T>>> + Send {
        async {
            let _ = resource;
            Err(unsupported("PUT"))
        }
    }

    /// Reads a resource again, unless the server still has the known version.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`NotFound`](crate::ErrorKind::NotFound) if the resource does not exist. By default
    /// [`Unsupported`](crate::ErrorKind::Unsupported).
    fn get_if_changed<T: Resource>(&self, known: &T) -> impl Future<Output = Result<IfChanged<T>>> + Send {
        async {
            let _ = known;
            Err(unsupported("conditional reads"))
        }
    }

    /// Reads one page, with the query in the body of the request instead of the URL.
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

    /// Sends several writes in one request and returns the result of each, in order (RFC 7644 §3.7).
    ///
    /// # Errors
    ///
    /// [`Error`] if the request failed as a whole; its `write_outcome` applies to all of the writes.
    /// By default [`Unsupported`](crate::ErrorKind::Unsupported).
    fn bulk<T: Resource>(
        &self,
        writes: &[ScimWrite<T>],
    ) -> impl Future<Output = Result<Vec<Result<Option<T>>>>> + Send {
        async {
            let _ = writes;
            Err(unsupported("bulk requests"))
        }
    }

    /// The features of the server, from which plans are made ([`Policy::new`](crate::plan::Policy::new));
    /// [`Profile::standard`] by default.
    fn profile(&self) -> &Profile {
        static STANDARD: LazyLock<Profile> = LazyLock::new(Profile::standard);
        &STANDARD
    }

    /// The limits of a bulk request; `None` if the server supports none. Those of the
    /// [`profile`](Self::profile) by default.
    fn bulk_limits(&self) -> Option<BulkLimits> {
        self.profile().bulk()
    }

    /// Whether to page lists by cursor (RFC 9865); as in the [`profile`](Self::profile) by default.
    fn pages_by_cursor(&self) -> bool {
        self.profile().pages_by_cursor()
    }

    /// The maximum number of resources per page; `None` if it is unknown. That of the
    /// [`profile`](Self::profile) by default.
    fn max_page_size(&self) -> Option<u64> {
        self.profile().max_page_size()
    }

    /// Returns a repository whose writes have this label in the audit trail. It shares everything else
    /// with this one. `None`, the default, if there is no trail, so that a label has no effect.
    fn labelled(&self, label: &str) -> Option<Self>
    where
        Self: Sized,
    {
        let _ = label;
        None
    }
}

/// A [`ScimRepository`] over HTTP. A clone is cheap, and shares the HTTP client.
#[derive(Debug)]
pub struct HttpScimRepository<C> {
    pub(super) endpoint: Endpoint,
    pub(super) client: Arc<C>,
    pub(super) retry: RetryPolicy,
    /// The timeout of a request.
    pub(super) timeout: Duration,
    /// The timeout that the transport has from the configuration.
    pub(super) transport_timeout: Duration,
    pub(super) throttle: Arc<Throttle>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) audit: Option<Trail>,
    pub(super) observer: Option<Observer>,
}

impl<C: HttpClient> HttpScimRepository<C> {
    /// Creates a repository that sends its requests with your own HTTP client.
    ///
    /// The client itself handles connections, so the settings for the connection timeout, the proxy,
    /// certificates and the size of a body have no effect here.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if a setting is not valid.
    pub fn new(config: &ScimConfig, client: C) -> Result<Self> {
        let endpoint = Endpoint::new(config)?;
        Ok(Self {
            audit: config.audit.clone().map(|audit| audit.of_server(endpoint.origin())),
            endpoint,
            client: Arc::new(client),
            retry: config.retry.clone(),
            timeout: config.timeout,
            transport_timeout: config.timeout,
            throttle: Arc::new(Throttle::new(config)?),
            tokens: Arc::new(Tokens::new(config)?),
            observer: config.observer.clone(),
        })
    }
}

impl<C> Clone for HttpScimRepository<C> {
    fn clone(&self) -> Self {
        Self {
            endpoint: self.endpoint.clone(),
            client: Arc::clone(&self.client),
            retry: self.retry.clone(),
            timeout: self.timeout,
            transport_timeout: self.transport_timeout,
            throttle: Arc::clone(&self.throttle),
            tokens: Arc::clone(&self.tokens),
            audit: self.audit.clone(),
            observer: self.observer.clone(),
        }
    }
}

impl<C> HttpScimRepository<C> {
    /// The features of the server: as configured, or as [`discover`](Self::discover) read them.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        self.endpoint.profile()
    }
}

#[maybe_async]
impl<C: HttpClient> HttpScimRepository<C> {
    /// Reads what the server supports: its resource types and its configuration (RFC 7644 §4). A server
    /// without these documents (404, 405 or 501) is treated as [`Profile::standard`]. For a WATS
    /// server, which has none, no request is sent.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a read.
    pub async fn discover(self) -> Result<Self> {
        if self.profile().is_wats() {
            return Ok(self);
        }
        let configuration = self.description("ServiceProviderConfig").await?;
        let resource_types = self.description("ResourceTypes").await?;
        let profile = Profile::described(configuration.as_ref(), resource_types.as_ref());
        Ok(Self { endpoint: self.endpoint.with_profile(profile), ..self })
    }

    /// Reads the schemas of the server, from `/Schemas` (RFC 7644 §4).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported) if the server has no such document, as WATS, or any other
    /// [`Error`] of a read.
    pub async fn schemas(&self) -> Result<Schemas> {
        let schemas = self.documents::<Schema>("Schemas").await?;
        Ok(schemas.into_iter().collect())
    }

    /// Reads the resource types of the server, from `/ResourceTypes` (RFC 7644 §4).
    ///
    /// # Errors
    ///
    /// As [`schemas`](Self::schemas).
    pub async fn resource_types(&self) -> Result<Vec<ResourceType>> {
        self.documents("ResourceTypes").await
    }

    async fn documents<T: DeserializeOwned>(&self, what: &str) -> Result<Vec<T>> {
        let lacking = || Error::new(ErrorKind::Unsupported, format!("the server has no document /{what}"));
        if self.profile().is_wats() {
            return Err(lacking().in_operation(Operation::Discover));
        }
        let answer = self.about(what).await?;
        answer.ok_or_else(|| lacking().in_operation(Operation::Discover))?.documents()
    }

    async fn description(&self, what: &str) -> Result<Option<Value>> {
        let answer = self.about(what).await?;
        answer.map(|answer| answer.document()).transpose()
    }

    /// Reads a document about the server; `None` if it has none.
    async fn about(&self, what: &str) -> Result<Option<Answer>> {
        let call = self.endpoint.about(what)?;
        match self.send(&call).await {
            Err(error) if matches!(error.status().map(|status| status.as_u16()), Some(404 | 405 | 501)) => Ok(None),
            answer => answer.map(Some),
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
                let refused = match absent_as_none(self.send_within(&call, &mut attempts, budget).await) {
                    Ok(Some(answer)) => return answer.named(name).map(Some),
                    Ok(None) => return Ok(None),
                    Err(error) => error,
                };
                // IIS answers 404 itself if the path contains `%2B`; a query may contain it.
                if refused.status() != Some(StatusCode::NOT_FOUND) {
                    return Err(refused);
                }
                let call = self.endpoint.get_by_filter::<T>(name)?;
                match self.send_within(&call, &mut Attempts::default(), budget).await {
                    Ok(answer) => answer.only_one_named(name),
                    Err(_) => Err(refused),
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

/// The error of a method that a repository does not implement.
fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("this repository does not support {what}"))
}

#[maybe_async(AFIT)]
impl<C: HttpClient> ScimRepository for HttpScimRepository<C> {
    fn server(&self) -> Option<&str> {
        Some(self.endpoint.scim_url())
    }

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
        ended(record, created, |created| Some(created))
    }

    async fn patch<T: Resource>(&self, target: Target<'_>, patch: &ScimPatchRequest) -> Result<Option<T>> {
        let call = self.endpoint.patch::<T>(target, patch);
        let (call, record) = self.recorded(call, |values| vec![Subject::patch::<T>(target, patch, values)])?;
        let patched = self.send(&call).await.and_then(|answer| answer.patched());
        ended(record, patched, Option::as_ref)
    }

    async fn delete<T: Resource>(&self, target: Target<'_>) -> Result<()> {
        let call = self.endpoint.delete::<T>(target);
        let (call, record) = self.recorded(call, |_| vec![Subject::delete::<T>(target)])?;
        let deleted = self.send(&call).await.and_then(|answer| answer.deleted());
        ended(record, deleted, |()| None::<&T>)
    }

    async fn replace<T: Resource>(&self, resource: &T) -> Result<Option<T>> {
        let call = self.endpoint.replace(resource);
        let (call, record) = self.recorded(call, |values| vec![Subject::replace(resource, values)])?;
        let replaced = self.send(&call).await.and_then(|answer| answer.patched());
        ended(record, replaced, Option::as_ref)
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
            let answer = self.send(&call).await;
            let read = answer.and_then(|answer| Ok(bulk_results(&sent, &answer.document()?, answer.secrets())));
            results = all_ended(record, read)?;
        }
        // Those that were refused stand between those that were sent.
        let mut results = results.into_iter();
        Ok(checks
            .into_iter()
            .filter_map(|check| check.map_or_else(|error| Some(Err(error)), |()| results.next()))
            .collect())
    }

    fn profile(&self) -> &Profile {
        self.endpoint.profile()
    }

    fn labelled(&self, label: &str) -> Option<Self> {
        let audit = self.audit.clone()?.label(label);
        Some(Self { audit: Some(audit), ..self.clone() })
    }
}
