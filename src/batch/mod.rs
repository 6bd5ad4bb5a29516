//! What a batch is made of.

mod references;

#[cfg(any(feature = "blocking-api", feature = "async-api"))]
pub(crate) use references::{References, Taken};

use crate::error::Operation;
use crate::error::Result;
use crate::model::{Resource, ScimPatchRequest, ScimUser};

/// One write of a batch.
///
/// ```
/// use wats_scim::{ScimUser, ScimWrite};
///
/// let writes = [
///     ScimWrite::Create(ScimUser::new("jane@example.com")),
///     ScimWrite::set_active("7f3a", false),
///     ScimWrite::Delete { id: "9b21".into() },
/// ];
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ScimWrite<T = ScimUser> {
    /// Creates a resource.
    Create(T),
    /// Creates a resource under a name, by which later writes of the batch can refer to it; see
    /// [`create_as`](Self::create_as).
    CreateAs {
        /// The name.
        bulk_id: String,
        /// The resource.
        resource: T,
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
        Self::Create(resource)
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
        Self::CreateAs { bulk_id: bulk_id.into(), resource }
    }

    /// The resource that it creates, if it creates one.
    pub(crate) fn created(&self) -> Option<&T> {
        match self {
            Self::Create(resource) | Self::CreateAs { resource, .. } => Some(resource),
            Self::Patch { .. } | Self::Delete { .. } => None,
        }
    }

    /// The id of the resource that it changes or deletes.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Patch { id, .. } | Self::Delete { id } => Some(id),
            Self::Create(_) | Self::CreateAs { .. } => None,
        }
    }

    /// The operation that it is, as errors name it.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Create(_) | Self::CreateAs { .. } => Operation::Create(T::NAME),
            Self::Patch { .. } => Operation::Patch(T::NAME),
            Self::Delete { .. } => Operation::Delete(T::NAME),
        }
    }

    /// Changes a resource.
    #[must_use]
    pub fn patch(id: impl Into<String>, patch: ScimPatchRequest) -> Self {
        Self::Patch { id: id.into(), patch }
    }

    /// Sets whether a user may sign in.
    #[must_use]
    pub fn set_active(id: impl Into<String>, active: bool) -> Self {
        Self::patch(id, ScimPatchRequest::new().replace("active", active))
    }

    /// Deletes a resource.
    #[must_use]
    pub fn delete(id: impl Into<String>) -> Self {
        Self::Delete { id: id.into() }
    }
}

/// One write of a batch, and what became of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchItem<T = ScimUser> {
    /// The write, as it was given.
    pub write: ScimWrite<T>,
    /// The resource as it is now, if the server shows it; or why the write failed.
    pub result: Result<Option<T>>,
}

/// How far a batch has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchProgress {
    /// How many writes have a result, failures among them.
    pub done: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How many writes there are in all, if that is known.
    pub total: Option<u64>,
}

impl BatchProgress {
    /// Of a batch over an iterator that says this of its length.
    pub(crate) fn of(size_hint: (usize, Option<usize>)) -> Self {
        let (least, most) = size_hint;
        let total = most.filter(|most| *most == least).and_then(|total| u64::try_from(total).ok());
        Self { total, ..Self::default() }
    }

    pub(crate) fn count(&mut self, is_failure: bool) {
        self.done += 1;
        self.failed += u64::from(is_failure);
    }
}
