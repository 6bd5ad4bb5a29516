//! The types of the attributes of a user (RFC 7643 §4.1, §4.3 and §8.7.1).

use std::fmt;

use serde_json::Value;
use wats_scim_filter::json::{is_unassigned, member, same_name, truth};

use super::error::quoted;
use crate::model::{EnterpriseUser, Extension};
use crate::wats::WatsUser;

/// The type of an attribute.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Truth,
    Object(Members),
    List(&'static Kind),
}

use Kind::{List, Object, Text, Truth};

pub(super) type Members = &'static [(&'static str, Kind)];

pub(super) const USER: Members = &[
    ("schemas", List(&Text)),
    ("id", Text),
    ("externalId", Text),
    ("meta", Object(META)),
    ("userName", Text),
    ("name", Object(NAME)),
    ("displayName", Text),
    ("nickName", Text),
    ("profileUrl", Text),
    ("title", Text),
    ("userType", Text),
    ("preferredLanguage", Text),
    ("locale", Text),
    ("timezone", Text),
    ("active", Truth),
    ("password", Text),
    ("emails", List(&Object(PLURAL))),
    ("phoneNumbers", List(&Object(PLURAL))),
    ("ims", List(&Object(PLURAL))),
    ("photos", List(&Object(PLURAL))),
    ("addresses", List(&Object(PLURAL))),
    ("groups", List(&Object(PLURAL))),
    ("entitlements", List(&Object(PLURAL))),
    ("roles", List(&Object(PLURAL))),
    ("x509Certificates", List(&Object(PLURAL))),
    (EnterpriseUser::SCHEMA, Object(ENTERPRISE)),
    (WatsUser::SCHEMA, Object(WATS)),
];

const META: Members =
    &[("resourceType", Text), ("created", Text), ("lastModified", Text), ("location", Text), ("version", Text)];

pub(super) const NAME: Members = &[
    ("formatted", Text),
    ("familyName", Text),
    ("givenName", Text),
    ("middleName", Text),
    ("honorificPrefix", Text),
    ("honorificSuffix", Text),
];

/// The sub-attributes of every multi-valued attribute (RFC 7643 §2.4), and those of an address.
const PLURAL: Members = &[
    ("value", Text),
    ("display", Text),
    ("type", Text),
    ("primary", Truth),
    ("$ref", Text),
    ("formatted", Text),
    ("streetAddress", Text),
    ("locality", Text),
    ("region", Text),
    ("postalCode", Text),
    ("country", Text),
];

pub(super) const ENTERPRISE: Members = &[
    ("employeeNumber", Text),
    ("costCenter", Text),
    ("organization", Text),
    ("division", Text),
    ("department", Text),
    ("manager", Object(MANAGER)),
];

/// The last two are not in RFC 7643: a source names a manager by them, and a plan puts the id in their place.
const MANAGER: Members =
    &[("value", Text), ("$ref", Text), ("displayName", Text), ("userName", Text), ("externalId", Text)];

/// A group, as SCIM or as [`DesiredGroup`](crate::plan::DesiredGroup) has it (RFC 7643 §4.2).
const GROUP: Members = &[
    ("schemas", List(&Text)),
    ("id", Text),
    ("externalId", Text),
    ("meta", Object(META)),
    ("displayName", Text),
    ("members", List(&Object(MEMBER))),
];

const MEMBER: Members = &[
    ("value", Text),
    ("id", Text),
    ("externalId", Text),
    ("userName", Text),
    ("displayName", Text),
    ("name", Text),
    ("display", Text),
    ("type", Text),
    ("$ref", Text),
];

pub(super) const WATS: Members = &[("levels", Text), ("productGroups", Text)];

/// Finds an attribute by its name in any letter case (RFC 7643 §2.1), in the schema's spelling.
pub(super) fn find(members: Members, name: &str) -> Option<&'static (&'static str, Kind)> {
    members.iter().find(|(known, _)| same_name(known, name))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Text => "text",
            Truth => "true or false",
            Object(_) => "an object",
            List(_) => "a list",
        })
    }
}

/// Returns the type errors of a user. Attributes of unknown schemas can have any type.
pub(super) fn type_errors(user: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check("", Object(USER), user, &mut found);
    found.dedup();
    found
}

/// Returns the type errors of a group, and the names that a group or a member does not have: they would be
/// lost.
pub(super) fn group_errors(group: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check("", Object(GROUP), group, &mut found);
    let unknown = |what: &str, value: &Value, members: Members, found: &mut Vec<String>| {
        let names = value.as_object().into_iter().flatten().map(|(name, _)| name);
        let unknown = names.filter(|name| find(members, name).is_none());
        found.extend(unknown.map(|name| format!("unknown attribute {} of {what}", quoted(name))));
    };
    unknown("the group", group, GROUP, &mut found);
    let members = group.as_object().and_then(|group| member(group, "members")).and_then(Value::as_array);
    members.into_iter().flatten().for_each(|member| unknown("a member", member, MEMBER, &mut found));
    found.dedup();
    found
}

