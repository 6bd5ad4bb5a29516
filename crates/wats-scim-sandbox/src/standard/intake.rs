//! Converts a resource in a request to the form that the server stores.

use http::Request;
use serde_json::{Map, Value};
use wats_scim_filter::json::{is_unassigned, member};

use super::kinds::Kind;
use super::schema::{Attribute, Mutability, Type};
use crate::message::{boolean, message, require_schema};
use crate::refusal::Refusal;

/// The resource in the body of a request. It lists its schema and each extension that it has (RFC 7643
/// §3).
pub(super) fn resource(kind: &Kind, request: &Request<Vec<u8>>) -> Result<Map<String, Value>, Refusal> {
    let sent = message(request)?;
    require_schema(&sent, kind.schema.id)?;
    for (name, _) in sent.iter().filter(|(_, value)| !is_unassigned(value)) {
        if let Some(extension) = kind.extension(name) {
            require_schema(&sent, extension.id)?;
        }
    }
    Ok(sent)
}

/// Checks a resource and converts it to the form that the server stores, without the attributes that
/// the server assigns.
///
/// Names get the letter case of the schema. Unassigned attributes are left out (RFC 7643 §2.5),
/// read-only attributes are ignored (RFC 7644 §3.3), and passwords are not stored. Attributes without
/// a schema are stored unchanged.
pub(super) fn accept(kind: &Kind, sent: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let mut accepted = Map::new();
    for (name, value) in sent {
        if let Some(extension) = kind.extension(&name) {
            let Value::Object(value) = value else {
                if is_unassigned(&value) {
                    continue;
                }
                return Err(Refusal::invalid_value(format!("{name} must be an object")));
            };
            let value = object(value, |name| extension.attribute(name))?;
            if !value.is_empty() {
                accepted.insert(extension.id.to_owned(), value.into());
            }
        } else {
            insert(&mut accepted, name, value, |name| kind.attribute(name))?;
        }
    }
    // The schemas in use are always listed.
    accepted.shift_remove("schemas");
    require(kind, &accepted)?;
    Ok(accepted)
}

/// The schemas that a resource uses (RFC 7643 §3).
pub(super) fn schemas(kind: &Kind, resource: &Map<String, Value>) -> Value {
    let extensions = resource.iter().filter(|(name, value)| name.contains(':') && value.is_object());
    std::iter::once(kind.schema.id).chain(extensions.map(|(name, _)| name.as_str())).map(Value::from).collect()
}

/// The name is required, and must be a string that is not blank.
fn require(kind: &Kind, resource: &Map<String, Value>) -> Result<(), Refusal> {
    for attribute in kind.attributes().filter(|attribute| attribute.required) {
        let given = member(resource, attribute.name).and_then(Value::as_str);
        if given.is_none_or(|text| text.trim().is_empty()) {
            let name = attribute.name;
            return Err(Refusal::invalid_value(format!("{name} is required and must be a string that is not empty")));
        }
    }
    Ok(())
}

fn insert(
    into: &mut Map<String, Value>,
    name: String,
    value: Value,
    known: impl Fn(&str) -> Option<&'static Attribute>,
) -> Result<(), Refusal> {
    if is_unassigned(&value) {
        return Ok(());
    }
    let Some(attribute) = known(&name) else {
        into.insert(name, value);
        return Ok(());
    };
    if attribute.mutability == Mutability::ReadOnly {
        return Ok(());
    }
    let value = shaped(attribute, value)?;
    if attribute.mutability != Mutability::WriteOnly && !is_unassigned(&value) {
        into.insert(attribute.name.to_owned(), value);
    }
    Ok(())
}

fn object(
    members: Map<String, Value>,
    known: impl Fn(&str) -> Option<&'static Attribute>,
) -> Result<Map<String, Value>, Refusal> {
    let mut shaped = Map::new();
    for (name, value) in members {
        insert(&mut shaped, name, value, &known)?;
    }
    Ok(shaped)
}

/// The value or values of an attribute.
fn shaped(attribute: &Attribute, value: Value) -> Result<Value, Refusal> {
    if !attribute.many {
        return one(attribute, value);
    }
    let Value::Array(values) = value else {
        return Err(Refusal::invalid_value(format!("{} must be an array", attribute.name)));
    };
    let values = values.into_iter().filter(|value| !is_unassigned(value)).map(|value| one(attribute, value));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    if values.iter().filter(|value| is_primary(value)).count() > 1 {
        return Err(Refusal::invalid_value(format!("only one of the {} can be primary", attribute.name)));
    }
    Ok(values.into())
}

/// Whether a value is primary (RFC 7643 §2.4).
pub(super) fn is_primary(value: &Value) -> bool {
    value.get("primary").and_then(boolean) == Some(true)
}

/// One value. A boolean can also be `"True"`, the form that Entra ID sends.
fn one(attribute: &Attribute, value: Value) -> Result<Value, Refusal> {
    let name = attribute.name;
    match (attribute.of, value) {
        (Type::Complex, Value::Object(members)) => object(members, |name| attribute.sub(name)).map(Value::Object),
        (Type::Complex, _) => Err(Refusal::invalid_value(format!("{name} must be an object"))),
        (Type::Boolean, value) => boolean(&value)
            .map(Value::Bool)
            .ok_or_else(|| Refusal::invalid_value(format!("{name} must be true or false"))),
        (_, value @ Value::String(_)) => Ok(value),
        (_, _) => Err(Refusal::invalid_value(format!("{name} must be a string"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::standard::kinds::users;

    fn accepted(sent: &Value) -> Result<Value, Refusal> {
        accept(users().unwrap(), sent.as_object().unwrap().clone()).map(Value::Object)
    }

    #[test]
    fn names_get_the_letter_case_of_the_schema() {
        let user = accepted(&json!({"USERNAME": "jane", "Name": {"GIVENNAME": "J"}}));
        assert_eq!(user.unwrap(), json!({"userName": "jane", "name": {"givenName": "J"}}));
    }

    #[test]
    fn read_only_attributes_are_ignored() {
        let user = accepted(&json!({"userName": "jane", "id": "mine", "groups": [{"value": "g"}]}));
        assert_eq!(user.unwrap(), json!({"userName": "jane"}));
    }

    #[test]
    fn a_password_is_not_stored() {
        let user = accepted(&json!({"userName": "jane", "password": "secret"}));
        assert_eq!(user.unwrap(), json!({"userName": "jane"}));
        assert!(accepted(&json!({"userName": "jane", "password": 7})).is_err());
    }

    #[test]
    fn attributes_without_a_schema_are_kept() {
        let sent = json!({"userName": "jane", "badge": 7, "urn:x:y": {"z": 1}});
        assert_eq!(accepted(&sent).unwrap(), sent);
    }

    #[test]
    fn a_blank_name_is_rejected() {
        assert_eq!(accepted(&json!({"userName": " "})).unwrap_err().scim_type, Some("invalidValue"));
    }

    #[test]
    fn two_primary_values_are_rejected() {
        let emails = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
        assert!(accepted(&json!({"userName": "jane", "emails": emails})).is_err());
    }

    #[test]
    fn a_number_is_not_a_string() {
        assert!(accepted(&json!({"userName": "jane", "title": 7})).is_err());
    }

    #[test]
    fn an_extension_in_use_is_listed() {
        let user = json!({"userName": "jane", "urn:x:y": {"z": 1}});
        let schemas = schemas(users().unwrap(), user.as_object().unwrap());
        assert_eq!(schemas, json!(["urn:ietf:params:scim:schemas:core:2.0:User", "urn:x:y"]));
    }
}
