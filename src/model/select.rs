//! The values at a path of a resource.

use serde_json::Value;
use wats_scim_filter::PatchPath;
use wats_scim_filter::json::is_unassigned;

use super::resource::Resource;
use crate::error::{Error, Result};

/// The first value that a path selects.
pub(super) fn first<T: Resource>(resource: &T, path: &str) -> Result<Option<Value>> {
    let (path, json) = (parsed(path)?, json(resource)?);
    let found = path.select(&json, T::SCHEMA).into_iter().find(|value| !is_unassigned(value)).cloned();
    Ok(found)
}

/// All values that a path selects, those of a list one by one.
pub(super) fn all<T: Resource>(resource: &T, path: &str) -> Result<Vec<Value>> {
    let (path, json) = (parsed(path)?, json(resource)?);
    let found = path.select(&json, T::SCHEMA).into_iter().flat_map(each);
    Ok(found.filter(|value| !is_unassigned(value)).cloned().collect())
}

fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        value => std::slice::from_ref(value),
    }
}

fn parsed(path: &str) -> Result<PatchPath> {
    path.parse().map_err(|error| Error::invalid(format!("the path is not valid: {error}")).with_source(error))
}

fn json<T: Resource>(resource: &T) -> Result<Value> {
    let unwritable = |error| Error::invalid(format!("the {} cannot be written as JSON", T::NAME)).with_source(error);
    serde_json::to_value(resource).map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;
    use crate::model::{ScimGroup, ScimMember, ScimUser};

    #[test]
    fn the_first_or_all_values_are_returned() {
        let user = ScimUser::new("jane").with_email("a@x").with_email("b@x").with_attribute("tags", json!([null, "t"]));
        assert_eq!(user.get("emails.value").unwrap(), Some(json!("a@x")));
        assert_eq!(user.get_all("emails.value").unwrap(), [json!("a@x"), json!("b@x")]);
        assert_eq!(user.get(r#"emails[value eq "b@x"].value"#).unwrap(), Some(json!("b@x")));
        assert_eq!(user.get("tags").unwrap(), Some(json!([null, "t"])));
        assert_eq!(user.get_all("tags").unwrap(), [json!("t")]);
        assert_eq!(user.get("title").unwrap(), None);
        let group = ScimGroup::new("Testers").with_member(ScimMember::new("7"));
        assert_eq!(group.get("MEMBERS[value eq \"7\"].value").unwrap(), Some(json!("7")));
    }

    #[test]
    fn an_unassigned_value_is_missing() {
        let user = ScimUser::new("jane").with_attribute("title", Value::Null).with_attribute("x", json!({}));
        assert_eq!((user.get("title").unwrap(), user.get("x").unwrap()), (None, None));
        assert_eq!(user.get_all("title").unwrap(), Vec::<Value>::new());
    }

    #[test]
    fn an_invalid_path_is_an_error() {
        for path in ["", "emails[", "emails[type eq].value", "a.b.c", "user name"] {
            let error = ScimUser::new("jane").get(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path}");
            assert!(error.to_string().starts_with("the path is not valid: "), "{error}");
            assert!(ScimUser::new("jane").get_all(path).is_err());
        }
    }

    #[test]
    fn a_type_of_resource_has_its_own_schema_at_the_top_level() {
        #[derive(Clone, Deserialize, Serialize)]
        struct Device {
            serial: String,
        }
        impl Resource for Device {
            const NAME: &'static str = "device";
            const ENDPOINT: &'static str = "Devices";
            const SCHEMA: &'static str = "urn:example:2.0:Device";
            const NAMED_BY: &'static str = "serial";

            fn id(&self) -> Option<&str> {
                None
            }

            fn name(&self) -> Option<&str> {
                Some(&self.serial)
            }
        }
        let device = Device { serial: "7".to_owned() };
        assert_eq!(device.get("urn:example:2.0:Device:serial").unwrap(), Some(json!("7")));
    }
}
