//! PATCH in WATS, a subset of RFC 7644 §3.5.2.

use serde_json::{Map, Value, json};
use wats_scim_filter::json::member;

use super::restrictions::Restriction;
use crate::message::{boolean, require_schema, text};
use crate::refusal::Refusal;

/// The roles that exist.
pub(super) const ROLES: &[&str] = &["Administrator", "Manager", "Operator", "Viewer"];

const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The user after all operations of `message`; an error if one of them is rejected.
///
/// `user` itself is not changed, which makes a patch atomic (RFC 7644 §3.5.2).
pub(super) fn apply(user: &Map<String, Value>, message: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let mut patched = user.clone();
    for operation in operations(message)? {
        perform(&mut patched, operation)?;
    }
    Ok(patched)
}

fn operations(message: &Map<String, Value>) -> Result<&[Value], Refusal> {
    require_schema(message, PATCH_SCHEMA)?;
    match member(message, "Operations") {
        Some(Value::Array(operations)) if !operations.is_empty() => Ok(operations),
        _ => Err(Refusal::invalid_syntax("Operations must be an array with at least one operation")),
    }
}

fn perform(user: &mut Map<String, Value>, operation: &Value) -> Result<(), Refusal> {
    let operation = operation.as_object().ok_or_else(|| Refusal::invalid_syntax("an operation must be an object"))?;
    match text(operation, "op") {
        Some(op) if op.eq_ignore_ascii_case("replace") => {}
        _ => return Err(Refusal::invalid_syntax("op must be 'replace'")),
    }
    let path = text(operation, "path").ok_or_else(|| Refusal::invalid_path("an operation must have a path"))?;
    replace(user, path, member(operation, "value"))
}

fn replace(user: &mut Map<String, Value>, path: &str, value: Option<&Value>) -> Result<(), Refusal> {
    let text = || {
        value
            .and_then(Value::as_str)
            .ok_or_else(|| Refusal::invalid_value(format!("the value of {path} must be a string")))
    };
    match path.to_ascii_lowercase().as_str() {
        "fullname" => {
            let full_name = text()?;
            set_name(user, "formatted", full_name);
            user.insert("displayName".to_owned(), full_name.into());
        }
        "displayname" => {
            user.insert("displayName".to_owned(), text()?.into());
        }
        "familyname" => set_name(user, "familyName", text()?),
        "givenname" => set_name(user, "givenName", text()?),
        "email" => set_email(user, text()?),
        "roles" => {
            let role = text()?;
            if !ROLES.contains(&role) {
                return Err(Refusal::invalid_value(format!("roles: '{role}' does not exist")));
            }
            user.insert("roles".to_owned(), json!([{"value": role}]));
        }
        "active" => {
            let active = value
                .and_then(boolean)
                .ok_or_else(|| Refusal::invalid_value("the value of active must be true or false"))?;
            user.insert("active".to_owned(), active.into());
        }
        "levels" => Restriction::Level.add(user, text()?)?,
        "productgroups" => Restriction::ProductGroup.add(user, text()?)?,
        _ => {
            return Err(Refusal::invalid_path(format!(
                "'{path}' cannot be patched; the paths are fullName, familyName, givenName, \
                 email, roles, active, levels, productGroups and displayName"
            )));
        }
    }
    Ok(())
}

fn set_name(user: &mut Map<String, Value>, part: &str, text: &str) {
    let name = user.entry("name").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(name) = name {
        name.insert(part.to_owned(), text.into());
    }
}

