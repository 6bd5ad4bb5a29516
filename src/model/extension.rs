use serde::Serialize;
use serde::de::DeserializeOwned;

use super::json::Attributes;
use super::json::json_object;
use super::user::ScimUser;

/// A schema extension: attributes of a resource under their own URN (RFC 7643 §3.3).
///
/// Any serde struct can be one. Read it with [`ScimUser::extension`] and set it with
/// [`ScimUser::with_extension`].
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use wats_scim::{Extension, ScimUser};
///
/// #[derive(Deserialize, Serialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Badge {
///     badge_number: u32,
/// }
///
/// impl Extension for Badge {
///     const SCHEMA: &'static str = "urn:example:2.0:Badge";
/// }
///
/// let jane = ScimUser::new("jane@example.com").with_extension(&Badge { badge_number: 7 })?;
/// assert_eq!(jane.extension::<Badge>()?.map(|badge| badge.badge_number), Some(7));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Extension: Serialize + DeserializeOwned {
    /// The URN of the extension's schema.
    const SCHEMA: &'static str;
}

impl ScimUser {
    /// Returns the attributes of an extension, or `None` if the user does not have it.
    ///
    /// The extension's URN matches in any letter case.
    ///
    /// # Errors
    ///
    /// The deserialization error if the attributes do not fit `E`.
    pub fn extension<E: Extension>(&self) -> serde_json::Result<Option<E>> {
        self.attributes.get(E::SCHEMA).map(E::deserialize).transpose()
    }

    /// Sets the attributes of an extension.
    ///
    /// If the user has [`schemas`](Self::schemas), the extension's URN is added to them; otherwise
    /// `schemas` is filled in when the user is created.
    ///
    /// # Errors
    ///
    /// The serialization error if the extension cannot be written as JSON.
    pub fn with_extension<E: Extension>(mut self, extension: &E) -> serde_json::Result<Self> {
        self.attributes.set(E::SCHEMA, serde_json::to_value(extension)?);
        if let Some(schemas) = &mut self.schemas
            && !schemas.iter().any(|schema| schema.eq_ignore_ascii_case(E::SCHEMA))
        {
            schemas.push(E::SCHEMA.to_owned());
        }
        Ok(self)
    }
}

/// The enterprise user extension (RFC 7643 §4.3).
///
/// ```
/// use wats_scim::{EnterpriseUser, ScimManager, ScimUser};
///
/// let work = EnterpriseUser::default().with_department("Test").with_manager(ScimManager::new("26118915"));
/// let jane = ScimUser::new("jane@example.com").with_extension(&work)?;
/// assert_eq!(jane.extension::<EnterpriseUser>()?, Some(work));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnterpriseUser {
    /// The employee number.
    pub employee_number: Option<String>,
    /// The cost centre.
    pub cost_center: Option<String>,
    /// The organisation.
    pub organization: Option<String>,
    /// The division.
    pub division: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// The user's manager.
    pub manager: Option<ScimManager>,
    /// All other attributes.
    pub attributes: Attributes,
}

json_object!(EnterpriseUser {
    "employeeNumber" => employee_number as identifier,
    "costCenter" => cost_center,
    "organization" => organization,
    "division" => division,
    "department" => department,
    "manager" => manager,
});

impl EnterpriseUser {
    /// Sets the employee number.
    #[must_use]
    pub fn with_employee_number(mut self, employee_number: impl Into<String>) -> Self {
        self.employee_number = Some(employee_number.into());
        self
    }

    /// Sets the cost centre.
    #[must_use]
    pub fn with_cost_center(mut self, cost_center: impl Into<String>) -> Self {
        self.cost_center = Some(cost_center.into());
        self
    }

    /// Sets the organisation.
    #[must_use]
    pub fn with_organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(organization.into());
        self
    }

    /// Sets the division.
    #[must_use]
    pub fn with_division(mut self, division: impl Into<String>) -> Self {
        self.division = Some(division.into());
        self
    }

    /// Sets the department.
    #[must_use]
    pub fn with_department(mut self, department: impl Into<String>) -> Self {
        self.department = Some(department.into());
        self
    }

    /// Sets the manager.
    #[must_use]
    pub fn with_manager(mut self, manager: ScimManager) -> Self {
        self.manager = Some(manager);
        self
    }
}

impl Extension for EnterpriseUser {
    const SCHEMA: &'static str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
}

/// A user's manager (RFC 7643 §4.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScimManager {
    /// The manager's user id.
    pub value: Option<String>,
    /// The URI of the manager's resource, `$ref`.
    pub r#ref: Option<String>,
    /// The manager's display name; read-only, set by the server.
    pub display_name: Option<String>,
    /// All other attributes.
    pub attributes: Attributes,
}

json_object!(ScimManager {
    "value" => value as identifier,
    "$ref" => r#ref,
    "displayName" => display_name,
});

impl ScimManager {
    /// Creates a manager with this user id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { value: Some(id.into()), ..Self::default() }
    }

    /// Sets the URI of the manager's resource, `$ref`.
    #[must_use]
    pub fn with_ref(mut self, r#ref: impl Into<String>) -> Self {
        self.r#ref = Some(r#ref.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_adds_its_schema_once() {
        let user: ScimUser = serde_json::from_str(r#"{"schemas":["urn:x"]}"#).unwrap();
        let work = EnterpriseUser::default();
        let user = user.with_extension(&work).unwrap().with_extension(&work).unwrap();
        assert_eq!(user.schemas.unwrap(), ["urn:x", EnterpriseUser::SCHEMA]);
    }

    #[test]
    fn an_extension_matches_in_any_letter_case_and_keeps_unknown_attributes() {
        let text = r#"{"URN:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:User":{"department":"T","floor":3,"manager":{"value":"1","x":2}}}"#;
        let user: ScimUser = serde_json::from_str(text).unwrap();
        let work = user.extension::<EnterpriseUser>().unwrap().unwrap();
        assert_eq!(work.department.as_deref(), Some("T"));
        let written = serde_json::to_string(&work).unwrap();
        assert_eq!(written, r#"{"department":"T","manager":{"value":"1","x":2},"floor":3}"#);
    }
}
