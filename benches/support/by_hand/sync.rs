//! What differs between the users of a server and those of another system.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{PlainOperation, PlainPatch, PlainUser};

/// A write that makes one user the desired one.
pub(crate) enum Change<'a> {
    Create(&'a PlainUser),
    Patch { id: &'a str, patch: PlainPatch },
}

/// The writes that make the current users the desired ones. Users are matched by `externalId`, and
/// those missing from the desired ones are deactivated.
pub(crate) fn changes<'a>(current: &'a [PlainUser], desired: &'a [PlainUser]) -> Vec<Change<'a>> {
    let mut missing: HashMap<_, _> =
        desired.iter().filter_map(|user| Some((user.external_id.as_deref()?, user))).collect();
    let mut changes = Vec::new();
    for held in current {
        let Some(id) = held.id.as_deref() else { continue };
        let desired = held.external_id.as_deref().and_then(|id| missing.remove(id));
        let operations = desired.map_or_else(|| deactivation(held), |desired| operations(held, desired));
        if !operations.is_empty() {
            let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
            changes.push(Change::Patch { id, patch: PlainPatch { schemas, operations } });
        }
    }
    changes.extend(missing.into_values().map(Change::Create));
    changes
}

fn deactivation(held: &PlainUser) -> Vec<PlainOperation> {
    if held.active == Some(false) { Vec::new() } else { vec![replace("active", json!(false))] }
}

fn operations(held: &PlainUser, desired: &PlainUser) -> Vec<PlainOperation> {
    let mut operations = Vec::new();
    if held.user_name != desired.user_name {
        operations.push(replace("userName", json!(desired.user_name)));
    }
    if held.name != desired.name {
        operations.push(replace("name", json!(desired.name)));
    }
    if held.display_name != desired.display_name {
        operations.push(replace("displayName", json!(desired.display_name)));
    }
    if held.active != desired.active {
        operations.push(replace("active", json!(desired.active)));
    }
    if held.emails != desired.emails {
        operations.push(replace("emails", json!(desired.emails)));
    }
    operations
}

fn replace(path: &'static str, value: Value) -> PlainOperation {
    PlainOperation { op: "replace", path, value }
}