fn set_email(user: &mut Map<String, Value>, address: &str) {
    let emails = user.entry("emails").or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(emails) = emails else { return };
    if let Some(Value::Object(first)) = emails.first_mut() {
        first.insert("value".to_owned(), address.into());
    } else {
        let first = json!({"value": address, "type": "work", "primary": true});
        emails.insert(0, first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wats::restrictions::EXTENSION;

    /// A user before and after one operation.
    fn patched(operation: &Value) -> Result<Value, Refusal> {
        patched_by(&json!([operation]))
    }

    fn patched_by(operations: &Value) -> Result<Value, Refusal> {
        let user = json!({"schemas": [], "userName": "jane", "active": true});
        let message = json!({"schemas": [PATCH_SCHEMA], "Operations": operations});
        apply(user.as_object().unwrap(), message.as_object().unwrap()).map(Value::Object)
    }

    fn rejected(operation: &Value) -> &'static str {
        patched(operation).unwrap_err().scim_type.unwrap()
    }

    #[test]
    fn active_accepts_a_boolean() {
        let user = patched(&json!({"op": "replace", "path": "active", "value": false}));
        assert_eq!(user.unwrap()["active"], false);
    }

    #[test]
    fn active_accepts_the_strings_of_entra_id() {
        let user = patched(&json!({"op": "Replace", "path": "active", "value": "False"}));
        assert_eq!(user.unwrap()["active"], false);
    }

    #[test]
    fn active_rejects_other_strings() {
        let operation = json!({"op": "replace", "path": "active", "value": "no"});
        assert_eq!(rejected(&operation), "invalidValue");
    }

    #[test]
    fn a_path_ignores_letter_case() {
        let user = patched(&json!({"op": "replace", "path": "DISPLAYNAME", "value": "J"}));
        assert_eq!(user.unwrap()["displayName"], "J");
    }

    #[test]
    fn full_name_is_the_formatted_name_and_the_display_name() {
        let user = patched(&json!({"op": "replace", "path": "fullName", "value": "Jane Doe"}));
        let user = user.unwrap();
        assert_eq!(user["name"]["formatted"], "Jane Doe");
        assert_eq!(user["displayName"], "Jane Doe");
    }

    #[test]
    fn given_name_and_family_name_are_parts_of_the_name() {
        let user = patched_by(&json!([
            {"op": "replace", "path": "givenName", "value": "Jane"},
            {"op": "replace", "path": "familyName", "value": "Doe"},
        ]));
        assert_eq!(user.unwrap()["name"], json!({"givenName": "Jane", "familyName": "Doe"}));
    }

    #[test]
    fn email_is_the_first_of_the_emails() {
        let user = patched(&json!({"op": "replace", "path": "email", "value": "j@x.io"}));
        assert_eq!(user.unwrap()["emails"], json!([{"value": "j@x.io", "type": "work", "primary": true}]));
    }

    #[test]
    fn roles_accepts_a_known_role() {
        let user = patched(&json!({"op": "replace", "path": "roles", "value": "Viewer"}));
        assert_eq!(user.unwrap()["roles"], json!([{"value": "Viewer"}]));
    }

    #[test]
    fn an_unknown_role_is_rejected() {
        let operation = json!({"op": "replace", "path": "roles", "value": "Emperor"});
        assert_eq!(rejected(&operation), "invalidValue");
    }

    #[test]
    fn levels_are_only_ever_added() {
        let user = patched_by(&json!([
            {"op": "replace", "path": "levels", "value": "Level 2;Level 1"},
            {"op": "replace", "path": "levels", "value": "Level 3; Level 1"},
        ]));
        assert_eq!(user.unwrap()[EXTENSION]["levels"], "Level 2;Level 1;Level 3");
    }

    #[test]
    fn an_empty_value_removes_no_level() {
        let user = patched_by(&json!([
            {"op": "replace", "path": "levels", "value": "Level 2"},
            {"op": "replace", "path": "levels", "value": ""},
        ]));
        assert_eq!(user.unwrap()[EXTENSION]["levels"], "Level 2");
    }

    #[test]
    fn a_product_group_must_exist() {
        let operation = json!({"op": "replace", "path": "productGroups", "value": "Group Z"});
        assert_eq!(rejected(&operation), "invalidValue");
    }

    #[test]
    fn the_extension_is_declared_once_it_is_used() {
        let user = patched(&json!({"op": "replace", "path": "productGroups", "value": "Group A"}));
        assert_eq!(user.unwrap()["schemas"], json!([EXTENSION]));
    }

    #[test]
    fn only_replace_is_supported() {
        let operation = json!({"op": "add", "path": "displayName", "value": "J"});
        assert_eq!(rejected(&operation), "invalidSyntax");
    }

    #[test]
    fn a_path_with_a_value_filter_is_rejected() {
        let operation = json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "j@x.io"});
        assert_eq!(rejected(&operation), "invalidPath");
    }

    #[test]
    fn an_operation_without_a_path_is_rejected() {
        let operation = json!({"op": "replace", "value": {"displayName": "J"}});
        assert_eq!(rejected(&operation), "invalidPath");
    }

    #[test]
    fn null_is_not_a_value() {
        let operation = json!({"op": "replace", "path": "displayName", "value": null});
        assert_eq!(rejected(&operation), "invalidValue");
    }

    #[test]
    fn a_patch_without_operations_is_rejected() {
        let refusal = patched_by(&json!([])).unwrap_err();
        assert_eq!(refusal.scim_type, Some("invalidSyntax"));
    }

    #[test]
    fn a_message_without_its_schema_is_rejected() {
        let message = json!({"Operations": [{"op": "replace", "path": "active", "value": true}]});
        let refusal = apply(&Map::new(), message.as_object().unwrap()).unwrap_err();
        assert_eq!(refusal.scim_type, Some("invalidSyntax"));
    }
}
