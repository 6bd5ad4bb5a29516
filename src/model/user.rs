use serde_json::Value;

use super::json::Attributes;
use super::json::json_object;
use super::meta::ScimMeta;
use super::resource::Resource;
use crate::error::Result;

/// A user (RFC 7643 §4.1).
///
/// Every attribute is optional; `null`, `[]` and a missing attribute are the same (RFC 7643 §2.5).
/// Attributes without a field are kept in [`attributes`](Self::attributes) and sent back; those of the
/// RFC have methods, such as [`title`](Self::title) and [`phone_numbers`](Self::phone_numbers). A value
/// of an unexpected type is kept there too, and its field is `None`; only in `id`, `externalId` and
/// `userName`, a whole number is read as text.
///
/// ```
/// use wats_scim::{ScimUser, ScimUserName};
///
/// let jane = ScimUser::new("jane@example.com")
///     .with_name(ScimUserName::new("Jane", "Doe"))
///     .with_display_name("Jane Doe")
///     .with_email("jane@example.com")
///     .with_title("Test engineer")
///     .with_external_id("4711");
/// let json = serde_json::to_value(&jane)?;
/// assert_eq!(json["name"]["familyName"], "Doe");
/// assert_eq!(json["externalId"], "4711");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScimUser {
    /// The URNs of the resource's schemas. Filled in on creation if missing.
    pub schemas: Option<Vec<String>>,
    /// The id assigned by the server. Never sent on creation (RFC 7643 §3.1).
    pub id: Option<String>,
    /// The id assigned by your own system.
    pub external_id: Option<String>,
    /// The sign-in name; unique on the server, in any letter case.
    pub user_name: Option<String>,
    /// The components of the user's name.
    pub name: Option<ScimUserName>,
    /// The display name.
    pub display_name: Option<String>,
    /// Whether the user can sign in.
    pub active: Option<bool>,
    /// The email addresses. WATS stores one.
    pub emails: Option<Vec<ScimUserEmail>>,
    /// Metadata, set by the server.
    pub meta: Option<ScimMeta>,
    /// All other attributes, including extensions.
    pub attributes: Attributes,
}

json_object!(ScimUser {
    "schemas" => schemas,
    "id" => id as identifier,
    "externalId" => external_id as identifier,
    "userName" => user_name as identifier,
    "name" => name,
    "displayName" => display_name,
    "active" => active,
    "emails" => emails,
    "meta" => meta,
});

impl ScimUser {
    /// Creates a user with a `userName`, its only required attribute.
    #[must_use]
    pub fn new(user_name: impl Into<String>) -> Self {
        Self { user_name: Some(user_name.into()), ..Self::default() }
    }

    /// Returns the id. Users returned by the server have one.
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
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the user has no id, as before its
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

    /// Sets the components of the name.
    #[must_use]
    pub fn with_name(mut self, name: ScimUserName) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets the display name.
    #[must_use]
    pub fn with_display_name(mut self, display_name: impl Into<String>) -> Self {
        self.display_name = Some(display_name.into());
        self
    }

    /// Sets whether the user can sign in.
    #[must_use]
    pub fn with_active(mut self, active: bool) -> Self {
        self.active = Some(active);
        self
    }

    /// Adds an email address. The first one becomes the primary work address.
    #[must_use]
    pub fn with_email(mut self, address: impl Into<String>) -> Self {
        let emails = self.emails.get_or_insert_default();
        let email = ScimUserEmail::new(address);
        emails.push(if emails.is_empty() { email.with_type("work").with_primary(true) } else { email });
        self
    }

    /// Sets an attribute that has no field. It replaces one with the same name in any letter case.
    #[must_use]
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attributes.set(name, value);
        self
    }

    /// Returns the primary email address, or the first one if none is primary.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        let emails = self.emails.as_deref()?;
        let email = emails.iter().find(|email| email.primary == Some(true)).or_else(|| emails.first())?;
        email.value.as_deref()
    }

    /// Returns the value at a path, such as `name.familyName`; see [`Resource::get`].
    ///
    /// ```
    /// use wats_scim::ScimUser;
    ///
    /// let jane = ScimUser::new("jane@example.com").with_email("jane@example.com");
    /// let address = jane.get(r#"emails[type eq "work"].value"#)?;
    /// assert_eq!(address, Some("jane@example.com".into()));
    /// # Ok::<(), wats_scim::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the path is not valid.
    pub fn get(&self, path: &str) -> Result<Option<Value>> {
        Resource::get(self, path)
    }

    /// Returns all values at a path, such as `emails.value`; see [`Resource::get_all`].
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the path is not valid.
    pub fn get_all(&self, path: &str) -> Result<Vec<Value>> {
        Resource::get_all(self, path)
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

    fn set_version(&mut self, version: &str) {
        self.meta.get_or_insert_default().version = Some(version.to_owned());
    }

    fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref().filter(|id| !id.is_empty())
    }
}

