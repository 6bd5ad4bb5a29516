use std::sync::LazyLock;

use super::maybe_async;
use crate::config::{BulkLimits, Profile};
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::ListQuery;
use crate::model::{IfChanged, Resource, ScimListResponse, ScimMember, ScimPatchRequest, ScimWrite, Target};
use crate::wats::ScimToken;

/// Reads and writes resources of any type: the layer below [`ScimService`](super::ScimService).
///
/// [`HttpScimRepository`](super::HttpScimRepository) implements it over HTTP. Implement it to replace the server in a test, or to
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

    /// The `userName` of the account that the credentials belong to, which no plan changes. Unknown by
    /// default.
    fn account(&self) -> Option<&str> {
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
    /// [`Error`], whose `write_outcome` reports whether the resource may have been created.
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

    /// Reads one page of the members of a group, on a server that pages them
    /// ([`Membership::Paged`](crate::Membership::Paged)).
    ///
    /// # Errors
    ///
    /// [`Error`]. By default [`Unsupported`](crate::ErrorKind::Unsupported).
    fn list_members(
        &self,
        group: &str,
        query: &ListQuery,
    ) -> impl Future<Output = Result<ScimListResponse<ScimMember>>> + Send {
        async {
            let _ = group;
            let _ = query;
            Err(unsupported("members in pages"))
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

    /// Sends several writes in one request and returns the result of each, in order (RFC 7644 §3.7). A write [for one
    /// version](ScimWrite::in_version) is among them if the [`profile`](Self::profile) says that the server checks it.
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

    /// Returns a repository whose writes have this origin in the audit trail: the row of the source for which a
    /// plan makes them. It shares everything else with this one. `None`, the default, if there is no trail.
    fn with_origin(&self, origin: &str) -> Option<Self>
    where
        Self: Sized,
    {
        let _ = origin;
        None
    }
}

/// The error of a method that a repository does not implement.
fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("this repository does not support {what}"))
}
