//! The body that creates or replaces a resource.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use wats_scim_filter::json::{is_server_attribute, same_name};

use crate::error::{Error, Result};
use crate::model::Resource;

/// A new resource: without what only the server gives (RFC 7643 §3.1), and with the schemas it
/// uses.
pub(super) fn new_resource<T: Resource>(resource: &T) -> Result<Vec<u8>> {
    write(resource, &["schemas"])
}

/// A resource in the place of what is there. It may name its id.
pub(super) fn whole_resource<T: Resource>(resource: &T) -> Result<Vec<u8>> {
    write(resource, &["schemas", "id"])
}

/// [`new_resource`] as an object.
pub(super) fn new_object<T: Resource>(resource: &T) -> Result<Map<String, Value>> {
    serde_json::from_slice(&new_resource(resource)?).map_err(unwritable)
}

/// The JSON of a resource, without the attributes that the server assigns but for those `named`.
fn write<T: Resource>(resource: &T, named: &[&str]) -> Result<Vec<u8>> {
    let text = serde_json::to_vec(resource).map_err(unwritable)?;
    let Ok(Members(members)) = serde_json::from_slice(&text) else {
        return Err(Error::invalid(format!("the {} is not written as a JSON object", T::NAME)));
    };
    let is_sent = |name: &str| !is_server_attribute(name) || named.iter().any(|known| same_name(name, known));
    let mut body = Vec::with_capacity(text.len() + 128);
    let mut writer = serde_json::Serializer::new(&mut body);
    let mut object = writer.serialize_map(None).map_err(unwritable)?;
    if !members.iter().any(|(name, _)| same_name(name, "schemas")) {
        let extensions = members
            .iter()
            .map(|(name, _)| &**name)
            .filter(|name| name.get(..4).is_some_and(|urn| same_name(urn, "urn:")));
        let schemas: Vec<&str> = std::iter::once(T::SCHEMA).chain(extensions).collect();
        object.serialize_entry("schemas", &schemas).map_err(unwritable)?;
    }
    for (name, value) in members.iter().filter(|(name, _)| is_sent(name)) {
        object.serialize_entry(name, value).map_err(unwritable)?;
    }
    object.end().map_err(unwritable)?;
    Ok(body)
}

pub(crate) fn unwritable(error: serde_json::Error) -> Error {
    Error::invalid("it cannot be written as JSON").with_source(error)
}

/// The members of an object, whose values are left as they are written.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ScimUser;

    fn new(json: &str) -> String {
        let user: ScimUser = serde_json::from_str(json).unwrap();
        String::from_utf8(new_resource(&user).unwrap()).unwrap()
    }

    #[test]
    fn what_only_the_server_gives_is_left_out() {
        assert_eq!(
            new(
                r#"{"schemas":["s"],"id":"1","userName":"j\"ane","meta":{"version":"1"},"META":{},"x":{"id":"2","a":[1.0]}}"#
            ),
            r#"{"schemas":["s"],"userName":"j\"ane","x":{"id":"2","a":[1.0]}}"#
        );
    }

    #[test]
    fn the_schemas_that_are_used_are_named() {
        assert_eq!(
            new(r#"{"userName":"j","URN:x:2.0:User":{}}"#),
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","URN:x:2.0:User"],"userName":"j","URN:x:2.0:User":{}}"#
        );
    }
}
