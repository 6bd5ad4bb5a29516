//! Checks that a step does what it shows: its action, its changes and its desired user agree.
//!
//! A stored plan can be edited, so it is checked when it is read and again when a step is applied.

use serde::Deserialize;
use serde_json::{Map, Value};
use wats_scim_filter::json::{covers, holds_nothing, same_name, truth};

use super::merge::value_at;
use super::{Action, Change, Conflict, Inexpressible, Plan, Rules, Step};
use crate::model::{ScimUser, object};

/// A plan as it is stored, before it is checked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredPlan {
    steps: Vec<Step>,
    conflicts: Vec<Conflict>,
    inexpressible: Vec<Inexpressible>,
    unchanged: usize,
    rules: Rules,
}

impl TryFrom<StoredPlan> for Plan {
    type Error = String;

    fn try_from(stored: StoredPlan) -> Result<Self, String> {
        let StoredPlan { steps, conflicts, inexpressible, unchanged, rules } = stored;
        for (number, step) in (1..).zip(&steps) {
            step.check().map_err(|why| format!("step {number} of the plan is inconsistent: {why}"))?;
        }
        Ok(Self { steps, conflicts, inexpressible, unchanged, rules })
    }
}

impl Step {
    /// The reason why the step is inconsistent. The text contains no values, which are personal data.
    pub(crate) fn check(&self) -> Result<(), String> {
        match (self.action, &self.desired) {
            (Action::Delete, None) => {
                match self.changes.iter().find(|change| change.to.is_some() || !change.is_of_active()) {
                    Some(change) => Err(format!("it deletes a user, and changes {:?}", change.path)),
                    None => Ok(()),
                }
            }
            (Action::Delete, Some(_)) => Err("it deletes a user, and has a desired user".to_owned()),
            (_, None) => Err("it has no desired user".to_owned()),
            (Action::Create, Some(desired)) => self.check_creation(desired),
            (action, Some(desired)) if action == action_of(&self.changes) => self.check_changes(desired),
            (action, Some(_)) => Err(format!("its action is {}, but its changes are not", action.verb())),
        }
    }

    fn check_creation(&self, desired: &ScimUser) -> Result<(), String> {
        if self.id.is_some() || !self.changes.is_empty() {
            return Err("it creates a user, and has the id or changes of an existing one".to_owned());
        }
        let is_shown = desired.user_name.as_deref().unwrap_or_default() == self.user_name
            && desired.external_id == self.external_id;
        if is_shown { Ok(()) } else { Err("it creates a user with another userName or externalId".to_owned()) }
    }

    fn check_changes(&self, desired: &ScimUser) -> Result<(), String> {
        let desired = object(desired).map_err(|_| "its desired user cannot be written as JSON".to_owned())?;
        match self.changes.iter().find(|change| !change.leads_to(&desired)) {
            Some(change) => Err(format!("its change of {:?} does not lead to its desired user", change.path)),
            None => Ok(()),
        }
    }
}

/// The action of a step for an existing user, which follows from how its right to sign in changes.
pub(super) fn action_of(changes: &[Change]) -> Action {
    let active = changes.iter().find(|change| change.is_of_active());
    let truth = |value: Option<&Value>| value.and_then(truth);
    match active.map(|change| (truth(change.from.as_ref()), truth(change.to.as_ref()))) {
        Some((_, Some(false))) => Action::Deactivate,
        Some((Some(false), Some(true))) => Action::Reactivate,
        _ => Action::Update,
    }
}

impl Change {
    pub(super) fn is_of(&self, path: &str) -> bool {
        same_name(&self.path, path)
    }

    fn is_of_active(&self) -> bool {
        self.is_of("active")
    }

    /// Whether the new value is that of the desired user. It can have more, which the server had before.
    fn leads_to(&self, desired: &Map<String, Value>) -> bool {
        let wanted = value_at(desired, &self.path).filter(|value| !holds_nothing(value));
        match (&self.to, wanted) {
            (Some(to), Some(wanted)) => covers(&self.path, to, wanted),
            (to, wanted) => to.is_none() && wanted.is_none(),
        }
    }
}
