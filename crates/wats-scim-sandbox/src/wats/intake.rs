//! Converts the user of a create to the form that the server stores.

use serde_json::{Map, Value};
use wats_scim_filter::json::{is_server_attribute, is_unassigned, is_write_only, same_name};

use super::restrictions::{EXTENSION, Restriction};
use crate::message::boolean;
use crate::refusal::Refusal;
use crate::samples::USER_SCHEMA;

/// The attributes that the server reads or writes by name.
const KNOWN: &[&str] = &[
    "schemas",
    "id",
    "userName",
    "externalId",
    "name",
    "displayName",
    "emails",
    "roles",
    "active",
    "password",
    "meta",
    EXTENSION,
];

/// Checks a user and converts it to the form that the server stores, without `id` and `meta`.
///
/// Letter case is ignored in attribute names (RFC 7643 §2.1), and unassigned attributes are left out
/// (§2.5). `id` and `meta`, which the server assigns (§3.1), and `password`, which is never returned
/// (§4.1.1), are dropped. Unknown attributes are kept.
pub(super) fn accept(sent: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let mut user = Map::new();
    user.insert("schemas".to_owned(), vec![USER_SCHEMA].into());
    for (name, value) in sent {
        if is_unassigned(&value) {
            continue;
        }
        let known = KNOWN.iter().find(|known| same_name(known, &name));
        if known.is_some_and(|known| *known != "schemas" && (is_server_attribute(known) || is_write_only(known))) {
            continue;
        }
        user.insert(known.map_or(name, |known| (*known).to_owned()), value);
    }
    require_user_name(&user)?;
    check_shapes(&user)?;
    settle_active(&mut user)?;
    settle_restrictions(&mut user)?;
    Ok(user)
}

fn require_user_name(user: &Map<String, Value>) -> Result<(), Refusal> {
    match user.get("userName").and_then(Value::as_str) {
        Some(name) if !name.trim().is_empty() => Ok(()),
        _ => Err(Refusal::invalid_value("userName is required and must be a string that is not empty")),
    }
}

/// Later patches rely on these types.
fn check_shapes(user: &Map<String, Value>) -> Result<(), Refusal> {
    let objects = ["name", EXTENSION];
    let arrays = ["schemas", "emails", "roles"];
    for (name, value) in user {
        if objects.contains(&name.as_str()) && !value.is_object() {
            return Err(Refusal::invalid_value(format!("{name} must be an object")));
        }
        if arrays.contains(&name.as_str()) && !value.is_array() {
            return Err(Refusal::invalid_value(format!("{name} must be an array")));
        }
    }
    Ok(())
}

fn settle_active(user: &mut Map<String, Value>) -> Result<(), Refusal> {
    let active = user.entry("active").or_insert(Value::Bool(true));
    let truth = boolean(active).ok_or_else(|| Refusal::invalid_value("active must be true or false"))?;
    *active = truth.into();
    Ok(())
}

/// Applies the rules of a patch to the lists of the extension, so that a create is as strict.
fn settle_restrictions(user: &mut Map<String, Value>) -> Result<(), Refusal> {
    for restriction in Restriction::ALL {
        let attribute = restriction.attribute();
        let sent = user
            .get_mut(EXTENSION)
            .and_then(Value::as_object_mut)
            .and_then(|extension| extension.shift_remove(attribute));
        match sent {
            None | Some(Value::Null) => {}
            Some(Value::String(joined)) => restriction.add(user, &joined)?,
            Some(_) => {
                return Err(Refusal::invalid_value(format!("{attribute} must be a string with ';' between the names")));
            }
        }
    }
    Ok(())
}
