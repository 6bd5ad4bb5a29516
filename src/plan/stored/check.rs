//! Checks that a step does what it shows: its action, its changes and its desired user agree.
//!
//! A stored plan can be edited, so it is checked when it is read and again when a step is applied.

use serde_json::{Map, Value};
use wats_scim_filter::json::{covers, holds_nothing, same_name, truth};

use crate::model::{ScimUser, object};
use crate::plan::values::merge::value_at;
use crate::plan::{Action, Change, Reference, Step};

impl Step {
    /// The reason why the step is inconsistent. The text contains no values, which are personal data.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.action.is_of_group() {
            return self.check_group();
        }
        if !self.members.is_empty() {
            return Err("it changes a user, and has members".to_owned());
        }
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
            (Action::FreeName, Some(desired)) => match self.changes.as_slice() {
                [change] if change.is_of("userName") && change.to.is_some() => self.check_changes(desired),
                _ => Err("it frees the name of a user, and does not only change that".to_owned()),
            },
            (action, Some(desired)) if action == action_of(&self.changes) => self.check_changes(desired),
            (action, Some(_)) => Err(format!("its action is {}, but its changes are not", action.verb())),
        }
    }

    fn check_group(&self) -> Result<(), String> {
        let changes_members = matches!(self.action, Action::AddMembers | Action::RemoveMembers);
        let may_change = |change: &Change| change.is_of("displayName") || change.is_of("externalId");
        let why = match self.action {
            _ if self.desired.is_some() => "it has a desired user",
            _ if changes_members == self.members.is_empty() => "its members do not fit its action",
            _ if self.members.iter().any(Reference::is_nothing) => "a member has no id, externalId or name",
            Action::CreateGroup if self.id.is_some() => "it creates a group, and has the id of an existing one",
            Action::RenameGroup | Action::DeleteGroup if self.id.is_none() => "it has no id",
            Action::RenameGroup if self.changes.is_empty() || !self.changes.iter().all(may_change) => {
                "it renames a group, and its changes are others"
            }
            Action::RenameGroup => return Ok(()),
            _ if !self.changes.is_empty() => "it has changes of attributes",
            _ => return Ok(()),
        };
        Err(format!("its action is {}, but {why}", self.action.verb()))
    }

    fn check_creation(&self, desired: &ScimUser) -> Result<(), String> {
        if self.id.is_some() || !self.changes.is_empty() {
            return Err("it creates a user, and has the id or changes of an existing one".to_owned());
        }
        let is_shown =
            desired.user_name.as_deref().unwrap_or_default() == self.name && desired.external_id == self.external_id;
        if is_shown { Ok(()) } else { Err("it creates a user with another userName or externalId".to_owned()) }
    }

    fn check_changes(&self, desired: &ScimUser) -> Result<(), String> {
        // It cannot be applied, and its values are not all there.
        if !self.left_out_secrets.is_empty() {
            return Ok(());
        }
        let desired = object(desired).map_err(|_| "its desired user cannot be written as JSON".to_owned())?;
        match self.changes.iter().find(|change| !change.leads_to(&desired)) {
            Some(change) => Err(format!("its change of {:?} does not lead to its desired user", change.path)),
            None => Ok(()),
        }
    }
}

/// The action of a step for an existing user: what changes most.
pub(in crate::plan) fn action_of(changes: &[Change]) -> Action {
    let active = changes.iter().find(|change| change.is_of_active());
    let truth = |value: Option<&Value>| value.and_then(truth);
    match active.map(|change| (truth(change.from.as_ref()), truth(change.to.as_ref()))) {
        Some((_, Some(false))) => Action::Deactivate,
        _ if adopts(changes) => Action::Adopt,
        Some((Some(false), Some(true))) => Action::Reactivate,
        _ => Action::Update,
    }
}

/// Whether these changes give an `externalId` to a user that has none.
pub(in crate::plan) fn adopts(changes: &[Change]) -> bool {
    let has_id = |value: Option<&Value>| value.is_some_and(|value| !holds_nothing(value) && value != "");
    changes
        .iter()
        .any(|change| change.is_of("externalId") && !has_id(change.from.as_ref()) && has_id(change.to.as_ref()))
}

