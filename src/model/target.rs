use crate::error::{Error, Result};
use crate::model::{Resource, ScimGroup, ScimUser};

/// The resource that a write changes, and optionally the version that it must still have.
///
/// Methods that take a target also take an id or the resource itself; the write then applies to any
/// version.
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
    /// The write must not be sent to a server without versions.
    requires_version: bool,
}

impl<'a> Target<'a> {
    /// Targets the resource with this id, in any version.
    #[must_use]
    pub const fn id(id: &'a str) -> Self {
        Self { id, version: None, requires_version: false }
    }

    /// Targets this resource only while the server still has its version: the write sends it as
    /// `If-Match` (RFC 7644 §3.14), and fails with
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) if the resource was changed.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the resource has no id or no version.
    pub fn unchanged<T: Resource>(resource: &'a T) -> Result<Self> {
        let version = resource.version().filter(|version| !version.is_empty()).ok_or_else(|| {
            Error::invalid(format!(
                "the {} has no version, so a change since it was read cannot be detected; use Target::id",
                T::NAME
            ))
        })?;
        Ok(Self { version: Some(version), requires_version: true, ..Self::of(resource)? })
    }

    /// Targets the resource with this id in a version that was read earlier.
    pub(crate) fn in_version(id: &'a str, version: Option<&'a str>) -> Self {
        Self { id, version: version.filter(|version| !version.is_empty()), requires_version: false }
    }

    /// Targets the resource with this id only while it has this version, as [`unchanged`](Self::unchanged) does.
    pub(crate) fn only_in_version(id: &'a str, version: Option<&'a str>) -> Self {
        let target = Self::in_version(id, version);
        Self { requires_version: target.version.is_some(), ..target }
    }

    /// Targets this resource, in its version if it has one.
    pub(crate) fn of<T: Resource>(resource: &'a T) -> Result<Self> {
        let id = resource.id().ok_or_else(|| Error::invalid(format!("the {} has no id", T::NAME)))?;
        Ok(Self::in_version(id, resource.version()))
    }

    /// Returns the id of the resource.
    #[must_use]
    pub const fn as_id(&self) -> &'a str {
        self.id
    }

    pub(crate) fn requires_version(&self) -> bool {
        self.requires_version
    }

    /// Returns the version that the resource must still have; `None` for any version.
    #[must_use]
    pub const fn version(&self) -> Option<&'a str> {
        self.version
    }
}

impl<'a, T: Resource> From<&'a T> for Target<'a> {
    /// Targets the resource in any version. A resource without an id is rejected when the target is
    /// used.
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

/// The id of a resource to write: converts from an id or from the resource itself.
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
    /// A resource without an id is rejected when the id is used.
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

/// The result of reading a resource again (RFC 7644 §3.14).
///
/// ```
/// use wats_scim::{IfChanged, ScimUser};
///
/// assert_eq!(IfChanged::<ScimUser>::Unchanged.into_changed(), None);
/// let jane = ScimUser::new("jane@example.com");
/// assert_eq!(IfChanged::Changed(jane.clone()).into_changed(), Some(jane));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfChanged<T> {
    /// The resource still has the known version.
    Unchanged,
    /// The resource has changed; this is its current state.
    Changed(T),
}

impl<T> IfChanged<T> {
    /// Returns the current resource if it has changed.
    pub fn into_changed(self) -> Option<T> {
        match self {
            Self::Unchanged => None,
            Self::Changed(resource) => Some(resource),
        }
    }
}
