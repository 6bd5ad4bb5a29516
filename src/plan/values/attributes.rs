//! Which attributes the source decides, and when.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wats_scim_filter::json::same_name;

use crate::model::{ScimUser, object};
use crate::plan::values::merge::{is_ours, remove};

/// When the value of an attribute is taken from the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Write {
    /// For new and for existing users.
    #[default]
    Always,
    /// For new users only: afterwards, the server's value is left unchanged.
    OnCreate,
    /// Never.
    Never,
}

/// What it means that the source has no value of an attribute, such as an empty cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Empty {
    /// The server's value is left unchanged.
    #[default]
    Keep,
    /// The server's value is removed.
    Clear,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Rule {
    write: Write,
    empty: Empty,
}

/// The rules of single attributes, by their paths.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::plan) struct Attributes(BTreeMap<String, Rule>);

impl Attributes {
    pub(in crate::plan) fn write(&mut self, path: String, write: Write) {
        self.0.entry(path).or_default().write = write;
    }

    pub(in crate::plan) fn empty(&mut self, path: String, empty: Empty) {
        self.0.entry(path).or_default().empty = empty;
    }

    pub(in crate::plan) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the value of an existing user may change.
    pub(in crate::plan) fn changes(&self, path: &str) -> bool {
        !self.0.iter().any(|(known, rule)| same_name(known, path) && rule.write != Write::Always)
    }

    /// The paths that are cleared where the source has no value.
    pub(in crate::plan) fn cleared(&self) -> Vec<String> {
        let is_cleared = |(path, rule): &(&String, &Rule)| rule.empty == Empty::Clear && self.changes(path);
        self.0.iter().filter(is_cleared).map(|(path, _)| path.clone()).collect()
    }

    /// What the source decides for an existing user.
    pub(in crate::plan) fn of_existing<'a>(&self, user: &'a ScimUser) -> serde_json::Result<Cow<'a, ScimUser>> {
        without(user, self.0.iter().filter(|(_, rule)| rule.write != Write::Always))
    }

    /// What the source decides for a new user. Its identifiers are always written.
    pub(in crate::plan) fn of_new<'a>(&self, user: &'a ScimUser) -> serde_json::Result<Cow<'a, ScimUser>> {
        let is_identifier = |path: &str| ["userName", "externalId"].iter().any(|name| same_name(name, path));
        without(user, self.0.iter().filter(|(path, rule)| rule.write == Write::Never && !is_identifier(path)))
    }
}

fn without<'a, 'b>(
    user: &'a ScimUser,
    rules: impl Iterator<Item = (&'b String, &'b Rule)>,
) -> serde_json::Result<Cow<'a, ScimUser>> {
    let mut rules = rules.peekable();
    if rules.peek().is_none() {
        return Ok(Cow::Borrowed(user));
    }
    let mut object = object(user)?;
    rules.for_each(|(path, _)| remove(&mut object, path));
    // An extension without attributes is none.
    object.retain(|name, value| !is_ours(name) || value.as_object().is_none_or(|value| !value.is_empty()));
    serde_json::from_value(object.into()).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Profile;
    use crate::plan::{Action, Change, Current, Policy};

    fn user(json: Value) -> ScimUser {
        serde_json::from_value(json).unwrap()
    }

    const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

    fn policy() -> Policy {
        let policy = Policy::new(&Profile::standard()).write("displayName", Write::OnCreate);
        policy.write("name.middleName", Write::Never).write(DEPARTMENT, Write::Never).empty("title", Empty::Clear)
    }

    fn source() -> ScimUser {
        let urn = DEPARTMENT.trim_end_matches(":department");
        user(json!({
            "userName": "ann", "externalId": "1", "displayName": "Ann", "active": true,
            "name": { "familyName": "Doe", "middleName": "Q" }, urn: { "department": "D" },
        }))
    }

    fn changes(policy: &Policy, held: Value) -> Vec<Change> {
        let plan = policy.plan(&Current::complete(vec![user(held)]), &[source()]).unwrap();
        plan.steps.into_iter().flat_map(|step| step.changes).collect()
    }

    #[test]
    fn an_attribute_is_written_always_or_on_creation_or_never() {
        let plan = policy().plan(&Current::complete(Vec::new()), &[source()]).unwrap();
        let created = object(plan.steps[0].desired.as_ref().unwrap()).unwrap();
        assert_eq!((&created["displayName"], &created["name"]), (&json!("Ann"), &json!({ "familyName": "Doe" })));
        assert!(!Value::from(created).to_string().contains("department"));

        let held = json!({ "id": "1", "userName": "ann", "externalId": "1", "displayName": "A", "active": true });
        let changes = changes(&policy(), held);
        assert_eq!(changes.iter().map(|change| &*change.path).collect::<Vec<_>>(), ["name"]);
        assert_eq!(changes[0].to, Some(json!({ "familyName": "Doe" })));
    }

    #[test]
    fn an_empty_cell_keeps_or_clears() {
        let held = || {
            json!({ "id": "1", "userName": "ann", "externalId": "1", "active": true, "displayName": "Ann", "title": "T",
                    "nickName": "A", "name": { "familyName": "Doe" } })
        };
        let cleared = changes(&policy(), held());
        assert_eq!(cleared.iter().map(|change| (&*change.path, &change.to)).collect::<Vec<_>>(), [("title", &None)]);
        assert_eq!(changes(&policy().empty("title", Empty::Keep), held()), []);
        assert_eq!(changes(&policy().write("title", Write::OnCreate), held()), [], "it is not written");
    }

    #[test]
    fn a_name_and_the_right_to_sign_in_can_be_left_to_the_server() {
        let held = || {
            json!({ "id": "1", "userName": "jane", "externalId": "1", "active": false, "displayName": "Ann",
                              "name": { "familyName": "Doe" } })
        };
        let identifiers = |write| policy().write("userName", write).write("ACTIVE", write);
        assert_eq!(changes(&identifiers(Write::Always), held()).len(), 2);
        for write in [Write::OnCreate, Write::Never] {
            assert_eq!(changes(&identifiers(write), held()), []);
            let plan = identifiers(write).plan(&Current::complete(Vec::new()), &[source()]).unwrap();
            assert_eq!((plan.steps[0].action, &*plan.steps[0].name), (Action::Create, "ann"));
        }
    }
}
