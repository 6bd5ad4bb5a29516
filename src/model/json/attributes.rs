//! Attributes without a field in their model.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde_json::Value;
use wats_scim_filter::json;

use super::unparsed::Unparsed;
use crate::model::{EnterpriseUser, Extension};

/// Attributes without a field in their model, in the order of the JSON.
///
/// They include extensions, and are sent back to the server. Names match in any letter case (RFC
/// 7643 §2.1). `Debug` redacts the value of `password`.
///
/// ```
/// use serde_json::json;
/// use wats_scim::ScimUser;
///
/// let user: ScimUser = serde_json::from_value(json!({
///     "userName": "jane@example.com",
///     "badgeNumber": 7,
/// }))?;
/// assert_eq!(user.attributes.get("BADGENUMBER"), Some(&json!(7)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Attributes(Vec<(Name, Unparsed)>);

/// An attribute name. Names of common extensions are not allocated for each user.
pub(crate) type Name = Cow<'static, str>;

/// The enterprise extension and the WATS extension.
const COMMON: [&str; 2] = [EnterpriseUser::SCHEMA, "urn:ietf:params:scim:schemas:extension:custom:2.0:user"];

/// Returns the name in its stored form.
pub(crate) fn stored_name(name: &str) -> Name {
    COMMON.into_iter().find(|common| *common == name).map_or_else(|| name.to_owned().into(), Cow::Borrowed)
}

impl Attributes {
    /// Returns the value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.value())
    }

    /// Sets an attribute. An attribute with the same name in any letter case is replaced in place.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let (name, value) = (name.into(), Unparsed::from(value.into()));
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some((_, old)) => *old = value,
            None => self.push_new(Cow::Owned(name), value),
        }
    }

    /// The size up to which names are searched one by one. Beyond it, reading an object would take
    /// quadratic time, and a malicious server could keep a client busy for hours.
    const FEW: usize = 32;

    /// Adds a value while an object is read. Call [`deduplicate`](Self::deduplicate) at the end.
    pub(crate) fn push(&mut self, name: Name, value: Unparsed) {
        if self.0.len() <= Self::FEW
            && let Some((_, old)) = self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name))
        {
            *old = value;
            return;
        }
        self.push_new(name, value);
    }

    fn push_new(&mut self, name: Name, value: Unparsed) {
        // Most objects have at most one, and a page has hundreds of objects.
        if self.0.is_empty() {
            self.0.reserve_exact(1);
        }
        self.0.push((name, value));
    }

    /// Keeps the last value of each name, at the position of the first.
    pub(crate) fn deduplicate(&mut self) {
        if self.0.len() <= Self::FEW {
            return;
        }
        let mut positions = HashMap::new();
        let mut distinct: Vec<(Name, Unparsed)> = Vec::with_capacity(self.0.len());
        for (name, value) in std::mem::take(&mut self.0) {
            let position = *positions.entry(name.to_ascii_lowercase()).or_insert(distinct.len());
            match distinct.get_mut(position) {
                Some((_, old)) => *old = value,
                None => distinct.push((name, value)),
            }
        }
        self.0 = distinct;
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> &[(Name, Unparsed)] {
        &self.0
    }

    /// Removes an attribute and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(self.0.remove(at).1.into_value())
    }

    /// Iterates over names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value.value()))
    }

    /// Returns the number of attributes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no attributes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values, in order, none of which is read by that.
    pub(crate) fn unread(&self) -> impl Iterator<Item = (&str, &Unparsed)> {
        self.0.iter().map(|(name, held)| (&**name, held))
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, Shown::of(name, value)))).finish()
    }
}

/// Returns the member of an object with this name, in any letter case.
pub(crate) fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    json::member(object.as_object()?, name)
}

/// Whether an attribute, or a PATCH path, names a password: `password`, `newPassword`,
/// `urn:…:User:password`, `password.value`, `accounts[password eq "…"]`.
pub(crate) fn names_password(path: &str) -> bool {
    path.to_ascii_lowercase().contains("password")
}

/// A value for `Debug` output: any password is redacted, at any depth.
pub(crate) struct Shown<'a>(Option<&'a Value>);

impl<'a> Shown<'a> {
    pub(crate) fn of(name: &str, value: &'a Value) -> Self {
        Self((!names_password(name)).then_some(value))
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("[redacted]"),
            Some(Value::Object(map)) => {
                f.debug_map().entries(map.iter().map(|(name, value)| (name, Shown::of(name, value)))).finish()
            }
            Some(Value::Array(items)) => f.debug_list().entries(items.iter().map(|item| Shown(Some(item)))).finish(),
            Some(plain) => write!(f, "{plain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn setting_in_another_letter_case_replaces_in_place() {
        let mut attributes = Attributes::default();
        attributes.set("title", "Engineer");
        attributes.set("nickName", "J");
        attributes.set("TITLE", "Manager");
        let all: Vec<_> = attributes.iter().collect();
        assert_eq!(all, [("title", &json!("Manager")), ("nickName", &json!("J"))]);
    }

    #[test]
    fn setting_replaces_in_place_among_many_names() {
        let mut attributes = Attributes::default();
        for n in 0..2_000 {
            attributes.set(format!("a{n}"), n);
        }
        attributes.set("A7", "new");
        assert_eq!((attributes.len(), attributes.iter().nth(7)), (2_000, Some(("a7", &json!("new")))));
    }

    #[test]
    fn with_many_names_the_last_value_wins_at_the_first_position() {
        let lower = (0..100).map(|n| format!("\"a{n}\":{n}"));
        let upper = (50..60).map(|n| format!("\"A{n}\":true"));
        let text = format!("{{{},\"A7\":true}}", lower.chain(upper).collect::<Vec<_>>().join(","));
        let user: crate::ScimUser = serde_json::from_str(&text).unwrap();
        assert_eq!(user.attributes.len(), 100);
        let all: Vec<_> = user.attributes.iter().collect();
        assert_eq!((all[7], all[8], all[55]), (("a7", &json!(true)), ("a8", &json!(8)), ("a55", &json!(true))));
    }

    #[test]
    fn debug_redacts_a_password_at_any_depth() {
        let mut attributes = Attributes::default();
        attributes.set("Password", "canary");
        attributes.set("urn:x", json!([{ "password": "canary", "badge": 7 }]));
        let text = format!("{attributes:?}");
        assert!(!text.contains("canary") && text.contains('7'), "{text}");
    }
}
