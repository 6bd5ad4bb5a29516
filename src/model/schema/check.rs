//! Checks a resource against the schemas of a server.

use std::collections::HashMap;

use serde_json::{Map, Value};
use wats_scim_filter::json::{assigned, is_server_attribute, is_unassigned, member, same_name};

use super::document::{Schema, SchemaAttribute, Schemas};
use super::problem::{SchemaProblem, SchemaProblemKind};
use super::words::{AttributeType, Mutability};
use crate::model::meta::time;
use crate::model::{Resource, object};

/// The sub-attributes that any multi-valued attribute can have, whether its schema names them or not (RFC
/// 7643 §2.4).
const PLURAL: [&str; 5] = ["value", "display", "type", "primary", "$ref"];

impl Schemas {
    /// Checks a resource before it is sent, and returns what the server would reject or ignore:
    ///
    /// - a required attribute that is missing, and a name that is blank;
    /// - a value of a wrong type: a server need not accept `"True"` as a truth value or `7` as text;
    /// - a read-only attribute, and an immutable one of a resource that has an id, unless it is in a value of
    ///   a multi-valued attribute, which is replaced as a whole;
    /// - a text that is none of the canonical values;
    /// - several primary values;
    /// - an attribute that its schema does not have;
    /// - `schemas` without the URN of the resource's own schema; the client adds those of extensions.
    ///
    /// `id` and `meta` are not checked: they belong to the server, and the client does not send them with a
    /// creation. Schemas that the server does not describe are not checked. Whether a value is unique, only
    /// the server knows.
    ///
    /// # Errors
    ///
    /// The serialization error if the resource cannot be written as JSON.
    pub fn check<T: Resource>(&self, resource: &T) -> serde_json::Result<Vec<SchemaProblem>> {
        let resource = object(resource)?;
        let mut check = Check { exists: assigned(&resource, "id").is_some(), found: Vec::new() };
        let extensions = self.iter().filter_map(|schema| Some((schema.id.as_deref()?, schema)));
        let extensions = by_name(extensions.filter(|(id, _)| !same_name(id, T::SCHEMA)));
        for (name, value) in given(&resource) {
            let Some(extension) = extensions.get(&name.to_ascii_lowercase()) else { continue };
            let prefix = format!("{name}:");
            match value {
                Value::Object(members) => check.schema(extension, &prefix, members),
                _ => check.add(name, None, SchemaProblemKind::Type, "must be an object"),
            }
        }
        if let Some(core) = self.get(T::SCHEMA) {
            check.schema(core, "", &resource);
        }
        check.schemas(&resource, T::SCHEMA);
        Ok(check.found)
    }
}

struct Check {
    /// Whether the server has the resource.
    exists: bool,
    found: Vec<SchemaProblem>,
}

/// The place of an attribute.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    /// The position in the multi-valued attribute that it is part of.
    index: Option<usize>,
}

impl Check {
    fn add(&mut self, path: &str, index: Option<usize>, kind: SchemaProblemKind, message: impl Into<String>) {
        self.found.push(SchemaProblem { path: path.to_owned(), index, kind, message: message.into() });
    }

    /// The members of a resource or an extension; `prefix` is the URN of the extension and a colon.
    fn schema(&mut self, schema: &Schema, prefix: &str, members: &Map<String, Value>) {
        let Some(attributes) = schema.attributes.as_deref() else { return };
        let is_core = prefix.is_empty();
        let known = known(attributes);
        for (name, value) in given(members) {
            // The members of a resource whose names are URNs are its extensions.
            if is_core && (is_server_attribute(name) || name.contains(':')) {
                continue;
            }
            let path = format!("{prefix}{name}");
            match known.get(&name.to_ascii_lowercase()) {
                Some(attribute) => self.attribute(attribute, Place { path: &path, index: None }, value),
                // RFC 7643 §3.1: it is common to all resources, and part of no schema.
                None if is_core && same_name(name, "externalId") => {
                    if !value.is_string() {
                        self.add(&path, None, SchemaProblemKind::Type, "must be text");
                    }
                }
                None => {
                    let urn = schema.id.as_deref().unwrap_or_default();
                    self.add(&path, None, SchemaProblemKind::Unknown, format!("is not an attribute of {urn}"));
                }
            }
        }
        let is_assigned = |name: &str| is_core && is_server_attribute(name);
        self.required(attributes, is_assigned, prefix, None, members);
    }

