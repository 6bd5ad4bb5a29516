//! `/Schemas` and `/ResourceTypes`.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use wats_scim_filter::json::{member, same_name, take};

use super::words::{AttributeType, Mutability, Returned, Uniqueness};
use crate::model::ScimMeta;
use crate::model::json::Attributes;
use crate::model::json::json_object;

/// The schemas of a server, from its `/Schemas` (RFC 7644 §4).
///
/// Read them with [`schemas`](crate::blocking::ScimService::schemas), or with serde from a list response, an
/// array, or one schema.
///
/// ```
/// use wats_scim::{Schemas, ScimUser, SchemaProblemKind};
///
/// let schemas: Schemas = serde_json::from_str(
///     r#"[{
///         "id": "urn:ietf:params:scim:schemas:core:2.0:User",
///         "attributes": [
///             { "name": "userName", "type": "string", "required": "True" },
///             { "name": "title", "type": "string", "mutability": "readOnly" }
///         ]
///     }]"#,
/// )?;
/// let problems = schemas.check(&ScimUser::default().with_title("Engineer"))?;
/// assert_eq!(problems[0].to_string(), "title is read-only: a server ignores or rejects it");
/// assert_eq!(problems[1].kind, SchemaProblemKind::Required);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Schemas(Vec<Schema>);

impl Schemas {
    /// Returns the schema with this URN, in any letter case.
    #[must_use]
    pub fn get(&self, urn: &str) -> Option<&Schema> {
        self.iter().find(|schema| schema.id.as_deref().is_some_and(|id| same_name(id, urn)))
    }

    /// Iterates over the schemas, in the order of the server.
    pub fn iter(&self) -> std::slice::Iter<'_, Schema> {
        self.0.iter()
    }

    /// Returns the number of schemas.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no schemas.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Schema> for Schemas {
    fn from_iter<I: IntoIterator<Item = Schema>>(schemas: I) -> Self {
        Self(schemas.into_iter().collect())
    }
}

impl IntoIterator for Schemas {
    type Item = Schema;
    type IntoIter = std::vec::IntoIter<Schema>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Schemas {
    type Item = &'a Schema;
    type IntoIter = std::slice::Iter<'a, Schema>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'de> Deserialize<'de> for Schemas {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Listed::deserialize(deserializer).map(|Listed(schemas)| Self(schemas))
    }
}

/// A document of a server: a list response, an array, or one resource.
pub(crate) struct Listed<T>(pub(crate) Vec<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        listed(Value::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

fn listed<T: DeserializeOwned>(document: Value) -> serde_json::Result<Vec<T>> {
    let mut list = match document {
        Value::Object(list) => list,
        items => return serde_json::from_value(items),
    };
    let total = member(&list, "totalResults").cloned();
    let items = match (take(&mut list, "Resources"), &total) {
        (Some(items @ Value::Array(_)), _) => serde_json::from_value::<Vec<T>>(items)?,
        (None | Some(Value::Null), Some(_)) => Vec::new(),
        (None, None) => vec![serde_json::from_value(list.into())?],
        _ => return Err(Error::custom("its Resources are not a list")),
    };
    // A server may not page this list (RFC 7644 §4).
    match total.and_then(|total| total.as_u64()) {
        Some(total) if usize::try_from(total).is_ok_and(|total| total > items.len()) => {
            Err(Error::custom(format!("it has {} of {total} resources", items.len())))
        }
        _ => Ok(items),
    }
}

/// A schema: the attributes of a resource or an extension (RFC 7643 §7).
///
/// Everything is optional, as in [`ScimUser`](crate::ScimUser); a value of an unexpected type is kept in
/// `other`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Schema {
    /// The URN of this kind of document.
    pub schemas: Option<Vec<String>>,
    /// The URN of the schema.
    pub id: Option<String>,
    /// The name, such as `User`.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The attributes.
    pub attributes: Option<Vec<SchemaAttribute>>,
    /// Metadata, set by the server.
    pub meta: Option<ScimMeta>,
    /// All other members of the document.
    pub other: Attributes,
}

json_object!(Schema, other {
    "schemas" => schemas,
    "id" => id,
    "name" => name,
    "description" => description,
    "attributes" => attributes,
    "meta" => meta,
});

impl Schema {
    /// Returns the attribute with this name, in any letter case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&SchemaAttribute> {
        find(self.attributes.as_deref(), name)
    }
}

/// An attribute of a schema, or one of its sub-attributes (RFC 7643 §7).
///
/// The methods return the defaults of RFC 7643 §2.2 for what the server does not tell.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SchemaAttribute {
    /// The name.
    pub name: Option<String>,
    /// The type of one value.
    pub r#type: Option<AttributeType>,
    /// Whether it is a list; see [`is_multi_valued`](Self::is_multi_valued).
    pub multi_valued: Option<bool>,
    /// The description.
    pub description: Option<String>,
    /// Whether it must have a value; see [`is_required`](Self::is_required).
    pub required: Option<bool>,
    /// The usual values of a text, such as `work` and `home`. A server may reject others.
    pub canonical_values: Option<Vec<String>>,
    /// Whether letter case matters when texts are compared; see [`is_case_exact`](Self::is_case_exact).
    pub case_exact: Option<bool>,
    /// Who can change it; see [`mutability`](Self::mutability).
    pub mutability: Option<Mutability>,
    /// When it is returned; see [`returned`](Self::returned).
    pub returned: Option<Returned>,
    /// Among which resources it is unique; see [`uniqueness`](Self::uniqueness).
    pub uniqueness: Option<Uniqueness>,
    /// What a reference refers to: the name of a resource type, `external`, or `uri`.
    pub reference_types: Option<Vec<String>>,
    /// The sub-attributes of a complex attribute.
    pub sub_attributes: Option<Vec<Self>>,
    /// All other members of the document.
    pub other: Attributes,
}

