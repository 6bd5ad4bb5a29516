use crate::error::Operation;
use crate::model::{Resource, ResourceId, ScimPatchRequest, ScimUser};

/// One write of a batch.
///
/// ```
/// use wats_scim::{ScimUser, ScimWrite};
///
/// let writes = [
///     ScimWrite::create(ScimUser::new("jane@example.com")),
///     ScimWrite::set_active("7f3a", false),
///     ScimWrite::delete("9b21"),
/// ];
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ScimWrite<T = ScimUser> {
    /// Creates a resource.
    Create {
        /// The resource.
        resource: T,
        /// The name by which later writes of the batch can refer to it; see
        /// [`create_as`](Self::create_as).
        bulk_id: Option<String>,
    },
    /// Changes the resource with this id.
    Patch {
        /// Which resource.
        id: String,
        /// What to change.
        patch: ScimPatchRequest,
    },
    /// Deletes the resource with this id.
    Delete {
        /// Which resource.
        id: String,
    },
}

impl<T: Resource> ScimWrite<T> {
    /// Creates a resource.
    #[must_use]
    pub fn create(resource: T) -> Self {
        Self::Create { resource, bulk_id: None }
    }

    /// Creates a resource under a name of your own. In the writes after it, the text `bulkId:` and
    /// the name stands for its id (RFC 7644 §3.7.2): as a whole value anywhere in what they send,
    /// or as the id that they change or delete.
    ///
    /// It is the same whether the server takes bulk requests or not: what refers to a resource
    /// waits until it is created. A write is refused with
    /// [`FailedReference`](crate::ErrorKind::FailedReference) if that failed, and with
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if no write before it has the name, or has
    /// it already. A name must not be empty, have control characters or begin with `write-`.
    ///
    /// ```
    /// use wats_scim::{ScimGroup, ScimMember, ScimWrite};
    ///
    /// let writes = [
    ///     ScimWrite::create_as("testers", ScimGroup::new("Testers")),
    ///     ScimWrite::create(ScimGroup::new("Everybody").with_member(ScimMember::new("bulkId:testers"))),
    /// ];
    /// ```
    #[must_use]
    pub fn create_as(bulk_id: impl Into<String>, resource: T) -> Self {
        Self::Create { resource, bulk_id: Some(bulk_id.into()) }
    }

    /// The resource that it creates, if it creates one.
    pub(crate) fn created(&self) -> Option<&T> {
        match self {
            Self::Create { resource, .. } => Some(resource),
            Self::Patch { .. } | Self::Delete { .. } => None,
        }
    }

    /// The id of the resource that it changes or deletes.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Patch { id, .. } | Self::Delete { id } => Some(id),
            Self::Create { .. } => None,
        }
    }

    /// The operation that it is, as errors name it.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Create { .. } => Operation::Create(T::NAME),
            Self::Patch { .. } => Operation::Patch(T::NAME),
            Self::Delete { .. } => Operation::Delete(T::NAME),
        }
    }

    /// Changes a resource.
    #[must_use]
    pub fn patch(id: impl Into<ResourceId>, patch: ScimPatchRequest) -> Self {
        Self::Patch { id: id.into().into_text(), patch }
    }

    /// Sets whether a user may sign in.
    #[must_use]
    pub fn set_active(id: impl Into<ResourceId>, active: bool) -> Self {
        Self::patch(id, ScimPatchRequest::new().replace("active", active))
    }

    /// Deletes a resource.
    #[must_use]
    pub fn delete(id: impl Into<ResourceId>) -> Self {
        Self::Delete { id: id.into().into_text() }
    }
}
