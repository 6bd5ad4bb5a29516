//! What is wrong with a resource.

use std::fmt;

use serde::Serialize;

use crate::error::one_line;

/// Why a server would reject a resource, or ignore a part of it: one result of
/// [`Schemas::check`](super::Schemas::check).
///
/// `Display` is one sentence, without the value: `emails.type (value 2) must be one of work, home, other`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SchemaProblem {
    /// The path of the attribute: `name.familyName`, or after the URN of its extension.
    pub path: String,
    /// The position of the value in a multi-valued attribute, from 0. `None` if the problem is not about one
    /// of its values.
    pub index: Option<usize>,
    /// The kind of problem.
    pub kind: SchemaProblemKind,
    /// What is wrong, without the path: `must be text`.
    pub message: String,
}

/// The kind of a [`SchemaProblem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum SchemaProblemKind {
    /// A required attribute is missing or blank. Servers reject the resource.
    Required,
    /// The value has another type than the schema requires. Servers reject the resource.
    Type,
    /// The attribute is read-only. Servers ignore it (RFC 7644 §3.3), or reject the resource.
    ReadOnly,
    /// The attribute is immutable, and the resource exists. Servers reject another value than the one that
    /// they have (RFC 7644 §3.5.1).
    Immutable,
    /// The value is none of the canonical values. Some servers reject it.
    Canonical,
    /// More than one value is primary (RFC 7643 §2.4). Servers reject the resource.
    Primary,
    /// The schema has no such attribute. Servers ignore it or reject the resource.
    Unknown,
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, message, .. } = self;
        let line = match self.index {
            Some(index) => format!("{path} (value {}) {message}", index.saturating_add(1)),
            None => format!("{path} {message}"),
        };
        // Names and canonical values can be any text.
        f.write_str(&one_line(&line).unwrap_or_default())
    }
}
