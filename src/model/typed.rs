//! Typed access to the attributes of RFC 7643 §4.1 that have no field.
//!
//! They have methods instead of fields because most users of a page have few of them. A field takes its
//! space in every user, 24 bytes for each of fifteen texts and lists, which would nearly double its size, and
//! its value is parsed whether it is used or not. A kept attribute takes space only where it is present, and
//! is parsed on its first use: reading a page costs the same as without these methods. It also keeps a value
//! of an unexpected type as the server sent it.

use serde::de::{DeserializeSeed, IntoDeserializer};
use serde_json::Value;
use wats_scim_filter::json::is_unassigned;

use super::json::Attributes;
use super::json::attribute::{Attribute, AttributeSeed};
use super::user::{ScimUser, ScimUserEmail, ScimUserName};
use super::value::{ScimAddress, ScimValue};
use crate::error::{Error, ErrorKind, Result};

impl Attributes {
    /// The text of an attribute; `None` if it is missing or not text.
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The values of a multi-valued attribute; none if it is missing, `null` or `[]`.
    fn values<T: Attribute>(&self, name: &str) -> Result<Vec<T>> {
        let Some(value) = self.get(name).filter(|value| !is_unassigned(value)) else { return Ok(Vec::new()) };
        let mut values: Option<Vec<T>> = None;
        let mismatch = AttributeSeed::new(&mut values).deserialize(value.into_deserializer());
        match (mismatch, values) {
            (Ok(None), Some(values)) => Ok(values),
            _ => Err(Error::new(
                ErrorKind::UnexpectedBody,
                format!("{name} is not a list of objects; read it as JSON with attributes.get(\"{name}\")"),
            )),
        }
    }

    /// Adds a value to a multi-valued attribute. A value that is not a list becomes the first of one.
    fn add(&mut self, name: &str, value: impl Into<Value>) {
        let mut values = match self.get(name) {
            Some(Value::Array(values)) => values.clone(),
            Some(one) if !is_unassigned(one) => vec![one.clone()],
            _ => Vec::new(),
        };
        values.push(value.into());
        self.set(name, values);
    }
}

/// Methods for texts: one that returns the text, and one that sets it.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:literal: $get:ident, $with:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// `None` if it is missing or not text.
        #[must_use]
        pub fn $get(&self) -> Option<&str> {
            self.attributes.text($name)
        }

        #[doc = concat!("Sets `", $name, "`.")]
        #[must_use]
        pub fn $with(mut self, value: impl Into<String>) -> Self {
            self.attributes.set($name, value.into());
            self
        }
    )*};
}

