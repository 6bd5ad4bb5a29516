//! Sets an attribute of a user from text, as a cell of CSV does.

use serde::Deserialize;
use serde_json::{Map, Value};
use wats_scim_filter::json::{is_server_attribute, member, member_mut, same_name, set, take, truth};

use super::attribute::{Attribute, Form, known_names};
use crate::error::{Error, Result};
use crate::import::schema::{Kind, USER, find};
use crate::model::{ScimUser, object};

impl ScimUser {
    /// Sets an attribute from text: a column of [`UserCsv`](super::UserCsv) and its cell. Empty text clears
    /// the attribute.
    ///
    /// With `email`, the primary address changes, or the first one, and all others stay. A list or an object
    /// of RFC 7643, such as `phoneNumbers`, is set from its JSON.
    ///
    /// ```
    /// use wats_scim::ScimUser;
    ///
    /// let mut jane = ScimUser::new("jane@example.com").with_display_name("Jane");
    /// jane.set_text("name.familyName", "Roe")?;
    /// jane.set_text("active", "no")?;
    /// jane.set_text("displayName", "")?;
    /// jane.set_text("phoneNumbers", r#"[{ "value": "555", "type": "work" }]"#)?;
    /// assert_eq!(jane.name.as_ref().and_then(|name| name.family_name.as_deref()), Some("Roe"));
    /// assert_eq!((jane.active, &jane.display_name), (Some(false), &None));
    /// assert!(jane.set_text("familyname2", "Roe").is_err());
    /// # Ok::<(), wats_scim::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if no attribute has this name, or if the text is not
    /// valid for it. The user is then unchanged.
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<()> {
        let unwritable = |error| Error::invalid("the user cannot be written as JSON").with_source(error);
        let mut user = object(self).map_err(unwritable)?;
        match Attribute::named(name) {
            Some(attribute) => attribute.set(text.trim(), &mut user),
            None => set_json(name, text.trim(), &mut user),
        }
        .map_err(|why| Error::invalid(format!("{name} {why}")))?;
        *self = Self::deserialize(Value::Object(user)).map_err(unwritable)?;
        Ok(())
    }
}

impl Attribute {
    fn set(&self, text: &str, user: &mut Map<String, Value>) -> std::result::Result<(), String> {
        let by_plan = ["userName", "externalId"];
        if let [.., manager, name] = self.path()
            && manager == "manager"
            && by_plan.contains(&name.as_str())
        {
            return Err("is resolved by a plan only; set manager.value to the id of the manager".to_owned());
        }
        if text.is_empty() {
            clear(self.path(), user);
            return Ok(());
        }
        if self.form() == Form::Email
            && let Some(address) = address(user)
        {
            set(address, "value", text.into());
            return Ok(());
        }
        self.put(text, user).map_err(str::to_owned)
    }
}

/// The primary email address, or the first one.
fn address(user: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    let emails = member_mut(user, "emails")?.as_array_mut()?;
    let is_primary = |email: &Value| member(email.as_object()?, "primary").and_then(truth);
    let at = emails.iter().position(|email| is_primary(email) == Some(true)).unwrap_or(0);
    emails.get_mut(at)?.as_object_mut()
}

fn clear(path: &[String], object: &mut Map<String, Value>) {
    match path {
        [] => {}
        [name] => drop(take(object, name)),
        [name, rest @ ..] => {
            if let Some(Value::Object(inner)) = member_mut(object, name) {
                clear(rest, inner);
            }
        }
    }
}

/// Sets a list or an object.
fn set_json(name: &str, text: &str, user: &mut Map<String, Value>) -> std::result::Result<(), String> {
    let known = match find(USER, name) {
        Some((known, Kind::List(_) | Kind::Object(_)))
            if !is_server_attribute(known) && !same_name(known, "groups") =>
        {
            known
        }
        _ => return Err(format!("is no attribute that can be set; known are {}", known_names())),
    };
    if text.is_empty() {
        take(user, known);
        return Ok(());
    }
    match serde_json::from_str(text) {
        Ok(value @ (Value::Array(_) | Value::Object(_))) => set(user, known, value),
        _ => {
            return Err("is a list or an object, which is set from its JSON, such as [{\"value\": \"555\"}]".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{EnterpriseUser, Extension};

    fn after(user: Value, name: &str, text: &str) -> Value {
        let mut user = ScimUser::deserialize(user).unwrap();
        user.set_text(name, text).unwrap();
        serde_json::to_value(user).unwrap()
    }

    #[test]
    fn the_address_that_is_used_changes_and_the_others_stay() {
        let emails =
            |used: &str| json!({ "emails": [{ "value": "a" }, { "value": used, "primary": true, "type": "x" }] });
        assert_eq!(after(emails("b"), "email", "c"), emails("c"));
        assert_eq!(
            after(json!({ "emails": [{ "value": "a" }] }), "email", "c"),
            json!({ "emails": [{ "value": "c" }] })
        );
        let new = json!({ "emails": [{ "value": "c", "type": "work", "primary": true }] });
        assert_eq!(after(json!({}), "email", "c"), new);
    }

    #[test]
    fn empty_text_clears_one_attribute() {
        let jane =
            json!({ "userName": "j", "name": { "givenName": "J", "familyName": "D" }, "roles": [{ "value": "a" }] });
        let expected = json!({ "userName": "j", "name": { "givenName": "J" }, "roles": [{ "value": "a" }] });
        assert_eq!(after(jane.clone(), "FAMILYNAME", " "), expected);
        assert_eq!(after(jane, "roles", "")["roles"], json!(null));
        assert_eq!(after(json!({ "title": "T" }), "department", ""), json!({ "title": "T" }));
    }

    #[test]
    fn an_extension_is_reached_by_the_name_of_its_attribute() {
        let expected = json!({ EnterpriseUser::SCHEMA: { "department": "X" } });
        assert_eq!(after(json!({}), "department", "X"), expected);
    }

    #[test]
    fn what_cannot_be_set_is_an_error_and_changes_nothing() {
        for (name, text, why) in [
            ("active", "perhaps", "active is not true"),
            ("dispalyName", "x", "dispalyName is no attribute that can be set; known are externalId, userName"),
            ("id", "7", "is no attribute"),
            ("meta", "{}", "is no attribute"),
            ("groups", "[]", "is no attribute"),
            ("phoneNumbers", "555", "from its JSON"),
            ("manager.userName", "ann", "set manager.value"),
        ] {
            let mut jane = ScimUser::new("jane");
            let error = jane.set_text(name, text).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
            assert_eq!(jane, ScimUser::new("jane"));
        }
    }
}
