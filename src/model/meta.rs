use chrono::{DateTime, Utc};

use super::json::Attributes;
use super::json::json_object;

/// A resource's metadata, set by the server and never sent on creation (RFC 7643 §3.1).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ScimMeta {
    /// The resource type, such as `User`.
    pub resource_type: Option<String>,
    /// The time of creation as the server wrote it; [`created_at`](Self::created_at) parses it.
    pub created: Option<String>,
    /// The time of the last change as the server wrote it;
    /// [`last_modified_at`](Self::last_modified_at) parses it.
    pub last_modified: Option<String>,
    /// The URI of the resource; some servers write a relative one.
    pub location: Option<String>,
    /// The version of the resource, an entity tag (RFC 7644 §3.14).
    pub version: Option<String>,
    /// All other attributes.
    pub attributes: Attributes,
}

json_object!(ScimMeta {
    "resourceType" => resource_type,
    "created" => created,
    "lastModified" => last_modified,
    "location" => location,
    "version" => version,
});

impl ScimMeta {
    /// Parses [`created`](Self::created) as an RFC 3339 time, with or without fractional seconds
    /// and in any offset. `None` if it is missing or in another format.
    ///
    /// ```
    /// let user: wats_scim::ScimUser =
    ///     serde_json::from_str(r#"{"meta": {"created": "2026-01-02T03:04:05.67+01:00"}}"#)?;
    /// let created = user.meta.and_then(|meta| meta.created_at());
    /// assert_eq!(created.map(|at| at.to_rfc3339()).as_deref(), Some("2026-01-02T02:04:05.670+00:00"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn created_at(&self) -> Option<DateTime<Utc>> {
        self.created.as_deref()?.parse().ok()
    }

    /// Parses [`last_modified`](Self::last_modified), like [`created_at`](Self::created_at).
    #[must_use]
    pub fn last_modified_at(&self) -> Option<DateTime<Utc>> {
        self.last_modified.as_deref()?.parse().ok()
    }
}
