use crate::error::{Error, Result};
use crate::model::Resource;

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
