//! The resources of the server.

use std::collections::HashMap;

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use wats_scim_filter::json::text_key;

use super::intake;
use super::kinds::{Kind, Names};
use super::refusals;
use crate::message::text;
use crate::refusal::Refusal;

/// A resource in the form of an answer, and the number of its changes.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) kind: &'static Kind,
    pub(super) resource: Value,
    version: u64,
}

/// All resources, by type in the order of their creation.
#[derive(Debug)]
pub(super) struct Store {
    base: String,
    pub(super) held: HashMap<String, Held>,
    order: HashMap<&'static str, Vec<String>>,
    /// Unique names in lower case, by endpoint.
    names: HashMap<(&'static str, String), String>,
    /// The direct groups of each resource.
    pub(super) containers: HashMap<String, Vec<String>>,
    /// Ids that are reserved by a bulk request (RFC 7644 §3.7.1).
    pub(super) expected: HashMap<String, &'static Kind>,
}

impl Store {
    /// An empty store; `base` is the prefix of every `meta.location`.
    pub(super) fn new(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            held: HashMap::new(),
            order: HashMap::new(),
            names: HashMap::new(),
            containers: HashMap::new(),
            expected: HashMap::new(),
        }
    }

    /// The ids of a type, in order.
    pub(super) fn ids(&self, kind: &Kind) -> &[String] {
        self.order.get(kind.endpoint).map_or(&[], Vec::as_slice)
    }

    /// The resources of a type, in order.
    pub(super) fn iter(&self, kind: &Kind) -> impl Iterator<Item = &Value> {
        self.ids(kind).iter().filter_map(|id| self.find(id))
    }

    /// A resource of any type.
    pub(super) fn find(&self, id: &str) -> Option<&Value> {
        self.held.get(id).map(|held| &held.resource)
    }

    /// The id of the resource with this unique name, ignoring letter case.
    pub(super) fn named(&self, kind: &Kind, name: &str) -> Option<&str> {
        self.names.get(&(kind.endpoint, text_key(name).into_owned())).map(String::as_str)
    }

    pub(super) fn get(&self, kind: &Kind, id: &str) -> Result<&Value, Refusal> {
        let held = self.held.get(id).filter(|held| held.kind.endpoint == kind.endpoint);
        held.map(|held| &held.resource).ok_or_else(|| {
            let name = kind.name();
            Refusal::not_found(format!("there is no {name} with the id '{id}'"))
        })
    }

    /// The URL of a resource.
    pub(super) fn location(&self, kind: &Kind, id: &str) -> String {
        format!("{}/{}/{id}", self.base, kind.endpoint)
    }

    /// Creates a resource with the id `reserved`, or a random one.
    pub(super) fn create(
        &mut self,
        kind: &'static Kind,
        sent: Map<String, Value>,
        reserved: Option<&str>,
    ) -> Result<&Value, Refusal> {
        let accepted = intake::accept(kind, sent)?;
        let id = reserved.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        self.write(kind, &id, accepted)
    }

    /// Replaces a resource. Absent attributes are cleared (RFC 7644 §3.5.1).
    pub(super) fn replace(
        &mut self,
        kind: &'static Kind,
        id: &str,
        sent: Map<String, Value>,
    ) -> Result<&Value, Refusal> {
        self.get(kind, id)?;
        let accepted = intake::accept(kind, sent)?;
        self.write(kind, id, accepted)
    }

    /// Removes a resource, and removes it from its groups.
    pub(super) fn delete(&mut self, kind: &Kind, id: &str) -> Result<(), Refusal> {
        self.get(kind, id)?;
        self.leave_all_groups(id);
        let Some(removed) = self.held.remove(id) else { return Ok(()) };
        if let Some(order) = self.order.get_mut(kind.endpoint) {
            order.retain(|other| other != id);
        }
        if let Some(name) = removed.resource.get(kind.name_attribute).and_then(Value::as_str)
            && kind.names == Names::Unique
        {
            self.names.remove(&(kind.endpoint, text_key(name).into_owned()));
        }
        self.dismiss_members(id, &removed.resource);
        Ok(())
    }

    /// Stores a checked resource. Without a change it keeps its version.
    fn write(&mut self, kind: &'static Kind, id: &str, mut accepted: Map<String, Value>) -> Result<&Value, Refusal> {
        let key = self.free_name(kind, id, &accepted)?;
        self.settle_members(kind, id, &mut accepted)?;

        let old = self.held.get(id).map(|held| (held.resource.clone(), held.version));
        let mut resource = Map::new();
        resource.insert("schemas".to_owned(), intake::schemas(kind, &accepted));
        resource.insert("id".to_owned(), id.into());
        resource.extend(accepted);
        if let Some(groups) = old.as_ref().and_then(|(old, _)| old.get("groups")) {
            resource.insert("groups".to_owned(), groups.clone());
        }
        let (old, version) = match old {
            Some((old, version)) => {
                resource.insert("meta".to_owned(), old.get("meta").cloned().unwrap_or_default());
                let is_same = old.as_object() == Some(&resource);
                (old, if is_same { version } else { version.saturating_add(1) })
            }
            None => (Value::Null, 1),
        };
        resource.insert("meta".to_owned(), self.meta(kind, id, &old, version));

        if old.is_null() {
            self.order.entry(kind.endpoint).or_default().push(id.to_owned());
        }
        if let Some(key) = key {
            if let Some(old) = old.get(kind.name_attribute).and_then(Value::as_str) {
                self.names.remove(&(kind.endpoint, text_key(old).into_owned()));
            }
            self.names.insert((kind.endpoint, key), id.to_owned());
        }
        self.held.insert(id.to_owned(), Held { kind, resource: Value::Object(resource), version });
        self.expected.remove(id);
        self.membership_changed(id, &old);
        self.get(kind, id)
    }