    /// The required attributes, except those that the server or the client fills in.
    fn required(
        &mut self,
        attributes: &[SchemaAttribute],
        is_filled_in: impl Fn(&str) -> bool,
        prefix: &str,
        index: Option<usize>,
        members: &Map<String, Value>,
    ) {
        let mut required =
            attributes.iter().filter(|one| one.is_required() && one.mutability() != Mutability::ReadOnly);
        let Some(first) = required.next() else { return };
        let members = by_name(given(members));
        for name in std::iter::once(first).chain(required).filter_map(|one| one.name.as_deref()) {
            let message = match members.get(&name.to_ascii_lowercase()) {
                None if !is_filled_in(name) => "is required",
                Some(Value::String(text)) if text.trim().is_empty() => "is required and must not be blank",
                _ => continue,
            };
            self.add(&format!("{prefix}{name}"), index, SchemaProblemKind::Required, message);
        }
    }

    fn attribute(&mut self, attribute: &SchemaAttribute, place: Place<'_>, value: &Value) {
        let Place { path, index } = place;
        match attribute.mutability() {
            Mutability::ReadOnly => {
                return self.add(
                    path,
                    index,
                    SchemaProblemKind::ReadOnly,
                    "is read-only: a server ignores or rejects it",
                );
            }
            Mutability::Immutable if self.exists && index.is_none() => {
                let message = "is immutable: a server rejects another value than the one that it has";
                self.add(path, index, SchemaProblemKind::Immutable, message);
            }
            _ => {}
        }
        if !attribute.is_multi_valued() {
            return self.value(attribute, place, value);
        }
        let Value::Array(values) = value else {
            return self.add(path, index, SchemaProblemKind::Type, "must be a list");
        };
        for (index, value) in values.iter().enumerate().filter(|(_, value)| !is_unassigned(value)) {
            self.value(attribute, Place { path, index: Some(index) }, value);
        }
        if values.iter().filter(|value| is_primary(value)).count() > 1 {
            self.add(path, index, SchemaProblemKind::Primary, "must not have more than one primary value");
        }
    }

    /// One value of an attribute.
    fn value(&mut self, attribute: &SchemaAttribute, place: Place<'_>, value: &Value) {
        let Place { path, index } = place;
        if let Some(expected) = attribute.r#type.and_then(|r#type| mismatch(r#type, value)) {
            return self.add(path, index, SchemaProblemKind::Type, format!("must be {expected}"));
        }
        match value {
            Value::String(text) if !is_canonical(attribute, text) => {
                let canonical = attribute.canonical_values.as_deref().unwrap_or_default().join(", ");
                self.add(path, index, SchemaProblemKind::Canonical, format!("must be one of {canonical}"));
            }
            Value::Object(members) => self.sub_attributes(attribute, place, members),
            _ => {}
        }
    }

    fn sub_attributes(&mut self, attribute: &SchemaAttribute, place: Place<'_>, members: &Map<String, Value>) {
        let Some(attributes) = attribute.sub_attributes.as_deref().filter(|subs| !subs.is_empty()) else { return };
        let Place { path, index } = place;
        let known = known(attributes);
        for (name, value) in given(members) {
            let path = format!("{path}.{name}");
            match known.get(&name.to_ascii_lowercase()) {
                Some(sub) => self.attribute(sub, Place { path: &path, index }, value),
                None if attribute.is_multi_valued() && PLURAL.iter().any(|plural| same_name(plural, name)) => {}
                None => {
                    let message = "is not a sub-attribute of the schema";
                    self.add(&path, index, SchemaProblemKind::Unknown, message);
                }
            }
        }
        self.required(attributes, |_| false, &format!("{path}."), index, members);
    }

    /// A resource lists its schema (RFC 7643 §3). The client does that if `schemas` is missing.
    fn schemas(&mut self, resource: &Map<String, Value>, urn: &str) {
        // The client sends `{}` as it is.
        let is_given = |schemas: &&Value| !is_unassigned(schemas) || schemas.is_object();
        let Some(schemas) = member(resource, "schemas").filter(is_given) else { return };
        let listed = schemas.as_array().map(|schemas| schemas.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        match listed.flatten() {
            None => self.add("schemas", None, SchemaProblemKind::Type, "must be a list of text"),
            Some(listed) if listed.iter().any(|listed| same_name(listed, urn)) => {}
            Some(_) => self.add("schemas", None, SchemaProblemKind::Required, format!("must list {urn}")),
        }
    }
}

