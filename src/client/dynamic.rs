//! Boxed forms of the two layers, to choose them at run time.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use http::{Request, Response};

use super::{Boxed, HttpClient, ScimRepository, ScimService, boxed, example, maybe_async};
use crate::config::{BulkLimits, Profile};
use crate::error::{Error, ErrorKind, Operation, Result, TransportError};
use crate::exchange::ListQuery;
use crate::model::{
    IfChanged, Resource, ScimGroup, ScimListResponse, ScimMember, ScimPatchRequest, ScimUser, ScimWrite, Target,
};
use crate::wats::ScimToken;

/// An [`HttpClient`] of any type, to choose the transport at run time. A clone is cheap and shares the
/// client.
///
#[doc = example!(
    "use http::{Request, Response};\n\
     use wats_scim::transport::TransportError;\n\n\
     # let is_empty = true;\n\
     let transport = if is_empty {\n    \
         let page = r#\"{\"totalResults\": 0, \"Resources\": []}\"#;\n    \
         DynHttpClient::new(move |_: Request<Vec<u8>>| " async "{ Ok(Response::new(page.as_bytes().to_vec())) })\n\
     } else {\n    \
         DynHttpClient::new(|_: Request<Vec<u8>>| " async "{ Err(TransportError::not_connected(\"unplugged\")) })\n\
     };\n\
     let config = ScimConfig::new(\"https://acme.wats.com\", Credentials::wats_token(\"dTpw\"));\n\
     let client = ScimService::with_http_client(&config, transport)?;\n\
     let users = client.get_users(&ListQuery::new())" await "?;\n\
     assert_eq!(users.total_results, Some(0));"
)]
#[derive(Clone)]
pub struct DynHttpClient(Arc<dyn AnyHttpClient>);

impl DynHttpClient {
    /// Boxes an HTTP client.
    pub fn new(client: impl HttpClient) -> Self {
        Self(Arc::new(client))
    }
}

impl fmt::Debug for DynHttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynHttpClient").finish_non_exhaustive()
    }
}

#[maybe_async(AFIT)]
impl HttpClient for DynHttpClient {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        self.0.boxed_send(request).await
    }
}

/// An HTTP client without its type.
trait AnyHttpClient: Send + Sync + 'static {
    fn boxed_send(&self, request: Request<Vec<u8>>) -> Boxed<'_, Result<Response<Vec<u8>>, TransportError>>;
}

impl<C: HttpClient> AnyHttpClient for C {
    fn boxed_send(&self, request: Request<Vec<u8>>) -> Boxed<'_, Result<Response<Vec<u8>>, TransportError>> {
        boxed(self.send(request))
    }
}

/// A service on a repository of any type, from [`ScimService::boxed`]: one type for a field, whatever is
/// behind it.
pub type DynScimService = ScimService<DynScimRepository>;

impl<R: ScimRepository> ScimService<R> {
    /// Returns this service without the type of its repository. It has users and groups; for resource
    /// types of your own, see [`DynScimRepository::builder`].
    ///
    /// Views such as [`with_timeout`](Self::with_timeout) are made before; [`labelled`](Self::labelled)
    /// and [`profile`](Self::profile) are there as before.
    ///
    #[doc = example!(
        "struct Onboarding {\n    \
             users: DynScimService,\n\
         }\n\n\
         let onboarding = Onboarding { users: client.boxed() };\n\
         onboarding.users.create_user(&ScimUser::new(\"jane@example.com\"))" await "?;\n\
         assert!(onboarding.users.get_user_by_username(\"jane@example.com\")" await "?.is_some());"
    )]
    #[must_use]
    pub fn boxed(&self) -> DynScimService {
        let builder = DynScimRepositoryBuilder::shared(Arc::clone(self.shared_repository()));
        ScimService::with_repository(builder.build())
    }
}

/// A [`ScimRepository`] of any type. A clone is cheap and shares the repository.
///
/// The methods of the trait are generic over the type of resource, and a boxed repository only knows the
/// types that it was made with: users, groups, and those of its [`builder`](Self::builder). Any other type
/// is [`Unsupported`](ErrorKind::Unsupported).
#[derive(Clone)]
pub struct DynScimRepository(Arc<dyn AnyRepository>);

