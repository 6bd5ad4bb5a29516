//! A fast check for unchanged users that compares the models without building JSON.
//!
//! Most users of a sync are unchanged, and building their JSON would cost more than the rest of a
//! plan. `true` is certain; after `false`, the JSON of both users is compared.

use serde::Serialize;
use serde_json::{Map, Value};
use wats_scim_filter::json::{covers, holds_nothing, same_characters, same_text};

use crate::model::{Attributes, ScimUser, ScimUserEmail, ScimUserName};
use crate::plan::values::merge::{is_ours, value_at};

/// Whether `held` certainly has all values of `desired`, and none at the paths in `clears` where
/// `desired` has none. [`is_met`](crate::plan::values::merge::is_met) of their JSON is then true, too.
pub(in crate::plan) fn is_unchanged(held: &ScimUser, desired: &ScimUser, clears: &[String]) -> bool {
    has_user(held, desired) && clears.iter().all(|path| !is_assigned(held, path) || is_assigned(desired, path))
}

// The structs are destructured, so that a new field does not compile until it is
// compared.

fn has_user(held: &ScimUser, desired: &ScimUser) -> bool {
    const FIELDS: [&str; 6] = ["externalId", "userName", "name", "displayName", "active", "emails"];
    // `schemas`, `id` and `meta` belong to the server.
    let ScimUser { schemas: _, id: _, meta: _, external_id, user_name, name, display_name, active, emails, attributes } =
        desired;
    has(held.external_id.as_ref(), external_id.as_ref())
        && has_text(held.user_name.as_deref(), user_name.as_deref(), same_text)
        && name.as_ref().is_none_or(|name| match &held.name {
            Some(held) => has_name(held, name),
            None => has_name(&ScimUserName::default(), name),
        })
        && has_text(held.display_name.as_deref(), display_name.as_deref(), same_characters)
        && has(held.active.as_ref(), active.as_ref())
        && has_emails(held.emails.as_deref().unwrap_or_default(), emails.as_deref().unwrap_or_default())
        && has_attributes(&held.attributes, attributes, None, &FIELDS)
}

fn has_name(held: &ScimUserName, desired: &ScimUserName) -> bool {
    const FIELDS: [&str; 3] = ["formatted", "familyName", "givenName"];
    let ScimUserName { formatted, family_name, given_name, attributes } = desired;
    has_text(held.formatted.as_deref(), formatted.as_deref(), same_characters)
        && has_text(held.family_name.as_deref(), family_name.as_deref(), same_characters)
        && has_text(held.given_name.as_deref(), given_name.as_deref(), same_characters)
        && has_attributes(&held.attributes, attributes, Some("name"), &FIELDS)
}

/// In any order. Long lists are left to the JSON, since they are compared in pairs here.
fn has_emails(held: &[ScimUserEmail], desired: &[ScimUserEmail]) -> bool {
    const LONG: usize = 16;
    let is_empty = |email: &ScimUserEmail| *email == ScimUserEmail::default();
    desired.iter().all(is_empty)
        || held.len() == desired.len()
            && held.len() < LONG
            && desired.iter().all(|email| held.iter().any(|held| has_email(held, email)))
            && held.iter().all(|held| desired.iter().any(|email| has_email(held, email)))
}

