use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{
    HttpClient, HttpScimRepository, ScimBatch, ScimListing, ScimRepository, ScimService, Source, example, maybe_async,
};
use crate::config::Profile;
use crate::error::Result;
use crate::exchange::ListQuery;
use crate::model::ScimWrite;
use crate::model::Target;
use crate::model::{
    IfChanged, Resource, ResourceType, Schemas, ScimGroup, ScimListResponse, ScimPatchRequest, ScimUser,
};

/// The resources of one type: users, groups, or your own.
///
/// Get it from [`ScimService::users`], [`groups`](ScimService::groups) or
/// [`resources`](ScimService::resources). A clone is cheap.
///
#[doc = example!(
    standard
    "let groups = client.groups();\n\
     let testers = groups.create(&ScimGroup::new(\"Testers\"))" await "?;\n\
     let found = groups.get_by_name(\"Testers\")" await "?;\n\
     assert_eq!(found.as_ref(), Some(&testers));\n\
     groups.delete(&testers)" await "?;"
)]
pub struct ScimResources<R, T> {
    pub(super) repository: Arc<R>,
    of: PhantomData<fn() -> T>,
}

impl<R: ScimRepository> ScimService<R> {
    /// The users, with the methods that every type of resource has: conditional reads and writes,
    /// replacement, search.
    ///
    #[doc = example!(
        standard
        "let users = client.users();\n\
         let mut jane = users.create(&ScimUser::new(\"jane@example.com\"))" await "?;\n\
         jane.display_name = Some(\"Jane Doe\".into());\n\
         users.replace(&jane)" await "?;"
    )]
    #[must_use]
    pub fn users(&self) -> ScimResources<R, ScimUser> {
        self.resources()
    }

    /// The groups. WATS has no groups.
    ///
    #[doc = example!(
        standard
        "let testers = client.groups().create(&ScimGroup::new(\"Testers\"))" await "?;\n\
         assert!(client.groups().get(&testers)" await "?.is_some());"
    )]
    #[must_use]
    pub fn groups(&self) -> ScimResources<R, ScimGroup> {
        self.resources()
    }

    /// The resources of any type that implements [`Resource`].
    ///
    #[doc = example!(
        standard
        "let page = client.resources::<ScimGroup>().list(&ListQuery::new())" await "?;\n\
         assert_eq!(page.total_results, Some(0));"
    )]
    #[must_use]
    pub fn resources<T: Resource>(&self) -> ScimResources<R, T> {
        ScimResources { repository: Arc::clone(self.shared_repository()), of: PhantomData }
    }
}

#[maybe_async]
impl<C: HttpClient> ScimService<HttpScimRepository<C>> {
    /// Reads what the server supports (RFC 7644 §4) and returns a service that uses it.
    ///
    /// The returned service rejects unsupported calls before it sends a request, reads lists in pages
    /// that the server allows, by cursor if the server has cursors, and sends batches as bulk requests within the limits of the
    /// server.
    ///
    /// A server without these documents (404, 405 or 501) keeps the profile that was set. For a
    /// WATS server, which has none, no request is sent and [`Profile::wats`] stays.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error) of a read.
    ///
    #[doc = example!(
        standard
        "let client = client.discover()" await "?;\n\
         assert!(client.profile().offers(\"Groups\") && !client.profile().offers(\"Devices\"));"
    )]
    pub async fn discover(&self) -> Result<Self> {
        let discovered = self.repository().clone().discover().await?;
        Ok(Self::with_repository(discovered))
    }

    /// Reads what the server supports, like [`discover`](Self::discover), but from its configuration alone
    /// (RFC 7643 §5), which is one request less. Its endpoints stay unknown, so that a call about groups is
    /// sent to a server without groups. For a program that must show the first user early.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error) of a read.
    ///
    #[doc = example!(
        standard
        "let client = client.discover_configuration()" await "?;\n\
         assert!(client.profile().bulk().is_some() && client.profile().offers(\"Devices\"));"
    )]
    pub async fn discover_configuration(&self) -> Result<Self> {
        let discovered = self.repository().clone().discover_configuration().await?;
        Ok(Self::with_repository(discovered))
    }

    /// Reads the schemas of the server, from `/Schemas` (RFC 7644 §4): the attributes of its resources, their
    /// types, and which of them are required or read-only. [`Schemas::check`] checks a resource against them
    /// before it is sent.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the server has no such document, as WATS, for which
    /// no request is sent, or any other [`Error`](crate::Error) of a read.
    ///
    #[doc = example!(
        standard
        "let schemas = client.schemas()" await "?;\n\
         let jane = ScimUser::new(\"jane@example.com\").with_attribute(\"title\", 7);\n\
         let problems = schemas.check(&jane)?;\n\
         assert_eq!(problems[0].to_string(), \"title must be text\");\n\
         assert_eq!(client.create_user(&jane)" await ".unwrap_err().kind(), ErrorKind::BadRequest);"
    )]
    pub async fn schemas(&self) -> Result<Schemas> {
        self.repository().schemas().await
    }

    /// Reads the resource types of the server, from `/ResourceTypes` (RFC 7644 §4): their endpoints, schemas
    /// and extensions.
    ///
    /// # Errors
    ///
    /// As [`schemas`](Self::schemas).
    ///
    #[doc = example!(
        standard
        "let types = client.resource_types()" await "?;\n\
         let endpoints: Vec<_> = types.iter().filter_map(|one| one.endpoint.as_deref()).collect();\n\
         assert_eq!(endpoints, [\"/Users\", \"/Groups\"]);"
    )]
    pub async fn resource_types(&self) -> Result<Vec<ResourceType>> {
        self.repository().resource_types().await
    }
}

