//! What an apply wrote, and what was there before.

use serde_json::{Map, Value};

use crate::model::json::names_password;
use crate::model::{ScimUser, object};
use crate::plan::apply::recheck::same_value;
use crate::plan::review::print::without_passwords;
use crate::plan::values::merge::{is_ours, value_at};
use crate::plan::{Action, Step};

/// What an apply wrote, with the values before it, from [`Journal::written`](crate::plan::Journal::written), for
/// [`Policy::undo`](crate::plan::Policy::undo). It contains personal data, and no passwords.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    pub(in crate::plan) server: Option<String>,
    /// The steps of which a write was sent, in the order of the plan.
    pub(in crate::plan) steps: Vec<WrittenStep>,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::plan) struct WrittenStep {
    pub(in crate::plan) step: Step,
    /// The id of the user, if it is known.
    pub(in crate::plan) id: Option<String>,
    /// Whether the step was completed.
    pub(in crate::plan) is_done: bool,
    /// The values before the write, by their paths; null where there was none.
    pub(in crate::plan) before: Map<String, Value>,
}

/// The values that the write of a step replaces, by their paths; null where there is none. Those of the user
/// that was read, or else those of the plan. Of a user that is deleted, all attributes.
pub(in crate::plan) fn before(step: &Step, held: Option<&ScimUser>) -> Map<String, Value> {
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
