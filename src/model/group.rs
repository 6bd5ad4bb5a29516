use serde_json::Value;

use super::json::Attributes;
use super::json::json_object;
use super::meta::ScimMeta;
use super::resource::Resource;
use crate::error::Result;

/// A group (RFC 7643 §4.2).
///
/// Every attribute is optional; `null`, `[]` and a missing attribute are the same (RFC 7643 §2.5).
/// WATS does not support groups: operations on them fail with
/// [`Unsupported`](crate::ErrorKind::Unsupported).
///
/// ```
/// use wats_scim::{ScimGroup, ScimMember};
///
/// let testers = ScimGroup::new("Testers").with_member(ScimMember::new("2819c223"));
/// let json = serde_json::to_value(&testers)?;
/// assert_eq!(json["members"][0]["value"], "2819c223");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScimGroup {
    /// The URNs of the resource's schemas. Filled in on creation if missing.
    pub schemas: Option<Vec<String>>,
    /// The id assigned by the server. Never sent on creation (RFC 7643 §3.1).
    pub id: Option<String>,
    /// The id assigned by your own system.
    pub external_id: Option<String>,
    /// The name of the group.
    pub display_name: Option<String>,
    /// The members. Servers omit the attribute for an empty group.
    pub members: Option<Vec<ScimMember>>,
    /// Metadata, set by the server.
    pub meta: Option<ScimMeta>,
    /// All other attributes, including extensions.
    pub attributes: Attributes,
}

json_object!(ScimGroup {
    "schemas" => schemas,
    "id" => id as identifier,
    "externalId" => external_id as identifier,
    "displayName" => display_name,
    "members" => members,
    "meta" => meta,
});

impl ScimGroup {
    /// Creates a group with a `displayName`, its only required attribute.
    #[must_use]
    pub fn new(display_name: impl Into<String>) -> Self {
        Self { display_name: Some(display_name.into()), ..Self::default() }
    }

    /// Returns the id. Groups returned by the server have one.
    ///
    /// ```
    /// use wats_scim::ScimGroup;
    ///
    /// let known: ScimGroup = serde_json::from_str(r#"{"id": "7f3a"}"#)?;
    /// assert_eq!(known.require_id()?, "7f3a");
    /// assert!(ScimGroup::new("new").require_id().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the group has no id, as before its
    /// creation.
    pub fn require_id(&self) -> Result<&str> {
        Resource::require_id(self)
    }

    /// Sets the id assigned by your own system, `externalId`.
    #[must_use]
    pub fn with_external_id(mut self, external_id: impl Into<String>) -> Self {
        self.external_id = Some(external_id.into());
        self
    }

    /// Adds a member.
    #[must_use]
    pub fn with_member(mut self, member: ScimMember) -> Self {
        self.members.get_or_insert_default().push(member);
        self
    }

    /// Iterates over the ids of the members: their `value`, or the last part of their `$ref` if a server
    /// writes only that. Members without either are skipped.
    pub fn member_ids(&self) -> impl Iterator<Item = &str> {
        self.members.iter().flatten().filter_map(ScimMember::known_id)
    }

    /// Returns the value at a path, such as `displayName`; see [`Resource::get`].
    ///
    /// ```
    /// use wats_scim::ScimGroup;
    ///
    /// let testers = ScimGroup::new("Testers");
    /// assert_eq!(testers.get("displayName")?, Some("Testers".into()));
    /// # Ok::<(), wats_scim::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the path is not valid.
    pub fn get(&self, path: &str) -> Result<Option<Value>> {
        Resource::get(self, path)
    }

    /// Returns all values at a path, such as `members.value`; see [`Resource::get_all`].
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the path is not valid.
    pub fn get_all(&self, path: &str) -> Result<Vec<Value>> {
        Resource::get_all(self, path)
    }
}

impl Resource for ScimGroup {
    const NAME: &'static str = "group";
    const ENDPOINT: &'static str = "Groups";
    const SCHEMA: &'static str = "urn:ietf:params:scim:schemas:core:2.0:Group";
    const NAMED_BY: &'static str = "displayName";

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn name(&self) -> Option<&str> {
        self.display_name.as_deref()
    }

    fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref().filter(|id| !id.is_empty())
    }

    fn version(&self) -> Option<&str> {
        self.meta.as_ref()?.version.as_deref()
    }

    fn set_version(&mut self, version: &str) {
        self.meta.get_or_insert_default().version = Some(version.to_owned());
    }
}

/// A member of a group: a user or another group (RFC 7643 §4.2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScimMember {
    /// The member's id.
    pub value: Option<String>,
    /// The URI of the member's resource, `$ref`.
    pub r#ref: Option<String>,
    /// The member's resource type: `User` or `Group`.
    pub r#type: Option<String>,
    /// The member's display name.
    pub display: Option<String>,
    /// All other attributes.
    pub attributes: Attributes,
}

json_object!(ScimMember {
    "value" => value as identifier,
    "$ref" => r#ref,
    "type" => r#type,
    "display" => display,
});

impl ScimMember {
    /// Creates a member with this id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { value: Some(id.into()), ..Self::default() }
    }

    /// The id, or that in the `$ref` where a server writes only this.
    pub(crate) fn known_id(&self) -> Option<&str> {
        let in_ref = || self.r#ref.as_deref()?.trim_end_matches('/').rsplit('/').next();
        self.value.as_deref().filter(|id| !id.is_empty()).or_else(in_ref).filter(|id| !id.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_member_may_be_a_number() {
        let group: ScimGroup = serde_json::from_str(r#"{"id":1,"members":[{"value":53},{"value":"54"}]}"#).unwrap();
        assert_eq!(group.id.as_deref(), Some("1"));
        assert_eq!(group.member_ids().collect::<Vec<_>>(), ["53", "54"]);
    }

    #[test]
    fn a_group_round_trips_with_unknown_attributes() {
        let text = concat!(
            r#"{"id":"1","displayName":"Testers","members":[{"value":"2","$ref":"../Users/2","type":"User","#,
            r#""display":"Jane","since":2020}],"owner":"3"}"#,
        );
        let group: ScimGroup = serde_json::from_str(text).unwrap();
        assert_eq!(group.member_ids().collect::<Vec<_>>(), ["2"]);
        assert_eq!(serde_json::to_string(&group).unwrap(), text);
    }
}
