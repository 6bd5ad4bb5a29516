//! The attributes that a model has no field for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde_json::Value;
use wats_scim_filter::json;

use super::unparsed::Held;
use crate::model::{EnterpriseUser, Extension};

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
pub struct Attributes(Vec<(Name, Held)>);

/// The name of an attribute. Common extensions cost no allocation for each user.
pub(crate) type Name = Cow<'static, str>;

/// The extensions that most servers have, and that of WATS.
const COMMON: [&str; 2] = [EnterpriseUser::SCHEMA, "urn:ietf:params:scim:schemas:extension:custom:2.0:user"];

/// A name as it is stored.
pub(crate) fn stored_name(name: &str) -> Name {
    COMMON.into_iter().find(|common| *common == name).map_or_else(|| name.to_owned().into(), Cow::Borrowed)
}

impl Attributes {
    /// The value of an attribute, named in any letter case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, held)| held.value())
    }

    /// Sets an attribute. One of the same name, in any letter case, is replaced in its place.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.hold(Cow::Owned(name.into()), Held::from(value.into()));
        self.settle();
    }

    /// How many are looked through for a name. With more, reading an object would take the square of
    /// its size, and a server could keep a client busy for hours.
    const FEW: usize = 32;

    /// Takes a value as it is read. [`settle`](Self::settle) follows once all are.
    pub(crate) fn hold(&mut self, name: Name, held: Held) {
        if self.0.len() <= Self::FEW
            && let Some((_, old)) = self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name))
        {
            *old = held;
            return;
        }
        // Most objects have one or none, and a page has hundreds of objects.
        if self.0.is_empty() {
            self.0.reserve_exact(1);
        }
        self.0.push((name, held));
    }

    /// Leaves of each name, in any letter case, the last value in the first place.
    pub(crate) fn settle(&mut self) {
        if self.0.len() <= Self::FEW {
            return;
        }
        let mut places = HashMap::new();
        let mut settled: Vec<(Name, Held)> = Vec::with_capacity(self.0.len());
        for (name, held) in std::mem::take(&mut self.0) {
            let place = *places.entry(name.to_ascii_lowercase()).or_insert(settled.len());
            match settled.get_mut(place) {
                Some((_, old)) => *old = held,
                None => settled.push((name, held)),
            }
        }
        self.0 = settled;
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> &[(Name, Held)] {
        &self.0
    }

    /// Takes an attribute out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(self.0.remove(at).1.into_value())
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, held)| (&**name, held.value()))
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

    /// Names and values, in order, none of which is read by that.
    pub(crate) fn unread(&self) -> impl Iterator<Item = (&str, &Held)> {
        self.0.iter().map(|(name, held)| (&**name, held))
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, Shown::of(name, value)))).finish()
    }
}

/// The member of an object with this name, in any letter case.
pub(crate) fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    json::member(object.as_object()?, name)
}

/// A value as `Debug` may show it: anything named `password` is hidden, at any depth.
pub(crate) struct Shown<'a>(Option<&'a Value>);

impl<'a> Shown<'a> {
    pub(crate) fn of(name: &str, value: &'a Value) -> Self {
        // A PATCH path may carry the schema: `urn:…:User:password`.
        let last = name.rsplit([':', '.']).next().unwrap_or(name);
        Self((!json::is_write_only(last)).then_some(value))
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
    fn of_many_names_too_the_last_value_counts_in_the_first_place() {
        let lower = (0..100).map(|n| format!("\"a{n}\":{n}"));
        let upper = (50..60).map(|n| format!("\"A{n}\":true"));
        let text = format!("{{{},\"A7\":true}}", lower.chain(upper).collect::<Vec<_>>().join(","));
        let user: crate::ScimUser = serde_json::from_str(&text).unwrap();
        assert_eq!(user.attributes.len(), 100);
        let all: Vec<_> = user.attributes.iter().collect();
        assert_eq!((all[7], all[8], all[55]), (("a7", &json!(true)), ("a8", &json!(8)), ("a55", &json!(true))));
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