/// The assigned members of an object.
fn given(members: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    members.iter().filter(|(_, value)| !is_unassigned(value)).map(|(name, value)| (name.as_str(), value))
}

/// Attributes by their names.
fn known(attributes: &[SchemaAttribute]) -> HashMap<String, &SchemaAttribute> {
    by_name(attributes.iter().filter_map(|attribute| Some((attribute.name.as_deref()?, attribute))))
}

/// The first of each name, by its name in lower case. Searching for each name in a list would take quadratic
/// time, and a malicious server could keep a client busy.
fn by_name<'a, T>(items: impl Iterator<Item = (&'a str, T)>) -> HashMap<String, T> {
    let mut by_name = HashMap::new();
    for (name, item) in items {
        by_name.entry(name.to_ascii_lowercase()).or_insert(item);
    }
    by_name
}

/// What a value of this type must be, if the value is not.
fn mismatch(r#type: AttributeType, value: &Value) -> Option<&'static str> {
    let (fits, expected) = match r#type {
        AttributeType::String | AttributeType::Reference | AttributeType::Binary => (value.is_string(), "text"),
        AttributeType::Boolean => (value.is_boolean(), "true or false"),
        AttributeType::Decimal => (value.is_number(), "a number"),
        AttributeType::Integer => (value.is_i64() || value.is_u64(), "a whole number"),
        AttributeType::DateTime => {
            (value.as_str().and_then(time).is_some(), "a date and time, such as 2026-01-02T03:04:05Z")
        }
        AttributeType::Complex => (value.is_object(), "an object"),
    };
    (!fits).then_some(expected)
}

fn is_canonical(attribute: &SchemaAttribute, text: &str) -> bool {
    let Some(canonical) = attribute.canonical_values.as_deref().filter(|canonical| !canonical.is_empty()) else {
        return true;
    };
    let is_exact = attribute.is_case_exact();
    canonical.iter().any(|one| one == text || (!is_exact && one.eq_ignore_ascii_case(text)))
}

