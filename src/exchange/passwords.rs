//! The passwords that a request sets, which a server may repeat in its answer: "the password 's3cret' is too short".

use serde_json::Value;

use crate::model::json::names_password;

/// The passwords in the body of a request.
pub(super) fn passwords(body: &[u8]) -> Vec<String> {
    const NAME: &[u8] = b"password";

    let mut found = Vec::new();
    // Most bodies have none, and are not parsed.
    if body.windows(NAME.len()).any(|word| word.eq_ignore_ascii_case(NAME))
        && let Ok(body) = serde_json::from_slice(body)
    {
        find(&body, false, &mut found);
    }
    found
}

/// Finds the texts of attributes that name a password, also those that a PATCH operation sets by its path.
fn find(value: &Value, is_password: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_password => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| find(value, is_password, found)),
        Value::Object(object) => {
            let path = object.get("path").and_then(Value::as_str);
            let sets_password = path.is_some_and(names_password);
            for (name, value) in object {
                let is_value = sets_password && name == "value";
                find(value, is_password || is_value || names_password(name), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn passwords_are_found_wherever_a_request_sets_them() {
        for (body, expected) in [
            (json!({ "userName": "jane", "password": "s3cret" }), vec!["s3cret"]),
            (json!({ "urn:x": { "accounts": [{ "newPassword": "a" }, { "name": "b" }] } }), vec!["a"]),
            (json!({ "Operations": [{ "op": "replace", "path": "password", "value": "p" }] }), vec!["p"]),
            (json!({ "Operations": [{ "op": "replace", "value": { "Password": "p", "title": "t" } }] }), vec!["p"]),
            (json!({ "Operations": [{ "op": "add", "path": "title", "value": "password" }] }), vec![]),
            (json!({ "userName": "jane" }), vec![]),
        ] {
            assert_eq!(passwords(body.to_string().as_bytes()), expected, "{body}");
        }
        assert!(passwords(b"password").is_empty());
    }
}
