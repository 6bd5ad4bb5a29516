//! The members of a JSON object, by name in any letter case (RFC 7643 §2.1).

use serde_json::{Map, Value};

/// The member's name as it is written in the object.
pub(super) fn key(map: &Map<String, Value>, name: &str) -> Option<String> {
    if map.contains_key(name) {
        return Some(name.to_owned());
    }
    map.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

pub(super) fn get<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// Sets a member; one of the same name in another letter case is replaced in its place.
pub(super) fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    let key = key(map, name).unwrap_or_else(|| name.to_owned());
    map.insert(key, value);
}

/// Takes a member out; the others keep their order.
pub(super) fn take(map: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = key(map, name)?;
    map.shift_remove(&key)
}

/// The text of a member.
pub(super) fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    get(map, name).and_then(Value::as_str)
}

/// Whether a value is the same as none at all (RFC 7643 §2.5).
pub(super) fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Whether a message lists the schema in its `schemas`.
pub(super) fn declares(message: &Map<String, Value>, schema: &str) -> bool {
    get(message, "schemas")
        .and_then(Value::as_array)
        .is_some_and(|declared| declared.iter().filter_map(Value::as_str).any(|one| one.eq_ignore_ascii_case(schema)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn setting_in_another_letter_case_replaces() {
        let mut object = json!({"userName": "a"});
        set(object.as_object_mut().unwrap(), "USERNAME", "b".into());
        assert_eq!(object, json!({"userName": "b"}));
    }

    #[test]
    fn an_empty_array_is_no_value() {
        assert!(is_unassigned(&json!([])));
    }

    #[test]
    fn false_is_a_value() {
        assert!(!is_unassigned(&json!(false)));
    }
}
