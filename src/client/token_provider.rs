use std::sync::Arc;

use super::tokens::Tokens;
use super::{Boxed, HttpClient, HttpScimRepository, ScimService, boxed, example, maybe_async};
use crate::config::AccessToken;
use crate::error::Result;

/// A source of access tokens: a vault, the managed identity of a cloud, or any other.
///
/// Every closure with the signature of [`token`](Self::token) implements it. It is called before the
/// first request, before a token expires, and after the server has rejected one with 401; once for all
/// requests of all clones of a client, so it need not cache.
///
#[doc = example!(
    "use std::time::Duration;\n\
     use wats_scim::AccessToken;\n\n\
     let secret = sandbox.token().to_owned();\n\
     # let jwt = client.get_token(None)" await "?.token;\n\
     # let secret = jwt.expose().to_owned();\n\
     let client = client.with_token_provider(move || {\n    \
         let token = AccessToken::new(secret.as_str()).with_lifetime(Duration::from_secs(300));\n    \
         " async "{ Ok(token) }\n\
     });\n\
     assert!(client.get_users(&ListQuery::new())" await ".is_ok());"
)]
#[maybe_async(AFIT)]
pub trait TokenProvider: Send + Sync + 'static {
    /// Returns a token. It must end, because the requests of a client wait for it; they give up at the
    /// [`deadline`](crate::RetryPolicy::deadline) of their operation.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error), made with [`Error::new`](crate::Error::new). If its kind is
    /// retryable, such as [`Connection`](crate::ErrorKind::Connection), the operation tries again within
    /// its [`RetryPolicy`](crate::RetryPolicy); any other one counts as
    /// [`Unauthorized`](crate::ErrorKind::Unauthorized). Its message must not contain a secret.
    fn token(&self) -> impl Future<Output = Result<AccessToken>> + Send;
}

/// A provider of any type.
pub(super) trait AnyProvider: Send + Sync + 'static {
    fn boxed_token(&self) -> Boxed<'_, Result<AccessToken>>;
}

impl<P: TokenProvider> AnyProvider for P {
    fn boxed_token(&self) -> Boxed<'_, Result<AccessToken>> {
        boxed(self.token())
    }
}

impl<C: HttpClient> ScimService<HttpScimRepository<C>> {
    /// Returns a service whose requests have the tokens of a provider, in place of the
    /// [`Credentials`](crate::Credentials) of the configuration. It shares everything else with this
    /// one, and its clones share the token.
    ///
    #[doc = example!(
        "use wats_scim::{AccessToken, ScimConfig};\n\n\
         # let jwt = client.get_token(None)" await "?.token;\n\
         # let vault = move || jwt.expose().to_owned();\n\
         let config = ScimConfig::new(sandbox.base_url(), Credentials::none());\n\
         let client = ScimClient::with_config(&config)?.with_token_provider(move || {\n    \
             let token = AccessToken::new(vault());\n    \
             " async "{ Ok(token) }\n\
         });\n\
         assert!(client.get_users(&ListQuery::new())" await ".is_ok());"
    )]
    #[must_use]
    pub fn with_token_provider(&self, provider: impl TokenProvider) -> Self {
        let mut repository = self.repository().clone();
        repository.tokens = Arc::new(Tokens::provided(Arc::new(provider), &repository.tokens));
        Self::with_repository(repository)
    }
}
