//! Relations between two values: equal, covers, agree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::members::{assigned, holds_nothing, is_server_attribute, is_unassigned, is_write_only, same_name};
use super::text::{same_characters, same_text};

/// Whether two values are equal in SCIM.
///
/// Attribute names are compared ignoring letter case, unassigned values count as absent, and the
/// values of a multi-valued attribute have no order (RFC 7643 §2.1, §2.5, §2.4). Strings are compared
/// exactly.
///
/// The time is proportional to the size of the values, also for long lists.
///
/// ```
/// use serde_json::json;
/// use wats_scim_filter::json::equal;
///
/// assert!(equal(&json!({ "a": [1, 2], "b": null }), &json!({ "A": [2, 1] })));
/// assert!(!equal(&json!([1, 1]), &json!([1])));
/// assert!(!equal(&json!("a"), &json!("A")));
/// ```
#[must_use]
pub fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            has_all(one, other, |_, value, other| equal(value, other)) && has_all(other, one, |_, _, _| true)
        }
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len()
                && (before == after || {
                    let mut kinds = Kinds::default();
                    kinds.number(one) == kinds.number(other)
                })
        }
        _ => one == other || (is_unassigned(one) && is_unassigned(other)),
    }
}

/// Whether `other` has an assigned value for every assigned member of `object`, and each pair is
/// `related`.
fn has_all(
    object: &Map<String, Value>,
    other: &Map<String, Value>,
    related: impl Fn(&str, &Value, &Value) -> bool,
) -> bool {
    let mut members = object.iter().filter(|(_, value)| !is_unassigned(value));
    members.all(|(name, value)| assigned(other, name).is_some_and(|other| related(name, value, other)))
}

/// Numbers the distinct values; equal values have the same number. A group can have tens of thousands
/// of members, so they are not compared in pairs.
#[derive(Default)]
struct Kinds<'a>(HashMap<Kind<'a>, usize>);

#[derive(PartialEq, Eq, Hash)]
enum Kind<'a> {
    Unassigned,
    /// The length of the list, and the numbers of its values.
    List(usize, BTreeSet<usize>),
    /// The numbers of the assigned members, by their names in lower case.
    Object(BTreeMap<String, usize>),
    Plain(&'a Value),
}

impl<'a> Kinds<'a> {
    fn number(&mut self, value: &'a Value) -> usize {
        let kind = match value {
            value if is_unassigned(value) => Kind::Unassigned,
            Value::Array(values) => Kind::List(values.len(), values.iter().map(|value| self.number(value)).collect()),
            Value::Object(members) => {
                let assigned = members.iter().filter(|(_, value)| !is_unassigned(value));
                Kind::Object(assigned.map(|(name, value)| (name.to_ascii_lowercase(), self.number(value))).collect())
            }
            value => Kind::Plain(value),
        };
        let next = self.0.len();
        *self.0.entry(kind).or_insert(next)
    }
}

/// Whether `held`, the value of an attribute on the server, contains everything in `wanted`. It may
/// contain more, such as `type`, `display` or `$ref`.
///
/// Lists must have the same length, with a counterpart for each value. A server may write a value in
/// another form, which is the same value:
///
/// - user names and email addresses are compared with [`same_text`], and so is the `type` of a value; a
///   telephone number may begin with `tel:` (RFC 7643 §4.1.2); `externalId` is compared exactly, and
///   all other text with [`same_characters`];
/// - numbers and truth values may be text, and 1 and 0 are [truth values](truth);
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
                && wanted.iter().all(|wanted| held.iter().any(|held| covers_at(place, held, wanted)))
                && held.iter().all(|held| wanted.iter().any(|wanted| covers_at(place, held, wanted)))
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
/// the resource, with [`same_text`].
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
            let place = Place { is_name: same_name(name, named_by), ..Place::of(name) };
            !is_sent || assigned(held, name).is_none_or(|held| agree_at(place, sent, held))
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
        (Value::Array(sent), Value::Array(held)) => {
            sent.iter().all(|sent| held.iter().any(|held| agree_at(place, sent, held)))
        }
        (sent, held) => match simplified(sent, held) {
            Some((sent, held)) => agree_at(place, sent, held),
            None => place.is_same(sent, held),
        },
    }
}

/// The two values without what only one of them has around it: a list of one value, or a complex value
/// with a `value`. `None` if there is neither.
fn simplified<'a>(one: &'a Value, other: &'a Value) -> Option<(&'a Value, &'a Value)> {
    let inner = |value: &'a Value| match value {
        Value::Array(values) => match values.as_slice() {
            [only] => Some(only),
            _ => None,
        },
        Value::Object(members) => assigned(members, "value"),
        _ => None,
    };
    match (one, other) {
        (Value::Array(_), _) => Some((inner(one)?, other)),
        (_, Value::Array(_)) => Some((one, inner(other)?)),
        (Value::Object(_), _) => Some((inner(one)?, other)),
        (_, Value::Object(_)) => Some((one, inner(other)?)),
        _ => None,
    }
}

