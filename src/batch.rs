//! What a batch is made of.

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
