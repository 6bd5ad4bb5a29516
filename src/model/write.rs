use crate::error::Operation;
use crate::model::{Resource, ResourceId, ScimPatchRequest, ScimUser};

/// One write of a batch: a creation, a patch or a deletion.
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
        /// The name by which later writes of the batch refer to the resource; see
        /// [`create_as`](Self::create_as).
        bulk_id: Option<String>,
        /// The row of the source that it is made for; see [`with_origin`](Self::with_origin).
        origin: Option<String>,
    },
    /// Patches a resource.
    Patch {
        /// The id of the resource.
        id: String,
        /// The changes.
        patch: ScimPatchRequest,
        /// The only version that is patched; see [`in_version`](Self::in_version).
        version: Option<String>,
        /// The row of the source that it is made for; see [`with_origin`](Self::with_origin).
        origin: Option<String>,
    },
    /// Deletes a resource.
    Delete {
        /// The id of the resource.
        id: String,
        /// The only version that is deleted; see [`in_version`](Self::in_version).
        version: Option<String>,
        /// The row of the source that it is made for; see [`with_origin`](Self::with_origin).
        origin: Option<String>,
    },
}

impl<T: Resource> ScimWrite<T> {
    /// Creates a resource.
    #[must_use]
    pub fn create(resource: T) -> Self {
        Self::Create { resource, bulk_id: None, origin: None }
    }

    /// Creates a resource that later writes of the batch can refer to (RFC 7644 §3.7.2).
    ///
    /// In later writes, `bulkId:` followed by the name is replaced by the id of the created
    /// resource: as a whole string value anywhere in the resource or patch, or as the id to patch
    /// or delete. References work with and without bulk requests: a write waits until the resources
    /// it refers to are created.
    ///
    /// A name must not be empty, contain control characters or begin with `write-`.
    ///
    /// # Errors
    ///
    /// A write that refers to a failed creation fails with
    /// [`FailedReference`](crate::ErrorKind::FailedReference). A write that refers to an unknown
    /// name, and a creation with an invalid or used name, fail with
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput).
    ///
    /// ```
    /// use wats_scim::{ScimGroup, ScimMember, ScimWrite};
    ///
    /// let writes = [
    ///     ScimWrite::create_as("testers", ScimGroup::new("Testers")),
    /// ScimWrite::create(ScimGroup::new("Staff").with_member(ScimMember::new("bulkId:testers"))),
    /// ];
    /// ```
    #[must_use]
    pub fn create_as(bulk_id: impl Into<String>, resource: T) -> Self {
        Self::Create { resource, bulk_id: Some(bulk_id.into()), origin: None }
    }

    /// Returns the resource to create, if this is a creation.
    pub(crate) fn created(&self) -> Option<&T> {
        match self {
            Self::Create { resource, .. } => Some(resource),
            Self::Patch { .. } | Self::Delete { .. } => None,
        }
    }

    /// Returns the id of the resource to patch or delete.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Patch { id, .. } | Self::Delete { id, .. } => Some(id),
            Self::Create { .. } => None,
        }
    }

    /// Returns the only version that is patched or deleted.
    pub(crate) fn version(&self) -> Option<&str> {
        match self {
            Self::Patch { version, .. } | Self::Delete { version, .. } => version.as_deref(),
            Self::Create { .. } => None,
        }
    }

    /// Returns the row of the source that it is made for.
    pub(crate) fn origin(&self) -> Option<&str> {
        match self {
            Self::Create { origin, .. } | Self::Patch { origin, .. } | Self::Delete { origin, .. } => origin.as_deref(),
        }
    }

    /// Returns the operation, for errors.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Create { .. } => Operation::Create(T::NAME),
            Self::Patch { .. } => Operation::Patch(T::NAME),
            Self::Delete { .. } => Operation::Delete(T::NAME),
        }
    }

    /// Patches a resource.
    #[must_use]
    pub fn patch(id: impl Into<ResourceId>, patch: ScimPatchRequest) -> Self {
        Self::Patch { id: id.into().into_text(), patch, version: None, origin: None }
    }

    /// Sets whether a user can sign in.
    #[must_use]
    pub fn set_active(id: impl Into<ResourceId>, active: bool) -> Self {
        Self::patch(id, ScimPatchRequest::new().replace("active", active))
    }

    /// Deletes a resource.
    #[must_use]
    pub fn delete(id: impl Into<ResourceId>) -> Self {
        Self::Delete { id: id.into().into_text(), version: None, origin: None }
    }

    /// Patches or deletes the resource only if it still has this version (RFC 7644 §3.14), as read in
    /// `meta.version`; else the write fails with
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed). It is not sent to a server without versions. In a
    /// bulk request it is sent if the server is known to check versions there, as a probe finds out. Nothing changes
    /// for a creation.
    ///
    /// ```
    /// use wats_scim::ScimWrite;
    ///
    /// let unless_changed: ScimWrite = ScimWrite::set_active("7f3a", false).in_version("W/\"3\"");
    /// ```
    #[must_use]
    pub fn in_version(mut self, required: impl Into<String>) -> Self {
        match &mut self {
            Self::Patch { version, .. } | Self::Delete { version, .. } => *version = Some(required.into()),
            Self::Create { .. } => {}
        }
        self
    }

    /// Sets the row of the source that the write is made for, which the [audit trail](crate::audit) records.
    ///
    /// ```
    /// use wats_scim::{ScimUser, ScimWrite};
    ///
    /// let joiner = ScimWrite::create(ScimUser::new("jane@example.com")).with_origin("staff.csv, line 12");
    /// ```
    #[must_use]
    pub fn with_origin(mut self, row: impl Into<String>) -> Self {
        match &mut self {
            Self::Create { origin, .. } | Self::Patch { origin, .. } | Self::Delete { origin, .. } => {
                *origin = Some(row.into());
            }
        }
        self
    }
}
