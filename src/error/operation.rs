use std::fmt;

use serde::{Serialize, Serializer};

/// What was asked of the server, as errors name it.
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
    /// Fetching a token for an identity provider.
    GetToken,
    /// Reading one resource by id. The text is what one is called: `user`.
    Get(&'static str),
    /// Reading the resource that the credentials belong to.
    Me,
    /// Reading one resource by its name.
    GetByName(&'static str),
    /// Reading a page of resources.
    List(&'static str),
    /// Creating a resource.
    Create(&'static str),
    /// Putting a resource in the place of what is there.
    Replace(&'static str),
    /// Several writes in one request.
    Bulk(&'static str),
    /// Asking a server what it offers.
    Discover,
    /// Changing a resource.
    Patch(&'static str),
    /// Deleting a resource.
    Delete(&'static str),
}

impl Operation {
    /// Whether it can change what the server holds.
    ///
    /// Fetching a token counts as reading: it changes no user.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::Create(_) | Self::Bulk(_) | Self::Replace(_) | Self::Patch(_) | Self::Delete(_))
    }
}

/// In words, as `Display` has them.
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
            Self::Me => f.write_str("get the one who is signed in"),
            Self::GetByName(resource) => write!(f, "get {resource} by name"),
            Self::List(resource) => write!(f, "list {resource}s"),
            Self::Create(resource) => write!(f, "create {resource}"),
            Self::Replace(resource) => write!(f, "replace {resource}"),
            Self::Bulk(resource) => write!(f, "write {resource}s in bulk"),
            Self::Discover => f.write_str("discover what the server offers"),
            Self::Patch(resource) => write!(f, "update {resource}"),
            Self::Delete(resource) => write!(f, "delete {resource}"),
        }
    }
}