/// The components of a user's name (RFC 7643 §4.1.1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScimUserName {
    /// The full name, formatted for display.
    pub formatted: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// All other attributes; [`middle_name`](Self::middle_name) and others read them.
    pub attributes: Attributes,
}

json_object!(ScimUserName {
    "formatted" => formatted,
    "familyName" => family_name,
    "givenName" => given_name,
});

impl ScimUserName {
    /// Creates a name from a given and a family name.
    #[must_use]
    pub fn new(given_name: impl Into<String>, family_name: impl Into<String>) -> Self {
        Self { given_name: Some(given_name.into()), family_name: Some(family_name.into()), ..Self::default() }
    }

    /// Sets the full name, formatted for display.
    #[must_use]
    pub fn with_formatted(mut self, formatted: impl Into<String>) -> Self {
        self.formatted = Some(formatted.into());
        self
    }
}

/// An email address of a user (RFC 7643 §4.1.2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScimUserEmail {
    /// The email address.
    pub value: Option<String>,
    /// The type of address: `work`, `home` or `other`.
    pub r#type: Option<String>,
    /// Whether this is the primary address; at most one is.
    pub primary: Option<bool>,
    /// All other attributes; [`display`](Self::display) reads one.
    pub attributes: Attributes,
}

json_object!(ScimUserEmail {
    "value" => value,
    "type" => r#type,
    "primary" => primary,
});

impl ScimUserEmail {
    /// Creates an email address without a type.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// Sets the type of address.
    #[must_use]
    pub fn with_type(mut self, r#type: impl Into<String>) -> Self {
        self.r#type = Some(r#type.into());
        self
    }

    /// Sets whether this is the primary address.
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
    fn null_empty_and_missing_are_equal() {
        assert_eq!(decode(json!({ "emails": [], "displayName": null, "active": null })), ScimUser::default());
    }

    #[test]
    fn a_value_of_an_unexpected_type_is_kept_and_affects_only_its_field() {
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
    fn an_identifier_may_be_a_number() {
        let user = decode(json!({ "id": 53, "externalId": -7, "userName": 18_446_744_073_709_551_615_u64 }));
        assert_eq!((user.id.as_deref(), user.external_id.as_deref()), (Some("53"), Some("-7")));
        assert_eq!(user.user_name.as_deref(), Some("18446744073709551615"));
        assert!(user.attributes.is_empty());
        // Its digits are not known.
        let user: ScimUser = serde_json::from_str(r#"{"id":12345678901234567890123}"#).unwrap();
        assert_eq!((user.id, user.attributes.len()), (None, 1));
    }

    #[test]
    fn the_last_of_two_members_with_the_same_name_wins() {
        for (json, name) in
            [(r#"{"displayName":7,"DISPLAYNAME":"J"}"#, Some("J")), (r#"{"displayName":"J","displayname":7}"#, None)]
        {
            let user: ScimUser = serde_json::from_str(json).unwrap();
            assert_eq!(user.display_name.as_deref(), name, "{json}");
            assert_eq!(serde_json::to_value(&user).unwrap().as_object().unwrap().len(), 1, "{json}");
        }
    }

    #[test]
    fn setting_a_field_replaces_a_value_of_an_unexpected_type() {
        let mut user = decode(json!({ "displayName": 7 }));
        user.display_name = Some("Jane".into());
        assert_eq!(serde_json::to_string(&user).unwrap(), r#"{"displayName":"Jane"}"#);
    }

    #[test]
    fn a_user_can_be_flattened_into_another_type() {
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
    fn email_returns_the_primary_address() {
        let user = decode(json!({ "emails": [{ "value": "a" }, { "value": "b", "primary": "True" }] }));
        assert_eq!(user.email(), Some("b"));
    }
}
