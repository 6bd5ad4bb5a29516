//! Single values at their place in a resource, and the forms in which servers write them.

use serde_json::Value;

use super::members::{assigned, same_name};
use super::text::{same_characters, same_text};

/// The two values without what only one of them has around it: a list of one value, or a complex value
/// with a `value`. `None` if there is neither.
pub(super) fn simplified<'a>(one: &'a Value, other: &'a Value) -> Option<(&'a Value, &'a Value)> {
    let inner = |value: &'a Value| match value {
        Value::Array(values) => match values.as_slice() {
            [only] => Some(only),
            _ => None,
        },
        Value::Object(members) => assigned(members, "value"),
        _ => None,
    };
    match (one, other) {
        (Value::Array(_), _) => Some((inner(one)?, other)),
        (_, Value::Array(_)) => Some((one, inner(other)?)),
        (Value::Object(_), _) => Some((inner(one)?, other)),
        (_, Value::Object(_)) => Some((one, inner(other)?)),
        _ => None,
    }
}

/// The place of a value, which decides how its text is compared.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The attribute at the top level.
    attribute: &'a str,
    /// The innermost name.
    name: &'a str,
    /// Whether this is the name of the resource.
    is_name: bool,
}

impl<'a> Place<'a> {
    pub(super) fn of(attribute: &'a str) -> Self {
        Self { attribute, name: attribute, is_name: false }
    }

    /// The place of an attribute of a resource whose name is the attribute `named_by`.
    pub(super) fn named_by(named_by: &str, attribute: &'a str) -> Self {
        Self { is_name: same_name(named_by, attribute), ..Self::of(attribute) }
    }

    pub(super) fn member(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    pub(super) fn is_same(self, one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::String(one), Value::String(other)) => self.is_same_string(one, other),
            (Value::Bool(is_true), value) | (value, Value::Bool(is_true)) => truth(value) == Some(*is_true),
            (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
                number.to_string() == *text
            }
            // 1 and 1.0 are one number.
            (Value::Number(one), Value::Number(other)) if one.is_f64() != other.is_f64() => {
                one.as_f64() == other.as_f64()
            }
            (one, other) => one == other,
        }
    }

    /// RFC 7643 §8.7.1 declares no attribute of a user case-sensitive. User names and email addresses
    /// identify a person, and a `type` is one of few words (§2.4); in any other attribute, a change of
    /// letter case is a change that a client may want to write.
    fn is_same_string(self, one: &str, other: &str) -> bool {
        let is_in = |attribute: &str| same_name(attribute, self.attribute);
        if one == other {
            true
        } else if is_in("externalId") {
            // RFC 7643 §3.1
            false
        } else if self.is_name || is_in("userName") || is_in("emails") || self.is_type() {
            same_text(one, other)
        } else if is_in("phoneNumbers") && same_name(self.name, "value") {
            same_characters(without_scheme(one), without_scheme(other))
        } else {
            same_characters(one, other)
        }
    }

    /// Whether this is the `type` of a value. An extension may have another attribute of this name.
    fn is_type(self) -> bool {
        let is_extension = self.attribute.get(..4).is_some_and(|start| same_name(start, "urn:"));
        !is_extension && same_name(self.name, "type")
    }
}

/// A telephone number without the scheme of its URI (RFC 3966).
pub(super) fn without_scheme(number: &str) -> &str {
    match number.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel") => rest,
        _ => number,
    }
}

/// A truth value in any form that servers write: `true`, `"True"` or `1`.
///
/// ```
/// use serde_json::json;
/// use wats_scim_filter::json::truth;
///
/// assert_eq!([json!(true), json!("True"), json!(1)].map(|value| truth(&value)), [Some(true); 3]);
/// assert_eq!(truth(&json!("perhaps")), None);
/// ```
#[must_use]
pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is_true) => Some(*is_true),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::Number(number) => match number.as_u64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        _ => None,
    }
}
