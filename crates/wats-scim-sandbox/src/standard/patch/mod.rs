//! PATCH (RFC 7644 §3.5.2).

mod primary;
mod target;
mod values;

use serde_json::{Map, Value};
use wats_scim_filter::json::member;

use self::target::{Action, perform};
use super::kinds::Kind;
use super::refusals;
use super::schema::Mutability;
use super::store::Store;
use crate::message::{require_schema, text};
use crate::refusal::Refusal;

const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

impl Store {
    /// Applies a PATCH message to a resource, all or nothing.
    pub(super) fn patch(
        &mut self,
        kind: &'static Kind,
        id: &str,
        message: &Map<String, Value>,
    ) -> Result<&Value, Refusal> {
        let before = self.get(kind, id)?.as_object().cloned().unwrap_or_default();
        let after = apply(kind, &before, message)?;
        self.replace(kind, id, after)
    }
}

/// The resource after all operations of `message`; an error if one of them is rejected.
fn apply(
    kind: &Kind,
    before: &Map<String, Value>,
    message: &Map<String, Value>,
) -> Result<Map<String, Value>, Refusal> {
    require_schema(message, PATCH_SCHEMA)?;
    let Some(Value::Array(operations)) =
        member(message, "Operations").filter(|list| **list != Value::Array(Vec::new()))
    else {
        return Err(Refusal::invalid_syntax("Operations must be an array with at least one operation"));
    };
    let mut after = before.clone();
    for operation in operations {
        let operation =
            operation.as_object().ok_or_else(|| Refusal::invalid_syntax("an operation must be an object"))?;
        operate(kind, &mut after, operation)?;
    }
    keep(kind, before, &after)?;
    Ok(after)
}

fn operate(kind: &Kind, resource: &mut Map<String, Value>, operation: &Map<String, Value>) -> Result<(), Refusal> {
    let op = text(operation, "op").unwrap_or_default().to_ascii_lowercase();
    let value = member(operation, "value");
    let path = match member(operation, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(path.as_str()),
        Some(_) => return Err(Refusal::invalid_path("the path of an operation must be a string")),
    };
    let needed = || value.ok_or_else(|| Refusal::invalid_value(format!("'{op}' needs a value")));
    let action = match op.as_str() {
        "add" => Action::Add(needed()?),
        "replace" => Action::Replace(needed()?),
        "remove" => Action::Remove,
        _ => return Err(Refusal::invalid_syntax("op must be 'add', 'replace' or 'remove'")),
    };
    match (path, action) {
        (Some(path), action) => perform(kind, resource, path, action),
        (None, Action::Remove) => Err(refusals::no_target("'remove' needs a path")),
        (None, Action::Add(Value::Object(members)) | Action::Replace(Value::Object(members))) => {
            for (name, value) in members {
                let action = if op == "add" { Action::Add(value) } else { Action::Replace(value) };
                perform_member(kind, resource, name, action)?;
            }
            Ok(())
        }
        (None, _) => Err(Refusal::invalid_value("without a path, the value must be an object of attributes")),
    }
}

/// Applies one attribute of a value without a path. As in a create, one without a schema is kept.
fn perform_member(
    kind: &Kind,
    resource: &mut Map<String, Value>,
    name: &str,
    action: Action<'_>,
) -> Result<(), Refusal> {
    let is_known = kind.attribute(name).is_some() || kind.extension(name).is_some();
    let is_path = name.contains(['.', '[', ':']) && !is_object(action);
    if is_known || is_path || member(resource, name).is_some() {
        return perform(kind, resource, name, action);
    }
    if let Action::Add(value) | Action::Replace(value) = action {
        resource.insert(name.to_owned(), value.clone());
    }
    Ok(())
}

fn is_object(action: Action<'_>) -> bool {
    matches!(action, Action::Add(Value::Object(_)) | Action::Replace(Value::Object(_)))
}

/// Rejects a change of a read-only attribute and the removal of a required one (§3.5.2.2).
fn keep(kind: &Kind, before: &Map<String, Value>, after: &Map<String, Value>) -> Result<(), Refusal> {
    for attribute in kind.attributes() {
        let name = attribute.name;
        let (old, new) = (member(before, name), member(after, name));
        if attribute.mutability == Mutability::ReadOnly && old != new {
            return Err(refusals::mutability(format!("{name} is read-only")));
        }
        if attribute.required && new.is_none_or(Value::is_null) {
            return Err(refusals::mutability(format!("{name} is required: it cannot be removed")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
