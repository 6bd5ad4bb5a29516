use std::fmt;
use std::sync::Arc;

use super::{HttpClient, HttpScimRepository, ScimListing, ScimRepository, example, maybe_async};
use crate::config::ScimConfig;
use crate::error::Result;
use crate::exchange::ListQuery;
use crate::model::Target;
use crate::model::{ScimListResponse, ScimPatchRequest, ScimUser};
use crate::wats::ScimToken;

/// What an administrator asks of a server: tokens, and the whole life of a user.
///
/// A clone is cheap and shares the connections; one service serves any number of threads or tasks.
/// Nothing is cached: every call asks the server.
///
/// The examples use a server in the process, of the crate `wats-scim-sandbox`.
///
#[doc = example!(
    "let jane = client.create_user(&ScimUser::new(\"jane@example.com\"))" await "?;\n\
     client.deactivate_user(&jane)" await "?;\n\
     let jane = client.get_user(&jane)" await "?;\n\
     assert_eq!(jane.and_then(|jane| jane.active), Some(false));"
)]
pub struct ScimService<R> {
    repository: Arc<R>,
}

impl<R: ScimRepository> ScimService<R> {
    /// A service over a repository, which may be one of your own.
    #[must_use]
    pub fn with_repository(repository: R) -> Self {
        Self { repository: Arc::new(repository) }
    }

    pub(in super::super) fn shared_repository(&self) -> &Arc<R> {
        &self.repository
    }

    /// The repository underneath.
    #[must_use]
    pub fn repository(&self) -> &R {
        &self.repository
    }
}

impl<C: HttpClient> ScimService<HttpScimRepository<C>> {
    /// A service over an HTTP client of your own, which may be a closure.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the configuration cannot be used.
    pub fn with_http_client(config: &ScimConfig, client: C) -> Result<Self> {
        HttpScimRepository::new(config, client).map(Self::with_repository)
    }
}

