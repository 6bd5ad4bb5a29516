//! The target of the path of an operation.

use serde_json::{Map, Value};
use wats_scim_filter::PatchPath;
use wats_scim_filter::json::{is_unassigned, member, same_name, spelling};

use super::values::Place;
use crate::refusal::Refusal;
use crate::standard::kinds::{Kind, is_core};
use crate::standard::schema::Attribute;

/// The action of an operation, with its value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action<'a> {
    Add(&'a Value),
    Replace(&'a Value),
    Remove,
}

/// Applies the action at a path.
pub(super) fn perform(
    kind: &Kind,
    resource: &mut Map<String, Value>,
    path: &str,
    action: Action<'_>,
) -> Result<(), Refusal> {
    if let Some(urn) = extension(kind, resource, path) {
        return whole_extension(kind, resource, &urn, action);
    }
    let path: PatchPath =
        path.parse().map_err(|error| Refusal::invalid_path(format!("cannot read the path: {error}")))?;
    let name = path.path().name();
    match path.path().schema() {
        Some(urn) if !is_core(urn) => {
            let urn = extension(kind, resource, urn)
                .ok_or_else(|| Refusal::invalid_path(format!("there is no schema '{urn}'")))?;
            let attribute = kind.extension(&urn).and_then(|schema| schema.attribute(name));
            within(resource, &urn, |holder| at(holder, attribute, &path, action))
        }
        Some(urn) if !same_name(kind.schema.id, urn) => {
            Err(Refusal::invalid_path(format!("'{urn}' is not the schema of a {}", kind.name())))
        }
        _ => at(resource, kind.attribute(name), &path, action),
    }
}

/// The URN of an extension: as in its schema, or as in the resource if it has no schema.
fn extension(kind: &Kind, resource: &Map<String, Value>, urn: &str) -> Option<String> {
    let held = || spelling(resource, urn).filter(|key| key.contains(':')).map(str::to_owned);
    kind.extension(urn).map(|schema| schema.id.to_owned()).or_else(held)
}

/// Applies the action to a whole extension.
fn whole_extension(
    kind: &Kind,
    resource: &mut Map<String, Value>,
    urn: &str,
    action: Action<'_>,
) -> Result<(), Refusal> {
    let (Action::Add(value) | Action::Replace(value)) = action else {
        resource.shift_remove(urn);
        return Ok(());
    };
    let Value::Object(members) = value else {
        if is_unassigned(value) {
            if matches!(action, Action::Replace(_)) {
                resource.shift_remove(urn);
            }
            return Ok(());
        }
        return Err(Refusal::invalid_value(format!("the value of {urn} must be an object")));
    };
    within(resource, urn, |holder| {
        for (name, value) in members {
            let attribute = kind.extension(urn).and_then(|schema| schema.attribute(name));
            let action = if matches!(action, Action::Add(_)) { Action::Add(value) } else { Action::Replace(value) };
            Place::new(holder, attribute, name).whole(action)?;
        }
        Ok(())
    })
}

/// Changes the attributes of an extension, which is removed when it is empty.
fn within(
    resource: &mut Map<String, Value>,
    urn: &str,
    work: impl FnOnce(&mut Map<String, Value>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut holder = match resource.get(urn) {
        Some(Value::Object(holder)) => holder.clone(),
        _ => Map::new(),
    };
    work(&mut holder)?;
    if holder.is_empty() {
        resource.shift_remove(urn);
    } else {
        resource.insert(urn.to_owned(), holder.into());
    }
    Ok(())
}

fn at(
    holder: &mut Map<String, Value>,
    attribute: Option<&'static Attribute>,
    path: &PatchPath,
    action: Action<'_>,
) -> Result<(), Refusal> {
    let name = path.path().name();
    if attribute.is_none() && member(holder, name).is_none() {
        return Err(Refusal::invalid_path(format!("there is no attribute '{path}'")));
    }
    let is_unknown = |sub: &str| attribute.is_some_and(|attribute| attribute.sub(sub).is_none());
    if path.sub_attribute().is_some_and(is_unknown) {
        return Err(Refusal::invalid_path(format!("there is no attribute '{path}'")));
    }
    let mut place = Place::new(holder, attribute, name);
    match (path.filter(), path.sub_attribute()) {
        (None, None) => place.whole(action),
        (None, Some(sub)) => place.sub(sub, action),
        (Some(filter), sub) => place.selected(filter, sub, action),
    }
}
