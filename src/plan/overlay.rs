//! A user as it is on the server, with what the source says put over it.

use serde_json::{Map, Value};

use crate::difference::{is_unassigned, member};
use crate::filter::AttributePath;

/// What the source has no say in: the server's own, and what the server never shows, so that
/// nobody can tell whether it differs.
const LEFT_ALONE: [&str; 4] = ["id", "meta", "schemas", "password"];

pub(super) fn is_ours(name: &str) -> bool {
    !LEFT_ALONE.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// Whether `held` has what `desired` says, and nothing that `clears` names and `desired` does not
/// say.
pub(super) fn is_met(held: &Map<String, Value>, desired: &Map<String, Value>, clears: &[String]) -> bool {
    let has = |(name, value): (&String, &Value)| {
        !is_ours(name) || says_nothing(value) || member(held, name).is_some_and(|held| agrees(name, value, held))
    };
    let is_clear = |path: &String| value_at(held, path).is_none() || value_at(desired, path).is_some();
    desired.iter().all(has) && clears.iter().all(is_clear)
}

/// `held` with what `desired` says, and without what `clears` names and `desired` does not say.
/// What agrees stays as the server has it.
pub(super) fn overlaid(
    held: &Map<String, Value>,
    desired: &Map<String, Value>,
    clears: &[String],
) -> Map<String, Value> {
    let mut user = held.clone();
    desired.iter().filter(|(name, _)| is_ours(name)).for_each(|(name, value)| put(&mut user, name, name, value));
    for path in clears {
        if value_at(desired, path).is_none() {
            remove(&mut user, path);
        }
    }
    user
}

fn put(user: &mut Map<String, Value>, path: &str, name: &str, desired: &Value) {
    if says_nothing(desired) {
        return;
    }
    let known = user.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
    match known.and_then(|known| user.get_mut(&known)) {
        Some(held) if agrees(path, desired, held) => {}
        Some(Value::Object(held)) if desired.is_object() => {
            desired.as_object().into_iter().flatten().for_each(|(name, value)| put(held, path, name, value));
        }
        Some(held) => *held = desired.clone(),
        None => drop(user.insert(name.to_owned(), desired.clone())),
    }
}

/// Whether nothing is assigned in a value: it is null, or empty, or has only such parts.
pub(super) fn says_nothing(value: &Value) -> bool {
    is_unassigned(value) || value.as_object().is_some_and(|parts| parts.values().all(says_nothing))
}

/// Whether the server has what the source says. It may have more: types, displays, references.
pub(super) fn agrees(path: &str, desired: &Value, held: &Value) -> bool {
    match (desired, held) {
        (Value::Object(desired), Value::Object(held)) => desired.iter().all(|(name, value)| {
            says_nothing(value) || member(held, name).is_some_and(|held| agrees(path, value, held))
        }),
        (Value::Array(desired), Value::Array(held)) => {
            desired.len() == held.len()
                && desired.iter().all(|value| held.iter().any(|held| agrees(path, value, held)))
                && held.iter().all(|held| desired.iter().any(|value| agrees(path, value, held)))
        }
        // User names and addresses are the same in any letter case (RFC 7643 §8.7.1).
        (Value::String(desired), Value::String(held)) if ["userName", "emails"].iter().any(|name| is(path, name)) => {
            desired == held || desired.to_lowercase() == held.to_lowercase()
        }
        _ => desired == held,
    }
}

fn is(path: &str, name: &str) -> bool {
    path.eq_ignore_ascii_case(name)
}

/// The value at a path: that of an attribute, of a whole extension, or of what is in either.
pub(super) fn value_at<'a>(user: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = member(user, path) {
        return Some(value);
    }
    let path: AttributePath = path.parse().ok()?;
    let holder = match path.schema() {
        Some(schema) => member(user, schema)?.as_object()?,
        None => user,
    };
    let value = member(holder, path.name())?;
    match path.sub_attribute() {
        Some(sub) => member(value.as_object()?, sub),
        None => Some(value),
    }
}

fn remove(user: &mut Map<String, Value>, path: &str) {
    if take(user, path) {
        return;
    }
    let Ok(path) = path.parse::<AttributePath>() else { return };
    let holder = match path.schema() {
        Some(schema) => within(user, schema),
        None => Some(user),
    };
    let Some(holder) = holder else { return };
    match path.sub_attribute() {
        Some(sub) => within(holder, path.name()).map(|value| take(value, sub)),
        None => Some(take(holder, path.name())),
    };
}

fn within<'a>(object: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    object.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name))?.1.as_object_mut()
}

fn take(object: &mut Map<String, Value>, name: &str) -> bool {
    let known = object.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
    known.and_then(|known| object.shift_remove(&known)).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn over(held: &Value, desired: &Value, clears: &[&str]) -> Value {
        let clears: Vec<String> = clears.iter().map(|&path| path.to_owned()).collect();
        overlaid(held.as_object().unwrap(), desired.as_object().unwrap(), &clears).into()
    }

    #[test]
    fn what_the_source_does_not_say_stays() {
        let held =
            json!({ "id": "1", "userName": "Ann", "title": "T", "name": { "givenName": "Ann", "familyName": "Doe" } });
        let desired = json!({ "id": "9", "USERNAME": "ann", "password": "p", "name": { "familyName": "Roe", "x": null }, "x": [], "y": { "z": [] } });
        let expected =
            json!({ "id": "1", "userName": "Ann", "title": "T", "name": { "givenName": "Ann", "familyName": "Roe" } });
        assert_eq!(over(&held, &desired, &[]), expected);
    }

    #[test]
    fn a_server_may_say_more_of_a_value() {
        let held =
            json!({ "emails": [{ "value": "A@x", "type": "work", "primary": true }], "roles": [{ "value": "R" }] });
        assert_eq!(over(&held, &json!({ "emails": [{ "value": "a@x" }], "roles": [{ "value": "R" }] }), &[]), held);
        let other = json!([{ "value": "b@x" }]);
        assert_eq!(over(&held, &json!({ "emails": other }), &[])["emails"], other);
        let more = json!([{ "value": "a@x" }, { "value": "b@x" }]);
        assert_eq!(over(&held, &json!({ "emails": more }), &[])["emails"], more);
        let none_left = json!([{ "value": "R" }, { "value": "S" }]);
        let held = json!({ "roles": none_left });
        assert_eq!(over(&held, &json!({ "roles": [{ "value": "R" }] }), &[])["roles"], json!([{ "value": "R" }]));
    }

    #[test]
    fn what_is_to_be_cleared_goes_unless_the_source_has_it() {
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let held = json!({ "title": "T", "name": { "givenName": "A", "middleName": "Q" },
                           urn: { "department": "D", "manager": { "value": "1", "displayName": "M" } } });
        let clears = [
            "TITLE",
            "name.middleName",
            "name.givenName",
            &format!("{urn}:department"),
            &format!("{urn}:manager.value"),
        ];
        let desired = json!({ "name": { "givenName": "B" } });
        let expected = json!({ "name": { "givenName": "B" }, urn: { "manager": { "displayName": "M" } } });
        assert_eq!(over(&held, &desired, &clears), expected);
        assert_eq!(over(&json!({ urn: { "department": "D" } }), &json!({}), &[urn]), json!({}));
    }
}
