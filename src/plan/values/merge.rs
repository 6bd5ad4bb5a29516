//! Merges the attributes of the source into the current state of a user.

use serde_json::{Map, Value};
use wats_scim_filter::AttributePath;
use wats_scim_filter::json::{
    assigned, covers, holds_nothing, is_server_attribute, is_write_only, member_mut, same_name, take, truth,
};

use crate::model::ScimUser;

/// Whether an attribute is compared: not if it belongs to the server, as the `groups` of a user do (RFC 7643
/// §4.1.2), nor if the server never returns it, so that a difference cannot be seen.
pub(in crate::plan) fn is_ours(name: &str) -> bool {
    !is_server_attribute(name) && !is_write_only(name) && !same_name(name, "groups")
}

/// Whether `held` has all values of `desired`, and no attribute in `clears` that is absent from `desired`.
pub(crate) fn is_met(held: &Map<String, Value>, desired: &Map<String, Value>, clears: &[String]) -> bool {
    let has = |(name, value): (&String, &Value)| {
        !is_ours(name) || holds_nothing(value) || assigned(held, name).is_some_and(|held| covers(name, held, value))
    };
    let is_clear = |path: &String| value_at(held, path).is_none() || value_at(desired, path).is_some();
    desired.iter().all(has) && clears.iter().all(is_clear)
}

/// Returns `held` with the values of `desired`, and without attributes in `clears` that `desired`
/// does not have. Equal values keep the form that the server uses.
pub(in crate::plan) fn overlaid(
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
    if holds_nothing(desired) {
        return;
    }
    match member_mut(user, name) {
        Some(held) if covers(path, held, desired) => {}
        Some(Value::Object(held)) if desired.is_object() => {
            desired.as_object().into_iter().flatten().for_each(|(name, value)| put(held, path, name, value));
        }
        Some(held) => *held = desired.clone(),
        None => drop(user.insert(name.to_owned(), desired.clone())),
    }
}

/// The value at a path: of an attribute, of a whole extension, or of a part of either.
pub(in crate::plan) fn value_at<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    assigned(object, path).or_else(|| {
        object.iter().find_map(|(name, value)| {
            let (start, rest) = path.split_at_checked(name.len())?;
            let rest = rest.strip_prefix(['.', ':']).filter(|_| same_name(start, name))?;
            value_at(value.as_object()?, rest)
        })
    })
}

/// Whether a user can sign in, in any form in which the server writes it; `None` if it does not say.
pub(in crate::plan) fn is_active(user: &ScimUser) -> Option<bool> {
    user.active.or_else(|| user.attributes.get("active").and_then(truth))
}

/// Removes the value at a path, if there is one.
pub(in crate::plan) fn remove(user: &mut Map<String, Value>, path: &str) {
    if take(user, path).is_some() {
        return;
    }
    let Ok(path) = path.parse::<AttributePath>() else { return };
    let holder = match path.schema() {
        Some(schema) => within(user, schema),
        None => Some(user),
    };
    let Some(holder) = holder else { return };
    match path.sub_attribute() {
        Some(sub) => within(holder, path.name()).and_then(|value| take(value, sub)),
        None => take(holder, path.name()),
    };
}

fn within<'a>(object: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    member_mut(object, name)?.as_object_mut()
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
        let desired = json!({ "id": "9", "groups": [{ "value": "7" }], "USERNAME": "ann", "password": "p", "name": { "familyName": "Roe", "x": null }, "x": [], "y": { "z": [] } });
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
