//! Sample users.

use serde_json::{Map, Value, json};

/// The schema of a user (RFC 7643 §4.1).
pub(crate) const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The sample user with this number, in the form of a create.
pub(super) fn user(number: usize) -> Map<String, Value> {
    let user_name = format!("user{number:04}@example.com");
    let family_name = format!("User {number:04}");
    let display_name = format!("Sample {family_name}");
    let user = json!({
        "schemas": [USER_SCHEMA],
        "userName": user_name,
        "externalId": format!("ext-{number:04}"),
        "name": {
            "formatted": display_name,
            "familyName": family_name,
            "givenName": "Sample",
        },
        "displayName": display_name,
        "emails": [{"value": user_name, "type": "work", "primary": true}],
        "active": true,
    });
    match user {
        Value::Object(user) => user,
        _ => Map::new(),
    }
}
