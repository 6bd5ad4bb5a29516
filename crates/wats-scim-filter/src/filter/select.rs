//! Finds the values that a path names.

use serde_json::Value;

use super::PatchPath;
use super::matches::{each, is_core, member};
use crate::json::same_name;

impl PatchPath {
    /// The values that the path selects in a resource, in order. Letter case of names is ignored.
    ///
    /// Without a filter and a sub-attribute, that is the attribute itself, which may be an array. With one
    /// of them, each value of a multi-valued attribute counts on its own.
    ///
    /// `schema` is the URN of the resource's own schema, whose attributes are at the top level; those of
    /// any other schema are in a member with its name (RFC 7643 §3.3). The URN of an extension alone
    /// selects all of its attributes.
    ///
    /// ```
    /// use serde_json::json;
    /// use wats_scim_filter::PatchPath;
    ///
    /// let user = json!({ "emails": [{ "value": "j@x", "type": "work" }, { "value": "k@x" }] });
    /// let path: PatchPath = r#"emails[type eq "work"].value"#.parse()?;
    /// assert_eq!(path.select(&user, "urn:ietf:params:scim:schemas:core:2.0:User"), [&json!("j@x")]);
    /// # Ok::<(), wats_scim_filter::FilterError>(())
    /// ```
    #[must_use]
    pub fn select<'a>(&self, resource: &'a Value, schema: &str) -> Vec<&'a Value> {
        let Some(attribute) = self.attribute(resource, schema) else { return Vec::new() };
        if self.filter.is_none() && self.sub_attribute().is_none() {
            return vec![attribute];
        }
        each(attribute)
            .iter()
            .filter(|value| self.filter.as_ref().is_none_or(|filter| filter.holds(value, Some(&self.path))))
            .filter_map(|value| match self.sub_attribute() {
                Some(sub) => member(value, sub),
                None => Some(value),
            })
            .collect()
    }

    fn attribute<'a>(&self, resource: &'a Value, core: &str) -> Option<&'a Value> {
        let name = self.path.name();
        match self.path.schema() {
            Some(schema) if !is_core(schema) && !same_name(schema, core) => {
                let of_extension = member(resource, schema).and_then(|extension| member(extension, name));
                // The last part of a URN reads like the name of an attribute.
                of_extension.or_else(|| member(resource, &format!("{schema}:{name}")))
            }
            _ => member(resource, name),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn selected(path: &str) -> Vec<Value> {
        let user = json!({
            "userName": "jane", "NAME": { "familyName": "Doe" }, "tags": ["a", "b"],
            "emails": [{ "value": "A@x", "type": "Work" }, { "value": "b@x", "type": "home" }, "c@x"],
            ENTERPRISE: { "department": "Test", "manager": { "value": "7" } },
        });
        path.parse::<PatchPath>().unwrap().select(&user, USER).into_iter().cloned().collect()
    }

    #[test]
    fn names_match_in_any_letter_case() {
        assert_eq!(selected("name.FAMILYNAME"), [json!("Doe")]);
        assert_eq!(selected("URN:ietf:params:scim:schemas:CORE:2.0:User:name.familyName"), [json!("Doe")]);
        assert_eq!(selected("nickName"), Vec::<Value>::new());
        assert_eq!(selected("userName.value"), Vec::<Value>::new());
    }

    #[test]
    fn an_attribute_alone_is_one_value() {
        assert_eq!(selected("tags"), [json!(["a", "b"])]);
    }

    #[test]
    fn values_are_selected_one_by_one() {
        assert_eq!(selected("emails.value"), [json!("A@x"), json!("b@x")]);
        assert_eq!(selected(r#"emails[type eq "work"].value"#), [json!("A@x")]);
        assert_eq!(selected(r#"emails[type eq "home"]"#), [json!({ "value": "b@x", "type": "home" })]);
        assert_eq!(selected(r#"emails[type eq "other"].value"#), Vec::<Value>::new());
    }

    #[test]
    fn an_extension_is_reached_by_its_urn() {
        assert_eq!(selected(&format!("{ENTERPRISE}:department")), [json!("Test")]);
        assert_eq!(selected(&format!("{ENTERPRISE}:manager.value")), [json!("7")]);
        assert_eq!(selected(ENTERPRISE), [json!({ "department": "Test", "manager": { "value": "7" } })]);
        assert_eq!(selected("urn:x:2.0:User:department"), Vec::<Value>::new());
    }
}
