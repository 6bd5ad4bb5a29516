use std::fmt;
use std::sync::Arc;

use super::{HttpClient, HttpScimRepository, ScimListing, ScimRepository, example, maybe_async};
use crate::config::ScimConfig;
use crate::error::Result;
use crate::exchange::ListQuery;
use crate::model::Target;
use crate::model::{ScimListResponse, ScimPatchRequest, ScimUser};
use crate::wats::ScimToken;

/// The methods of a SCIM client: tokens, users, groups and batches.
///
/// `ScimClient` is this type with the HTTP transport of its API. A clone is cheap and shares the
/// connections; one service can be used from any number of threads or tasks. Nothing is cached:
/// every call sends a request.
///
/// The examples start a server in the process, from the crate `wats-scim-sandbox`.
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

impl<C: HttpClient> ScimService<HttpScimRepository<C>> {
    /// Creates a service that sends its requests with your own HTTP client, which can be a closure.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if a setting is not valid.
    ///
    #[doc = example!(
        "use http::{Request, Response};\n\n\
         let config = ScimConfig::new(\"https://acme.wats.com\", Credentials::wats_token(\"dTpw\"));\n\
         let page = r#\"{\"totalResults\": 1, \"Resources\": [{\"id\": \"7\", \"userName\": \"jane\"}]}\"#;\n\
         let client = ScimService::with_http_client(&config, move |_request: Request<Vec<u8>>| " async "{\n    \
             Ok(Response::new(page.as_bytes().to_vec()))\n\
         })?;\n\
         let users = client.get_users(&ListQuery::new())" await "?;\n\
         assert_eq!(users.resources[0].user_name.as_deref(), Some(\"jane\"));"
    )]
    pub fn with_http_client(config: &ScimConfig, client: C) -> Result<Self> {
        HttpScimRepository::new(config, client).map(Self::with_repository)
    }
}

#[maybe_async]
impl<R: ScimRepository> ScimService<R> {
    /// Creates a service on a repository, which can be your own, such as a fake in a test.
    ///
    #[doc = example!(
        "let users = client.repository().clone();\n\
         let client = ScimService::with_repository(users);\n\
         assert!(client.get_user_by_username(\"user0001@example.com\")" await "?.is_some());"
    )]
    #[must_use]
    pub fn with_repository(repository: R) -> Self {
        Self { repository: Arc::new(repository) }
    }

    /// Creates a provisioning token: the secret that Microsoft Entra ID or Okta needs to provision
    /// users on this WATS server.
    ///
    /// `duration_days` is its lifetime in days, from 1 to 2,147,483,647; with `None` the server
    /// decides (WATS recommends that, and gives 90 days). Each call creates another token.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the server is not a WATS server,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a duration out of range,
    /// [`UnexpectedBody`](crate::ErrorKind::UnexpectedBody) if the answer contains no token,
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

    /// Creates a user and returns it as the server stored it, with its id.
    ///
    /// The server assigns `id` and `meta`, so they are not sent; `schemas` is filled in if it is
    /// empty. If the server answers without a body, the new user is read with a second request.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) if another user has the user name,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the user has no user name, or any other
    /// [`Error`](crate::Error), whose `write_outcome` reports whether the user may have been created.
    ///
    #[doc = example!(
        "let jane = ScimUser::new(\"jane@example.com\").with_display_name(\"Jane Doe\");\n\
         let created = client.create_user(&jane)" await "?;\n\
         assert!(created.id.is_some());"
    )]
    pub async fn create_user(&self, user: &ScimUser) -> Result<ScimUser> {
        self.repository.create(user).await
    }

    /// Reads a user by its id; `None` if the server has no such user.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an id that is empty, is `.` or `..`, or
    /// contains control characters, or any other [`Error`](crate::Error). A web page with status
    /// 404 is an error too, because it usually means a wrong base URL.
    ///
    #[doc = example!(
        "let unknown = client.get_user(\"00000000-0000-0000-0000-000000000000\")" await "?;\n\
         assert!(unknown.is_none());"
    )]
    pub async fn get_user<'a>(&self, user: impl Into<Target<'a>> + Send) -> Result<Option<ScimUser>> {
        self.repository.get(user.into().as_id()).await
    }

    /// Reads a user by its user name, ignoring letter case; `None` if the server has no such user.
    ///
    /// WATS has a route for this; on any other server it is a filtered list.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a name that is empty or contains control
    /// characters, [`UnexpectedBody`](crate::ErrorKind::UnexpectedBody) if the server returns a
    /// different user, or any other [`Error`](crate::Error).
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

    /// Reads one page of users.
    ///
    /// The server may return fewer users than requested; [`iter_users`](Self::iter_users) reads all
    /// pages.
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

    /// Reads all users, one page at a time.
    ///
    /// Lazy: no request is sent until the first user is read. The list is complete, or it ends in an
    /// error; see [`ScimListing`].
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

    /// Changes a user. The server applies the patch all or nothing (RFC 7644 §3.5.2).
    ///
    /// Returns the user after the change, or `None` if the server returns no body.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty patch or an invalid id,
    /// [`NotFound`](crate::ErrorKind::NotFound) if the server has no such user, or any other
    /// [`Error`](crate::Error), whose `write_outcome` reports whether the patch may have been applied.
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

    /// Sets the display name (`displayName`).
    ///
    /// WATS documents the path `fullName` and not this one; for WATS see
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

    /// Deactivates a user: it can no longer sign in, and its data stays on the server.
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

    /// Sets whether a user can sign in (`active`).
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

    /// Deletes a user. This cannot be undone; [`deactivate_user`](Self::deactivate_user) keeps the
    /// user and everything that refers to it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) if the server has no such user,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an invalid id, or any other
    /// [`Error`](crate::Error).
    ///
    #[doc = example!(
        "# let id = a_user(&client)" await "?;\n\
         client.delete_user(&id)" await "?;\n\
         assert!(client.get_user(&id)" await "?.is_none());"
    )]
    pub async fn delete_user<'a>(&self, user: impl Into<Target<'a>> + Send) -> Result<()> {
        self.repository.delete::<ScimUser>(user.into()).await
    }
}

impl<R: ScimRepository> ScimService<R> {
    /// The repository that the service calls.
    #[must_use]
    pub fn repository(&self) -> &R {
        &self.repository
    }

    pub(in super::super) fn shared_repository(&self) -> &Arc<R> {
        &self.repository
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