impl Change {
    pub(in crate::plan) fn is_of(&self, path: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Profile;
    use crate::plan::{Current, Leavers, Ours, Plan, Policy};

    fn user(json: Value) -> ScimUser {
        serde_json::from_value(json).unwrap()
    }

    /// A plan with a step of each kind, as it is stored: create, update, reactivate, deactivate.
    fn stored() -> Value {
        let current = json!([
            { "id": "1", "userName": "ann", "active": true, "title": "T" },
            { "id": "2", "userName": "bob", "active": false },
            { "id": "3", "userName": "cy", "externalId": "3", "active": 1 },
        ]);
        let current = current.as_array().unwrap().iter().cloned().map(user).collect();
        let desired = [
            user(json!({ "userName": "dee", "externalId": "4", "title": "T" })),
            user(json!({ "userName": "ann", "title": "Dr" })),
            user(json!({ "userName": "bob" })),
        ];
        let plan = Policy::new(&Profile::standard()).plan(&Current::complete(current), &desired).unwrap();
        let actions: Vec<_> = plan.steps.iter().map(|step| step.action).collect();
        assert_eq!(actions, [Action::Create, Action::Update, Action::Reactivate, Action::Deactivate]);
        serde_json::to_value(plan).unwrap()
    }

    #[test]
    fn a_step_that_does_not_do_what_it_shows_is_not_read() {
        let plan = stored();
        assert!(serde_json::from_value::<Plan>(plan.clone()).is_ok());
        for (step, pointer, value, why) in [
            (0, "/action", json!("reactivate"), "its action is reactivate"),
            (0, "/desired", json!(null), "no desired user"),
            (0, "/id", json!("1"), "the id or changes"),
            (0, "/name", json!("eve"), "another userName"),
            (0, "/desired/externalId", json!("5"), "another userName or externalId"),
            (1, "/desired", json!(null), "no desired user"),
            (1, "/action", json!("delete"), "has a desired user"),
            (1, "/action", json!("deactivate"), "its action is deactivate"),
            (1, "/desired/title", json!("Mr"), "its change of \"title\""),
            (1, "/changes/0/to", json!(null), "its change of \"title\""),
            (1, "/changes/0/path", json!("active"), "its change of \"active\""),
            (2, "/action", json!("update"), "its action is update"),
            (2, "/desired/active", json!(false), "its change of \"active\""),
            (3, "/desired/active", json!(true), "its change of \"active\""),
            (3, "/changes/0/to", json!(true), "its action is deactivate"),
            (3, "/changes", json!([]), "its action is deactivate"),
        ] {
            let mut edited = plan.clone();
            let at = edited["steps"][step].pointer_mut(pointer);
            match at {
                Some(at) => *at = value.clone(),
                None => edited["steps"][step][&pointer[1..]] = value.clone(),
            }
            let read = serde_json::from_value::<Plan>(edited);
            let text = read.map(|plan| plan.to_string()).unwrap_err().to_string();
            assert!(text.starts_with(&format!("step {} of the plan is inconsistent: ", step + 1)), "{text}");
            assert!(text.contains(why), "{step} {pointer} {value}: {text}");
        }
    }

    #[test]
    fn a_step_of_a_group_that_does_not_do_what_it_shows_is_not_read() {
        let of = |more: Value| {
            let mut plan = stored();
            plan.as_object_mut().unwrap().retain(|name, _| name != "digest" && name != "counts");
            let mut step = json!({ "action": "addMembers", "name": "Team", "id": "g", "members": [{ "id": "1" }] });
            step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            plan["steps"] = json!([step]);
            serde_json::from_value::<Plan>(plan).map_err(|error| error.to_string())
        };
        assert!(of(json!({})).is_ok());
        let change = |path: &str| json!({ "path": path, "to": "x" });
        for (more, why) in [
            (json!({ "members": [] }), "its members do not fit its action"),
            (json!({ "members": [{ "id": "1" }, { "type": "Group" }] }), "a member has no id, externalId or name"),
            (json!({ "members": [{ "nothing": 1 }] }), "unknown field"),
            (json!({ "desired": { "userName": "ann" } }), "it has a desired user"),
            (json!({ "changes": [change("displayName")] }), "it has changes of attributes"),
            (json!({ "action": "createGroup", "members": [] }), "has the id of an existing one"),
            (json!({ "action": "deleteGroup" }), "its members do not fit its action"),
            (json!({ "action": "deleteGroup", "members": [], "id": null }), "it has no id"),
            (json!({ "action": "renameGroup", "members": [] }), "its changes are others"),
            (
                json!({ "action": "renameGroup", "members": [], "changes": [change("active")] }),
                "its changes are others",
            ),
            (json!({ "action": "update" }), "it changes a user, and has members"),
        ] {
            let read = of(more.clone()).unwrap_err();
            assert!(read.contains(why), "{more}: {read}");
        }
    }

    #[test]
    fn only_a_deletion_deletes() {
        let current = Current::complete(vec![
            user(json!({ "id": "1", "userName": "ann" })),
            user(json!({ "id": "2", "userName": "bob" })),
        ]);
        let policy = Policy::new(&Profile::standard()).ours(Ours::Everybody).leavers(Leavers::Delete);
        let plan = policy.plan(&current, &[ScimUser::new("bob")]).unwrap();
        let mut step = plan.steps[0].clone();
        assert_eq!((step.action, step.check()), (Action::Delete, Ok(())));
        for action in [Action::Update, Action::Deactivate, Action::Reactivate, Action::Create] {
            step.action = action;
            assert_eq!(step.check(), Err("it has no desired user".to_owned()));
            assert!(matches!(plan.rules.fit(&step, &current.users()[0]).unwrap(), crate::plan::Fit::Stale(_)));
        }
    }
}