/// The place of a value, which decides how its text is compared.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The attribute at the top level.
    attribute: &'a str,
    /// The innermost name.
    name: &'a str,
    /// Whether this is the name of the resource.
    is_name: bool,
}

impl<'a> Place<'a> {
    fn of(attribute: &'a str) -> Self {
        Self { attribute, name: attribute, is_name: false }
    }

    fn member(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    fn is_same(self, one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::String(one), Value::String(other)) => self.is_same_string(one, other),
            (Value::Bool(is_true), value) | (value, Value::Bool(is_true)) => truth(value) == Some(*is_true),
            (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
                number.to_string() == *text
            }
            // 1 and 1.0 are one number.
            (Value::Number(one), Value::Number(other)) if one.is_f64() != other.is_f64() => {
                one.as_f64() == other.as_f64()
            }
            (one, other) => one == other,
        }
    }

    /// RFC 7643 §8.7.1 declares no attribute of a user case-sensitive. User names and email addresses
    /// identify a person, and a `type` is one of few words (§2.4); in any other attribute, a change of
    /// letter case is a change that a client may want to write.
    fn is_same_string(self, one: &str, other: &str) -> bool {
        let is_in = |attribute: &str| same_name(attribute, self.attribute);
        if one == other {
            true
        } else if is_in("externalId") {
            // RFC 7643 §3.1
            false
        } else if self.is_name || is_in("userName") || is_in("emails") || self.is_type() {
            same_text(one, other)
        } else if is_in("phoneNumbers") && same_name(self.name, "value") {
            same_characters(without_scheme(one), without_scheme(other))
        } else {
            same_characters(one, other)
        }
    }

    /// Whether this is the `type` of a value. An extension may have another attribute of this name.
    fn is_type(self) -> bool {
        let is_extension = self.attribute.get(..4).is_some_and(|start| same_name(start, "urn:"));
        !is_extension && same_name(self.name, "type")
    }
}

/// A telephone number without the scheme of its URI (RFC 3966).
fn without_scheme(number: &str) -> &str {
    match number.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel") => rest,
        _ => number,
    }
}

/// A truth value in any form that servers write: `true`, `"True"` or `1`.
///
/// ```
/// use serde_json::json;
/// use wats_scim_filter::json::truth;
///
/// assert_eq!([json!(true), json!("True"), json!(1)].map(|value| truth(&value)), [Some(true); 3]);
/// assert_eq!(truth(&json!("perhaps")), None);
/// ```
#[must_use]
pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is_true) => Some(*is_true),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::Number(number) => match number.as_u64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_equal_in_any_order_and_at_any_depth() {
        for (one, other, same) in [
            (json!([1, 2, 1]), json!([2, 1, 2]), true),
            (json!([1, 2, 1]), json!([1, 2]), false),
            (json!([1, 2]), json!([1, 3]), false),
            (json!([1, 1]), json!([1, 2]), false),
            (json!([[1, 2], [3]]), json!([[3], [2, 1]]), true),
            (json!([[1, 2], [3]]), json!([[1, 3], [2]]), false),
            (json!([{ "a": 1, "b": 2 }, 0.0]), json!([-0.0, { "b": 2, "a": 1 }]), true),
            (json!([{ "a": [1, 2] }]), json!([{ "a": [2, 1] }]), true),
            (json!([]), json!([[]]), false),
            (json!([null, 1]), json!([1, {}]), true),
            (json!([1]), json!(1), false),
        ] {
            assert_eq!(equal(&one, &other), same, "{one} {other}");
            assert_eq!(equal(&other, &one), same, "{other} {one}");
        }
    }

    #[test]
    fn names_ignore_letter_case_and_unassigned_values_are_absent() {
        for (one, other, same) in [
            (json!({ "a": 1, "x": null }), json!({ "A": 1, "y": [], "z": {} }), true),
            (json!([{ "a": 1, "x": null }]), json!([{ "A": 1 }]), true),
            (json!({ "a": 1 }), json!({ "a": 1, "b": 2 }), false),
            (json!({ "a": null }), json!({ "a": false }), false),
            (json!(null), json!([]), true),
            (json!({}), json!(null), true),
            (json!("a"), json!("A"), false),
        ] {
            assert_eq!(equal(&one, &other), same, "{one} {other}");
            assert_eq!(equal(&other, &one), same, "{other} {one}");
        }
    }

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
    fn long_lists_are_compared() {
        const VALUES: usize = 50_000;
        let list =
            |ids: &mut dyn Iterator<Item = usize>| ids.map(|id| json!({ "value": id.to_string() })).collect::<Value>();
        let sorted = list(&mut (0..VALUES));
        assert!(equal(&sorted, &list(&mut (0..VALUES).rev())));
        assert!(!equal(&sorted, &list(&mut (3..VALUES + 3).rev())));
    }
}