#[maybe_async]
impl<R: ScimRepository> ScimService<R> {
    /// Fetches the token that Microsoft Entra ID or Okta is given as its secret for this server.
    ///
    /// `duration_days` is how long it is to last; `None` leaves it to the server, which is what
    /// WATS recommends (90 days). Each call makes a new token.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the server is not a WATS server,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a duration of 0 or over an `i32`,
    /// [`UnexpectedBody`](crate::ErrorKind::UnexpectedBody) if there is no token in the answer,
    /// or any other [`Error`](crate::Error).
    ///
    #[doc = example!(
        "let token = client.get_token(None)" await "?;\n\
         assert!(token.expires.is_some());\n\
         let secret_for_entra: &str = token.token.expose();"
    )]
    pub async fn get_token(&self, duration_days: Option<u32>) -> Result<ScimToken> {
        self.repository.token(duration_days).await
    }

    /// Reads one page of users.
    ///
    /// The server may give fewer than were asked for; [`iter_users`](Self::iter_users) reads them
    /// all.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a start index of 0 or an invalid
    /// filter, or any other [`Error`](crate::Error).
    ///
    #[doc = example!(
        "let active = Filter::eq(\"active\", true);\n\
         let page = client.get_users(&ListQuery::new().start_index(1).count(10).filter(active))" await "?;\n\
         assert_eq!(page.total_results, Some(3));"
    )]
    pub async fn get_users(&self, query: &ListQuery) -> Result<ScimListResponse> {
        self.repository.list(query).await
    }

    /// Creates a user and returns it as the server keeps it.
    ///
    /// `id` and `meta` are the server's and are not sent; `schemas` is filled in if absent. If the
    /// server answers without a body, the user is read back.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) if the user name is taken,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if there is none, or any other
    /// [`Error`](crate::Error), whose `write_outcome` says whether the user may exist now.
    ///
    #[doc = example!(
        "let jane = ScimUser::new(\"jane@example.com\").with_display_name(\"Jane Doe\");\n\
         let created = client.create_user(&jane)" await "?;\n\
         assert!(created.id.is_some());"
    )]
    pub async fn create_user(&self, user: &ScimUser) -> Result<ScimUser> {
        self.repository.create(user).await
    }

    /// Reads a user; `None` if there is none with this id.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an id that is empty, `.`, `..` or has
    /// control characters, or any other [`Error`](crate::Error). A 404 that is a web page is an
    /// error too: it is what a wrong base URL gives.
    ///
    #[doc = example!(
        "let nobody = client.get_user(\"00000000-0000-0000-0000-000000000000\")" await "?;\n\
         assert!(nobody.is_none());"
    )]
    pub async fn get_user<'a>(&self, user: impl Into<Target<'a>> + Send) -> Result<Option<ScimUser>> {
        self.repository.get(user.into().as_id()).await
    }

    /// Reads a user by the name it signs in with, in any letter case; `None` if there is none.
    ///
    /// On WATS this uses its own route, elsewhere a filter.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a name that is empty or has control
    /// characters, [`UnexpectedBody`](crate::ErrorKind::UnexpectedBody) if the server answers with
    /// another user, or any other [`Error`](crate::Error).
    ///
    #[doc = example!(
        "let guest = ScimUser::new(\"john_contoso.com#EXT#@fabrikam.onmicrosoft.com\");\n\
         client.create_user(&guest)" await "?;\n\
         let found = client.get_user_by_username(\"john_contoso.com#EXT#@fabrikam.onmicrosoft.com\")" await "?;\n\
         assert!(found.is_some());"
    )]
    pub async fn get_user_by_username(&self, user_name: &str) -> Result<Option<ScimUser>> {
        self.repository.get_by_name(user_name).await
    }

    /// Changes a user. All of the patch is applied, or none of it (RFC 7644 §3.5.2).
    ///
    /// Returns the user as it is now, or `None` if the server only says that it was done.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a patch with no operation or an id
    /// that cannot be sent, [`NotFound`](crate::ErrorKind::NotFound), or any other
    /// [`Error`](crate::Error).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         let patch = ScimPatchRequest::new().replace(\"givenName\", \"Jane\").replace(\"familyName\", \"Roe\");\n\
         client.update_user(&id, &patch)" await "?;"
    )]
    pub async fn update_user<'a>(
        &self,
        user: impl Into<Target<'a>> + Send,
        patch: &ScimPatchRequest,
    ) -> Result<Option<ScimUser>> {
        self.repository.patch(user.into(), patch).await
    }

    /// Takes away the user's right to sign in, and keeps the user.
    ///
    /// # Errors
    ///
    /// As [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.deactivate_user(&id)" await "?;"
    )]
    pub async fn deactivate_user<'a>(&self, user: impl Into<Target<'a>> + Send) -> Result<Option<ScimUser>> {
        self.set_user_active(user, false).await
    }

    /// Sets whether the user may sign in.
    ///
    /// # Errors
    ///
    /// As [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.set_user_active(&id, true)" await "?;"
    )]
    pub async fn set_user_active<'a>(
        &self,
        user: impl Into<Target<'a>> + Send,
        active: bool,
    ) -> Result<Option<ScimUser>> {
        self.update_user(user, &ScimPatchRequest::new().replace("active", active)).await
    }

    /// Sets the name to show (`displayName`).
    ///
    /// WATS documents `fullName`, and not this path; see
    /// [`update_full_name`](super::WatsService::update_full_name).
    ///
    /// # Errors
    ///
    /// As [`update_user`](Self::update_user).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.update_display_name(&id, \"Jane Roe\")" await "?;"
    )]
    pub async fn update_display_name<'a>(
        &self,
        user: impl Into<Target<'a>> + Send,
        display_name: &str,
    ) -> Result<Option<ScimUser>> {
        self.update_user(user, &ScimPatchRequest::new().replace("displayName", display_name)).await
    }

    /// Deletes a user for good. [`deactivate_user`](Self::deactivate_user) keeps the user and what
    /// refers to it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) if there is no such user,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an id that cannot be sent, or any
    /// other [`Error`](crate::Error).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.delete_user(&id)" await "?;\n\
         assert!(client.get_user(&id)" await "?.is_none());"
    )]
    pub async fn delete_user<'a>(&self, user: impl Into<Target<'a>> + Send) -> Result<()> {
        self.repository.delete::<ScimUser>(user.into()).await
    }

    /// Reads every user, page after page.
    ///
    /// The list is complete or it ends in an error; see [`ScimListing`].
    ///
    #[doc = example!(
        "let mut users = client.iter_users().page_size(2);\n\
         let mut names = Vec::new();\n\
         while let Some(user) = users.try_next()" await "? {\n    \
             names.extend(user.user_name);\n\
         }\n\
         assert_eq!(names.len(), 3);"
    )]
    pub fn iter_users(&self) -> ScimListing<R, ScimUser> {
        ScimListing::new(Arc::clone(&self.repository))
    }
}

impl<R> Clone for ScimService<R> {
    fn clone(&self) -> Self {
        Self { repository: Arc::clone(&self.repository) }
    }
}

impl<R> fmt::Debug for ScimService<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimService").finish_non_exhaustive()
    }
}
