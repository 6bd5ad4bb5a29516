//! The effect of each operation on a user.

use serde_json::json;

use super::*;
use crate::standard::kinds::users;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn user() -> Value {
    json!({
        "id": "1",
        "userName": "jane",
        "title": "T",
        "name": {"givenName": "Jane", "familyName": "Doe"},
        "emails": [
            {"value": "w@x.io", "type": "work", "primary": true},
            {"value": "h@x.io", "type": "home"},
        ],
        ENTERPRISE: {"department": "Sales"},
    })
}

fn patched(operation: &Value) -> Result<Value, Refusal> {
    let message = json!({"schemas": [PATCH_SCHEMA], "Operations": [operation]});
    let user = user();
    apply(users().unwrap(), user.as_object().unwrap(), message.as_object().unwrap()).map(Value::Object)
}

fn rejected(operation: &Value) -> Option<&'static str> {
    patched(operation).unwrap_err().scim_type
}

#[test]
fn an_operation_ignores_letter_case() {
    let after = patched(&json!({"op": "Replace", "path": "TITLE", "value": "U"})).unwrap();
    assert_eq!(after["title"], "U");
}

#[test]
fn a_complex_value_keeps_other_sub_attributes() {
    let after = patched(&json!({"op": "replace", "path": "name", "value": {"givenName": "J"}})).unwrap();
    assert_eq!(after["name"], json!({"givenName": "J", "familyName": "Doe"}));
}

#[test]
fn a_value_without_a_path_is_a_set_of_attributes() {
    let after = patched(&json!({"op": "add", "value": {"nickName": "J", "name.givenName": "K"}})).unwrap();
    assert_eq!((&after["nickName"], &after["name"]["givenName"]), (&json!("J"), &json!("K")));
}

#[test]
fn adding_an_existing_value_changes_nothing() {
    let value = json!([{"value": "h@x.io", "type": "home"}]);
    assert_eq!(patched(&json!({"op": "add", "path": "emails", "value": value})).unwrap(), user());
}

#[test]
fn a_new_primary_value_replaces_the_old_primary() {
    let value = json!({"value": "n@x.io", "primary": true});
    let after = patched(&json!({"op": "add", "path": "emails", "value": value})).unwrap();
    assert_eq!(after["emails"][0]["primary"], false);
}

#[test]
fn a_value_path_selects_values() {
    let path = "emails[type eq \"home\"].value";
    let after = patched(&json!({"op": "replace", "path": path, "value": "n@x.io"})).unwrap();
    assert_eq!((&after["emails"][0]["value"], &after["emails"][1]["value"]), (&json!("w@x.io"), &json!("n@x.io")));
}

#[test]
fn a_value_path_removes_the_selected_values() {
    let after = patched(&json!({"op": "remove", "path": "emails[type eq \"work\"]"})).unwrap();
    assert_eq!(after["emails"], json!([{"value": "h@x.io", "type": "home"}]));
}

#[test]
fn a_value_path_that_selects_nothing_has_no_target() {
    let path = "emails[type eq \"other\"]";
    assert_eq!(rejected(&json!({"op": "remove", "path": path})), Some("noTarget"));
    assert_eq!(rejected(&json!({"op": "replace", "path": path, "value": {}})), Some("noTarget"));
}

#[test]
fn an_add_creates_the_value_that_the_filter_describes() {
    let path = "emails[type eq \"other\"].value";
    let after = patched(&json!({"op": "add", "path": path, "value": "o@x.io"})).unwrap();
    assert_eq!(after["emails"][2], json!({"type": "other", "value": "o@x.io"}));
}

#[test]
fn a_path_may_contain_its_schema() {
    let path = "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName";
    let after = patched(&json!({"op": "replace", "path": path, "value": "J"})).unwrap();
    assert_eq!(after["name"]["givenName"], "J");
}

#[test]
fn an_extension_is_reached_by_its_urn() {
    let path = format!("{ENTERPRISE}:department");
    let after = patched(&json!({"op": "replace", "path": path, "value": "Lab"})).unwrap();
    assert_eq!(after[ENTERPRISE], json!({"department": "Lab"}));
}

#[test]
fn an_extension_without_attributes_is_removed() {
    let path = format!("{ENTERPRISE}:department");
    let after = patched(&json!({"op": "remove", "path": path})).unwrap();
    assert_eq!(after.get(ENTERPRISE), None);
}

#[test]
fn a_whole_extension_can_be_a_target() {
    let value = json!({"costCenter": "7"});
    let after = patched(&json!({"op": "add", "path": ENTERPRISE, "value": value})).unwrap();
    assert_eq!(after[ENTERPRISE], json!({"department": "Sales", "costCenter": "7"}));
}

#[test]
fn a_remove_needs_a_path() {
    assert_eq!(rejected(&json!({"op": "remove"})), Some("noTarget"));
}

#[test]
fn read_only_attributes_cannot_be_changed() {
    assert_eq!(rejected(&json!({"op": "replace", "path": "id", "value": "2"})), Some("mutability"));
}

#[test]
fn required_attributes_cannot_be_removed() {
    assert_eq!(rejected(&json!({"op": "remove", "path": "userName"})), Some("mutability"));
}

#[test]
fn an_unknown_path_is_rejected() {
    assert_eq!(rejected(&json!({"op": "replace", "path": "fullName", "value": "J"})), Some("invalidPath"));
}

#[test]
fn an_unknown_operation_is_rejected() {
    assert_eq!(rejected(&json!({"op": "move", "path": "title", "value": "J"})), Some("invalidSyntax"));
}

#[test]
fn null_clears_an_attribute() {
    let after = patched(&json!({"op": "replace", "path": "title", "value": null})).unwrap();
    assert_eq!(after.get("title"), None);
}
