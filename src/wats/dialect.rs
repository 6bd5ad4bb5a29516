//! The WATS PATCH dialect: `replace` on a few paths, each with a string or a boolean.

use serde_json::Value;
use wats_scim_filter::json::same_characters;

use super::WatsUser;
use crate::error::{Error, Operation, Result};
use crate::model::{
    Extension, PatchOp, Resource, ScimPatchOperation, ScimPatchRequest, ScimUser, differences, member, object,
};

/// The supported paths: those in the WATS documentation, and `displayName`, which pyWATS sends.
pub(crate) const PATCH_PATHS: &[&str] =
    &["fullName", "familyName", "givenName", "email", "roles", "active", "levels", "productGroups", "displayName"];

/// The separator between several values of a path.
pub(crate) const SEPARATOR: &str = ";";

/// Returns the part of an operation that is not supported by a server that only supports `replace`
/// on these paths, with a string or a boolean. `null` is accepted here and left to the server.
pub(crate) fn rejection(paths: &[String], operation: &ScimPatchOperation) -> Option<String> {
    let Some(path) = &operation.path else { return Some("an operation without a path".to_owned()) };
    let is_known = paths.iter().any(|known| known.eq_ignore_ascii_case(path));
    match (&operation.op, &operation.value) {
        (PatchOp::Add, _) => Some(format!("`add` (here on {path:?})")),
        (PatchOp::Remove, _) => Some(format!("`remove` (here of {path:?})")),
        (PatchOp::Replace, _) if !is_known => Some(format!("a change of {path:?}")),
        (PatchOp::Replace, Some(Value::Array(_) | Value::Object(_) | Value::Number(_))) => {
            Some(format!("a value for {path:?} other than a string or a boolean"))
        }
        (PatchOp::Replace, _) => None,
    }
}

/// Joins several values with `;`, the separator in WATS.
pub(crate) fn joined(values: &[&str], what: &str) -> Result<String> {
    let reject = |why: String| Err(Error::invalid(why).in_operation(Operation::Patch(ScimUser::NAME)));
    if values.is_empty() {
        return reject(format!("no {what} is given"));
    }
    match values.iter().find(|value| value.trim().is_empty() || value.contains(SEPARATOR)) {
        Some(value) => reject(format!("the {what} {value:?} is empty or contains ;, which separates values in WATS")),
        None => Ok(values.join(SEPARATOR)),
    }
}

impl ScimPatchRequest {
    /// Returns the patch from `old` to `new` in the WATS PATCH dialect, and the changes that the
    /// dialect cannot express.
    ///
    /// WATS supports changes of `fullName` (`name.formatted` in SCIM), `familyName`, `givenName`,
    /// `email`, `active` and a single value of `roles`, and additions to levels and product groups.
    /// No attribute can be cleared. Each unsupported change is described as `path: change`.
    ///
    /// ```
    /// use wats_scim::{ScimPatchRequest, ScimUser};
    ///
    /// let old = ScimUser::new("jane").with_active(true).with_levels(["Level 1", "Level 2"]);
    /// let new = ScimUser::new("jane").with_active(false).with_levels(["Level 2", "Level 3"]);
    /// let (patch, left_out) = ScimPatchRequest::between_for_wats(&old, &new)?;
    /// assert_eq!(patch, ScimPatchRequest::new().replace("active", false).replace("levels", "Level 3"));
    /// assert_eq!(left_out, ["levels: removing Level 1"]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The serialization error if a user cannot be written as JSON, or the deserialization error if
    /// its WATS extension cannot be read.
    pub fn between_for_wats(old: &ScimUser, new: &ScimUser) -> serde_json::Result<(Self, Vec<String>)> {
        let (mut patch, mut left_out) = (Self::new(), Vec::new());
        let wats = format!("{}:", <WatsUser as Extension>::SCHEMA);
        for (path, value) in differences(&object(old)?, &object(new)?) {
            let is = |name: &str| path.eq_ignore_ascii_case(name);
            let wats_path = match path.as_str() {
                _ if is("name.formatted") => Some("fullName"),
                _ if is("name.familyName") => Some("familyName"),
                _ if is("name.givenName") => Some("givenName"),
                _ if is("active") => Some("active"),
                _ if is("emails") => Some("email"),
                _ if is("roles") => Some("roles"),
                // The values are compared below.
                _ if path.len() >= wats.len() && path.to_ascii_lowercase().starts_with(&wats.to_ascii_lowercase()) => {
                    continue;
                }
                _ if path.eq_ignore_ascii_case(wats.trim_end_matches(':')) => continue,
                _ => None,
            };
            match (wats_path, value) {
                (Some("email"), Some(_)) if only_address_differs(old, new) => {
                    patch = patch.replace("email", new.email().unwrap_or_default());
                }
                (Some("roles"), Some(roles)) if only_role(&roles).is_some() => {
                    patch = patch.replace("roles", only_role(&roles).unwrap_or_default());
                }
                (Some(wats), Some(value)) if !["email", "roles"].contains(&wats) => patch = patch.replace(wats, value),
                (_, Some(_)) => left_out.push(format!("{path}: setting it")),
                (_, None) => left_out.push(format!("{path}: removing it")),
            }
        }
        let (old, new) = (wats_of(old)?, wats_of(new)?);
        for (path, old, new) in [
            ("levels", old.levels().collect::<Vec<_>>(), new.levels().collect::<Vec<_>>()),
            ("productGroups", old.product_groups().collect(), new.product_groups().collect()),
        ] {
            let is_in = |values: &[&str], value: &str| values.iter().any(|known| same_characters(known, value));
            let added: Vec<&str> = new.iter().copied().filter(|value| !is_in(&old, value)).collect();
            if !added.is_empty() {
                patch = patch.replace(path, added.join(SEPARATOR));
            }
            let removed = old.iter().filter(|value| !is_in(&new, value));
            left_out.extend(removed.map(|value| format!("{path}: removing {value}")));
        }
        Ok((patch, left_out))
    }
}

/// WATS stores one email address, so a change can be expressed if `old` has at most one and `new`
/// has exactly one.
fn only_address_differs(old: &ScimUser, new: &ScimUser) -> bool {
    let count = |user: &ScimUser| user.emails.as_ref().map_or(0, Vec::len);
    count(old) <= 1 && count(new) == 1 && new.email().is_some_and(|email| !email.is_empty())
}

/// The role, if there is exactly one: a WATS user has one role.
fn only_role(roles: &Value) -> Option<&str> {
    match roles.as_array().map(Vec::as_slice) {
        Some([role]) => member(role, "value").unwrap_or(role).as_str(),
        Some(_) => None,
        None => roles.as_str(),
    }
}

fn wats_of(user: &ScimUser) -> serde_json::Result<WatsUser> {
    Ok(user.extension()?.unwrap_or_default())
}
