use super::json::Attributes;
use super::json::json_object;
use super::meta::ScimMeta;
use super::resource::Resource;
use crate::error::Result;

/// A group (RFC 7643 §4.2). WATS has none.
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
#[non_exhaustive]
pub struct ScimGroup {
    /// The schemas that the resource uses. Filled in on create if absent.
    pub schemas: Option<Vec<String>>,
    /// The identifier that the server gave. Never sent on create.
    pub id: Option<String>,
    /// The identifier that your own system gave.
    pub external_id: Option<String>,
    /// The name of the group.
    pub display_name: Option<String>,
    /// Who belongs to it. Servers leave it out when nobody does.
    pub members: Option<Vec<ScimMember>>,
    /// What the server says about the group.
    pub meta: Option<ScimMeta>,
    /// Everything else, extensions among it.
    pub attributes: Attributes,
}

json_object!(ScimGroup {
    "schemas" => schemas,
    "id" => id,
    "externalId" => external_id,
    "displayName" => display_name,
    "members" => members,
    "meta" => meta,
});

impl ScimGroup {
    /// A group with a name, which every group must have.
    #[must_use]
    pub fn new(display_name: impl Into<String>) -> Self {
        Self { display_name: Some(display_name.into()), ..Self::default() }
    }

    /// The identifier, which a group that the server returned has.
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
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it has none, as before it is created.
    pub fn require_id(&self) -> Result<&str> {
        Resource::require_id(self)
    }

    /// Sets the identifier that your own system gave.
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

    /// The ids of the members.
    pub fn member_ids(&self) -> impl Iterator<Item = &str> {
        self.members.iter().flatten().filter_map(|member| member.value.as_deref())
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
}

/// A member of a group: a user, or another group.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ScimMember {
    /// The id of the member.
    pub value: Option<String>,
    /// Where it is.
    pub r#ref: Option<String>,
    /// What it is: `User` or `Group`.
    pub r#type: Option<String>,
    /// Its name, as it is to be shown.
    pub display: Option<String>,
    /// Everything else.
    pub attributes: Attributes,
}

json_object!(ScimMember {
    "value" => value,
    "$ref" => r#ref,
    "type" => r#type,
    "display" => display,
});

impl ScimMember {
    /// The member with this id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { value: Some(id.into()), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_goes_and_comes_back_whole() {
        let text = concat!(
            r#"{"id":"1","displayName":"Testers","members":[{"value":"2","$ref":"../Users/2","type":"User","#,
            r#""display":"Jane","since":2020}],"owner":"3"}"#,
        );
        let group: ScimGroup = serde_json::from_str(text).unwrap();
        assert_eq!(group.member_ids().collect::<Vec<_>>(), ["2"]);
        assert_eq!(serde_json::to_string(&group).unwrap(), text);
    }
}
