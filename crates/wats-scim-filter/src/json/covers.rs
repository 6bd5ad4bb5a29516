//! Whether a resource on the server has the desired values, or can be the one that was sent.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;

use super::members::{assigned, holds_nothing, is_server_attribute, is_write_only};
use super::place::{Place, simplified, without_scheme};
use super::text::text_key;

/// Whether `held`, the value of an attribute on the server, contains everything in `wanted`. It may
/// contain more, such as `type`, `display` or `$ref`.
///
/// Lists must have the same length, with a counterpart for each value. A server may write a value in
/// another form, which is the same value:
///
/// - user names and email addresses are compared with [`same_text`](crate::json::same_text), and so is
///   the `type` of a value; a telephone number may begin with `tel:` (RFC 7643 §4.1.2); `externalId` is
///   compared exactly, and all other text with [`same_characters`](crate::json::same_characters);
/// - numbers and truth values may be text, and 1 and 0 are [truth values](crate::json::truth);
/// - a complex value may be its `value` alone, and a list of one value that value.
///
/// `attribute` is the name at the top level of the resource.
///
/// ```
/// use serde_json::json;
/// use wats_scim_filter::json::covers;
///
/// let held = json!([{ "value": "1", "display": "Jane", "type": "User" }]);
/// assert!(covers("members", &held, &json!([{ "value": "1" }])));
/// assert!(!covers("members", &held, &json!([{ "value": "1" }, { "value": "2" }])));
/// assert!(covers("userName", &json!("jane"), &json!("Jane")));
/// assert!(!covers("title", &json!("dr"), &json!("Dr")));
/// assert!(covers("active", &json!(1), &json!(true)));
/// ```
#[must_use]
pub fn covers(attribute: &str, held: &Value, wanted: &Value) -> bool {
    covers_at(Place::of(attribute), held, wanted)
}

fn covers_at(place: Place<'_>, held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (_, wanted) if holds_nothing(wanted) => true,
        (Value::Object(held), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| {
            holds_nothing(wanted)
                || assigned(held, name).is_some_and(|held| covers_at(place.member(name), held, wanted))
        }),
        (Value::Array(held), Value::Array(wanted)) => {
            held.len() == wanted.len()
                && all_have_one(wanted, held, |wanted, held| covers_at(place, held, wanted))
                && all_have_one(held, wanted, |held, wanted| covers_at(place, held, wanted))
        }
        (held, wanted) => match simplified(held, wanted) {
            Some((held, wanted)) => covers_at(place, held, wanted),
            None => place.is_same(held, wanted),
        },
    }
}

/// Whether a resource on the server can be the one that was sent: no attribute that both have
/// differs.
///
/// A server may ignore attributes and add others (RFC 7644 §3.3), so an attribute that only one of
/// them has is not compared. Neither are attributes that the server assigns ([`is_server_attribute`])
/// or never returns ([`is_write_only`]). A list on the server must contain at least the values that
/// were sent. Single values are compared as by [`covers`], and the attribute `named_by`, the name of
/// the resource, with [`same_text`](crate::json::same_text).
///
/// ```
/// use serde_json::json;
/// use wats_scim_filter::json::agree;
///
/// let sent = json!({ "userName": "Jane", "title": "Dr", "emails": [{ "value": "j@x" }] });
/// let held = json!({ "id": "1", "userName": "jane", "emails": [{ "value": "j@x", "primary": true }] });
/// assert!(agree("userName", &sent, &held));
/// assert!(!agree("userName", &sent, &json!({ "userName": "jane", "title": "Mr" })));
/// ```
#[must_use]
pub fn agree(named_by: &str, sent: &Value, held: &Value) -> bool {
    match (sent, held) {
        (Value::Object(sent), Value::Object(held)) => sent.iter().all(|(name, sent)| {
            let is_sent = !is_server_attribute(name) && !is_write_only(name);
            !is_sent || assigned(held, name).is_none_or(|held| agree_at(Place::named_by(named_by, name), sent, held))
        }),
        (sent, held) => sent == held,
    }
}

fn agree_at(place: Place<'_>, sent: &Value, held: &Value) -> bool {
    match (sent, held) {
        (sent, _) if holds_nothing(sent) => true,
        (Value::Object(sent), Value::Object(held)) => sent
            .iter()
            .all(|(name, sent)| assigned(held, name).is_none_or(|held| agree_at(place.member(name), sent, held))),
        (Value::Array(sent), Value::Array(held)) => all_have_one(sent, held, |sent, held| agree_at(place, sent, held)),
        (sent, held) => match simplified(sent, held) {
            Some((sent, held)) => agree_at(place, sent, held),
            None => place.is_same(sent, held),
        },
    }
}

