//! The repository over HTTP.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::audited::{all_ended, ended};
use super::settle::rejects_filters;
use super::tokens::Tokens;
use super::{HttpClient, ScimRepository, maybe_async};
use crate::audit::{Subject, Trail};
use crate::config::{Observer, Profile, RetryPolicy, ScimConfig};
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::exchange::{
    Answer, Attempts, Budget, ByName, Endpoint, ListQuery, Throttle, absent_as_none, bulk_results, id_in,
};
use crate::model::{
    IfChanged, Resource, ResourceType, Schema, Schemas, ScimListResponse, ScimMember, ScimPatchRequest, ScimUser,
    ScimWrite, Target,
};
use crate::wats::ScimToken;

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
    /// without these documents (404, 405 or 501) keeps the profile that was set. For a WATS
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
        let profile = self.profile().clone().described(configuration.as_ref(), resource_types.as_ref());
        Ok(Self { endpoint: self.endpoint.with_profile(profile), ..self })
    }

    /// Reads what the server supports from its configuration alone (RFC 7643 §5); see
    /// [`ScimService::discover_configuration`](super::ScimService::discover_configuration).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a read.
    pub async fn discover_configuration(self) -> Result<Self> {
        if self.profile().is_wats() {
            return Ok(self);
        }
        let configuration = self.description("ServiceProviderConfig").await?;
        let profile = self.profile().clone().described(configuration.as_ref(), None);
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
        let missing = || Error::new(ErrorKind::Unsupported, format!("the server has no document /{what}"));
        if self.profile().is_wats() {
            return Err(missing().in_operation(Operation::Discover));
        }
        let answer = self.about(what).await?;
        answer.ok_or_else(|| missing().in_operation(Operation::Discover))?.documents()
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
                    // It says no more than the route has said.
                    Err(error) if error.status() == Some(StatusCode::NOT_FOUND) || rejects_filters(&error) => {
                        Err(refused)
                    }
                    Err(error) => Err(error),
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

#[maybe_async(AFIT)]
impl<C: HttpClient> ScimRepository for HttpScimRepository<C> {
    fn server(&self) -> Option<&str> {
        Some(self.endpoint.scim_url())
    }

    fn account(&self) -> Option<&str> {
        self.endpoint.account()
    }

    async fn token(&self, duration_days: Option<u32>) -> Result<ScimToken> {
        let call = self.endpoint.token(duration_days);
        let (call, record) = self.recorded(call, |_| vec![Subject::token()])?;
        let token = self.send(&call).await.and_then(|answer| answer.token());
        ended(record, token, |_| None::<&ScimUser>)
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

    async fn list_members(&self, group: &str, query: &ListQuery) -> Result<ScimListResponse<ScimMember>> {
        let call = self.endpoint.members(group, query)?;
        self.send(&call).await?.members()
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

    fn with_origin(&self, origin: &str) -> Option<Self> {
        let audit = self.audit.clone()?.of_origin(origin);
        Some(Self { audit: Some(audit), ..self.clone() })
    }
}