    /// The key of a resource by name, if names of its type are unique.
    fn free_name(
        &self,
        kind: &'static Kind,
        id: &str,
        resource: &Map<String, Value>,
    ) -> Result<Option<String>, Refusal> {
        if kind.names == Names::Shared {
            return Ok(None);
        }
        let name = text(resource, kind.name_attribute).unwrap_or_default();
        match self.named(kind, name) {
            Some(other) if other != id => Err(refusals::taken(kind.name(), kind.name_attribute, name)),
            _ => Ok(Some(text_key(name).into_owned())),
        }
    }

    fn meta(&self, kind: &Kind, id: &str, old: &Value, version: u64) -> Value {
        let etag = etag(version);
        if old.pointer("/meta/version").and_then(Value::as_str) == Some(&etag) {
            return old.get("meta").cloned().unwrap_or_default();
        }
        let now = timestamp();
        let created = old.pointer("/meta/created").cloned().unwrap_or_else(|| now.clone().into());
        json!({
            "resourceType": kind.name(),
            "created": created,
            "lastModified": now,
            "location": self.location(kind, id),
            "version": etag,
        })
    }

    /// Records that the server changed a resource itself.
    pub(super) fn touch(&mut self, id: &str) {
        let Some(held) = self.held.get_mut(id) else { return };
        held.version = held.version.saturating_add(1);
        if let Some(Value::Object(meta)) = held.resource.get_mut("meta") {
            meta.insert("lastModified".to_owned(), timestamp().into());
            meta.insert("version".to_owned(), etag(held.version).into());
        }
    }
}

/// A weak entity tag (RFC 7644 §3.14): `W/"1"` for a new resource.
fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}

fn timestamp() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standard::kinds::users;

    fn sent(json: &Value) -> Map<String, Value> {
        json.as_object().unwrap().clone()
    }

    fn with_jane() -> (Store, String) {
        let mut store = Store::new("http://x/scim/v2");
        let jane = sent(&json!({"userName": "jane", "title": "T"}));
        let jane = store.create(users().unwrap(), jane, None).unwrap();
        let id = jane["id"].as_str().unwrap().to_owned();
        (store, id)
    }

    #[test]
    fn a_new_resource_has_version_one() {
        let (store, id) = with_jane();
        assert_eq!(store.find(&id).unwrap()["meta"]["version"], "W/\"1\"");
    }

    #[test]
    fn a_replacement_clears_absent_attributes() {
        let (mut store, id) = with_jane();
        let user = store.replace(users().unwrap(), &id, sent(&json!({"userName": "jane"}))).unwrap();
        assert_eq!((user.get("title"), &user["meta"]["version"]), (None, &json!("W/\"2\"")));
    }

    #[test]
    fn a_replacement_without_a_change_keeps_the_version() {
        let (mut store, id) = with_jane();
        let same = sent(&json!({"userName": "jane", "title": "T"}));
        let user = store.replace(users().unwrap(), &id, same).unwrap();
        assert_eq!(user["meta"]["version"], "W/\"1\"");
    }

    #[test]
    fn a_name_is_unique_ignoring_letter_case() {
        let (mut store, _) = with_jane();
        let refusal = store.create(users().unwrap(), sent(&json!({"userName": "JANE"})), None).unwrap_err();
        assert_eq!(refusal.scim_type, Some("uniqueness"));
    }

    #[test]
    fn the_old_name_of_a_renamed_user_is_available_again() {
        let (mut store, id) = with_jane();
        store.replace(users().unwrap(), &id, sent(&json!({"userName": "joan"}))).unwrap();
        assert!(store.create(users().unwrap(), sent(&json!({"userName": "jane"})), None).is_ok());
    }

    #[test]
    fn the_name_of_a_deleted_user_is_available_again() {
        let (mut store, id) = with_jane();
        store.delete(users().unwrap(), &id).unwrap();
        assert!(store.create(users().unwrap(), sent(&json!({"userName": "jane"})), None).is_ok());
    }

    #[test]
    fn a_user_is_not_a_group() {
        let (store, id) = with_jane();
        assert!(store.get(super::super::kinds::at("Groups").unwrap(), &id).is_err());
    }
}
