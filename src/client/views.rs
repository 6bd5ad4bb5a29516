//! Services that differ from another one in a setting.

use std::time::Duration;

use super::{HttpClient, HttpScimRepository, ScimService, example};
use crate::config::{Header, RetryPolicy};
use crate::error::Result;

impl<C: HttpClient> ScimService<HttpScimRepository<C>> {
    /// Returns a service whose requests have this timeout, in place of
    /// [`ScimConfig::timeout`](crate::ScimConfig::timeout); at most a year. It shares everything else with
    /// this one: connections, tokens, rate limit, audit trail.
    ///
    #[doc = example!(
        "use std::time::Duration;\n\n\
         let page = client.with_timeout(Duration::from_secs(2)).get_users(&ListQuery::new())" await "?;\n\
         assert_eq!(page.total_results, Some(3));"
    )]
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let mut repository = self.repository().clone();
        repository.timeout = timeout.min(crate::config::LONGEST_TIMEOUT);
        Self::with_repository(repository)
    }

    /// Returns a service with this retry policy, in place of
    /// [`ScimConfig::retry`](crate::ScimConfig::retry). It shares everything else with this one. Its
    /// [`deadline`](RetryPolicy::deadline) limits the time of each operation.
    ///
    #[doc = example!(
        "let jane = client.with_retry(RetryPolicy::none()).create_user(&ScimUser::new(\"jane\"))" await "?;\n\
         assert!(jane.id.is_some());"
    )]
    #[must_use]
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        let mut repository = self.repository().clone();
        repository.retry = retry;
        Self::with_repository(repository)
    }

    /// Returns a service whose requests have this header too, such as the id of a trace or a tenant. It
    /// shares everything else with this one. A secret belongs into
    /// [`ScimConfig::secret_header`](crate::ScimConfig::secret_header).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a header that the client sets itself, and for
    /// a name or a value that is not valid.
    ///
    #[doc = example!(
        "let traced = client.with_header(\"X-Request-Id\", \"4711\")?;\n\
         traced.get_users(&ListQuery::new())" await "?;\n\
         assert_eq!(sandbox.requests()[0].headers[\"x-request-id\"], \"4711\");"
    )]
    pub fn with_header(&self, name: impl Into<String>, value: impl Into<String>) -> Result<Self> {
        let mut repository = self.repository().clone();
        repository.endpoint = repository.endpoint.with_header(&Header::Plain(name.into(), value.into()))?;
        Ok(Self::with_repository(repository))
    }
}
