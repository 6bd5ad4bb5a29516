//! Reads and changes the members of an object.

use serde_json::{Map, Value};

/// The attributes that a server assigns (RFC 7643 §3.1), and `schemas`, which follows from the
/// attributes in use (§3).
const SERVER_ATTRIBUTES: [&str; 3] = ["schemas", "id", "meta"];

/// Whether two attribute names are the same. Letter case is ignored (RFC 7643 §2.1).
///
/// ```
/// assert!(wats_scim_filter::json::same_name("userName", "USERNAME"));
/// ```
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The name of a member in the spelling of the object. If the object has several spellings, the exact
/// one takes precedence.
///
/// ```
/// use wats_scim_filter::json::spelling;
///
/// let user = serde_json::json!({ "USERNAME": "jane" });
/// assert_eq!(spelling(user.as_object().unwrap(), "userName"), Some("USERNAME"));
/// ```
#[must_use]
pub fn spelling<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    entry(object, name).map(|(key, _)| key)
}

/// The member with this name, ignoring letter case. If the object has several spellings, the exact one
/// takes precedence.
///
/// ```
/// use serde_json::json;
/// use wats_scim_filter::json::member;
///
/// let user = json!({ "USERNAME": "jane", "title": null });
/// let user = user.as_object().unwrap();
/// assert_eq!(member(user, "userName"), Some(&json!("jane")));
/// assert_eq!(member(user, "title"), Some(&json!(null)));
/// assert_eq!(member(user, "nickName"), None);
/// ```
#[must_use]
pub fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    entry(object, name).map(|(_, value)| value)
}

fn entry<'a>(object: &'a Map<String, Value>, name: &str) -> Option<(&'a str, &'a Value)> {
    let exact = object.get_key_value(name);
    let found = exact.or_else(|| object.iter().find(|(key, _)| same_name(key, name)));
    found.map(|(key, value)| (key.as_str(), value))
}

/// The [`member`] with this name, unless it is unassigned: `null`, `[]` or `{}`.
///
/// ```
/// use wats_scim_filter::json::assigned;
///
/// let user = serde_json::json!({ "title": null, "emails": [] });
/// let user = user.as_object().unwrap();
/// assert_eq!((assigned(user, "title"), assigned(user, "emails")), (None, None));
/// ```
#[must_use]
pub fn assigned<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    member(object, name).filter(|value| !is_unassigned(value))
}

/// A mutable reference to the [`member`] with this name.
///
/// ```
/// use wats_scim_filter::json::member_mut;
///
/// let mut user = serde_json::json!({ "Active": true });
/// *member_mut(user.as_object_mut().unwrap(), "active").unwrap() = false.into();
/// assert_eq!(user["Active"], false);
/// ```
#[must_use]
pub fn member_mut<'a>(object: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Value> {
    let spelling = spelling(object, name)?.to_owned();
    object.get_mut(&spelling)
}

/// Sets a member. An existing member keeps its position and its spelling.
///
/// ```
/// use serde_json::json;
///
/// let mut user = json!({ "USERNAME": "jane", "active": true });
/// wats_scim_filter::json::set(user.as_object_mut().unwrap(), "userName", "joan".into());
/// assert_eq!(user, json!({ "USERNAME": "joan", "active": true }));
/// ```
pub fn set(object: &mut Map<String, Value>, name: &str, value: Value) {
    match member_mut(object, name) {
        Some(held) => *held = value,
        None => drop(object.insert(name.to_owned(), value)),
    }
}

/// Removes a member and returns its value. The other members keep their order.
///
/// ```
/// use serde_json::json;
///
/// let mut user = json!({ "USERNAME": "jane", "active": true });
/// let removed = wats_scim_filter::json::take(user.as_object_mut().unwrap(), "userName");
/// assert_eq!((removed, user), (Some(json!("jane")), json!({ "active": true })));
/// ```
pub fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let spelling = spelling(object, name)?.to_owned();
    object.shift_remove(&spelling)
}

/// Whether a value is unassigned: `null`, `[]` or `{}` (RFC 7643 §2.5).
///
/// ```
/// use serde_json::json;
/// use wats_scim_filter::json::is_unassigned;
///
/// assert!([json!(null), json!([]), json!({})].iter().all(is_unassigned));
/// assert!(![json!(false), json!(0), json!(""), json!([null])].iter().any(is_unassigned));
/// ```
#[must_use]
pub fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether a value is unassigned, or an object or a list in which every value is.
///
/// ```
/// use serde_json::json;
/// use wats_scim_filter::json::holds_nothing;
///
/// assert!(holds_nothing(&json!({ "name": { "givenName": null } })));
/// assert!(holds_nothing(&json!([null])));
/// assert!(!holds_nothing(&json!({ "name": { "givenName": "" } })));
/// ```
#[must_use]
pub fn holds_nothing(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().all(holds_nothing),
        Value::Object(members) => members.values().all(holds_nothing),
        value => is_unassigned(value),
    }
}

/// Whether the server controls an attribute at the top level of a resource: `id`, `meta` or `schemas`.
///
/// A client cannot write a difference in one of them.
///
/// ```
/// use wats_scim_filter::json::is_server_attribute;
///
/// assert!(is_server_attribute("META"));
/// assert!(!is_server_attribute("externalId"));
/// ```
#[must_use]
pub fn is_server_attribute(name: &str) -> bool {
    SERVER_ATTRIBUTES.iter().any(|known| same_name(known, name))
}

/// Whether an attribute is write-only: `password`, which is never returned (RFC 7643 §4.1.1).
///
/// A client cannot compare it with the value on the server.
///
/// ```
/// assert!(wats_scim_filter::json::is_write_only("Password"));
/// ```
#[must_use]
pub fn is_write_only(name: &str) -> bool {
    same_name(name, "password")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_exact_spelling_takes_precedence() {
        let mut twice = object(&json!({ "TITLE": 1, "title": 2 }));
        assert_eq!((member(&twice, "title"), member(&twice, "Title")), (Some(&json!(2)), Some(&json!(1))));
        assert_eq!((spelling(&twice, "title"), spelling(&twice, "Title")), (Some("title"), Some("TITLE")));
        set(&mut twice, "title", 3.into());
        assert_eq!(take(&mut twice, "title"), Some(json!(3)));
        assert_eq!(twice, object(&json!({ "TITLE": 1 })));
    }

    #[test]
    fn a_new_member_is_the_last_one() {
        let mut user = object(&json!({ "b": 1 }));
        set(&mut user, "a", 2.into());
        assert_eq!(user.keys().collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn removing_keeps_the_order() {
        let mut user = object(&json!({ "a": 1, "b": 2, "c": 3 }));
        assert_eq!(take(&mut user, "A"), Some(json!(1)));
        assert_eq!(user.keys().collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(take(&mut user, "x"), None);
    }

    #[test]
    fn only_ascii_letters_ignore_case() {
        assert!(!same_name("ä", "Ä"));
    }
}