impl<R: ScimRepository> ScimService<R> {
    /// The features of the server: as configured, or as [`discover`](Self::discover) read them. Those of
    /// a repository of your own are what [`ScimRepository::profile`] returns.
    ///
    #[doc = example!("assert!(client.profile().offers(\"Users\") && !client.profile().offers(\"Groups\"));")]
    #[must_use]
    pub fn profile(&self) -> &Profile {
        self.repository().profile()
    }
}

#[maybe_async]
impl<R: ScimRepository, T: Resource> ScimResources<R, T> {
    /// Creates a resource and returns it as the server stored it.
    ///
    /// # Errors
    ///
    /// As [`ScimService::create_user`].
    ///
    #[doc = example!(
        standard
        "let testers = client.groups().create(&ScimGroup::new(\"Testers\"))" await "?;\n\
         assert!(testers.id.is_some());"
    )]
    pub async fn create(&self, resource: &T) -> Result<T> {
        self.repository.create(resource).await
    }

    /// Reads a resource by its id; `None` if the server has no such resource.
    ///
    /// # Errors
    ///
    /// As [`ScimService::get_user`].
    ///
    #[doc = example!(
        standard
        "# let id = a_user(&client)" await "?;\n\
         assert!(client.users().get(&id)" await "?.is_some());"
    )]
    pub async fn get<'a>(&self, resource: impl Into<Target<'a>> + Send) -> Result<Option<T>> {
        self.repository.get(resource.into().as_id()).await
    }

    /// Reads a resource by the attribute that names it, ignoring letter case; `None` if the server
    /// has no such resource.
    ///
    /// # Errors
    ///
    /// [`UnexpectedBody`](crate::ErrorKind::UnexpectedBody) if several resources have the name, or
    /// any other [`Error`](crate::Error).
    ///
    #[doc = example!(
        standard
        "client.groups().create(&ScimGroup::new(\"Testers\"))" await "?;\n\
         assert!(client.groups().get_by_name(\"testers\")" await "?.is_some());"
    )]
    pub async fn get_by_name(&self, name: &str) -> Result<Option<T>> {
        self.repository.get_by_name(name).await
    }

    /// Reads a resource again, unless the server still has the known version (`If-None-Match`,
    /// RFC 7644 §3.14).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if `known` has no version,
    /// [`NotFound`](crate::ErrorKind::NotFound), or any other [`Error`](crate::Error).
    ///
    #[doc = example!(
        standard
        "let groups = client.groups();\n\
         let testers = groups.create(&ScimGroup::new(\"Testers\"))" await "?;\n\
         assert!(groups.get_if_changed(&testers)" await "?.into_changed().is_none());"
    )]
    pub async fn get_if_changed(&self, known: &T) -> Result<IfChanged<T>> {
        self.repository.get_if_changed(known).await
    }

    /// Reads one page. The server may return fewer resources than requested.
    ///
    /// # Errors
    ///
    /// As [`ScimService::get_users`].
    ///
    #[doc = example!(
        standard
        "let page = client.users().list(&ListQuery::new().count(2))" await "?;\n\
         assert_eq!(page.resources.len(), 2);"
    )]
    pub async fn list(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        self.repository.list(query).await
    }

    /// Reads one page like [`list`](Self::list), with the query in the body of a POST to `.search`
    /// (RFC 7644 §3.4.3). Use it to keep personal data out of URLs, which many systems log (§7.5.2).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) on WATS, or as [`ScimService::get_users`].
    ///
    #[doc = example!(
        standard
        "let query = ListQuery::new().filter(Filter::sw(\"userName\", \"user\")).sort_by(\"userName\").descending();\n\
         let page = client.users().search(&query)" await "?;\n\
         assert_eq!(page.resources.len(), 3);"
    )]
    pub async fn search(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        self.repository.search(query).await
    }

    /// Reads all resources, one page at a time; see [`ScimListing`].
    ///
    #[doc = example!(
        standard
        "let mut groups = client.groups().iter();\n\
         assert!(groups.try_next()" await "?.is_none());"
    )]
    #[allow(clippy::iter_not_returning_iterator, clippy::iter_without_into_iter, reason = "a listing can fail")]
    pub fn iter(&self) -> ScimListing<R, T> {
        ScimListing::new(Arc::clone(&self.repository))
    }

    /// Changes a resource. With [`Target::unchanged`], only while the server still has the version
    /// that was read (`If-Match`, RFC 7644 §3.14).
    ///
    /// # Errors
    ///
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) if the server has another
    /// version, or as [`ScimService::update_user`].
    ///
    #[doc = example!(
        standard
        "let groups = client.groups();\n\
         let testers = groups.create(&ScimGroup::new(\"Testers\"))" await "?;\n\
         let patch = ScimPatchRequest::new().replace(\"displayName\", \"Test\");\n\
         groups.update(Target::unchanged(&testers)?, &patch)" await "?;\n\
         let again = groups.update(Target::unchanged(&testers)?, &patch)" await ";\n\
         assert_eq!(again.unwrap_err().kind(), ErrorKind::PreconditionFailed);"
    )]
    pub async fn update<'a>(
        &self,
        target: impl Into<Target<'a>> + Send,
        patch: &ScimPatchRequest,
    ) -> Result<Option<T>> {
        self.repository.patch(target.into(), patch).await
    }

    /// Replaces the resource with the same id (PUT, RFC 7644 §3.5.1). Attributes that are absent from
    /// `resource` are cleared. If `resource` has a version, it is replaced only while the server still
    /// has that version.
    ///
    /// Returns the resource after the change, or `None` if the server returns no body.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) on WATS,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if `resource` has no id or no name,
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed), or any other
    /// [`Error`](crate::Error).
    ///
    #[doc = example!(
        standard
        "let groups = client.groups();\n\
         let mut testers = groups.create(&ScimGroup::new(\"Testers\"))" await "?;\n\
         testers.display_name = Some(\"Test\".into());\n\
         groups.replace(&testers)" await "?;"
    )]
    pub async fn replace(&self, resource: &T) -> Result<Option<T>> {
        self.repository.replace(resource).await
    }

    /// Deletes a resource. With [`Target::unchanged`], only while the server still has the version
    /// that was read.
    ///
    /// # Errors
    ///
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) if the server has another
    /// version, or as [`ScimService::delete_user`].
    ///
    #[doc = example!(
        standard
        "let testers = client.groups().create(&ScimGroup::new(\"Testers\"))" await "?;\n\
         client.groups().delete(Target::unchanged(&testers)?)" await "?;"
    )]
    pub async fn delete<'a>(&self, target: impl Into<Target<'a>> + Send) -> Result<()> {
        self.repository.delete::<T>(target.into()).await
    }

    /// Sends many writes concurrently; see [`ScimBatch`].
    ///
    #[doc = example!(
        standard
        "let writes = [\"Testers\", \"Makers\"].map(|name| ScimWrite::create(ScimGroup::new(name)));\n\
         let items = client.groups().write(writes).run()" await ";\n\
         assert!(items.iter().all(|item| item.result.is_ok()));"
    )]
    pub fn write<W>(&self, writes: W) -> ScimBatch<R, T>
    where
        W: IntoIterator<Item = ScimWrite<T>>,
        W::IntoIter: Send + 'static,
    {
        ScimBatch::new(Arc::clone(&self.repository), Source::of(writes))
    }

    /// Reads the resource that the credentials belong to (`/Me`, RFC 7644 §3.11).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the server does not support `/Me`, as WATS,
    /// or any other [`Error`](crate::Error).
    ///
    #[doc = example!(
        standard
        "let me = client.users().me()" await ";\n\
         assert_eq!(me.unwrap_err().kind(), ErrorKind::Unsupported); // the sandbox, unless `me` is set"
    )]
    pub async fn me(&self) -> Result<T> {
        self.repository.me().await
    }
}

impl<R, T> Clone for ScimResources<R, T> {
    fn clone(&self) -> Self {
        Self { repository: Arc::clone(&self.repository), of: PhantomData }
    }
}

impl<R, T: Resource> fmt::Debug for ScimResources<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScimResources").field(&T::ENDPOINT).finish()
    }
}
