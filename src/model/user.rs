use serde_json::Value;

use super::json::Attributes;
use super::json::json_object;
use super::meta::ScimMeta;
use super::resource::Resource;
use crate::error::Result;

/// A user (RFC 7643 §4.1).
///
/// Every attribute is optional; `null`, `[]` and absent are the same. What has no field here is
/// kept in [`attributes`](Self::attributes) and sent back.
///
/// ```
/// use wats_scim::{ScimUser, ScimUserName};
///
/// let jane = ScimUser::new("jane@example.com")
///     .with_name(ScimUserName::new("Jane", "Doe"))
///     .with_display_name("Jane Doe")
///     .with_email("jane@example.com")
///     .with_external_id("4711");
/// let json = serde_json::to_value(&jane)?;
/// assert_eq!(json["name"]["familyName"], "Doe");
/// assert_eq!(json["externalId"], "4711");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ScimUser {
    /// The schemas that the resource uses. Filled in on create if absent.
    pub schemas: Option<Vec<String>>,
    /// The identifier that the server gave. Never sent on create (RFC 7643 §3.1).
    pub id: Option<String>,
    /// The identifier that your own system gave.
    pub external_id: Option<String>,
    /// The name by which the user signs in; unique, without regard to case.
    pub user_name: Option<String>,
    /// The parts of the person's name.
    pub name: Option<ScimUserName>,
    /// The name to show.
    pub display_name: Option<String>,
    /// Whether the user may sign in.
    pub active: Option<bool>,
    /// Addresses.
    pub emails: Option<Vec<ScimUserEmail>>,
    /// What the server says about the user.
    pub meta: Option<ScimMeta>,
    /// Everything else, extensions among it.
    pub attributes: Attributes,
}

json_object!(ScimUser {
    "schemas" => schemas,
    "id" => id,
    "externalId" => external_id,
    "userName" => user_name,
    "name" => name,
    "displayName" => display_name,
    "active" => active,
    "emails" => emails,
    "meta" => meta,
});

impl ScimUser {
    /// A user with a `userName`, the one attribute that every user must have.
    #[must_use]
    pub fn new(user_name: impl Into<String>) -> Self {
        Self { user_name: Some(user_name.into()), ..Self::default() }
    }

    /// The identifier, which a user that the server returned has.
    ///
    /// ```
    /// use wats_scim::ScimUser;
    ///
    /// let known: ScimUser = serde_json::from_str(r#"{"id": "7f3a"}"#)?;
    /// assert_eq!(known.require_id()?, "7f3a");
    /// assert!(ScimUser::new("new").require_id().is_err());
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

    /// Sets the parts of the name.
    #[must_use]
    pub fn with_name(mut self, name: ScimUserName) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets the name to show.
    #[must_use]
    pub fn with_display_name(mut self, display_name: impl Into<String>) -> Self {
        self.display_name = Some(display_name.into());
        self
    }

    /// Sets whether the user may sign in.
    #[must_use]
    pub fn with_active(mut self, active: bool) -> Self {
        self.active = Some(active);
        self
    }

    /// Adds an address. The first is the primary work address.
    #[must_use]
    pub fn with_email(mut self, address: impl Into<String>) -> Self {
        let emails = self.emails.get_or_insert_default();
        let email = ScimUserEmail::new(address);
        emails.push(if emails.is_empty() { email.with_type("work").with_primary(true) } else { email });
        self
    }

    /// Sets any other attribute.
    #[must_use]
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attributes.set(name, value);
        self
    }

    /// The primary address, or else the first.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        let emails = self.emails.as_deref()?;
        let email = emails.iter().find(|email| email.primary == Some(true)).or_else(|| emails.first())?;
        email.value.as_deref()
    }
}

impl Resource for ScimUser {
    const NAME: &'static str = "user";
    const ENDPOINT: &'static str = "Users";
    const SCHEMA: &'static str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const NAMED_BY: &'static str = "userName";

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn name(&self) -> Option<&str> {
        self.user_name.as_deref()
    }

    fn version(&self) -> Option<&str> {
        self.meta.as_ref()?.version.as_deref()
    }

    fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref().filter(|id| !id.is_empty())
    }
}

/// The parts of a person's name (RFC 7643 §4.1.1).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ScimUserName {
    /// The whole name, as it is to be shown.
    pub formatted: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// Every other part, such as `middleName`.
    pub attributes: Attributes,
}

json_object!(ScimUserName {
    "formatted" => formatted,
    "familyName" => family_name,
    "givenName" => given_name,
});

impl ScimUserName {
    /// A given and a family name.
    #[must_use]
    pub fn new(given_name: impl Into<String>, family_name: impl Into<String>) -> Self {
        Self { given_name: Some(given_name.into()), family_name: Some(family_name.into()), ..Self::default() }
    }