fn check(path: &str, kind: Kind, value: &Value, found: &mut Vec<String>) {
    // An empty object instead of a string would be sent unchanged.
    if is_unassigned(value) && !value.is_object() {
        return;
    }
    if !kind.fits(value) {
        found.push(format!("{path} is not {kind}"));
    }
    match (kind, value) {
        (Object(members), Value::Object(object)) => {
            for (name, value) in object {
                let Some((name, kind)) = find(members, name) else { continue };
                // Attributes of an extension are named without its URN.
                let is_plain = path.is_empty() || path.starts_with("urn:");
                check(&if is_plain { (*name).to_owned() } else { format!("{path}.{name}") }, *kind, value, found);
            }
        }
        (List(kind), Value::Array(items)) => {
            for item in items {
                if kind.fits(item) {
                    check(path, *kind, item, found);
                } else {
                    found.push(format!("{path} has a value that is not {kind}"));
                }
            }
        }
        _ => {}
    }
}

/// Replaces truth values that are text, such as `"True"`, by truth values. Servers would be sent the text
/// otherwise, since only some of them are fields of the models.
pub(super) fn read_truths(user: &mut Value) {
    read_truths_of(Object(USER), user);
}

fn read_truths_of(kind: Kind, value: &mut Value) {
    match (kind, value) {
        (Truth, value) => {
            if let Some(is_true) = truth(value).filter(|_| value.is_string()) {
                *value = is_true.into();
            }
        }
        (Object(members), Value::Object(object)) => {
            for (name, value) in object {
                if let Some((_, kind)) = find(members, name) {
                    read_truths_of(*kind, value);
                }
            }
        }
        (List(kind), Value::Array(items)) => items.iter_mut().for_each(|item| read_truths_of(*kind, item)),
        _ => {}
    }
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Text, Value::String(_))
            | (Truth, Value::Bool(_))
            | (Object(_), Value::Object(_))
            | (List(_), Value::Array(_)) => true,
            (Truth, Value::String(_)) => truth(value).is_some(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    /// A value of this type.
    fn sample(kind: Kind) -> Value {
        match kind {
            Text => "x".into(),
            Truth => true.into(),
            List(item) => vec![sample(*item)].into(),
            Object(members) => {
                members.iter().map(|(name, kind)| ((*name).to_owned(), sample(*kind))).collect::<Map<_, _>>().into()
            }
        }
    }

    /// The JSON pointers to all values of an object.
    fn pointers(value: &Value, at: &str) -> Vec<String> {
        let inner: Vec<(String, &Value)> = match value {
            Value::Object(object) => object.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
            Value::Array(items) => vec![(format!("{at}/0"), &items[0])],
            _ => Vec::new(),
        };
        inner.into_iter().flat_map(|(at, value)| [vec![at.clone()], pointers(value, &at)].concat()).collect()
    }

    #[test]
    fn every_known_attribute_is_checked_at_every_level() {
        let user = sample(Object(USER));
        assert_eq!(type_errors(&user), Vec::<String>::new());
        let pointers = pointers(&user, "");
        assert!(pointers.len() > 100, "{pointers:?}");
        for pointer in pointers {
            let mut odd = user.clone();
            *odd.pointer_mut(&pointer).unwrap() = 7.into();
            assert_eq!(type_errors(&odd).len(), 1, "{pointer}");
        }
    }

    #[test]
    fn a_type_error_is_named_by_its_path() {
        let user = json!({
            "USERNAME": ["jane"], "active": "perhaps", "name": { "givenname": 7 }, "displayName": {},
            "emails": [{ "value": "j@x", "primary": "no" }, "k@x"], "photos": {}, "roles": [null, []],
            EnterpriseUser::SCHEMA: { "manager": { "value": 1 }, "department": true }, WatsUser::SCHEMA: "Level 1",
        });
        let expected = [
            "userName is not text",
            "active is not true or false",
            "name.givenName is not text",
            "displayName is not text",
            "emails.primary is not true or false",
            "emails has a value that is not an object",
            "photos is not a list",
            "roles has a value that is not an object",
            "manager.value is not text",
            "department is not text",
            "urn:ietf:params:scim:schemas:extension:custom:2.0:user is not an object",
        ];
        assert_eq!(type_errors(&user), expected);
    }

    #[test]
    fn unassigned_and_unknown_attributes_are_valid() {
        let user = json!({
            "userName": "jane", "title": null, "emails": [], "name": [], "active": "True", "badge": 7,
            "name.x": 7, "roles": [{ "value": "Viewer", "primary": null, "floor": 3 }], "urn:x:2.0:User": { "title": 7 },
        });
        assert_eq!(type_errors(&user), Vec::<String>::new());
    }
}
