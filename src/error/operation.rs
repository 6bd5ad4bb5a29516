use std::fmt;

use serde::{Serialize, Serializer};

/// An operation on the server, as named in errors.
///
/// The text of a variant is the name of the resource, such as `user`.
///
/// ```
/// use wats_scim::Operation;
///
/// assert_eq!(Operation::Create("user").to_string(), "create user");
/// assert!(Operation::Create("user").is_write());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Get a token for an identity provider.
    GetToken,
    /// Read a resource by id.
    Get(&'static str),
    /// Read the resource of the authenticated user, `/Me`.
    Me,
    /// Read a resource by name.
    GetByName(&'static str),
    /// Read a page of resources.
    List(&'static str),
    /// Create a resource.
    Create(&'static str),
    /// Replace a resource.
    Replace(&'static str),
    /// Send several writes in one request.
    Bulk(&'static str),
    /// Read the server's configuration.
    Discover,
    /// Change attributes of a resource.
    Patch(&'static str),
    /// Delete a resource.
    Delete(&'static str),
}

impl Operation {
    /// Returns whether the operation can change resources.
    ///
    /// Getting a token is not a write, because it changes no resource.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::Create(_) | Self::Bulk(_) | Self::Replace(_) | Self::Patch(_) | Self::Delete(_))
    }
}

/// Serializes the `Display` text.
impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GetToken => f.write_str("get token"),
            Self::Get(resource) => write!(f, "get {resource}"),
            Self::Me => f.write_str("get the authenticated user"),
            Self::GetByName(resource) => write!(f, "get {resource} by name"),
            Self::List(resource) => write!(f, "list {resource}s"),
            Self::Create(resource) => write!(f, "create {resource}"),
            Self::Replace(resource) => write!(f, "replace {resource}"),
            Self::Bulk(resource) => write!(f, "write {resource}s in bulk"),
            Self::Discover => f.write_str("discover the features of the server"),
            Self::Patch(resource) => write!(f, "update {resource}"),
            Self::Delete(resource) => write!(f, "delete {resource}"),
        }
    }
}
