//! References between the writes of a batch: `bulkId:` and a name in place of an id (RFC 7644
//! §3.7.2).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use wats_scim_filter::json::{self, same_name};

use super::BatchItem;
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::model::Resource;
use crate::model::ScimWrite;

const PREFIX: &str = "bulkId:";

/// The names of a batch, and their ids. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct References(Arc<Mutex<HashMap<String, Named>>>);

#[derive(Clone, Debug)]
enum Named {
    /// Not created yet.
    Pending,
    Id(String),
    Failed,
}

/// A queued write and its references.
#[derive(Debug)]
pub(crate) struct Queued<T> {
    /// The write to send, with resolved references.
    pub(crate) sent: ScimWrite<T>,
    /// The write as passed by the caller, if references in it were resolved.
    given: Option<ScimWrite<T>>,
    /// The names in it without an id yet.
    names: Vec<String>,
    /// The reason not to send it.
    rejection: Option<Error>,
}

impl References {
    pub(crate) fn add_known(&self, ids: impl IntoIterator<Item = (String, String)>) {
        self.with(|named| named.extend(ids.into_iter().map(|(name, id)| (name, Named::Id(id)))));
    }

    /// Returns the ids of the created resources, by name.
    pub(crate) fn ids(&self) -> HashMap<String, String> {
        self.with(|named| {
            let id_of = |(name, named): (&String, &Named)| match named {
                Named::Id(id) => Some((name.clone(), id.clone())),
                Named::Pending | Named::Failed => None,
            };
            named.iter().filter_map(id_of).collect()
        })
    }

    /// Checks the references and the name of the next write.
    pub(crate) fn queue<T: Resource>(&self, write: ScimWrite<T>) -> Queued<T> {
        let names = names_in(&write);
        let problem = self.with(|named| {
            if let Some(name) = names.iter().find(|name| !named.contains_key(*name)) {
                return Some(format!("it refers to {PREFIX}{name}, but no earlier write creates that resource"));
            }
            let ScimWrite::Create { bulk_id: Some(bulk_id), .. } = &write else { return None };
            if bulk_id.is_empty() || bulk_id.starts_with("write-") || bulk_id.contains(char::is_control) {
                let rule = "must not be empty, contain control characters or begin with write-";
                return Some(format!("the bulkId {bulk_id:?} {rule}"));
            }
            if named.contains_key(bulk_id) {
                return Some(format!("the bulkId {bulk_id:?} is already used by an earlier write"));
            }
            named.insert(bulk_id.clone(), Named::Pending);
            None
        });
        let rejection = problem.map(|why| Error::invalid(why).in_operation(write.operation()));
        Queued { sent: write, given: None, names, rejection }
    }

    /// Records the result of a write.
    pub(crate) fn settle<T: Resource>(&self, write: &ScimWrite<T>, result: &Result<Option<T>>) {
        let ScimWrite::Create { bulk_id: Some(bulk_id), .. } = write else { return };
        let id = result.as_ref().ok().and_then(Option::as_ref).and_then(T::id);
        let named_as = id.map_or(Named::Failed, |id| Named::Id(id.to_owned()));
        self.with(|named| named.insert(bulk_id.clone(), named_as));
    }

