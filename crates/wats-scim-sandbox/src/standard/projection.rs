//! Attribute selection: `attributes` and `excludedAttributes` (RFC 7644 §3.9).

use std::borrow::Cow;

use serde_json::{Map, Value};
use wats_scim_filter::json::same_name;

use super::kinds::is_core;

/// The attributes that are always returned.
const ALWAYS: [&str; 2] = ["schemas", "id"];

/// A selection of attributes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Projection {
    #[default]
    Everything,
    Only(Vec<Steps>),
    Without(Vec<Steps>),
}

/// The names on the path to an attribute, from the top level of a resource.
type Steps = Vec<String>;

impl Projection {
    pub(super) fn only(paths: &[String]) -> Self {
        Self::Only(paths.iter().flat_map(|path| steps(path)).collect())
    }

    pub(super) fn without(paths: &[String]) -> Self {
        Self::Without(paths.iter().flat_map(|path| steps(path)).collect())
    }

    /// The selected part of a resource.
    pub(super) fn of<'a>(&self, resource: &'a Value) -> Cow<'a, Value> {
        let Value::Object(members) = resource else { return Cow::Borrowed(resource) };
        let (is_only, steps) = match self {
            Self::Everything => return Cow::Borrowed(resource),
            Self::Only(steps) => (true, steps),
            Self::Without(steps) => (false, steps),
        };
        let steps: Vec<&[String]> = steps.iter().map(Vec::as_slice).collect();
        let mut shown = Map::new();
        for (name, value) in members {
            let value = if ALWAYS.contains(&name.as_str()) {
                Some(value.clone())
            } else if is_only {
                kept(name, value, &steps)
            } else {
                left(name, value, &steps)
            };
            if let Some(value) = value {
                shown.insert(name.clone(), value);
            }
        }
        Cow::Owned(shown.into())
    }
}

/// The possible meanings of a path: the URN of an extension also has the form of a path into another
/// schema.
fn steps(path: &str) -> Vec<Steps> {
    let split = |names: &str| names.split('.').map(str::to_owned).collect::<Steps>();
    match path.rsplit_once(':') {
        None => vec![split(path)],
        Some((urn, names)) if is_core(urn) => vec![split(names)],
        Some((urn, names)) => {
            let mut inner = vec![urn.to_owned()];
            inner.extend(split(names));
            vec![vec![path.to_owned()], inner]
        }
    }
}

/// The remaining steps after a name.
fn after<'a>(name: &str, steps: &[&'a [String]]) -> Vec<&'a [String]> {
    let steps = steps.iter().filter_map(|steps| steps.split_first());
    steps.filter(|(first, _)| same_name(first, name)).map(|(_, rest)| rest).collect()
}

/// The part of a value that the steps select.
fn kept(name: &str, value: &Value, steps: &[&[String]]) -> Option<Value> {
    let steps = after(name, steps);
    if steps.is_empty() {
        return None;
    }
    if steps.iter().any(|rest| rest.is_empty()) {
        return Some(value.clone());
    }
    within(value, |name, value| kept(name, value, &steps))
}

/// The part of a value that the steps do not select.
fn left(name: &str, value: &Value, steps: &[&[String]]) -> Option<Value> {
    let steps = after(name, steps);
    if steps.is_empty() {
        return Some(value.clone());
    }
    if steps.iter().any(|rest| rest.is_empty()) {
        return None;
    }
    within(value, |name, value| left(name, value, &steps))
}

/// Selects members of a value, or of each of its values; `None` if nothing is left.
fn within(value: &Value, choose: impl Fn(&str, &Value) -> Option<Value>) -> Option<Value> {
    let object = |members: &Map<String, Value>| {
        let chosen: Map<String, Value> =
            members.iter().filter_map(|(name, value)| Some((name.clone(), choose(name, value)?))).collect();
        (!chosen.is_empty()).then_some(Value::Object(chosen))
    };
    match value {
        Value::Object(members) => object(members),
        Value::Array(values) => {
            let values: Vec<Value> = values.iter().filter_map(|value| object(value.as_object()?)).collect();
            (!values.is_empty()).then_some(values.into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn user() -> Value {
        json!({
            "schemas": ["s"],
            "id": "1",
            "userName": "jane",
            "name": {"givenName": "J", "familyName": "D"},
            "emails": [{"value": "a", "type": "work"}],
            "urn:x:y": {"z": 1, "w": 2},
        })
    }

    fn only(path: &str) -> Value {
        Projection::only(&[path.to_owned()]).of(&user()).into_owned()
    }

    #[test]
    fn the_id_is_always_returned() {
        assert_eq!(only("USERNAME"), json!({"schemas": ["s"], "id": "1", "userName": "jane"}));
    }

    #[test]
    fn a_sub_attribute_can_be_selected() {
        assert_eq!(only("name.givenName")["name"], json!({"givenName": "J"}));
    }

    #[test]
    fn a_sub_attribute_is_selected_in_each_value() {
        assert_eq!(only("emails.value")["emails"], json!([{"value": "a"}]));
    }

    #[test]
    fn an_extension_is_selected_completely_or_in_part() {
        assert_eq!(only("urn:x:y")["urn:x:y"], json!({"z": 1, "w": 2}));
        assert_eq!(only("urn:x:y:z")["urn:x:y"], json!({"z": 1}));
    }

    #[test]
    fn a_path_may_contain_the_core_schema() {
        assert_eq!(only("urn:ietf:params:scim:schemas:core:2.0:User:userName")["userName"], "jane");
    }

    #[test]
    fn excluded_attributes_are_left_out_except_the_id() {
        let shown = Projection::without(&["id".to_owned(), "name.givenName".to_owned()]).of(&user()).into_owned();
        assert_eq!((&shown["id"], &shown["name"]), (&json!("1"), &json!({"familyName": "D"})));
    }
}
