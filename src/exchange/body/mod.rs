//! The body that creates or replaces a resource.

mod members;

use serde_json::{Map, Value};
use wats_scim_filter::json::{is_server_attribute, same_name};

use crate::error::{Error, Result};
use crate::model::Resource;

/// The body for a new resource: without the attributes that the server assigns (RFC 7643 §3.1), and
/// with the schemas that the resource uses.
pub(super) fn new_resource<T: Resource>(resource: &T) -> Result<Vec<u8>> {
    write(resource, &["schemas"])
}

/// The body for a replacement, which can contain the id.
pub(super) fn whole_resource<T: Resource>(resource: &T) -> Result<Vec<u8>> {
    write(resource, &["schemas", "id"])
}

/// [`new_resource`] as an object.
pub(super) fn new_object<T: Resource>(resource: &T) -> Result<Map<String, Value>> {
    serde_json::from_slice(&new_resource(resource)?).map_err(unwritable)
}

/// The JSON of a resource, without the attributes that the server assigns, except for those in `kept`.
fn write<T: Resource>(resource: &T, kept: &[&str]) -> Result<Vec<u8>> {
    let is_sent = |name: &str| !is_server_attribute(name) || kept.iter().any(|known| same_name(name, known));
    members::write(resource, is_sent, T::SCHEMA).map_err(|error| {
        Error::invalid(format!("the {} cannot be written as a JSON object", T::NAME)).with_source(error)
    })
}

pub(super) fn unwritable(error: serde_json::Error) -> Error {
    Error::invalid("the request cannot be written as JSON").with_source(error)
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
    fn attributes_that_the_server_assigns_are_left_out() {
        assert_eq!(
            new(
                r#"{"schemas":["s"],"id":"1","userName":"j\"ane","meta":{"version":"1"},"META":{},"x":{"id":"2","a":[1.0]}}"#
            ),
            r#"{"schemas":["s"],"userName":"j\"ane","x":{"id":"2","a":[1.0]}}"#
        );
    }

    #[test]
    fn schemas_in_use_are_listed() {
        let core = ScimUser::SCHEMA;
        for (user, body) in [
            ("{}", format!(r#"{{"schemas":["{core}"]}}"#)),
            (r#"{"id":"1"}"#, format!(r#"{{"schemas":["{core}"]}}"#)),
            (r#"{"userName":"j","x\n":[1.0]}"#, format!(r#"{{"schemas":["{core}"],"userName":"j","x\n":[1.0]}}"#)),
            (
                r#"{"userName":"j","URN:x:2.0:User":{}}"#,
                format!(r#"{{"schemas":["{core}","URN:x:2.0:User"],"userName":"j","URN:x:2.0:User":{{}}}}"#),
            ),
            // An extension that was added after the schemas were set (RFC 7643 §3).
            (
                r#"{"schemas":["s"],"urn:a":{},"urn:b":{}}"#,
                r#"{"schemas":["s","urn:a","urn:b"],"urn:a":{},"urn:b":{}}"#.into(),
            ),
            (r#"{"schemas":["s","URN:A"],"urn:a":{}}"#, r#"{"schemas":["s","URN:A"],"urn:a":{}}"#.into()),
            (r#"{"schemas":["urn:ab"],"urn:a":{}}"#, r#"{"schemas":["urn:ab","urn:a"],"urn:a":{}}"#.into()),
            // An attribute that is not assigned uses no schema (RFC 7643 §2.5).
            (r#"{"schemas":["s"],"urn:a":null}"#, r#"{"schemas":["s"],"urn:a":null}"#.into()),
            (r#"{"schemas":7,"urn:a":{}}"#, r#"{"schemas":7,"urn:a":{}}"#.into()),
        ] {
            assert_eq!(new(user), body, "{user}");
        }
    }

    #[test]
    fn a_resource_that_is_not_an_object_is_rejected() {
        #[derive(Clone, serde::Deserialize, serde::Serialize)]
        struct List(Vec<u8>, u8);

        impl Resource for List {
            const NAME: &'static str = "list";
            const ENDPOINT: &'static str = "Lists";
            const SCHEMA: &'static str = "urn:list";
            const NAMED_BY: &'static str = "name";

            fn id(&self) -> Option<&str> {
                None
            }

            fn name(&self) -> Option<&str> {
                None
            }
        }

        let error = new_resource(&List(vec![1], 2)).unwrap_err();
        assert!(error.to_string().contains("the list cannot be written as a JSON object"), "{error}");
    }
}