fn has_email(held: &ScimUserEmail, desired: &ScimUserEmail) -> bool {
    const FIELDS: [&str; 3] = ["value", "type", "primary"];
    let ScimUserEmail { value, r#type, primary, attributes } = desired;
    has_text(held.value.as_deref(), value.as_deref(), same_text)
        && has_text(held.r#type.as_deref(), r#type.as_deref(), same_text)
        && has(held.primary.as_ref(), primary.as_ref())
        && has_attributes(&held.attributes, attributes, Some("emails"), &FIELDS)
}

fn has<T: PartialEq>(held: Option<&T>, desired: Option<&T>) -> bool {
    desired.is_none() || held == desired
}

fn has_text(held: Option<&str>, desired: Option<&str>, are_same: impl Fn(&str, &str) -> bool) -> bool {
    desired.is_none_or(|desired| held.is_some_and(|held| are_same(held, desired)))
}

/// The attributes without a field, of a user or within the one at `path`.
///
/// An attribute with the name of a field is either of another type or hidden by the field: the JSON
/// decides.
fn has_attributes(held: &Attributes, desired: &Attributes, path: Option<&str>, fields: &[&str]) -> bool {
    desired.unread().filter(|(name, _)| path.is_some() || is_ours(name)).all(|(name, value)| {
        let value = value.peek();
        let is_field = || fields.iter().any(|field| field.eq_ignore_ascii_case(name));
        let is_held = || {
            let (_, held) = held.unread().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
            Some(covers(path.unwrap_or(name), &held.peek(), &value))
        };
        holds_nothing(&value) || (!is_field() && is_held().unwrap_or(false))
    })
}

/// Whether a user has a value at a path.
fn is_assigned(user: &ScimUser, path: &str) -> bool {
    let part = part_at(user, path);
    !part.is_empty() && value_at(&part, path).is_some()
}

/// The JSON of the attributes with which a path can begin.
fn part_at(user: &ScimUser, path: &str) -> Map<String, Value> {
    let ScimUser { schemas, id, external_id, user_name, name, display_name, active, emails, meta, attributes } = user;
    let mut part = Part { path, members: Map::new() };
    part.put("schemas", schemas.as_ref());
    part.put("id", id.as_ref());
    part.put("externalId", external_id.as_ref());
    part.put("userName", user_name.as_ref());
    part.put("name", name.as_ref());
    part.put("displayName", display_name.as_ref());
    part.put("active", active.as_ref());
    part.put("emails", emails.as_ref());
    part.put("meta", meta.as_ref());
    for (name, value) in attributes.unread().filter(|(name, _)| begins_with(path, name)) {
        // A field hides an attribute of its name.
        if !part.members.keys().any(|known| known.eq_ignore_ascii_case(name)) {
            part.members.insert(name.to_owned(), value.peek().into_owned());
        }
    }
    part.members
}

struct Part<'a> {
    path: &'a str,
    members: Map<String, Value>,
}

impl Part<'_> {
    fn put(&mut self, name: &str, value: Option<&impl Serialize>) {
        if let Some(value) = value.filter(|_| begins_with(self.path, name)) {
            // No field fails to become JSON.
            self.members.extend(serde_json::to_value(value).map(|value| (name.to_owned(), value)));
        }
    }
}

