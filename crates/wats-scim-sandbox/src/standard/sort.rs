//! Sorting: `sortBy` and `sortOrder` (RFC 7644 §3.4.2.3).

use std::cmp::Ordering;

use serde_json::Value;
use wats_scim_filter::AttributePath;
use wats_scim_filter::json::{member, same_name, text_key};

use super::intake::is_primary;
use super::kinds::is_core;
use crate::refusal::Refusal;

/// An attribute and a direction.
#[derive(Debug)]
pub(super) struct Sort {
    path: AttributePath,
    descending: bool,
}

impl Sort {
    pub(super) fn new(by: &str, order: Option<&str>) -> Result<Self, Refusal> {
        let path = by.parse().map_err(|error| Refusal::invalid_path(format!("cannot read sortBy: {error}")))?;
        let order = order.unwrap_or("ascending");
        let descending = order.eq_ignore_ascii_case("descending");
        if !descending && !order.eq_ignore_ascii_case("ascending") {
            return Err(Refusal::invalid_value("sortOrder must be 'ascending' or 'descending'"));
        }
        Ok(Self { path, descending })
    }

    /// Sorts resources. The sort is stable. Resources without a value are last in ascending order and
    /// first in descending order.
    pub(super) fn apply(&self, resources: &mut [&Value]) {
        resources.sort_by_cached_key(|resource| {
            let key = Key(self.value(resource).map(|value| self.folded(value)));
            Directed { key, descending: self.descending }
        });
    }

    fn value<'a>(&self, resource: &'a Value) -> Option<&'a Value> {
        let holder = match self.path.schema() {
            Some(urn) if !is_core(urn) => member(resource.as_object()?, urn)?,
            _ => resource,
        };
        let value = preferred(member(holder.as_object()?, self.path.name())?)?;
        match value {
            Value::Object(members) => member(members, self.path.sub_attribute().unwrap_or("value")),
            value => Some(value),
        }
    }

    fn folded(&self, value: &Value) -> Value {
        let is = |name: &str| same_name(self.path.name(), name);
        match value {
            Value::String(text) if !is("id") && !is("externalId") => text_key(text).into_owned().into(),
            value => value.clone(),
        }
    }
}

/// The value to sort by: of several, the primary one, or else the first.
fn preferred(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(values) => values.iter().find(|value| is_primary(value)).or_else(|| values.first()),
        value => Some(value),
    }
}

#[derive(PartialEq, Eq)]
struct Directed {
    key: Key,
    descending: bool,
}

impl Ord for Directed {
    fn cmp(&self, other: &Self) -> Ordering {
        let ordering = self.key.cmp(&other.key);
        if self.descending { ordering.reverse() } else { ordering }
    }
}

impl PartialOrd for Directed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares strings with strings, numbers with numbers and booleans with booleans; absent values are
/// last.
struct Key(Option<Value>);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Some(Value::String(one)), Some(Value::String(other))) => one.cmp(other),
            (Some(Value::Bool(one)), Some(Value::Bool(other))) => one.cmp(other),
            (Some(Value::Number(one)), Some(Value::Number(other))) => {
                let number = |number: &serde_json::Number| number.as_f64().unwrap_or_default();
                number(one).total_cmp(&number(other))
            }
            (one, other) => rank(one.as_ref()).cmp(&rank(other.as_ref())),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

fn rank(value: Option<&Value>) -> u8 {
    match value {
        Some(Value::Bool(_)) => 0,
        Some(Value::Number(_)) => 1,
        Some(Value::String(_)) => 2,
        Some(_) => 3,
        None => 4,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sorted(by: &str, order: Option<&str>, users: &[Value]) -> Vec<Value> {
        let mut sorted: Vec<&Value> = users.iter().collect();
        Sort::new(by, order).unwrap().apply(&mut sorted);
        sorted.into_iter().map(|user| user["id"].clone()).collect()
    }

    #[test]
    fn strings_are_sorted_ignoring_letter_case() {
        let users = [json!({"id": 1, "userName": "b"}), json!({"id": 2, "userName": "A"})];
        assert_eq!(sorted("userName", None, &users), [2, 1]);
    }

    #[test]
    fn absent_values_are_last_in_ascending_order() {
        let users = [json!({"id": 1}), json!({"id": 2, "title": "z"})];
        assert_eq!(sorted("title", None, &users), [2, 1]);
    }

    #[test]
    fn absent_values_are_first_in_descending_order() {
        let users = [json!({"id": 1, "title": "z"}), json!({"id": 2})];
        assert_eq!(sorted("title", Some("Descending"), &users), [2, 1]);
    }

    #[test]
    fn several_values_are_sorted_by_the_primary_one() {
        let users = [
            json!({"id": 1, "emails": [{"value": "a"}, {"value": "z", "primary": true}]}),
            json!({"id": 2, "emails": [{"value": "m"}]}),
        ];
        assert_eq!(sorted("emails", None, &users), [2, 1]);
    }
}
