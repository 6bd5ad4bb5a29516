//! Schemas in the form of `/Schemas` (RFC 7643 §7).

use serde_json::{Map, Value, json};

use super::{Attribute, Mutability, Schema, Type};

/// The schema as a resource; `base` is the address of the SCIM base.
pub(in crate::standard) fn render(schema: &Schema, base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": attributes(schema.attributes),
        "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{}", schema.id)},
    })
}

fn attributes(attributes: &[Attribute]) -> Value {
    attributes.iter().map(|one| Value::Object(attribute(one))).collect()
}

fn attribute(attribute: &Attribute) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("name", attribute.name.into());
    put("type", type_name(attribute.of).into());
    put("multiValued", attribute.many.into());
    put("description", attribute.name.into());
    put("required", attribute.required.into());
    put("mutability", mutability_name(attribute.mutability).into());
    put("returned", returned(attribute).into());
    match attribute.of {
        Type::Complex => {
            put("subAttributes", attributes(attribute.subs));
        }
        of => {
            put("caseExact", attribute.case_exact.into());
            put("uniqueness", if attribute.unique { "server" } else { "none" }.into());
            if !attribute.canonical.is_empty() {
                put("canonicalValues", json!(attribute.canonical));
            }
            if of == Type::Reference {
                put("referenceTypes", json!(attribute.targets));
            }
        }
    }
    shown
}

fn type_name(of: Type) -> &'static str {
    match of {
        Type::Text => "string",
        Type::Boolean => "boolean",
        Type::DateTime => "dateTime",
        Type::Reference => "reference",
        Type::Binary => "binary",
        Type::Complex => "complex",
    }
}

fn mutability_name(mutability: Mutability) -> &'static str {
    match mutability {
        Mutability::ReadWrite => "readWrite",
        Mutability::ReadOnly => "readOnly",
        Mutability::Immutable => "immutable",
        Mutability::WriteOnly => "writeOnly",
    }
}

fn returned(attribute: &Attribute) -> &'static str {
    match attribute.mutability {
        Mutability::WriteOnly => "never",
        _ if attribute.always => "always",
        _ => "default",
    }
}

#[cfg(test)]
mod tests {
    use super::super::USER;
    use super::*;

    fn named(name: &str) -> Value {
        let schema = render(&USER, "http://x/scim/v2");
        schema["attributes"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
    }

    #[test]
    fn a_user_name_is_required_and_unique() {
        let user_name = named("userName");
        assert_eq!((&user_name["required"], &user_name["uniqueness"]), (&json!(true), &json!("server")));
    }

    #[test]
    fn a_password_is_never_returned() {
        assert_eq!(named("password")["returned"], "never");
    }

    #[test]
    fn a_complex_attribute_has_sub_attributes() {
        assert_eq!(named("emails")["subAttributes"][0]["name"], "value");
    }

    #[test]
    fn every_reference_says_what_it_refers_to() {
        fn check(attributes: &[Attribute]) {
            for attribute in attributes {
                assert_eq!(attribute.of == Type::Reference, !attribute.targets.is_empty(), "{}", attribute.name);
                check(attribute.subs);
            }
        }
        for schema in [USER, super::super::GROUP, super::super::ENTERPRISE_USER] {
            check(schema.attributes);
        }
        assert_eq!(named("profileUrl")["referenceTypes"], json!(["external"]));
    }

    #[test]
    fn the_type_of_an_email_has_canonical_values() {
        assert_eq!(named("emails")["subAttributes"][2]["canonicalValues"], json!(["work", "home", "other"]));
    }
}