impl DynScimRepository {
    /// Boxes a repository, for users and groups.
    pub fn new(repository: impl ScimRepository) -> Self {
        Self::builder(repository).build()
    }

    /// Boxes a repository for users, groups, and resource types of your own.
    ///
    #[doc = example!(
        "use wats_scim::Resource;\n\
         # #[derive(Clone, serde::Deserialize, serde::Serialize)]\n\
         # struct Device { id: Option<String>, serial: String }\n\
         # impl Resource for Device {\n\
         #     const NAME: &'static str = \"device\";\n\
         #     const ENDPOINT: &'static str = \"Devices\";\n\
         #     const SCHEMA: &'static str = \"urn:example:2.0:Device\";\n\
         #     const NAMED_BY: &'static str = \"serial\";\n\
         #     fn id(&self) -> Option<&str> { self.id.as_deref() }\n\
         #     fn name(&self) -> Option<&str> { Some(&self.serial) }\n\
         # }\n\n\
         let repository = client.repository().clone();\n\
         let repository = DynScimRepository::builder(repository).resources::<Device>().build();\n\
         let client = ScimService::with_repository(repository);\n\
         let error = client.resources::<Device>().get(\"1\")" await ".err();\n\
         assert_eq!(error.map(|error| error.to_string()).as_deref(), \
         Some(\"could not get device: a WATS server does not support devices\"));"
    )]
    pub fn builder<R: ScimRepository>(repository: R) -> DynScimRepositoryBuilder<R> {
        DynScimRepositoryBuilder::shared(Arc::new(repository))
    }

    /// The methods for one type of resource.
    fn of<T: Resource>(&self, operation: Operation) -> Result<Arc<dyn OfOneType<T>>> {
        let mut found: Option<Arc<dyn OfOneType<T>>> = None;
        self.0.find(&mut found);
        found.ok_or_else(|| {
            let message = format!(
                "this boxed repository was made without {}s; name their type with DynScimRepository::builder",
                T::NAME
            );
            Error::new(ErrorKind::Unsupported, message).in_operation(operation)
        })
    }
}

impl fmt::Debug for DynScimRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynScimRepository").finish_non_exhaustive()
    }
}

/// Boxes a repository, from [`DynScimRepository::builder`].
pub struct DynScimRepositoryBuilder<R> {
    repository: Arc<R>,
    types: Vec<Find<R>>,
}

impl<R: ScimRepository> DynScimRepositoryBuilder<R> {
    fn shared(repository: Arc<R>) -> Self {
        Self { repository, types: vec![find::<R, ScimUser>, find::<R, ScimGroup>] }
    }

    /// Adds a type of resource.
    #[must_use]
    pub fn resources<T: Resource>(mut self) -> Self {
        self.types.push(find::<R, T>);
        self
    }

    /// Returns the boxed repository.
    #[must_use]
    pub fn build(self) -> DynScimRepository {
        DynScimRepository(Arc::new(self))
    }
}

impl<R> fmt::Debug for DynScimRepositoryBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynScimRepositoryBuilder").finish_non_exhaustive()
    }
}

/// Fills an `Option<Arc<dyn OfOneType<T>>>` of its own type of resource, and leaves any other one alone.
type Find<R> = fn(&Arc<R>, &mut dyn Any);

fn find<R: ScimRepository, T: Resource>(repository: &Arc<R>, wanted: &mut dyn Any) {
    if let Some(wanted) = wanted.downcast_mut::<Option<Arc<dyn OfOneType<T>>>>() {
        let found: Arc<dyn OfOneType<T>> = Arc::<R>::clone(repository);
        *wanted = Some(found);
    }
}

/// A repository without its type.
trait AnyRepository: Send + Sync + 'static {
    fn find(&self, wanted: &mut dyn Any);
    fn boxed_token(&self, duration_days: Option<u32>) -> Boxed<'_, Result<ScimToken>>;
    fn boxed_members<'a>(
        &'a self,
        group: &'a str,
        query: &'a ListQuery,
    ) -> Boxed<'a, Result<ScimListResponse<ScimMember>>>;
    fn known_server(&self) -> Option<&str>;
    fn known_account(&self) -> Option<&str>;
    fn known_profile(&self) -> &Profile;
    fn known_bulk_limits(&self) -> Option<BulkLimits>;
    fn known_pages_by_cursor(&self) -> bool;
    fn known_max_page_size(&self) -> Option<u64>;
    fn with_label(&self, label: &str) -> Option<Arc<dyn AnyRepository>>;
    fn with_the_origin(&self, origin: &str) -> Option<Arc<dyn AnyRepository>>;
}