/// Methods for multi-valued attributes: one that returns the values, and one that adds a value.
macro_rules! lists {
    ($($(#[$doc:meta])* $name:literal: $get:ident -> $type:ty $(, $with:ident($given:ty))?;)*) => {$(
        $(#[$doc])*
        ///
        /// Empty if the attribute is missing. It is parsed at each call.
        ///
        /// # Errors
        ///
        /// [`UnexpectedBody`](ErrorKind::UnexpectedBody) if the server sent anything but a list of
        /// objects. [`attributes`](Self::attributes) has the value as it was sent.
        pub fn $get(&self) -> Result<Vec<$type>> {
            self.attributes.values($name)
        }

        $(
            #[doc = concat!("Adds a value to `", $name, "`.")]
            #[must_use]
            pub fn $with(mut self, value: $given) -> Self {
                let value: $type = value.into();
                self.attributes.add($name, value);
                self
            }
        )?
    )*};
}

/// The attributes of RFC 7643 §4.1 that have no field. They are in [`attributes`](Self::attributes), which
/// also replaces and removes them.
///
/// ```
/// use wats_scim::{ScimUser, ScimValue};
///
/// let mut jane = ScimUser::new("jane@example.com")
///     .with_title("Test engineer")
///     .with_phone_number(ScimValue::new("tel:+1-201-555-0123").with_type("work"));
/// assert_eq!(jane.title(), Some("Test engineer"));
///
/// let mut numbers = jane.phone_numbers()?;
/// numbers[0].r#type = Some("mobile".into());
/// jane.attributes.set("phoneNumbers", numbers);
/// jane.attributes.remove("title");
/// assert_eq!(jane.phone_numbers()?[0].r#type.as_deref(), Some("mobile"));
/// assert_eq!(jane.title(), None);
/// # Ok::<(), wats_scim::Error>(())
/// ```
impl ScimUser {
    texts! {
        /// Returns the casual name, such as `Bob`.
        "nickName": nick_name, with_nick_name;
        /// Returns the URL of the user's profile page.
        "profileUrl": profile_url, with_profile_url;
        /// Returns the title in the organisation, such as `Vice President`.
        "title": title, with_title;
        /// Returns the relation to the organisation, such as `Employee` or `Contractor`.
        "userType": user_type, with_user_type;
        /// Returns the languages that the user prefers, in the form of `Accept-Language`: `en-US`.
        "preferredLanguage": preferred_language, with_preferred_language;
        /// Returns the locale for dates, numbers and currency, a language tag: `en-US`.
        "locale": locale, with_locale;
        /// Returns the time zone, such as `America/Los_Angeles`.
        "timezone": timezone, with_timezone;
    }

    lists! {
        /// Returns the phone numbers.
        "phoneNumbers": phone_numbers -> ScimValue, with_phone_number(impl Into<ScimValue>);
        /// Returns the instant messaging addresses.
        "ims": ims -> ScimValue, with_im(impl Into<ScimValue>);
        /// Returns the URLs of photos.
        "photos": photos -> ScimValue, with_photo(impl Into<ScimValue>);
        /// Returns the postal addresses.
        "addresses": addresses -> ScimAddress, with_address(ScimAddress);
        /// Returns the groups that the user belongs to, directly (`type` is `direct`) or through another
        /// group (`indirect`). The attribute is read-only: change the members of a group instead.
        "groups": groups -> ScimValue;
        /// Returns the entitlements.
        "entitlements": entitlements -> ScimValue, with_entitlement(impl Into<ScimValue>);
        /// Returns the roles.
        "roles": roles -> ScimValue, with_role(impl Into<ScimValue>);
        /// Returns the X.509 certificates: each `value` is the DER form in base64.
        "x509Certificates": x509_certificates -> ScimValue, with_x509_certificate(impl Into<ScimValue>);
    }
}

/// The sub-attributes of RFC 7643 §4.1.1 that have no field.
impl ScimUserName {
    texts! {
        /// Returns the middle names.
        "middleName": middle_name, with_middle_name;
        /// Returns the honorific prefix, such as `Ms.`.
        "honorificPrefix": honorific_prefix, with_honorific_prefix;
        /// Returns the honorific suffix, such as `III`.
        "honorificSuffix": honorific_suffix, with_honorific_suffix;
    }
}

/// The sub-attribute of RFC 7643 §2.4 that has no field.
impl ScimUserEmail {
    texts! {
        /// Returns the address in a form for display.
        "display": display, with_display;
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
    fn a_missing_attribute_is_no_text_and_no_values() {
        for json in [json!({}), json!({ "title": null, "roles": null }), json!({ "roles": [] })] {
            let user = decode(json);
            assert_eq!((user.title(), user.roles().unwrap()), (None, Vec::new()));
        }
    }

    #[test]
    fn a_value_of_an_unexpected_type_is_an_error_of_its_method_only() {
        let odd = json!({
            "userName": "jane", "title": 7, "roles": ["admin"], "photos": "p", "ims": [null],
            "phoneNumbers": [{ "value": 47, "primary": "True", "type": 7 }],
        });
        let user = decode(odd.clone());
        assert_eq!(user.title(), None);
        for (name, read) in [("roles", user.roles()), ("photos", user.photos()), ("ims", user.ims())] {
            let error = read.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedBody);
            assert!(error.to_string().starts_with(&format!("{name} is not a list of objects")), "{error}");
        }
        let numbers = user.phone_numbers().unwrap();
        assert_eq!((numbers[0].value.as_deref(), numbers[0].primary), (Some("47"), Some(true)));
        assert_eq!((numbers[0].r#type.as_ref(), numbers[0].attributes.get("type")), (None, Some(&json!(7))));
        assert_eq!(serde_json::to_value(&user).unwrap(), odd);
    }

    #[test]
    fn a_builder_adds_to_what_is_there() {
        let user = decode(json!({ "ROLES": [{ "value": "a", "floor": 3 }], "photos": "p" }));
        let user = user.with_role("b").with_photo(ScimValue::new("q").with_type("photo"));
        let expected = json!({
            "ROLES": [{ "value": "a", "floor": 3 }, { "value": "b" }],
            "photos": ["p", { "value": "q", "type": "photo" }],
        });
        let sent = serde_json::to_value(&user).unwrap();
        assert_eq!(sent, expected);
    }

    #[test]
    fn values_keep_unknown_attributes() {
        let user = decode(json!({ "addresses": [{ "postalCode": 7030, "floor": 3 }] }));
        let address = user.addresses().unwrap().remove(0);
        assert_eq!(address.postal_code.as_deref(), Some("7030"));
        assert_eq!(Value::from(address), json!({ "postalCode": "7030", "floor": 3 }));
    }

    #[test]
    fn nothing_is_parsed_before_it_is_asked_for() {
        let user: ScimUser = serde_json::from_str(r#"{"title":"T","roles":[{"value":"a"}]}"#).unwrap();
        let read = |user: &ScimUser| user.attributes.unread().map(|(_, value)| value.is_read()).collect::<Vec<_>>();
        assert_eq!(read(&user), [false, false]);
        assert_eq!(user.title(), Some("T"));
        assert_eq!(read(&user), [true, false]);
    }

    #[test]
    fn names_and_emails_have_all_sub_attributes() {
        let name = ScimUserName::new("Barbara", "Jensen").with_middle_name("Jane").with_honorific_suffix("III");
        assert_eq!((name.middle_name(), name.honorific_suffix()), (Some("Jane"), Some("III")));
        assert_eq!(ScimUserEmail::new("b@x").with_display("B").display(), Some("B"));
    }
}
