//! The attributes that a model has no field for.

use std::fmt;

use serde_json::Value;

use super::held::Held;

/// Attributes without a field of their own, in the order they came in.
///
/// Models keep here what they do not know, extensions among it, and send it back. Names match in
/// any letter case (RFC 7643 §2.1). `Debug` hides the value of `password`.
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
pub struct Attributes(Vec<(String, Held)>);

impl Attributes {
    /// The value of an attribute, named in any letter case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, held)| held.value())
    }

    /// Sets an attribute. One of the same name, in any letter case, is replaced in its place.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.hold(name.into(), Held::from(value.into()));
    }

    pub(crate) fn hold(&mut self, name: String, held: Held) {
        if let Some((_, old)) = self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            *old = held;
            return;
        }
        // Most objects have one or none, and a page has hundreds of objects.
        if self.0.is_empty() {
            self.0.reserve_exact(1);
        }
        self.0.push((name, held));
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> &[(String, Held)] {
        &self.0
    }

    /// Takes an attribute out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(self.0.remove(at).1.into_value())
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, held)| (name.as_str(), held.value()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, Shown::of(name, value)))).finish()
    }
}

/// A value as `Debug` may show it: anything named `password` is hidden, at any depth.
pub(crate) struct Shown<'a>(Option<&'a Value>);

impl<'a> Shown<'a> {
    pub(crate) fn of(name: &str, value: &'a Value) -> Self {
        // A PATCH path may carry the schema: `urn:…:User:password`.
        let last = name.rsplit([':', '.']).next().unwrap_or(name);
        Self((!last.eq_ignore_ascii_case("password")).then_some(value))
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
    fn debug_hides_a_password_at_any_depth() {
        let mut attributes = Attributes::default();
        attributes.set("Password", "canary");
        attributes.set("urn:x", json!([{ "password": "canary", "badge": 7 }]));
        let text = format!("{attributes:?}");
        assert!(!text.contains("canary") && text.contains('7'), "{text}");
    }
}
