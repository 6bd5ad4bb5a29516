//! Relations between two values: equal, covers, agree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::members::{assigned, holds_nothing, is_server_attribute, is_unassigned, is_write_only, same_name};
use super::text::same_text;

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
/// Lists must have the same length, with a counterpart for each value. User names and email addresses
/// are compared with [`same_text`], all other values with [`equal`]. `name` is the attribute at the top
/// level of the resource.
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
/// ```
#[must_use]
pub fn covers(attribute: &str, held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (_, wanted) if holds_nothing(wanted) => true,
        (Value::Object(held), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| {
            holds_nothing(wanted) || assigned(held, name).is_some_and(|held| covers(attribute, held, wanted))
        }),
        (Value::Array(held), Value::Array(wanted)) => {
            held.len() == wanted.len()
                && wanted.iter().all(|wanted| held.iter().any(|held| covers(attribute, held, wanted)))
                && held.iter().all(|held| wanted.iter().any(|wanted| covers(attribute, held, wanted)))
        }
        (held, wanted) => is_same_value(attribute, held, wanted),
    }
}

/// Whether a resource on the server can be the one that was sent: no attribute that both have
/// differs.
///
/// A server may ignore attributes and add others (RFC 7644 §3.3), so an attribute that only one of
/// them has is not compared. Neither are attributes that the server assigns ([`is_server_attribute`])
/// or never returns ([`is_write_only`]). A list on the server must contain at least the values that
/// were sent. User names and email addresses are compared with [`same_text`].
///
/// ```
/// use serde_json::json;
/// use wats_scim_filter::json::agree;
///
/// let sent = json!({ "userName": "Jane", "title": "Dr", "emails": [{ "value": "j@x" }] });
/// let held = json!({ "id": "1", "userName": "jane", "emails": [{ "value": "j@x", "primary": true }] });
/// assert!(agree(&sent, &held));
/// assert!(!agree(&sent, &json!({ "userName": "jane", "title": "Mr" })));
/// ```
#[must_use]
pub fn agree(sent: &Value, held: &Value) -> bool {
    match (sent, held) {
        (Value::Object(sent), Value::Object(held)) => sent.iter().all(|(name, sent)| {
            let is_sent = !is_server_attribute(name) && !is_write_only(name);
            !is_sent || assigned(held, name).is_none_or(|held| agree_in(name, sent, held))
        }),
        (sent, held) => sent == held,
    }
}

fn agree_in(attribute: &str, sent: &Value, held: &Value) -> bool {
    match (sent, held) {
        (sent, _) if holds_nothing(sent) => true,
        (Value::Object(sent), Value::Object(held)) => {
            sent.iter().all(|(name, sent)| assigned(held, name).is_none_or(|held| agree_in(attribute, sent, held)))
        }
        (Value::Array(sent), Value::Array(held)) => {
            sent.iter().all(|sent| held.iter().any(|held| agree_in(attribute, sent, held)))
        }
        (sent, held) => is_same_value(attribute, sent, held),
    }
}

/// RFC 7643 §8.7.1 declares no attribute of a user case-sensitive. These two identify a person; in any
/// other attribute, a change of letter case is a change that a client may want to write.
fn is_same_value(attribute: &str, one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => {
            let identifies = ["userName", "emails"].iter().any(|name| same_name(name, attribute));
            one == other || (identifies && same_text(one, other))
        }
        (one, other) => one == other,
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
        assert!(agree(&sent, &held));
    }

    #[test]
    fn a_resource_that_differs_is_not_the_one_that_was_sent() {
        for (sent, held) in [
            (json!({ "externalId": "x" }), json!({ "externalId": "X" })),
            (json!({ "emails": [{ "value": "a" }] }), json!({ "emails": [{ "value": "b" }] })),
            (json!({ "name": { "givenName": "A" } }), json!({ "name": { "givenName": "a" } })),
            (json!({ "urn:x": { "id": 1 } }), json!({ "urn:x": { "id": 2 } })),
        ] {
            assert!(!agree(&sent, &held), "{sent} {held}");
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
