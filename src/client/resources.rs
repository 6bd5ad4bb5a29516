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
use crate::model::{IfChanged, Resource, ScimListResponse, ScimPatchRequest};

/// The resources of one kind: users, groups, or a type of your own.
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
    repository: Arc<R>,
    of: PhantomData<fn() -> T>,
}

impl<R: ScimRepository> ScimService<R> {
    /// The resources of any kind.
    #[must_use]
    pub fn resources<T: Resource>(&self) -> ScimResources<R, T> {
        ScimResources { repository: Arc::clone(self.shared_repository()), of: PhantomData }
    }
}

#[maybe_async]
impl<C: HttpClient + Clone> ScimService<HttpScimRepository<C>> {
    /// The same service, with what the server says it offers (RFC 7644 §4): a call that it does
    /// not support is then refused before it is sent, listings go by cursor where the server does,
    /// and batches by bulk requests within its limits.
    ///
    /// A server that does not describe itself counts as [`Profile::standard`], and a WATS server
    /// as [`Profile::wats`].
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error) of reading, but not for a server that does not describe itself.
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

    /// What the server offers, as far as is known.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        self.repository().profile()
    }
}

impl<R: ScimRepository, T: Resource> ScimResources<R, T> {
    /// Reads every one, page after page; see [`ScimListing`].
    #[allow(clippy::iter_not_returning_iterator, clippy::iter_without_into_iter, reason = "a listing can fail")]
    pub fn iter(&self) -> ScimListing<R, T> {
        ScimListing::new(Arc::clone(&self.repository))
    }

    /// Any writes, several at a time; see [`ScimBatch`].
    pub fn write<W>(&self, writes: W) -> ScimBatch<R, T>
    where
        W: IntoIterator<Item = ScimWrite<T>>,
        W::IntoIter: Send + 'static,
    {
        ScimBatch::new(Arc::clone(&self.repository), Source::of(writes))
    }
}

#[maybe_async]
impl<R: ScimRepository, T: Resource> ScimResources<R, T> {
    /// Reads one; `None` if there is none with this id.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), as for [`ScimService::get_user`].
    pub async fn get<'a>(&self, resource: impl Into<Target<'a>> + Send) -> Result<Option<T>> {
        self.repository.get(resource.into().as_id()).await
    }

    /// Reads one again, or tells with `None` that it is still in the version that is known
    /// (`If-None-Match`, RFC 7644 §3.14).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it carries no version,
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

    /// Reads the one with this name, in any letter case; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`UnexpectedBody`](crate::ErrorKind::UnexpectedBody) if there are several, or any other
    /// [`Error`](crate::Error).
    pub async fn get_by_name(&self, name: &str) -> Result<Option<T>> {
        self.repository.get_by_name(name).await
    }

    /// Reads the one that the credentials belong to (`/Me`, RFC 7644 §3.11).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the server does not say, or any other
    /// [`Error`](crate::Error).
    pub async fn me(&self) -> Result<T> {
        self.repository.me().await
    }

    /// Reads one page.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), as for [`ScimService::get_users`].
    pub async fn list(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        self.repository.list(query).await
    }

    /// Reads one page like [`list`](Self::list), by POST `.search`: nothing of the query stands in
    /// a URL, which is logged in many places (RFC 7644 §7.5.2).
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), as for [`ScimService::get_users`].
    ///
    #[doc = example!(
        standard
        "let query = ListQuery::new().filter(Filter::sw(\"userName\", \"user\")).sort_by(\"userName\").descending();\n\
         let page = client.resources::<ScimUser>().search(&query)" await "?;\n\
         assert_eq!(page.resources.len(), 3);"
    )]
    pub async fn search(&self, query: &ListQuery) -> Result<ScimListResponse<T>> {
        self.repository.search(query).await
    }

    /// Creates one, and returns it as the server keeps it.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), as for [`ScimService::create_user`].
    pub async fn create(&self, resource: &T) -> Result<T> {
        self.repository.create(resource).await
    }

    /// Changes one. With [`Target::unchanged`], only if nobody has changed it since it was read.
    ///
    /// # Errors
    ///
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) if somebody has, or as for
    /// [`ScimService::update_user`].
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

    /// Puts one in the place of what is there with the same id (PUT, RFC 7644 §3.5.1): what it
    /// leaves out is cleared. If it carries a version, only as long as nobody has changed it since.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) on WATS,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) without an id or a name,
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

    /// Deletes one. With [`Target::unchanged`], only if nobody has changed it since it was read.
    ///
    /// # Errors
    ///
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) if somebody has, or as for
    /// [`ScimService::delete_user`].
    pub async fn delete<'a>(&self, target: impl Into<Target<'a>> + Send) -> Result<()> {
        self.repository.delete::<T>(target.into()).await
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
