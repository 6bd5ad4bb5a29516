use std::time::Duration;

use crate::error::Secret;

/// A bearer token (RFC 6750) and its lifetime: what a
/// [`TokenProvider`](crate::blocking::TokenProvider) returns.
///
/// ```
/// use std::time::Duration;
/// use wats_scim::AccessToken;
///
/// let token = AccessToken::new("eyJhbGciOi…").with_lifetime(Duration::from_secs(3600));
/// assert!(!format!("{token:?}").contains("eyJ"));
/// ```
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub(crate) token: Secret,
    pub(crate) lifetime: Option<Duration>,
}

impl AccessToken {
    /// Creates a token without a known lifetime: it is renewed when the server answers 401.
    #[must_use]
    pub fn new(token: impl Into<Secret>) -> Self {
        Self { token: token.into(), lifetime: None }
    }

    /// Sets how long the token is valid from now on. It is renewed before that: by a tenth of the
    /// lifetime, and by 60 s at most.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }
}