fn is_primary(value: &Value) -> bool {
    value.as_object().and_then(|value| member(value, "primary")).and_then(wats_scim_filter::json::truth) == Some(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{EnterpriseUser, Extension, ScimGroup, ScimUser};

    fn rfc() -> Schemas {
        serde_json::from_str(include_str!("../../../tests/rfc/rfc7643-8.7.1-resource-schemas.json")).unwrap()
    }

    fn problems(user: Value) -> Vec<String> {
        let user: ScimUser = serde_json::from_value(user).unwrap();
        rfc().check(&user).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_users_of_the_rfc_have_only_what_the_server_adds() {
        let added = "groups is read-only: a server ignores or rejects it";
        let full = include_str!("../../../tests/rfc/rfc7643-8.2-full-user.json");
        assert_eq!(problems(serde_json::from_str(full).unwrap()), [added]);
        let enterprise = include_str!("../../../tests/rfc/rfc7643-8.3-enterprise-user.json");
        let manager =
            format!("{}:manager.displayName is read-only: a server ignores or rejects it", EnterpriseUser::SCHEMA);
        assert_eq!(problems(serde_json::from_str(enterprise).unwrap()), [&manager, added]);
    }

    #[test]
    fn each_kind_of_problem_is_a_sentence_with_a_path() {
        let user = json!({
            "schemas": ["urn:x"], "userName": " ", "externalId": [7], "title": 7, "name": "Jane", "active": "perhaps",
            "emails": [{ "value": "j@x", "type": "WORK", "primary": true }, { "type": "wrok", "primary": true, "x": 1 }],
            "roles": { "value": "r" }, "ims": ["i"], "badge": 7, "urn:x": { "y": 1 },
            EnterpriseUser::SCHEMA: { "department": true, "floor": 3 },
        });
        let mut found = problems(user);
        found.sort();
        let expected = [
            "active must be true or false".to_owned(),
            format!("badge is not an attribute of {}", ScimUser::SCHEMA),
            "emails must not have more than one primary value".to_owned(),
            "emails.type (value 2) must be one of work, home, other".to_owned(),
            "emails.x (value 2) is not a sub-attribute of the schema".to_owned(),
            "externalId must be text".to_owned(),
            "ims (value 1) must be an object".to_owned(),
            "name must be an object".to_owned(),
            "roles must be a list".to_owned(),
            format!("schemas must list {}", ScimUser::SCHEMA),
            "title must be text".to_owned(),
            format!("{}:department must be text", EnterpriseUser::SCHEMA),
            format!("{0}:floor is not an attribute of {0}", EnterpriseUser::SCHEMA),
            "userName is required and must not be blank".to_owned(),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_problem_is_one_line() {
        assert_eq!(
            problems(json!({ "userName": "jane", "a\nb": 7 }))[0],
            format!("a b is not an attribute of {}", ScimUser::SCHEMA)
        );
    }

    #[test]
    fn unassigned_attributes_are_no_problem_unless_they_are_required() {
        assert_eq!(problems(json!({ "title": null, "roles": [null], "name": {} })), ["userName is required"]);
    }

    #[test]
    fn an_immutable_attribute_is_a_problem_of_a_resource_that_exists() {
        let schemas: Schemas = serde_json::from_value(json!([{ "id": ScimGroup::SCHEMA, "attributes": [
            { "name": "displayName", "mutability": "immutable" },
            { "name": "members", "type": "complex", "multiValued": true,
              "subAttributes": [{ "name": "value", "type": "string", "mutability": "immutable" }] },
        ]}]))
        .unwrap();
        let mut group = ScimGroup::new("Testers").with_member(crate::ScimMember::new("1"));
        assert_eq!(schemas.check(&group).unwrap(), []);
        group.id = Some("7".to_owned());
        let found = schemas.check(&group).unwrap();
        assert_eq!((found.len(), found[0].kind), (1, SchemaProblemKind::Immutable));
        assert_eq!(found[0].path, "displayName");
    }

    #[test]
    fn a_schema_that_is_not_described_is_not_checked() {
        assert_eq!(Schemas::default().check(&ScimUser::default().with_attribute("x", 7)).unwrap(), []);
    }

    #[test]
    fn large_schemas_are_checked_in_linear_time() {
        let names = (0..50_000).map(|n| format!("a{n}"));
        let attributes: Vec<_> = names.clone().map(|name| json!({ "name": name, "required": true })).collect();
        let schema = json!({ "id": ScimUser::SCHEMA, "attributes": attributes });
        let schemas: Schemas = serde_json::from_value(schema).unwrap();
        let user: ScimUser =
            serde_json::from_value(names.map(|name| (name.to_uppercase(), json!(1))).collect()).unwrap();
        assert_eq!(schemas.check(&user).unwrap(), []);
        assert_eq!(schemas.check(&ScimUser::default()).unwrap().len(), 50_000);
    }

    #[test]
    fn every_type_is_checked() {
        for (r#type, good, bad) in [
            (AttributeType::Decimal, json!(1.5), json!("1.5")),
            (AttributeType::Integer, json!(1), json!(1.5)),
            (AttributeType::DateTime, json!("2008-01-23T04:56:22Z"), json!("yesterday")),
            (AttributeType::Binary, json!("AA=="), json!(1)),
            (AttributeType::Reference, json!("../Users/1"), json!({})),
            (AttributeType::Complex, json!({}), json!("x")),
        ] {
            assert_eq!((mismatch(r#type, &good), mismatch(r#type, &bad).is_some()), (None, true), "{type:?}");
        }
    }
}
