//! Equality of two values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::members::{assigned, is_unassigned};

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