impl<R: ScimRepository> AnyRepository for DynScimRepositoryBuilder<R> {
    fn find(&self, wanted: &mut dyn Any) {
        self.types.iter().for_each(|find| find(&self.repository, wanted));
    }

    fn boxed_token(&self, duration_days: Option<u32>) -> Boxed<'_, Result<ScimToken>> {
        boxed(self.repository.token(duration_days))
    }

    fn boxed_members<'a>(
        &'a self,
        group: &'a str,
        query: &'a ListQuery,
    ) -> Boxed<'a, Result<ScimListResponse<ScimMember>>> {
        boxed(self.repository.list_members(group, query))
    }

    fn known_server(&self) -> Option<&str> {
        self.repository.server()
    }

    fn known_account(&self) -> Option<&str> {
        self.repository.account()
    }

    fn known_profile(&self) -> &Profile {
        self.repository.profile()
    }

    fn known_bulk_limits(&self) -> Option<BulkLimits> {
        self.repository.bulk_limits()
    }

    fn known_pages_by_cursor(&self) -> bool {
        self.repository.pages_by_cursor()
    }

    fn known_max_page_size(&self) -> Option<u64> {
        self.repository.max_page_size()
    }

    fn with_label(&self, label: &str) -> Option<Arc<dyn AnyRepository>> {
        let repository = Arc::new(self.repository.labelled(label)?);
        Some(Arc::new(Self { repository, types: self.types.clone() }))
    }

    fn with_the_origin(&self, origin: &str) -> Option<Arc<dyn AnyRepository>> {
        let repository = Arc::new(self.repository.with_origin(origin)?);
        Some(Arc::new(Self { repository, types: self.types.clone() }))
    }
}

/// The methods of a repository for one type of resource.
trait OfOneType<T: Resource>: Send + Sync + 'static {
    fn boxed_get<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<Option<T>>>;
    fn boxed_get_by_name<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<Option<T>>>;
    fn boxed_list<'a>(&'a self, query: &'a ListQuery) -> Boxed<'a, Result<ScimListResponse<T>>>;
    fn boxed_create<'a>(&'a self, resource: &'a T) -> Boxed<'a, Result<T>>;
    fn boxed_patch<'a>(&'a self, target: Target<'a>, patch: &'a ScimPatchRequest) -> Boxed<'a, Result<Option<T>>>;
    fn boxed_delete<'a>(&'a self, target: Target<'a>) -> Boxed<'a, Result<()>>;
    fn boxed_replace<'a>(&'a self, resource: &'a T) -> Boxed<'a, Result<Option<T>>>;
    fn boxed_get_if_changed<'a>(&'a self, known: &'a T) -> Boxed<'a, Result<IfChanged<T>>>;
    fn boxed_search<'a>(&'a self, query: &'a ListQuery) -> Boxed<'a, Result<ScimListResponse<T>>>;
    fn boxed_me(&self) -> Boxed<'_, Result<T>>;
    fn boxed_bulk<'a>(&'a self, writes: &'a [ScimWrite<T>]) -> Boxed<'a, Result<Vec<Result<Option<T>>>>>;
}

impl<R: ScimRepository, T: Resource> OfOneType<T> for R {
    fn boxed_get<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<Option<T>>> {
        boxed(self.get(id))
    }

    fn boxed_get_by_name<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<Option<T>>> {
        boxed(self.get_by_name(name))
    }

    fn boxed_list<'a>(&'a self, query: &'a ListQuery) -> Boxed<'a, Result<ScimListResponse<T>>> {
        boxed(self.list(query))
    }

    fn boxed_create<'a>(&'a self, resource: &'a T) -> Boxed<'a, Result<T>> {
        boxed(self.create(resource))
    }

