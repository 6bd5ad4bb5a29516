//! Selects and redacts the attributes of a write for its audit event.

use serde_json::{Map, Value};
use wats_scim_filter::PatchPath;
use wats_scim_filter::json::is_server_attribute;

use super::Attribute;
use crate::model::{PatchOp, ScimPatchRequest};

const REDACTED: &str = "[redacted]";

/// The attributes of a write.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) list: Vec<Attribute>,
    /// Whether one of them is a password.
    pub(super) have_password: bool,
    with_values: bool,
}

impl Attributes {
    pub(super) fn new(with_values: bool) -> Self {
        Self { with_values, ..Self::default() }
    }

    /// Adds the attributes of a whole resource, without those that belong to the server.
    pub(super) fn of_resource(mut self, resource: &Value) -> Self {
        let members = resource.as_object().into_iter().flatten();
        self.add_members(None, members.filter(|(name, _)| !is_server_attribute(name)));
        self
    }

    pub(super) fn of_patch(mut self, patch: &ScimPatchRequest) -> Self {
        for operation in &patch.operations {
            let op = Some(operation.op);
            match (operation.path.as_deref(), &operation.value) {
                (None, Some(Value::Object(members))) => self.add_members(op, members),
                (named, value) => self.add(op, named.unwrap_or_default(), value.as_ref()),
            }
        }
        if !self.with_values {
            // A hundred members are equal without their ids.
            self.list.dedup();
        }
        self
    }

    /// Adds the members of an object. Members of an extension are attributes, too (RFC 7643 §3.3).
    fn add_members<'a>(&mut self, op: Option<PatchOp>, members: impl IntoIterator<Item = (&'a String, &'a Value)>) {
        for (name, value) in members {
            match value {
                Value::Object(extension) if name.get(..4).is_some_and(|urn| urn.eq_ignore_ascii_case("urn:")) => {
                    for (inner, value) in extension {
                        self.add(op, &format!("{name}:{inner}"), Some(value));
                    }
                }
                _ => self.add(op, name, Some(value)),
            }
        }
    }

    fn add(&mut self, op: Option<PatchOp>, path: &str, value: Option<&Value>) {
        self.have_password |= is_password(path) || value.is_some_and(has_password);
        let says = |value: &&Value| self.with_values || is_state(path, value);
        let (path, value) = redacted(path, value.filter(says), self.with_values);
        self.list.push(Attribute { op, path, value });
    }
}

/// Whether a value only says whether a user can sign in: without it, a deactivation reads like an activation.
fn is_state(path: &str, value: &Value) -> bool {
    value.is_boolean() && path.rsplit(':').next().is_some_and(|name| name.eq_ignore_ascii_case("active"))
}

/// Whether `password` is anywhere in a path, also in a filter.
fn is_password(path: &str) -> bool {
    path.to_ascii_lowercase().contains("password")
}

fn has_password(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| is_password(name) || has_password(value)),
        Value::Array(items) => items.iter().any(has_password),
        _ => false,
    }
}

/// Redacts a path and its value.
fn redacted(path: &str, value: Option<&Value>, with_values: bool) -> (String, Option<Value>) {
    let is_password = is_password(path);
    let path = if with_values && !is_password { path.to_owned() } else { without_filter(path) };
    (path, value.map(|value| if is_password { REDACTED.into() } else { redacted_value(value) }))
}

fn redacted_value(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let redacted = members.iter().map(|(name, value)| redacted(name, Some(value), true));
            redacted.map(|(name, value)| (name, value.unwrap_or_default())).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(redacted_value).collect(),
        plain => plain.clone(),
    }
}

