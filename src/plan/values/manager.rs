//! The manager of a user (RFC 7643 §4.3), which a source can reference by `userName` or `externalId`.
//!
//! A plan has the id in its place; or, if it creates the manager, `bulkId:` and the `userName`, which an
//! apply replaces by the id.

use serde_json::{Value, json};
use wats_scim_filter::json::{assigned, member_mut};

use crate::model::{EnterpriseUser, Extension, ScimUser};
use crate::plan::{Reference, Step};

const PREFIX: &str = "bulkId:";

/// How the source names the manager of a user; `None` if by the id, or not at all.
pub(in crate::plan) fn named_manager(user: &ScimUser) -> Option<Reference> {
    let text = |manager: &Value, name: &str| {
        assigned(manager.as_object()?, name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let manager = manager(user, &["userName", "externalId"])?;
    if text(&manager, "value").is_some() {
        return None;
    }
    let by_external_id = text(&manager, "externalId").map(Reference::external_id);
    by_external_id.or_else(|| text(&manager, "userName").map(Reference::user_name))
}

/// The `userName` of the manager, if the plan creates it.
pub(in crate::plan) fn new_manager(user: &ScimUser) -> Option<String> {
    let manager = manager(user, &[PREFIX])?;
    let value = match &manager {
        Value::Object(manager) => assigned(manager, "value")?,
        value => value,
    };
    value.as_str()?.strip_prefix(PREFIX).map(str::to_owned)
}

/// The manager of a user whose extension has one of these words in it.
fn manager(user: &ScimUser, words: &[&str]) -> Option<Value> {
    let (_, extension) = user
        .attributes
        .unread()
        .find(|(name, value)| name.eq_ignore_ascii_case(EnterpriseUser::SCHEMA) && value.mentions(words))?;
    assigned(extension.peek().as_object()?, "manager").cloned()
}

/// The user with this manager: an id, or a user that the plan creates.
pub(in crate::plan) fn with_manager(user: &ScimUser, manager: Result<&str, &str>) -> ScimUser {
    let mut user = user.clone();
    let value = match manager {
        Ok(id) => id.to_owned(),
        Err(new) => format!("{PREFIX}{new}"),
    };
    let mut extension = user.attributes.remove(EnterpriseUser::SCHEMA).unwrap_or_default();
    if let Some(held) = extension.as_object_mut().and_then(|extension| member_mut(extension, "manager")) {
        *held = json!({ "value": value });
    }
    user.attributes.set(EnterpriseUser::SCHEMA, extension);
    user
}

impl Step {
    /// The new user that is the manager of the user of this step.
    pub(crate) fn new_manager(&self) -> Option<Reference> {
        self.desired.as_ref().and_then(new_manager).map(Reference::user_name)
    }

    /// The step with the id of the manager.
    pub(crate) fn with_manager(&self, id: &str) -> Self {
        let mut step = self.clone();
        step.desired = step.desired.as_ref().map(|user| with_manager(user, Ok(id)));
        step.changes.iter_mut().filter_map(|change| change.to.as_mut()).for_each(|to| put_id(to, id));
        step
    }
}

fn put_id(value: &mut Value, id: &str) {
    match value {
        Value::String(text) if text.starts_with(PREFIX) => id.clone_into(text),
        Value::Object(members) => members.values_mut().for_each(|value| put_id(value, id)),
        _ => {}
    }
}