    /// Sets the whole name, as it is to be shown.
    #[must_use]
    pub fn with_formatted(mut self, formatted: impl Into<String>) -> Self {
        self.formatted = Some(formatted.into());
        self
    }
}

/// An address of a user (RFC 7643 §4.1.2).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ScimUserEmail {
    /// The address.
    pub value: Option<String>,
    /// What it is for: `work`, `home`, `other`.
    pub r#type: Option<String>,
    /// Whether it is the preferred one; at most one is.
    pub primary: Option<bool>,
    /// Everything else, such as `display`.
    pub attributes: Attributes,
}

json_object!(ScimUserEmail {
    "value" => value,
    "type" => r#type,
    "primary" => primary,
});

impl ScimUserEmail {
    /// An address.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// Sets what it is for.
    #[must_use]
    pub fn with_type(mut self, r#type: impl Into<String>) -> Self {
        self.r#type = Some(r#type.into());
        self
    }

    /// Sets whether it is the preferred one.
    #[must_use]
    pub fn with_primary(mut self, primary: bool) -> Self {
        self.primary = Some(primary);
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode(json: Value) -> ScimUser {
        serde_json::from_value(json).expect("any JSON object is read as a user")
    }

    #[test]
    fn unknown_attributes_survive_at_every_level_and_in_order() {
        let text = concat!(
            r#"{"id":"1","userName":"jane","name":{"givenName":"Jane","middleName":"Q","honorificPrefix":"Dr"},"#,
            r#""emails":[{"value":"j@x","type":"work","display":"J","$ref":"r"}],"#,
            r#""meta":{"version":"W/\"1\"","zone":"eu"},"#,
            r#""zeta":{"b":1,"a":[1.0,null,18446744073709551615]},"alpha":[],"urn:x:2.0:User":{"k":null}}"#,
        );
        let user: ScimUser = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&user).unwrap(), text);
    }

    #[test]
    fn attribute_names_match_in_any_letter_case() {
        let user = decode(json!({ "USERNAME": "jane", "Name": { "GIVENNAME": "Jane" }, "Active": "True" }));
        assert_eq!(user.user_name.as_deref(), Some("jane"));
        assert_eq!(user.name.unwrap().given_name.as_deref(), Some("Jane"));
        assert_eq!(user.active, Some(true));
        assert!(user.attributes.is_empty());
    }

    #[test]
    fn null_and_empty_and_absent_are_the_same() {
        assert_eq!(decode(json!({ "emails": [], "displayName": null, "active": null })), ScimUser::default());
    }

    #[test]
    fn a_value_of_another_type_is_kept_and_costs_only_its_field() {
        let odd = json!({
            "userName": "jane", "displayName": 7, "name": "Jane Doe", "active": "perhaps",
            "emails": [{ "value": "j@x" }, "k@x"], "meta": [],
        });
        let user = decode(odd.clone());
        assert_eq!((user.user_name.as_deref(), user.active, user.name.as_ref()), (Some("jane"), None, None));
        let mut sent = serde_json::to_value(&user).unwrap();
        assert_eq!(sent.as_object_mut().unwrap().len(), 5);
        for name in ["displayName", "name", "active", "emails"] {
            assert_eq!(sent[name], odd[name], "{name}");
        }
    }

    #[test]
    fn of_a_name_that_comes_twice_the_last_counts() {
        for (json, name) in
            [(r#"{"displayName":7,"DISPLAYNAME":"J"}"#, Some("J")), (r#"{"displayName":"J","displayname":7}"#, None)]
        {
            let user: ScimUser = serde_json::from_str(json).unwrap();
            assert_eq!(user.display_name.as_deref(), name, "{json}");
            assert_eq!(serde_json::to_value(&user).unwrap().as_object().unwrap().len(), 1, "{json}");
        }
    }

    #[test]
    fn a_field_speaks_for_the_odd_value_it_replaces() {
        let mut user = decode(json!({ "displayName": 7 }));
        user.display_name = Some("Jane".into());
        assert_eq!(serde_json::to_string(&user).unwrap(), r#"{"displayName":"Jane"}"#);
    }

    #[test]
    fn a_user_can_be_flattened_into_a_type_of_ones_own() {
        #[derive(serde::Deserialize, serde::Serialize)]
        struct Badge {
            badge: u32,
            #[serde(flatten)]
            user: ScimUser,
        }
        let text = r#"{"badge":7,"userName":"jane","title":"Engineer"}"#;
        let badge: Badge = serde_json::from_str(text).unwrap();
        assert_eq!(badge.user.user_name.as_deref(), Some("jane"));
        assert_eq!(serde_json::to_string(&badge).unwrap(), text);
    }

    #[test]
    fn the_email_is_the_primary_one() {
        let user = decode(json!({ "emails": [{ "value": "a" }, { "value": "b", "primary": "True" }] }));
        assert_eq!(user.email(), Some("b"));
    }
}