/// A path without its filter, which can contain values; if it is not valid, its valid beginning.
pub(crate) fn without_filter(path: &str) -> String {
    match path.parse::<PatchPath>() {
        Ok(path) => path.without_filter().to_string(),
        Err(_) => path.chars().take_while(|c| c.is_ascii_alphanumeric() || ":._-$".contains(*c)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn as_json(attributes: &Attributes) -> Value {
        serde_json::to_value(&attributes.list).unwrap()
    }

    #[test]
    fn a_resource_is_recorded_by_its_attribute_names() {
        let user = json!({
            "schemas": ["s"], "ID": "1", "meta": {}, "userName": "jane", "emails": [{ "value": "j@x" }],
            "urn:x:2.0:User": { "levels": "a", "rooms": "b" },
        });
        let attributes = Attributes::new(false).of_resource(&user);
        assert_eq!(
            as_json(&attributes),
            json!([
                { "path": "userName" }, { "path": "emails" },
                { "path": "urn:x:2.0:User:levels" }, { "path": "urn:x:2.0:User:rooms" },
            ])
        );
        assert!(!attributes.have_password);
    }

    #[test]
    fn values_are_recorded_if_allowed() {
        let user = json!({ "userName": "jane", "urn:x:2.0:User": { "levels": null } });
        assert_eq!(
            as_json(&Attributes::new(true).of_resource(&user)),
            json!([{ "path": "userName", "value": "jane" }, { "path": "urn:x:2.0:User:levels", "value": null }])
        );
    }

    #[test]
    fn a_patch_is_recorded_by_its_operations() {
        let patch: ScimPatchRequest = serde_json::from_value(json!({ "Operations": [
            { "op": "remove", "path": "members[value eq \"canary1\"]" },
            { "op": "remove", "path": "members[value eq \"canary2\"]" },
            { "op": "add", "path": "emails[type eq \"canary3\"].value", "value": "canary4" },
            { "op": "replace", "value": { "active": false, "urn:x:User": { "levels": "canary5" } } },
            { "op": "replace", "path": "title eq \"canary6\"", "value": "canary7" },
        ] }))
        .unwrap();
        assert_eq!(
            as_json(&Attributes::new(false).of_patch(&patch)),
            json!([
                { "op": "remove", "path": "members" }, { "op": "add", "path": "emails.value" },
                { "op": "replace", "path": "active", "value": false }, { "op": "replace", "path": "urn:x:User:levels" },
                { "op": "replace", "path": "title" },
            ])
        );
        let text = as_json(&Attributes::new(true).of_patch(&patch)).to_string();
        assert!((1..=7).all(|n| text.contains(&format!("canary{n}"))), "{text}");
    }

    #[test]
    fn a_password_is_never_recorded() {
        let patch: ScimPatchRequest = serde_json::from_value(json!({ "Operations": [
            { "op": "replace", "path": "password", "value": "canary" },
            { "op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:PassWord", "value": "canary" },
            { "op": "replace", "path": "account.password", "value": { "is": "canary" } },
            { "op": "replace", "path": "password.value", "value": "canary" },
            { "op": "replace", "path": "password[type eq \"canary\"]", "value": "canary" },
            { "op": "remove", "path": "accounts[password eq \"canary\"].id" },
            { "op": "remove", "path": "accounts[password eq canary" },
            { "op": "replace", "path": " password", "value": "canary" },
            { "op": "add", "path": "accounts", "value": [{ "Password": "canary", "[password eq canary]": "canary" }] },
            { "op": "add", "value": { "PASSWORD": "canary", "urn:x:User": { "password": "canary" } } },
        ] }))
        .unwrap();
        for operation in &patch.operations {
            let alone = ScimPatchRequest::new().with(operation.clone());
            assert!(Attributes::new(false).of_patch(&alone).have_password, "{operation:?}");
        }
        for with_values in [false, true] {
            let text = as_json(&Attributes::new(with_values).of_patch(&patch)).to_string();
            assert!(!text.contains("canary"), "{text}");
            assert_eq!(text.contains(REDACTED), with_values, "{text}");
        }
        let user = json!({ "password": "canary", "x": [{ "newPassword": "canary" }], "badge": 7 });
        let text = as_json(&Attributes::new(true).of_resource(&user)).to_string();
        assert!(!text.contains("canary") && text.contains('7'), "{text}");
    }
}
