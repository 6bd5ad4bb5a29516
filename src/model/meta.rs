use chrono::{DateTime, Utc};

use super::json::Attributes;
use super::json::json_object;

/// What the server says about a resource (RFC 7643 §3.1). It is never sent on create.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ScimMeta {
    /// The kind of resource, such as `User`.
    pub resource_type: Option<String>,
    /// When it was created, as the server wrote it; [`created_at`](Self::created_at) reads it.
    pub created: Option<String>,
    /// When it last changed, as the server wrote it.
    pub last_modified: Option<String>,
    /// Where it is; some servers write a relative address.
    pub location: Option<String>,
    /// Its version, an entity tag.
    pub version: Option<String>,
    /// Everything else the server wrote here.
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
    /// [`created`](Self::created) as a point in time, if it is one (RFC 3339; fractional seconds
    /// and any offset are understood).
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

    /// [`last_modified`](Self::last_modified) as a point in time, if it is one.
    #[must_use]
    pub fn last_modified_at(&self) -> Option<DateTime<Utc>> {
        self.last_modified.as_deref()?.parse().ok()
    }
}