json_object!(SchemaAttribute, other {
    "name" => name,
    "type" => r#type,
    "multiValued" => multi_valued,
    "description" => description,
    "required" => required,
    "canonicalValues" => canonical_values,
    "caseExact" => case_exact,
    "mutability" => mutability,
    "returned" => returned,
    "uniqueness" => uniqueness,
    "referenceTypes" => reference_types,
    "subAttributes" => sub_attributes,
});

impl SchemaAttribute {
    /// Returns whether the attribute is a list. By default it is not.
    #[must_use]
    pub fn is_multi_valued(&self) -> bool {
        self.multi_valued.unwrap_or_default()
    }

    /// Returns whether the attribute must have a value. By default it need not.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or_default()
    }

    /// Returns whether letter case matters when texts are compared. By default it does not.
    #[must_use]
    pub fn is_case_exact(&self) -> bool {
        self.case_exact.unwrap_or_default()
    }

    /// Returns who can change the attribute. By default the client can.
    #[must_use]
    pub fn mutability(&self) -> Mutability {
        self.mutability.unwrap_or(Mutability::ReadWrite)
    }

    /// Returns when the server returns the attribute.
    #[must_use]
    pub fn returned(&self) -> Returned {
        self.returned.unwrap_or(Returned::Default)
    }

    /// Returns among which resources a value is unique. By default it need not be.
    #[must_use]
    pub fn uniqueness(&self) -> Uniqueness {
        self.uniqueness.unwrap_or(Uniqueness::None)
    }

    /// Returns the sub-attribute with this name, in any letter case.
    #[must_use]
    pub fn sub_attribute(&self, name: &str) -> Option<&Self> {
        find(self.sub_attributes.as_deref(), name)
    }
}

fn find<'a>(attributes: Option<&'a [SchemaAttribute]>, name: &str) -> Option<&'a SchemaAttribute> {
    attributes?.iter().find(|attribute| attribute.name.as_deref().is_some_and(|known| same_name(known, name)))
}

/// A type of resource, from the `/ResourceTypes` of a server (RFC 7643 §6).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ResourceType {
    /// The URN of this kind of document.
    pub schemas: Option<Vec<String>>,
    /// The id, often the same as the name.
    pub id: Option<String>,
    /// The name, such as `User`.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The endpoint relative to the SCIM base URL, such as `/Users`.
    pub endpoint: Option<String>,
    /// The URN of the schema.
    pub schema: Option<String>,
    /// The extensions that a resource can have.
    pub schema_extensions: Option<Vec<SchemaExtension>>,
    /// Metadata, set by the server.
    pub meta: Option<ScimMeta>,
    /// All other members of the document.
    pub attributes: Attributes,
}

json_object!(ResourceType {
    "schemas" => schemas,
    "id" => id,
    "name" => name,
    "description" => description,
    "endpoint" => endpoint,
    "schema" => schema,
    "schemaExtensions" => schema_extensions,
    "meta" => meta,
});

/// An extension of a type of resource (RFC 7643 §6).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SchemaExtension {
    /// The URN of the extension's schema.
    pub schema: Option<String>,
    /// Whether each resource must have the extension.
    pub required: Option<bool>,
    /// All other members of the document.
    pub attributes: Attributes,
}

json_object!(SchemaExtension {
    "schema" => schema,
    "required" => required,
});

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_an_array_and_one_schema_are_read() {
        let one = json!({ "id": "urn:x" });
        let list = json!({ "totalResults": 1, "resources": [one] });
        for document in [one.clone(), json!([one]), list] {
            let schemas: Schemas = serde_json::from_value(document).unwrap();
            assert!(schemas.get("URN:X").is_some());
        }
        let none: Schemas = serde_json::from_value(json!({ "totalResults": 0 })).unwrap();
        assert!(none.is_empty());
    }

    #[test]
    fn an_incomplete_list_is_an_error() {
        for (document, why) in [
            (json!({ "totalResults": 3, "Resources": [{}] }), "it has 1 of 3 resources"),
            (json!({ "totalResults": 3 }), "it has 0 of 3 resources"),
            (json!({ "Resources": 7 }), "its Resources are not a list"),
        ] {
            assert_eq!(serde_json::from_value::<Schemas>(document).unwrap_err().to_string(), why);
        }
        assert!(serde_json::from_value::<Schemas>(json!([7])).is_err());
    }

    #[test]
    fn unusual_documents_are_read_and_written_back() {
        let text = concat!(
            r#"{"id":"urn:x","attributes":[{"name":"a","type":"STRING","multiValued":"False","required":"true","#,
            r#""mutability":"READWRITE","returned":"sometimes","uniqueness":true,"x":1}],"y":[2]}"#,
        );
        let schema: Schema = serde_json::from_str(text).unwrap();
        let a = schema.attribute("A").unwrap();
        assert_eq!((a.r#type, a.is_multi_valued(), a.is_required()), (Some(AttributeType::String), false, true));
        assert_eq!((a.mutability(), a.returned()), (Mutability::ReadWrite, Returned::Default));
        assert_eq!((a.uniqueness(), a.other.len()), (Uniqueness::None, 3));
        let expected = text.replace("STRING", "string").replace("READWRITE", "readWrite");
        let expected = expected.replace("\"False\"", "false").replace("\"true\"", "true");
        let written = serde_json::to_value(&schema).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(&expected).unwrap());
    }
}