/// Whether each value has a counterpart among others. Values with different texts are not compared, since
/// a list can have thousands.
fn all_have_one(values: &[Value], others: &[Value], is_counterpart: impl Fn(&Value, &Value) -> bool) -> bool {
    // Usually both lists have the same order.
    let is_in_order = |(at, value)| others.get(at).is_some_and(|other| is_counterpart(value, other));
    let Some(first) = values.iter().enumerate().position(|pair| !is_in_order(pair)) else { return true };
    let mut by_key: HashMap<Option<Cow<'_, str>>, Vec<&Value>> = HashMap::new();
    for other in others {
        by_key.entry(key(other)).or_default().push(other);
    }
    let has_one = |value: &Value, key: &Option<Cow<'_, str>>| {
        by_key.get(key).into_iter().flatten().any(|other| is_counterpart(value, other))
    };
    values.iter().skip(first).all(|value| match key(value) {
        None => others.iter().any(|other| is_counterpart(value, other)),
        key => has_one(value, &key) || has_one(value, &None),
    })
}

/// What the texts of two values have in common if they are the same; `None` if a value has no text, so
/// that any other can be the same.
fn key(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text_key(without_scheme(text))),
        Value::Object(members) => key(assigned(members, "value").filter(|value| value.is_string())?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_exact_spelling_is_compared() {
        assert!(covers("x", &json!({ "A": 1, "a": 2 }), &json!({ "a": 2 })));
        assert!(!covers("x", &json!({ "A": 1, "a": 2 }), &json!({ "a": 1 })));
    }

    #[test]
    fn the_server_may_have_more_but_not_less() {
        for (held, wanted, has) in [
            (json!({ "a": 1, "b": 2 }), json!({ "A": 1 }), true),
            (json!({ "a": 1 }), json!({ "a": 1, "b": { "c": null } }), true),
            (json!({ "a": 1 }), json!({ "a": 1, "b": 2 }), false),
            (json!([{ "v": 1, "t": "x" }, { "v": 2 }]), json!([{ "v": 2 }, { "v": 1 }]), true),
            (json!([{ "v": 1 }, { "v": 2 }]), json!([{ "v": 1 }]), false),
            (json!([{ "v": 1 }, { "v": 2 }]), json!([{ "v": 1 }, { "v": 1 }]), false),
            (json!("x"), json!(null), true),
            (json!(null), json!("x"), false),
        ] {
            assert_eq!(covers("title", &held, &wanted), has, "{held} {wanted}");
        }
    }

    #[test]
    fn only_identifying_text_ignores_letter_case() {
        let covers = |attribute, held: &str, wanted: &str| covers(attribute, &json!(held), &json!(wanted));
        assert!(covers("USERNAME", "jane", "Jane") && covers("emails", "Ä@x", "ä@X"));
        assert!(!covers("displayName", "jane", "Jane") && !covers("userName", "jane", "joan"));
    }

    #[test]
    fn a_server_may_ignore_attributes_that_were_sent() {
        let sent = json!({
            "id": "mine", "userName": "Jane", "title": "x", "password": "p", "nickName": null,
            "emails": [{ "value": "j@x", "type": null }], "schemas": ["a"], "name": { "givenName": "J" },
        });
        let held = json!({
            "id": "1", "USERNAME": "jane", "active": true, "emails": [{ "value": "J@x", "primary": true }, {}],
            "meta": {}, "nickName": "J", "title": null, "schemas": ["b"], "password": "", "name": { "familyName": "D" },
        });
        assert!(agree("userName", &sent, &held));
    }

    #[test]
    fn a_resource_that_differs_is_not_the_one_that_was_sent() {
        for (sent, held) in [
            (json!({ "externalId": "x" }), json!({ "externalId": "X" })),
            (json!({ "emails": [{ "value": "a" }] }), json!({ "emails": [{ "value": "b" }] })),
            (json!({ "name": { "givenName": "A" } }), json!({ "name": { "givenName": "a" } })),
            (json!({ "urn:x": { "id": 1 } }), json!({ "urn:x": { "id": 2 } })),
        ] {
            assert!(!agree("userName", &sent, &held), "{sent} {held}");
        }
    }

    #[test]
    fn a_group_is_named_by_its_display_name() {
        let (sent, held) = (json!({ "displayName": "Prüfer" }), json!({ "displayName": "PRU\u{308}FER" }));
        assert!(agree("displayName", &sent, &held));
        assert!(!agree("userName", &sent, &held), "a user's display name identifies no one");
    }

    #[test]
    fn a_server_may_write_a_value_in_another_form() {
        for (attribute, held, wanted) in [
            ("userName", json!("JU\u{308}RGEN"), json!("jürgen")),
            ("displayName", json!("Ju\u{308}rgen"), json!("Jürgen")),
            ("urn:x", json!({ "manager": { "value": "26", "displayName": "M" } }), json!({ "manager": "26" })),
            ("urn:x", json!({ "manager": "26" }), json!({ "manager": { "value": "26" } })),
            ("emails", json!(["A@x"]), json!([{ "value": "a@x", "type": "work" }])),
            ("emails", json!("a@x"), json!([{ "value": "a@x", "primary": true }])),
            ("roles", json!([{ "value": "R", "type": "Work" }]), json!([{ "value": "R", "type": "work" }])),
            ("phoneNumbers", json!([{ "value": "tel:+1-201" }]), json!([{ "value": "+1-201" }])),
            ("urn:x", json!({ "floor": 3 }), json!({ "floor": "3" })),
            ("urn:x", json!({ "floor": 3.0 }), json!({ "floor": 3 })),
            ("roles", json!([{ "value": "R", "primary": "True" }]), json!([{ "value": "R", "primary": true }])),
            ("active", json!(1), json!(true)),
            ("active", json!("False"), json!(false)),
        ] {
            assert!(covers(attribute, &held, &wanted), "{held} {wanted}");
            let [one, other] = [&held, &wanted].map(|value| json!({ attribute: value }));
            assert!(agree("userName", &other, &one), "{held} {wanted}");
        }
    }

    #[test]
    fn another_value_is_another_in_any_form() {
        for (attribute, held, wanted) in [
            ("externalId", json!("Ju\u{308}"), json!("Jü")),
            ("externalId", json!("a"), json!("A")),
            ("displayName", json!("ａ"), json!("a")),
            ("urn:x", json!({ "manager": { "value": "26" } }), json!({ "manager": "27" })),
            ("urn:x", json!({ "type": "A" }), json!({ "type": "a" })),
            ("emails", json!(["a@x", "b@x"]), json!("a@x")),
            ("title", json!("tel:1"), json!("1")),
            ("active", json!(2), json!(true)),
            ("active", json!("no"), json!(false)),
            ("urn:x", json!({ "floor": 3 }), json!({ "floor": "03" })),
            ("urn:x", json!({ "floor": 9_007_199_254_740_993_u64 }), json!({ "floor": 9_007_199_254_740_992_u64 })),
        ] {
            assert!(!covers(attribute, &held, &wanted), "{held} {wanted}");
            let [one, other] = [&held, &wanted].map(|value| json!({ attribute: value }));
            assert!(!agree("userName", &other, &one), "{held} {wanted}");
        }
    }

    /// Comparing in pairs would take minutes.
    #[test]
    fn long_lists_are_compared_by_their_values() {
        const VALUES: usize = 20_000;
        let list = |ids: &mut dyn Iterator<Item = usize>, domain: &str| {
            ids.map(|id| json!({ "value": format!("{id}@{domain}") })).collect::<Value>()
        };
        let sorted = list(&mut (0..VALUES), "x");
        assert!(covers("emails", &sorted, &list(&mut (0..VALUES).rev(), "X")));
        assert!(agree(
            "userName",
            &json!({ "emails": list(&mut (5..VALUES).rev(), "X") }),
            &json!({ "emails": sorted })
        ));
        assert!(!covers("emails", &sorted, &list(&mut (3..VALUES + 3).rev(), "x")));
    }

    #[test]
    fn values_of_other_types_are_found_in_a_list() {
        for (held, wanted, has) in [
            (json!([3, "a"]), json!(["A", "3"]), true),
            (json!([{ "value": 3 }, { "value": "b" }]), json!(["b", "3"]), true),
            (json!([{ "type": "x" }, { "value": "b" }]), json!([{ "value": "B" }, { "type": "X" }]), true),
            (
                json!([{ "type": "x", "value": "a" }, { "value": "b" }]),
                json!([{ "value": "b" }, { "type": "x" }]),
                true,
            ),
            (json!([{ "type": "x" }, { "value": "b" }]), json!([{ "value": "b" }, { "value": "x" }]), false),
        ] {
            assert_eq!(covers("emails", &held, &wanted), has, "{held} {wanted}");
        }
    }
}
