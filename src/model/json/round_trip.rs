//! Any JSON object round-trips through the models.

use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::model::{Schema, ScimGroup, ScimUser, ScimValue};

/// Any JSON, with known and unknown attribute names.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "(?i)true|false".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..6).prop_map(|members| Value::Object(object(members))),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "id|userName|displayName|active|name|givenName|emails|value|primary|type|meta|version|schemas|externalId|members",
        "attributes|subAttributes|multiValued|required|mutability|canonicalValues|display",
        "USERNAME|Active|\\$ref|urn:x:2.0:User",
        "\\PC{0,8}",
    ]
}

/// An object whose names are unique in any letter case, as in all of SCIM (RFC 7643 §2.1).
fn object(members: Vec<(String, Value)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in members {
        if !object.keys().any(|known: &String| known.eq_ignore_ascii_case(&name)) {
            object.insert(name, value);
        }
    }
    object
}

/// Normalizes JSON for comparison: names in lower case, without unassigned attributes (RFC 7643
/// §2.5), with booleans for the strings `true` and `false`, and with text for whole numbers in
/// identifiers.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), normal(value)))
            .map(|(name, value)| match name.as_str() {
                "id" | "externalid" | "username" | "value" if value.is_i64() || value.is_u64() => {
                    (name, value.to_string().into())
                }
                _ => (name, value),
            })
            .filter(|(_, value)| !value.is_null())
            .collect(),
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::String(text) if text.eq_ignore_ascii_case("true") => true.into(),
        Value::String(text) if text.eq_ignore_ascii_case("false") => false.into(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn any_object_round_trips_as_any_model(members in prop::collection::vec((name(), json()), 0..8)) {
        let given = Value::Object(object(members));
        let text = given.to_string();
        let user: ScimUser = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(normal(&serde_json::to_value(&user).unwrap()), normal(&given));
        let group: ScimGroup = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(normal(&serde_json::to_value(&group).unwrap()), normal(&given));
        let value: ScimValue = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(normal(&serde_json::to_value(&value).unwrap()), normal(&given));
        let schema: Schema = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(normal(&serde_json::to_value(&schema).unwrap()), normal(&given));
        let early: ScimUser = serde_json::from_value(given).unwrap();
        prop_assert_eq!(early, user);
    }
}
