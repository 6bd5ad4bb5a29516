use chrono::{DateTime, NaiveDateTime, Utc};

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
    /// Parses [`created`](Self::created) as a time (RFC 7643 §2.3.5), with or without fractional
    /// seconds and in any offset; without an offset, in UTC. `None` if it is missing or in another
    /// format.
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
        self.created.as_deref().and_then(time)
    }

    /// Parses [`last_modified`](Self::last_modified), like [`created_at`](Self::created_at).
    #[must_use]
    pub fn last_modified_at(&self) -> Option<DateTime<Utc>> {
        self.last_modified.as_deref().and_then(time)
    }
}

/// A time with an offset, or without one: then it is taken as UTC.
pub(crate) fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let without_offset = || text.parse::<NaiveDateTime>().ok().map(|time| time.and_utc());
    text.parse().ok().or_else(without_offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_an_offset_is_in_utc() {
        let meta = ScimMeta { created: Some("2019-02-18T08:03:34".to_owned()), ..ScimMeta::default() };
        assert_eq!(meta.created_at().unwrap().to_rfc3339(), "2019-02-18T08:03:34+00:00");
        assert_eq!(time("2019-02-18T09:03:34.5+01:00"), time("2019-02-18T08:03:34.500"));
        assert_eq!(time("yesterday"), None);
    }
}
