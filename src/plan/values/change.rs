//! The differences between a user on the server and its desired state.

use crate::error::{Error, Result};
use crate::model::{Resource, ScimPatchRequest, ScimUser};
use crate::model::{differences, object};
use crate::plan::stored::check::action_of;
use crate::plan::values::merge::{is_met, overlaid, value_at};
use crate::plan::values::unchanged::is_unchanged;
use crate::plan::{Cause, Change, Conflict, ConflictKind, Inexpressible, Plan, Rules, Step};

/// The change from the current to the desired state of a user.
#[derive(Debug, Default)]
pub(in crate::plan) struct Way {
    pub(in crate::plan) changes: Vec<Change>,
    /// The patch; empty if there is nothing to send.
    pub(in crate::plan) patch: ScimPatchRequest,
    /// Differences that the server cannot accept in a patch.
    pub(in crate::plan) left_out: Vec<String>,
}

impl Rules {
    /// Computes the change of a user to its desired state.
    pub(in crate::plan) fn way(&self, held: &ScimUser, desired: &ScimUser) -> Result<Way> {
        self.find(held, desired).map_err(|error| Error::invalid("its attributes cannot be compared").with_source(error))
    }

    /// Adds the change of a user to a plan: a step, a difference that cannot be sent, or nothing.
    pub(in crate::plan) fn change(&self, plan: &mut Plan, held: &ScimUser, desired: &ScimUser) {
        let name = || held.user_name.clone().unwrap_or_default();
        match self.way(held, desired) {
            Ok(way) if !way.patch.operations.is_empty() => plan.steps.push(way.into_step(held, desired)),
            Ok(way) if !way.left_out.is_empty() => {
                plan.inexpressible.push(Inexpressible { user_name: name(), left_out: way.left_out });
            }
            Ok(_) => plan.unchanged += 1,
            Err(error) => plan.conflicts.push(Conflict::new(ConflictKind::NotComparable, &name(), &error.to_string())),
        }
    }

    fn find(&self, held: &ScimUser, desired: &ScimUser) -> serde_json::Result<Way> {
        // Most users are unchanged.
        if is_unchanged(held, desired, &self.clears) {
            return Ok(Way::default());
        }
        let (before, desired) = (object(held)?, object(desired)?);
        if is_met(&before, &desired, &self.clears) {
            return Ok(Way::default());
        }
        let after = overlaid(&before, &desired, &self.clears);
        let differences = differences(&before, &after);
        let mut changes: Vec<Change> = differences
            .iter()
            .map(|(path, to)| Change { path: path.clone(), from: value_at(&before, path).cloned(), to: to.clone() })
            .collect();
        let (patch, left_out) = if self.is_wats {
            ScimPatchRequest::between_for_wats(held, &serde_json::from_value(after.into())?)?
        } else {
            (ScimPatchRequest::of(differences), Vec::new())
        };
        changes.retain(|change| {
            !left_out.iter().any(|left| left.split_once(": ").is_some_and(|(path, _)| path == change.path))
        });
        Ok(Way { changes, patch, left_out })
    }
}

impl Way {
    pub(in crate::plan) fn into_step(self, held: &ScimUser, desired: &ScimUser) -> Step {
        let mut desired = desired.clone();
        // It is not compared, so a plan need not hold it.
        desired.attributes.remove("password");
        // Only a policy clears attributes.
        let is_cleared = !self.changes.is_empty() && self.changes.iter().all(|change| change.to.is_none());
        Step {
            action: action_of(&self.changes),
            name: held.user_name.clone().unwrap_or_default(),
            id: held.id.clone(),
            external_id: held.external_id.clone(),
            version: held.version().map(ToOwned::to_owned),
            cause: if is_cleared { Cause::Policy } else { Cause::Source },
            origin: None,
            members: Vec::new(),
            changes: self.changes,
            left_out: self.left_out,
            desired: Some(desired),
            left_out_secrets: Vec::new(),
        }
    }
}
