use std::fmt;

use std::sync::{Mutex, PoisonError};

use serde::de::{Deserialize, Deserializer, Error};
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

/// Reads the `Display` text, as in a trail.
impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| D::Error::custom("it is not the name of an operation"))
    }
}

impl Operation {
    fn read(text: &str) -> Option<Self> {
        let named = |of: fn(&'static str) -> Self, before: &str, after: &str| {
            kept(text.strip_prefix(before)?.strip_suffix(after)?).map(of)
        };
        match text {
            "get token" => Some(Self::GetToken),
            "get the authenticated user" => Some(Self::Me),
            "discover the features of the server" => Some(Self::Discover),
            _ => named(Self::Create, "create ", "")
                .or_else(|| named(Self::Patch, "update ", ""))
                .or_else(|| named(Self::Delete, "delete ", ""))
                .or_else(|| named(Self::Replace, "replace ", ""))
                .or_else(|| named(Self::Bulk, "write ", "s in bulk"))
                .or_else(|| named(Self::GetByName, "get ", " by name"))
                .or_else(|| named(Self::Get, "get ", ""))
                .or_else(|| named(Self::List, "list ", "s")),
        }
    }
}

/// A name of a resource type that lives as long as the program. Each is kept once, and a file with very
/// many of them was not written by this crate.
fn kept(name: &str) -> Option<&'static str> {
    const MOST: usize = 1_000;
    static NAMES: Mutex<Vec<&str>> = Mutex::new(Vec::new());

    if let Some(known) = ["user", "group"].into_iter().find(|known| *known == name) {
        return Some(known);
    }
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.iter().find(|known| **known == name) {
        return Some(known);
    }
    if name.is_empty() || name.len() > 100 || names.len() >= MOST {
        return None;
    }
    let name: &'static str = Box::leak(Box::from(name));
    names.push(name);
    Some(name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_read_as_it_is_written() {
        for operation in [
            Operation::GetToken,
            Operation::Me,
            Operation::Discover,
            Operation::Create("user"),
            Operation::Patch("group"),
            Operation::Delete("hardware token"),
            Operation::Replace("user"),
            Operation::Bulk("user"),
            Operation::Get("user"),
            Operation::GetByName("user"),
            Operation::List("user"),
        ] {
            let json = serde_json::to_string(&operation).unwrap();
            assert_eq!(serde_json::from_str::<Operation>(&json).unwrap(), operation);
        }
        for text in ["", "create ", "made user", "create", &format!("create {}", "x".repeat(101))] {
            assert_eq!(Operation::read(text), None, "{text}");
        }
    }
}