    fn boxed_patch<'a>(&'a self, target: Target<'a>, patch: &'a ScimPatchRequest) -> Boxed<'a, Result<Option<T>>> {
        boxed(self.patch(target, patch))
    }

    fn boxed_delete<'a>(&'a self, target: Target<'a>) -> Boxed<'a, Result<()>> {
        boxed(self.delete::<T>(target))
    }

    fn boxed_replace<'a>(&'a self, resource: &'a T) -> Boxed<'a, Result<Option<T>>> {
        boxed(self.replace(resource))
    }

    fn boxed_get_if_changed<'a>(&'a self, known: &'a T) -> Boxed<'a, Result<IfChanged<T>>> {
        boxed(self.get_if_changed(known))
    }

    fn boxed_search<'a>(&'a self, query: &'a ListQuery) -> Boxed<'a, Result<ScimListResponse<T>>> {
        boxed(self.search(query))
    }

    fn boxed_me(&self) -> Boxed<'_, Result<T>> {
        boxed(self.me())
    }

    fn boxed_bulk<'a>(&'a self, writes: &'a [ScimWrite<T>]) -> Boxed<'a, Result<Vec<Result<Option<T>>>>> {
        boxed(self.bulk(writes))
    }
}

#[maybe_async(AFIT)]
impl ScimRepository for DynScimRepository {
    async fn token(&self, duration_days: Option<u32>) -> Result<ScimToken> {
        self.0.boxed_token(duration_days).await
    }

    async fn get<T: Resource>(&self, id: &str) -> Result<Option<T>> {
        let of = self.of::<T>(Operation::Get(T::NAME))?;
        of.boxed_get(id).await
    }

    async fn get_by_name<T: Resource>(&self, name: &str) -> Result<Option<T>> {
        let of = self.of::<T>(Operation::GetByName(T::NAME))?;
        of.boxed_get_by_name(name).await
    }

    async fn list<T: Resource>(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        let of = self.of::<T>(Operation::List(T::NAME))?;
        of.boxed_list(query).await
    }

    async fn create<T: Resource>(&self, resource: &T) -> Result<T> {
        let of = self.of::<T>(Operation::Create(T::NAME))?;
        of.boxed_create(resource).await
    }

    async fn patch<T: Resource>(&self, target: Target<'_>, patch: &ScimPatchRequest) -> Result<Option<T>> {
        let of = self.of::<T>(Operation::Patch(T::NAME))?;
        of.boxed_patch(target, patch).await
    }

    async fn delete<T: Resource>(&self, target: Target<'_>) -> Result<()> {
        let of = self.of::<T>(Operation::Delete(T::NAME))?;
        of.boxed_delete(target).await
    }

    async fn replace<T: Resource>(&self, resource: &T) -> Result<Option<T>> {
        let of = self.of::<T>(Operation::Replace(T::NAME))?;
        of.boxed_replace(resource).await
    }

    async fn get_if_changed<T: Resource>(&self, known: &T) -> Result<IfChanged<T>> {
        let of = self.of::<T>(Operation::Get(T::NAME))?;
        of.boxed_get_if_changed(known).await
    }

    async fn search<T: Resource>(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        let of = self.of::<T>(Operation::List(T::NAME))?;
        of.boxed_search(query).await
    }

    async fn list_members(&self, group: &str, query: &ListQuery) -> Result<ScimListResponse<ScimMember>> {
        self.0.boxed_members(group, query).await
    }

    async fn me<T: Resource>(&self) -> Result<T> {
        let of = self.of::<T>(Operation::Me)?;
        of.boxed_me().await
    }

    async fn bulk<T: Resource>(&self, writes: &[ScimWrite<T>]) -> Result<Vec<Result<Option<T>>>> {
        let of = self.of::<T>(Operation::Bulk(T::NAME))?;
        of.boxed_bulk(writes).await
    }

    fn server(&self) -> Option<&str> {
        self.0.known_server()
    }

    fn account(&self) -> Option<&str> {
        self.0.known_account()
    }

    fn profile(&self) -> &Profile {
        self.0.known_profile()
    }

    fn bulk_limits(&self) -> Option<BulkLimits> {
        self.0.known_bulk_limits()
    }

    fn pages_by_cursor(&self) -> bool {
        self.0.known_pages_by_cursor()
    }

    fn max_page_size(&self) -> Option<u64> {
        self.0.known_max_page_size()
    }

    fn labelled(&self, label: &str) -> Option<Self> {
        self.0.with_label(label).map(Self)
    }

    fn with_origin(&self, origin: &str) -> Option<Self> {
        self.0.with_the_origin(origin).map(Self)
    }
}
