use crate::error::{Error, Result};
use crate::model::{Resource, ScimGroup, ScimUser};

/// Which resource a write is for, and in which version.
///
/// ```
/// use wats_scim::{ScimUser, Target};
///
/// let user: ScimUser = serde_json::from_str(r#"{"id": "7f3a", "meta": {"version": "W/\"2\""}}"#)?;
/// assert_eq!(Target::unchanged(&user)?.version(), Some("W/\"2\""));
/// assert_eq!(Target::id("7f3a").version(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    id: &'a str,
    version: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// The resource with this id, whatever has become of it.
    #[must_use]
    pub const fn id(id: &'a str) -> Self {
        Self { id, version: None }
    }

    /// This resource, as long as nobody has changed it since: the write carries its version as
    /// `If-Match` (RFC 7644 §3.14).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it has no id or no version.
    pub fn unchanged<T: Resource>(resource: &'a T) -> Result<Self> {
        let version = resource.version().filter(|version| !version.is_empty()).ok_or_else(|| {
            Error::invalid(format!("the {} carries no version, so nobody can say whether it is unchanged", T::NAME))
        })?;
        Ok(Self { version: Some(version), ..Self::of(resource)? })
    }

    /// This resource, in the version it carries, if it carries one.
    pub(crate) fn of<T: Resource>(resource: &'a T) -> Result<Self> {
        let id = resource.id().ok_or_else(|| Error::invalid(format!("the {} has no id", T::NAME)))?;
        Ok(Self { id, version: resource.version().filter(|version| !version.is_empty()) })
    }

    /// The id of the resource, as it is.
    #[must_use]
    pub const fn as_id(&self) -> &'a str {
        self.id
    }

    /// The version that the resource must still have.
    #[must_use]
    pub const fn version(&self) -> Option<&'a str> {
        self.version
    }
}

impl<'a, T: Resource> From<&'a T> for Target<'a> {
    /// The resource in any version. One without an id is rejected when it is used.
    fn from(resource: &'a T) -> Self {
        Self::id(resource.id().unwrap_or_default())
    }
}

impl<'a> From<&'a str> for Target<'a> {
    fn from(id: &'a str) -> Self {
        Self::id(id)
    }
}

impl<'a> From<&'a String> for Target<'a> {
    fn from(id: &'a String) -> Self {
        Self::id(id)
    }
}

/// The id of a resource that is to be written, from an id or from the resource itself.
///
/// ```
/// use wats_scim::{ScimUser, ScimWrite};
///
/// let jane: ScimUser = serde_json::from_str(r#"{"id": "7f3a", "userName": "jane@example.com"}"#)?;
/// assert_eq!(ScimWrite::<ScimUser>::delete(&jane), ScimWrite::delete("7f3a"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceId(String);

impl ResourceId {
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl From<String> for ResourceId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl From<&String> for ResourceId {
    fn from(id: &String) -> Self {
        Self(id.clone())
    }
}

impl From<&str> for ResourceId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl<T: Resource> From<&T> for ResourceId {
    /// One without an id is rejected when it is used.
    fn from(resource: &T) -> Self {
        Self(resource.id().unwrap_or_default().to_owned())
    }
}

impl From<ScimUser> for ResourceId {
    fn from(user: ScimUser) -> Self {
        Self(user.id.unwrap_or_default())
    }
}

impl From<ScimGroup> for ResourceId {
    fn from(group: ScimGroup) -> Self {
        Self(group.id.unwrap_or_default())
    }
}

/// A resource that was read again (RFC 7644 §3.14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfChanged<T> {
    /// It still has the version that is known.
    Unchanged,
    /// It has changed, and is this now.
    Changed(T),
}

impl<T> IfChanged<T> {
    /// The resource if it has changed.
    pub fn into_changed(self) -> Option<T> {
        match self {
            Self::Unchanged => None,
            Self::Changed(resource) => Some(resource),
        }
    }
}
