//! Members of groups, and groups of members (RFC 7643 §4.1.2, §4.2).

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::kinds::Kind;
use super::store::Store;
use crate::message::text;
use crate::refusal::Refusal;

impl Store {
    /// Completes the members of a resource before it is stored.
    ///
    /// Each member must exist and be another resource; duplicates are removed.
    pub(super) fn settle_members(
        &self,
        kind: &Kind,
        id: &str,
        resource: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        if kind.attribute("members").is_none() {
            return Ok(());
        }
        let Some(Value::Array(members)) = resource.get("members") else { return Ok(()) };
        let mut settled = Map::new();
        for member in members {
            let value = member.get("value").and_then(Value::as_str);
            let value = value.ok_or_else(|| Refusal::invalid_value("a member must have a value: its id"))?;
            if value == id {
                return Err(Refusal::invalid_value("a group cannot be a member of itself"));
            }
            let of = self.held.get(value).map(|held| held.kind).or_else(|| self.expected.get(value).copied());
            let of = of.ok_or_else(|| Refusal::invalid_value(format!("there is no resource with the id '{value}'")))?;
            settled.insert(value.to_owned(), self.member(of, value));
        }
        let members: Vec<Value> = settled.into_iter().map(|(_, member)| member).collect();
        resource.insert("members".to_owned(), members.into());
        Ok(())
    }

    fn member(&self, kind: &Kind, id: &str) -> Value {
        let mut member = Map::new();
        member.insert("value".to_owned(), id.into());
        member.insert("type".to_owned(), kind.name().into());
        if let Some(display) = self.display(id) {
            member.insert("display".to_owned(), display.into());
        }
        member.insert("$ref".to_owned(), self.location(kind, id).into());
        member.into()
    }

    /// The display name of a resource.
    fn display(&self, id: &str) -> Option<String> {
        let held = self.held.get(id)?;
        let resource = held.resource.as_object()?;
        text(resource, "displayName").or_else(|| text(resource, held.kind.name_attribute)).map(str::to_owned)
    }

    /// Updates the references to a resource after it was stored.
    pub(super) fn membership_changed(&mut self, id: &str, old: &Value) {
        let before = members(old);
        let after = self.find(id).map(members).unwrap_or_default();
        let (was_in, is_in): (HashSet<_>, HashSet<_>) = (before.iter().collect(), after.iter().collect());
        for left in before.iter().filter(|one| !is_in.contains(one)) {
            self.leave(left, id);
            self.refresh_groups(left);
        }
        let was = old.get("displayName").cloned();
        let is_renamed = self.find(id).and_then(|new| new.get("displayName")).cloned() != was;
        for member in &after {
            let is_new = !was_in.contains(member);
            if is_new {
                self.containers.entry(member.clone()).or_default().push(id.to_owned());
            }
            if is_new || is_renamed {
                self.refresh_groups(member);
            }
        }
        for group in self.containers.get(id).cloned().unwrap_or_default() {
            self.refresh_member(&group, id);
        }
        if old.is_null() {
            self.refresh_groups(id);
        }
    }

    /// Removes a resource from its groups before it is deleted.
    pub(super) fn leave_all_groups(&mut self, id: &str) {
        for group in self.containers.remove(id).unwrap_or_default() {
            let Some(Value::Object(resource)) = self.held.get_mut(&group).map(|held| &mut held.resource) else {
                continue;
            };
            if let Some(Value::Array(members)) = resource.get_mut("members") {
                members.retain(|member| member.get("value").and_then(Value::as_str) != Some(id));
                if members.is_empty() {
                    resource.shift_remove("members");
                }
            }
            self.touch(&group);
        }
    }

    /// Updates the members of a deleted group.
    pub(super) fn dismiss_members(&mut self, group: &str, resource: &Value) {
        for member in members(resource) {
            self.leave(&member, group);
            self.refresh_groups(&member);
        }
    }

    /// Removes members that a bulk request reserved but failed to create.
    pub(super) fn drop_expected(&mut self) {
        let expected: Vec<String> = self.expected.drain().map(|(id, _)| id).collect();
        for id in expected {
            self.leave_all_groups(&id);
        }
    }