fn begins_with(path: &str, name: &str) -> bool {
    matches!(path.as_bytes().get(name.len()), None | Some(b'.' | b':'))
        && path.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::{differences, object};
    use crate::plan::values::merge::{is_met, overlaid};
    use crate::plan::{Rules, Step};

    /// Paths of all kinds, for what is cleared.
    const PATHS: [&str; 12] = [
        "title",
        "TITLE",
        "name",
        "name.middleName",
        "name.familyName",
        "emails",
        "displayName",
        "urn:x:2.0:User",
        "urn:x:2.0:User:a",
        "urn:x:2.0:User:a.b",
        "title.x",
        "a path that is none",
    ];

    /// A value as directories hold it, out of few, so that users agree often.
    fn text() -> BoxedStrategy<Value> {
        prop_oneof![4 => "[aA]", 1 => "[éÉ]", 1 => Just("e\u{301}".to_owned())].prop_map(Value::from).boxed()
    }

    /// A value that an attribute cannot have, or one that is unassigned.
    fn odd() -> BoxedStrategy<Value> {
        prop::sample::select(vec![json!(null), json!([]), json!({}), json!(7), json!("7"), json!(["a"]), json!([null])])
            .boxed()
    }

    fn object_of(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
        let member = |(name, value): (&'static str, BoxedStrategy<Value>)| {
            let name = prop_oneof![6 => Just(name.to_owned()), 1 => Just(name.to_uppercase())];
            prop::option::of((name, value)).boxed()
        };
        let members: Vec<_> = members.into_iter().map(member).collect();
        members.prop_map(|members| members.into_iter().flatten().collect()).boxed()
    }

    /// A user from JSON. In one that is not `plain`, a value can be of any type.
    fn user(is_plain: bool) -> BoxedStrategy<ScimUser> {
        let or_odd = move |value: BoxedStrategy<Value>| {
            if is_plain { value } else { prop_oneof![4 => value, 1 => odd()].boxed() }
        };
        let truth = || any::<bool>().prop_map(Value::from).boxed();
        let email = object_of(vec![
            ("value", or_odd(text())),
            ("type", or_odd(text())),
            ("primary", or_odd(truth())),
            ("display", or_odd(text())),
        ]);
        let emails = prop::collection::vec(or_odd(email), 0..3).prop_map(Value::from).boxed();
        let name = object_of(vec![
            ("formatted", or_odd(text())),
            ("familyName", or_odd(text())),
            ("givenName", or_odd(text())),
            ("middleName", or_odd(text())),
        ]);
        let extension = object_of(vec![("a", or_odd(object_of(vec![("b", or_odd(text()))]))), ("c", or_odd(text()))]);
        let user = object_of(vec![
            ("id", or_odd(text())),
            ("externalId", or_odd(text())),
            ("userName", or_odd(text())),
            ("name", or_odd(name)),
            ("displayName", or_odd(text())),
            ("active", or_odd(truth())),
            ("emails", or_odd(emails)),
            ("title", or_odd(text())),
            ("password", or_odd(text())),
            ("urn:x:2.0:User", or_odd(extension)),
        ]);
        // Read from text, as from a server, so that attributes are not read before they are compared.
        let user = user.prop_map(|json| serde_json::from_str::<ScimUser>(&json.to_string()).unwrap());
        let hidden = prop::option::of(("displayName|EMAILS|name|title", odd()));
        (user, hidden)
            .prop_map(move |(user, hidden)| match hidden {
                // What an application can do: an attribute with the name of a field.
                Some((name, value)) if !is_plain => user.with_attribute(name, value),
                _ => user,
            })
            .boxed()
    }

    /// A user of the server and one of the source, often nearly the same.
    fn users(is_plain: bool) -> BoxedStrategy<(ScimUser, ScimUser)> {
        let nearly = |(held, desired, how): (ScimUser, ScimUser, u32)| {
            let mut same = held.clone();
            match how {
                0 => {}
                1 => same.display_name = None,
                2 => same.emails.iter_mut().for_each(|emails| emails.extend(emails.first().cloned())),
                _ => return (held, desired),
            }
            (held, same)
        };
        (user(is_plain), user(is_plain), 0..6_u32).prop_map(nearly).boxed()
    }

    fn clears() -> BoxedStrategy<Vec<String>> {
        prop::collection::vec(prop::sample::select(&PATHS[..]).prop_map(str::to_owned), 0..3).boxed()
    }

    /// What the comparison of the JSON says.
    fn is_met_as_json(held: &ScimUser, desired: &ScimUser, clears: &[String]) -> bool {
        is_met(&object(held).unwrap(), &object(desired).unwrap(), clears)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn what_is_unchanged_is_unchanged_as_json_too((held, desired) in users(false), clears in clears()) {
            if is_unchanged(&held, &desired, &clears) {
                let before = object(&held).unwrap();
                prop_assert!(is_met_as_json(&held, &desired, &clears));
                prop_assert_eq!(
                    differences(&before, &overlaid(&before, &object(&desired).unwrap(), &clears)), Vec::new()
                );
            }
        }

        #[test]
        fn of_usual_users_none_is_left_to_the_json((held, desired) in users(true), clears in clears()) {
            prop_assert_eq!(is_unchanged(&held, &desired, &clears), is_met_as_json(&held, &desired, &clears));
        }

        /// Also after it was stored.
        #[test]
        fn a_computed_step_is_consistent((held, desired) in users(false), clears in clears(), is_wats in any::<bool>()) {
            let way = Rules { is_wats, clears }.way(&held, &desired).unwrap_or_default();
            if !way.patch.operations.is_empty() {
                let step = way.into_step(&held, &desired);
                prop_assert_eq!(step.check(), Ok(()), "{:?}", step);
                let stored: Step = serde_json::from_str(&serde_json::to_string(&step).unwrap()).unwrap();
                prop_assert_eq!(stored.check(), Ok(()), "{:?}", stored);
            }
        }

        #[test]
        fn a_path_leads_to_the_same_in_a_part_of_the_user(user in user(false), path in prop::sample::select(&PATHS[..])) {
            prop_assert_eq!(is_assigned(&user, path), value_at(&object(&user).unwrap(), path).is_some());
        }
    }

    #[test]
    fn attributes_are_not_kept_as_values() {
        let read = |json: &str| serde_json::from_str::<ScimUser>(json).unwrap();
        let held = read(r#"{"userName":"ann","urn:x:2.0:User":{"a":"1","b":"2"},"title":"T"}"#);
        let desired = read(r#"{"userName":"Ann","urn:x:2.0:User":{"a":"1"},"title":"T"}"#);
        assert!(is_unchanged(&held, &desired, &["urn:x:2.0:User:c".to_owned()]));
        let mut attributes = held.attributes.unread().chain(desired.attributes.unread());
        assert!(attributes.all(|(_, value)| !value.is_read()));
    }
}
