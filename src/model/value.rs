//! The values of multi-valued attributes (RFC 7643 §2.4).

use serde_json::Value;

use super::json::Attributes;
use super::json::json_object;

/// One value of a multi-valued attribute: a phone number, an instant messaging address, a photo, a group, a
/// role, an entitlement or a certificate (RFC 7643 §2.4).
///
/// Every sub-attribute is optional. A sub-attribute of an unexpected type is kept in
/// [`attributes`](Self::attributes), and its field is `None`; only in `value`, a whole number is read as
/// text.
///
/// ```
/// use wats_scim::{ScimUser, ScimValue};
///
/// let jane = ScimUser::new("jane@example.com")
///     .with_phone_number(ScimValue::new("tel:+1-201-555-0123").with_type("work").with_primary(true))
///     .with_role("auditor");
/// let json = serde_json::to_value(&jane)?;
/// assert_eq!(json["phoneNumbers"][0]["type"], "work");
/// assert_eq!(json["roles"][0]["value"], "auditor");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScimValue {
    /// The value itself: the number, the address, the URL, the id of the group, or the DER form of the
    /// certificate in base64.
    pub value: Option<String>,
    /// The value in a form for display.
    pub display: Option<String>,
    /// The type of value, such as `work` or `mobile`.
    pub r#type: Option<String>,
    /// Whether this is the primary value; at most one is.
    pub primary: Option<bool>,
    /// The URI of a resource that the value refers to, `$ref`.
    pub r#ref: Option<String>,
    /// All other sub-attributes.
    pub attributes: Attributes,
}

json_object!(ScimValue {
    "value" => value as identifier,
    "display" => display,
    "type" => r#type,
    "primary" => primary,
    "$ref" => r#ref,
});

impl ScimValue {
    /// Creates a value without a type.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// Sets the form for display.
    #[must_use]
    pub fn with_display(mut self, display: impl Into<String>) -> Self {
        self.display = Some(display.into());
        self
    }

    /// Sets the type of value.
    #[must_use]
    pub fn with_type(mut self, r#type: impl Into<String>) -> Self {
        self.r#type = Some(r#type.into());
        self
    }

    /// Sets whether this is the primary value.
    #[must_use]
    pub fn with_primary(mut self, primary: bool) -> Self {
        self.primary = Some(primary);
        self
    }
}

impl From<&str> for ScimValue {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<String> for ScimValue {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl From<ScimValue> for Value {
    fn from(value: ScimValue) -> Self {
        // Writing text, truth values and JSON cannot fail.
        serde_json::to_value(value).unwrap_or_default()
    }
}

/// A postal address of a user (RFC 7643 §4.1.2).
///
/// Every sub-attribute is optional, as in [`ScimValue`].
///
/// ```
/// use wats_scim::{ScimAddress, ScimUser};
///
/// let address = ScimAddress {
///     locality: Some("Trondheim".into()),
///     country: Some("NO".into()),
///     r#type: Some("work".into()),
///     ..ScimAddress::default()
/// };
/// let jane = ScimUser::new("jane@example.com").with_address(address);
/// assert_eq!(jane.addresses()?[0].country.as_deref(), Some("NO"));
/// # Ok::<(), wats_scim::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScimAddress {
    /// The full address, formatted for display or for a label; it may contain line breaks.
    pub formatted: Option<String>,
    /// The street, house number and post office box; it may contain line breaks.
    pub street_address: Option<String>,
    /// The city.
    pub locality: Option<String>,
    /// The state or region.
    pub region: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The country, in the two letters of ISO 3166-1.
    pub country: Option<String>,
    /// The type of address: `work`, `home` or `other`.
    pub r#type: Option<String>,
    /// Whether this is the primary address; at most one is.
    pub primary: Option<bool>,
    /// All other sub-attributes.
    pub attributes: Attributes,
}

json_object!(ScimAddress {
    "formatted" => formatted,
    "streetAddress" => street_address,
    "locality" => locality,
    "region" => region,
    "postalCode" => postal_code as identifier,
    "country" => country,
    "type" => r#type,
    "primary" => primary,
});

impl From<ScimAddress> for Value {
    fn from(address: ScimAddress) -> Self {
        // Writing text, truth values and JSON cannot fail.
        serde_json::to_value(address).unwrap_or_default()
    }
}