    fn with<O>(&self, f: impl FnOnce(&mut HashMap<String, Named>) -> O) -> O {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: Resource> Queued<T> {
    /// Replaces names by their ids, as far as these are known. If a creation that the write refers
    /// to failed, the write is rejected.
    pub(crate) fn resolve(&mut self, references: &References) {
        if self.names.is_empty() || self.rejection.is_some() {
            return;
        }
        let known = references.with(|named| {
            self.names.iter().filter_map(|name| Some((name.clone(), named.get(name)?.clone()))).collect::<Vec<_>>()
        });
        let mut ids = HashMap::new();
        for (name, state) in known {
            match state {
                Named::Pending => {}
                Named::Id(id) => drop(ids.insert(name, id)),
                Named::Failed => return self.rejection = Some(failed(&name, self.sent.operation())),
            }
        }
        if ids.is_empty() {
            return;
        }
        match with_ids(&self.sent, &ids) {
            Ok(resolved) => {
                let unresolved = std::mem::replace(&mut self.sent, resolved);
                self.given.get_or_insert(unresolved);
                self.names.retain(|name| !ids.contains_key(name));
            }
            Err(error) => {
                let rejection = Error::invalid("a bulkId in it cannot be replaced by an id").with_source(error);
                self.rejection = Some(rejection.in_operation(self.sent.operation()));
            }
        }
    }

    /// Whether the write can be sent in one request with the creations of these names.
    pub(crate) fn can_join(&self, created: &HashSet<String>) -> bool {
        let is_on_pending = self.sent.id().and_then(|id| id.strip_prefix(PREFIX)).is_some();
        self.names.is_empty() || (!is_on_pending && self.names.iter().all(|name| created.contains(name)))
    }

    /// Returns the name of the resource to create.
    pub(crate) fn bulk_id(&self) -> Option<&str> {
        match &self.sent {
            ScimWrite::Create { bulk_id: Some(bulk_id), .. } => Some(bulk_id),
            _ => None,
        }
    }

    pub(crate) fn is_rejected(&self) -> bool {
        self.rejection.is_some()
    }

    pub(crate) fn take_rejection(&mut self) -> Option<Error> {
        self.rejection.take()
    }

    /// Returns the write as passed by the caller, with its result. If a creation of the same
    /// request failed, the error is the one that the write would have had on its own.
    pub(crate) fn into_item(mut self, references: &References, result: Result<Option<T>>) -> BatchItem<T> {
        let result = match result {
            // The response, or the request, has names in place of ids.
            Ok(Some(done)) if !self.names.is_empty() => Ok(Some(replaced(&done, &references.ids()).unwrap_or(done))),
            Ok(done) => Ok(done),
            Err(error) if error.outcome() == WriteOutcome::NotApplied => {
                self.resolve(references);
                Err(match self.take_rejection() {
                    Some(rejection) => rejection.with_source(error),
                    None => error,
                })
            }
            Err(error) => Err(error),
        };
        BatchItem { write: self.given.unwrap_or(self.sent), result }
    }
}

fn failed(name: &str, operation: Operation) -> Error {
    let message = format!("it refers to {PREFIX}{name}, whose creation failed");
    Error::new(ErrorKind::FailedReference, message).in_operation(operation)
}

/// Returns the names that a write refers to.
fn names_in<T: Resource>(write: &ScimWrite<T>) -> Vec<String> {
    let mut names: Vec<String> =
        write.id().and_then(|id| id.strip_prefix(PREFIX)).map(ToOwned::to_owned).into_iter().collect();
    // Few writes have references, and text is faster to search than values.
    let text = match write {
        ScimWrite::Create { resource, .. } => serde_json::to_string(resource),
        ScimWrite::Patch { patch, .. } => serde_json::to_string(patch),
        ScimWrite::Delete { .. } => return names,
    };
    // A resource that cannot be serialized is rejected when it is sent.
    if let Ok(text) = text
        && text.contains("\"bulkId:")
        && let Ok(mut value) = serde_json::from_str(&text)
    {
        each_reference(&mut value, "", &mut |text| names.extend(text.strip_prefix(PREFIX).map(ToOwned::to_owned)));
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Calls a function with each text of a value that is a reference: `bulkId:` and a name, where a
/// resource refers to another one. Anywhere else such a text is data, such as a display name.
fn each_reference(value: &mut Value, attribute: &str, each: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) if text.starts_with(PREFIX) && refers(attribute) => each(text),
        Value::Array(values) => values.iter_mut().for_each(|value| each_reference(value, attribute, each)),
        Value::Object(members) => {
            let path = patched_path(members);
            for (name, value) in members {
                let is_patched = name.eq_ignore_ascii_case("value");
                let attribute = path.as_deref().filter(|_| is_patched).unwrap_or(name);
                each_reference(value, attribute, each);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether an attribute, or the path to one, can refer to a resource.
fn refers(attribute: &str) -> bool {
    let name = attribute.rsplit(['.', ':']).next().unwrap_or(attribute);
    ["value", "$ref", "manager", "members"].iter().any(|known| same_name(name, known))
}

/// The path of an object that is an operation of a PATCH.
fn patched_path(members: &Map<String, Value>) -> Option<String> {
    json::member(members, "op")?;
    Some(json::member(members, "path")?.as_str()?.to_owned())
}

fn with_ids<T: Resource>(write: &ScimWrite<T>, ids: &HashMap<String, String>) -> serde_json::Result<ScimWrite<T>> {
    let id_for = |id: &String| id.strip_prefix(PREFIX).and_then(|name| ids.get(name)).unwrap_or(id).clone();
    Ok(match write {
        ScimWrite::Create { bulk_id, resource, origin } => {
            let (bulk_id, origin) = (bulk_id.clone(), origin.clone());
            ScimWrite::Create { bulk_id, resource: replaced(resource, ids)?, origin }
        }
        ScimWrite::Patch { id, patch, version, origin } => {
            let (version, origin) = (version.clone(), origin.clone());
            ScimWrite::Patch { id: id_for(id), patch: replaced(patch, ids)?, version, origin }
        }
        ScimWrite::Delete { id, version, origin } => {
            ScimWrite::Delete { id: id_for(id), version: version.clone(), origin: origin.clone() }
        }
    })
}

fn replaced<V: serde::Serialize + serde::de::DeserializeOwned>(
    value: &V,
    ids: &HashMap<String, String>,
) -> serde_json::Result<V> {
    let mut value = serde_json::to_value(value)?;
    each_reference(&mut value, "", &mut |text| {
        if let Some(id) = text.strip_prefix(PREFIX).and_then(|name| ids.get(name)) {
            text.clone_from(id);
        }
    });
    serde_json::from_value(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ScimPatchRequest, ScimUser};

    fn user(name: &str, knows: &[&str]) -> ScimUser {
        let knows = knows.iter().map(|id| serde_json::json!({ "value": id })).collect::<Vec<_>>();
        ScimUser::new(name).with_attribute("knows", knows)
    }

    fn with_id(id: &str) -> ScimUser {
        serde_json::from_value(serde_json::json!({ "id": id })).unwrap()
    }

    fn kind(queued: &mut Queued<ScimUser>) -> Option<ErrorKind> {
        queued.take_rejection().map(|error| error.kind())
    }

    #[test]
    fn a_name_is_replaced_by_its_id_once_known() {
        let references = References::default();
        let first = references.queue(ScimWrite::create_as("a", user("A", &[])));
        let given = ScimWrite::create(user("B", &["bulkId:a", "7"]));
        let mut second = references.queue(given.clone());
        second.resolve(&references);
        assert!(!second.can_join(&HashSet::new()) && second.can_join(&HashSet::from(["a".to_owned()])));

        references.settle(&first.sent, &Ok(Some(with_id("1"))));
        second.resolve(&references);
        assert!(second.can_join(&HashSet::new()));
        assert_eq!(second.sent, ScimWrite::create(user("B", &["1", "7"])));
        assert_eq!(second.into_item(&references, Ok(None)).write, given);
    }

    #[test]
    fn a_write_to_a_created_resource_waits_for_its_id() {
        let references = References::default();
        let first = references.queue(ScimWrite::create_as("a", user("A", &[])));
        let mut patch: Queued<ScimUser> =
            references.queue(ScimWrite::patch("bulkId:a", ScimPatchRequest::new().replace("displayName", "B")));
        assert!(!patch.can_join(&HashSet::from(["a".to_owned()])));
        references.settle(&first.sent, &Ok(Some(with_id("1"))));
        patch.resolve(&references);
        assert_eq!(patch.sent.id(), Some("1"));
    }

    #[test]
    fn invalid_references_and_names_are_rejected() {
        let references = References::default();
        let first = references.queue(ScimWrite::create_as("a", user("A", &[])));
        assert_eq!(
            kind(&mut references.queue(ScimWrite::create(user("B", &["bulkId:b"])))),
            Some(ErrorKind::InvalidInput)
        );
        assert_eq!(kind(&mut references.queue(ScimWrite::delete("bulkId:b"))), Some(ErrorKind::InvalidInput));
        for name in ["a", "", "write-1", "x\n"] {
            let mut twice = references.queue(ScimWrite::create_as(name, user("A", &[])));
            assert_eq!(kind(&mut twice), Some(ErrorKind::InvalidInput), "{name}");
        }
        let mut second = references.queue(ScimWrite::create(user("B", &["bulkId:a"])));
        references.settle(&first.sent, &Err(Error::new(ErrorKind::Conflict, "taken")));
        second.resolve(&references);
        assert_eq!(kind(&mut second), Some(ErrorKind::FailedReference));
    }

    #[test]
    fn only_a_whole_value_is_a_reference() {
        for name in ["a bulkId:b", "\"bulkId:b", "BULKID:b"] {
            let queued = References::default().queue(ScimWrite::create(ScimUser::new(name)));
            assert!(!queued.is_rejected(), "{name}");
        }
    }

    #[test]
    fn data_is_never_a_reference() {
        for create in [ScimUser::new("jane").with_display_name("bulkId:a"), ScimUser::new("bulkId:a")] {
            let mut queued = References::default().queue(ScimWrite::create(create.clone()));
            assert!(!queued.is_rejected());
            let references = References::default();
            references.add_known([("a".to_owned(), "7".to_owned())]);
            queued.resolve(&references);
            assert_eq!(queued.sent, ScimWrite::create(create));
        }
    }

    #[test]
    fn a_patch_refers_where_its_path_does() {
        let references = References::default();
        references.add_known([("a".to_owned(), "7".to_owned())]);
        let new = ScimPatchRequest::new;
        for (patch, resolved) in [
            (new().replace("displayName", "bulkId:a"), new().replace("displayName", "bulkId:a")),
            (new().replace("urn:x:User:manager", "bulkId:a"), new().replace("urn:x:User:manager", "7")),
            (
                new().add("members", serde_json::json!([{ "value": "bulkId:a", "display": "bulkId:a" }])),
                new().add("members", serde_json::json!([{ "value": "7", "display": "bulkId:a" }])),
            ),
        ] {
            let mut queued: Queued<ScimUser> = references.queue(ScimWrite::patch("1", patch));
            queued.resolve(&references);
            assert_eq!(queued.sent, ScimWrite::patch("1", resolved));
        }
    }

    #[test]
    fn ids_can_be_known_before_the_batch() {
        let references = References::default();
        references.add_known([("jane".to_owned(), "7".to_owned())]);
        let mut queued = references.queue(ScimWrite::create(user("A", &["bulkId:jane"])));
        queued.resolve(&references);
        assert_eq!(queued.sent, ScimWrite::create(user("A", &["7"])));
        assert_eq!(references.ids(), HashMap::from([("jane".to_owned(), "7".to_owned())]));
    }
}
