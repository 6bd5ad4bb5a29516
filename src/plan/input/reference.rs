use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::ScimMember;

/// A user or a group that another one refers to: a member of a group, or a manager.
///
/// A source gives one of the id, the `externalId` and the name. A step has all that is known; it has no id
/// if the plan creates what it refers to.
///
/// ```
/// use wats_scim::plan::Reference;
///
/// let by_name = Reference::user_name("jane@example.com");
/// assert_eq!(by_name.to_string(), "jane@example.com");
/// let by_external_id: Reference = serde_json::from_str(r#"{"externalId": "4711"}"#)?;
/// assert_eq!(by_external_id, Reference::external_id("4711"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Reference {
    /// What it refers to.
    #[serde(default, rename = "type", skip_serializing_if = "Kind::is_user")]
    pub kind: Kind,
    /// The id on the server.
    #[serde(default, alias = "value", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The `externalId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The `userName` of a user, or the `displayName` of a group.
    #[serde(default, alias = "userName", alias = "displayName", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Whether a [`Reference`] is to a user or to a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub enum Kind {
    /// To a user.
    #[default]
    User,
    /// To a group.
    Group,
}

impl Kind {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature of serde")]
    fn is_user(&self) -> bool {
        *self == Self::User
    }
}

impl Reference {
    /// To the user with this id.
    #[must_use]
    pub fn id(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// To the user with this `userName`, in any form of the same name.
    #[must_use]
    pub fn user_name(user_name: impl Into<String>) -> Self {
        Self { name: Some(user_name.into()), ..Self::default() }
    }

    /// To the user with this `externalId`.
    #[must_use]
    pub fn external_id(external_id: impl Into<String>) -> Self {
        Self { external_id: Some(external_id.into()), ..Self::default() }
    }

    /// To the group with this `displayName`.
    #[must_use]
    pub fn group(display_name: impl Into<String>) -> Self {
        Self { kind: Kind::Group, name: Some(display_name.into()), ..Self::default() }
    }

    /// The same reference, to a group.
    #[must_use]
    pub fn to_group(self) -> Self {
        Self { kind: Kind::Group, ..self }
    }

    /// Whether it refers to nothing.
    pub(in crate::plan) fn is_nothing(&self) -> bool {
        self.id.is_none() && self.external_id.is_none() && self.name.is_none()
    }

    /// The member of a group that it refers to; `None` without an id.
    pub(crate) fn member(&self) -> Option<ScimMember> {
        let member = ScimMember::new(self.id.as_deref()?);
        Some(if self.kind == Kind::Group { ScimMember { r#type: Some("Group".to_owned()), ..member } } else { member })
    }
}

/// The name, or else the `externalId`, or else the id.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.external_id, &self.id) {
            (Some(name), ..) => f.write_str(name),
            (None, Some(external_id), _) => write!(f, "externalId {external_id}"),
            (None, None, Some(id)) => write!(f, "id {id}"),
            (None, None, None) => f.write_str("nothing"),
        }
    }
}
