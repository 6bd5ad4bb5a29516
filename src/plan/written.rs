//! What an apply wrote, and what was there before.

use serde_json::{Map, Value};

use super::merge::{is_ours, value_at};
use super::print::without_passwords;
use super::recheck::same_value;
use super::{Action, Step};
use crate::model::json::names_password;
use crate::model::{ScimUser, object};

/// What an apply wrote, with the values before it, from [`Journal::written`](super::Journal::written), for
/// [`Policy::undo`](super::Policy::undo). It contains personal data, and no passwords.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    pub(super) server: Option<String>,
    /// The steps of which a write was sent, in the order of the plan.
    pub(super) steps: Vec<WrittenStep>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct WrittenStep {
    pub(super) step: Step,
    /// The id of the user, if it is known.
    pub(super) id: Option<String>,
    /// Whether the step was completed.
    pub(super) is_done: bool,
    /// The values before the write, by their paths; null where there was none.
    pub(super) before: Map<String, Value>,
}

/// The values that the write of a step replaces, by their paths; null where there is none. Those of the user
/// that was read, or else those of the plan. Of a user that is deleted, all attributes.
pub(super) fn before(step: &Step, held: Option<&ScimUser>) -> Map<String, Value> {
    let held = held.and_then(|held| object(held).ok());
    let mut before: Map<String, Value> = if step.action == Action::Delete {
        held.unwrap_or_default().into_iter().filter(|(name, _)| is_ours(name)).collect()
    } else {
        let changes = step.changes.iter().filter(|change| {
            // What another writer has changed in the meantime is not replaced.
            let now = held.as_ref().map(|held| value_at(held, &change.path));
            now.is_none_or(|now| !same_value(now, change.to.as_ref()))
        });
        changes.map(|change| (change.path.clone(), change.from.clone().unwrap_or_default())).collect()
    };
    before.retain(|path, _| !names_password(path));
    before.into_iter().map(|(path, value)| (path, without_passwords(&value))).collect()
}