    fn leave(&mut self, member: &str, group: &str) {
        if let Some(groups) = self.containers.get_mut(member) {
            groups.retain(|other| other != group);
            if groups.is_empty() {
                self.containers.remove(member);
            }
        }
    }

    /// The `groups` of a user. A change of them does not change the version of the user.
    fn refresh_groups(&mut self, id: &str) {
        let is_shown = self.held.get(id).is_some_and(|held| held.kind.attribute("groups").is_some());
        if !is_shown {
            return;
        }
        let groups = self.containers.get(id).map(Vec::as_slice).unwrap_or_default();
        let groups = groups.iter().filter_map(|group| {
            let held = self.held.get(group)?;
            let location = self.location(held.kind, group);
            Some(json!({"value": group, "$ref": location, "display": self.display(group), "type": "direct"}))
        });
        let groups: Vec<Value> = groups.collect();
        if let Some(Value::Object(user)) = self.held.get_mut(id).map(|held| &mut held.resource) {
            if groups.is_empty() {
                user.shift_remove("groups");
            } else {
                user.insert("groups".to_owned(), groups.into());
            }
        }
    }

    /// The entry of a member in its group.
    fn refresh_member(&mut self, group: &str, id: &str) {
        let Some(kind) = self.held.get(id).map(|held| held.kind) else { return };
        let fresh = self.member(kind, id);
        let members = self.held.get_mut(group).and_then(|held| held.resource.get_mut("members"));
        let Some(Value::Array(members)) = members else { return };
        for member in members {
            if member.get("value") == fresh.get("value") {
                *member = fresh.clone();
            }
        }
    }
}

fn members(resource: &Value) -> Vec<String> {
    let members = resource.get("members").and_then(Value::as_array);
    let ids = members.into_iter().flatten().filter_map(|member| member.get("value")?.as_str());
    ids.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standard::kinds::at;

    fn create(store: &mut Store, endpoint: &str, sent: &Value) -> String {
        let created = store.create(at(endpoint).unwrap(), sent.as_object().unwrap().clone(), None);
        created.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// A store with a user and its group.
    fn store() -> (Store, String, String) {
        let mut store = Store::new("http://x/scim/v2");
        let jane = create(&mut store, "Users", &json!({"userName": "jane"}));
        let group = create(&mut store, "Groups", &json!({"displayName": "G", "members": [{"value": jane}]}));
        (store, jane, group)
    }

    #[test]
    fn a_member_has_its_type_and_location() {
        let (store, jane, group) = store();
        let expected = json!([{
            "value": jane, "type": "User", "display": "jane", "$ref": format!("http://x/scim/v2/Users/{jane}")
        }]);
        assert_eq!(store.find(&group).unwrap()["members"], expected);
    }

    #[test]
    fn a_user_shows_its_groups() {
        let (store, jane, group) = store();
        let groups = &store.find(&jane).unwrap()["groups"];
        assert_eq!((&groups[0]["value"], &groups[0]["display"]), (&json!(group), &json!("G")));
    }

    #[test]
    fn a_deleted_user_is_not_a_member() {
        let (mut store, jane, group) = store();
        store.delete(at("Users").unwrap(), &jane).unwrap();
        assert_eq!(store.find(&group).unwrap().get("members"), None);
    }

    #[test]
    fn a_deleted_group_is_removed_from_its_users() {
        let (mut store, jane, group) = store();
        store.delete(at("Groups").unwrap(), &group).unwrap();
        assert_eq!(store.find(&jane).unwrap().get("groups"), None);
    }

    #[test]
    fn a_renamed_user_has_a_new_display_as_a_member() {
        let (mut store, jane, group) = store();
        let sent = json!({"userName": "jane", "displayName": "Jane"});
        store.replace(at("Users").unwrap(), &jane, sent.as_object().unwrap().clone()).unwrap();
        assert_eq!(store.find(&group).unwrap()["members"][0]["display"], "Jane");
    }

    #[test]
    fn a_member_must_exist() {
        let (mut store, ..) = store();
        let sent = json!({"displayName": "H", "members": [{"value": "unknown"}]});
        assert!(store.create(at("Groups").unwrap(), sent.as_object().unwrap().clone(), None).is_err());
    }
}
