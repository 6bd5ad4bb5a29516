//! Checks when a step is applied whether it still fits the current state of its user.

use serde_json::Value;
use wats_scim_filter::json::{equal, same_text, truth};

use crate::error::Result;
use crate::model::{Resource, ScimPatchRequest, ScimUser};
use crate::outside::mistake;
use crate::plan::values::change::Way;
use crate::plan::values::merge::is_active;
use crate::plan::{Action, Change, Rules, Step};

/// The result of the check.
#[derive(Debug, PartialEq)]
pub(crate) enum Fit {
    /// The user is unchanged since the plan was made; this patch is sent.
    Change(ScimPatchRequest),
    /// The user is unchanged, and is deleted.
    Delete,
    /// The user already has the desired state.
    Done,
    /// The user has changed since the plan was made; the text is the reason.
    Stale(String),
}

impl Rules {
    /// The write of a step for the version with which it was planned, so that its user need not be read
    /// before. `None` if there is no such version, or if the patch depends on the user (WATS).
    pub(crate) fn unread(&self, step: &Step) -> Option<Fit> {
        // `*` is the condition that any version meets (RFC 9110 §13.1.1).
        step.version.as_deref().filter(|version| !["", "*"].contains(version))?;
        match step.action {
            Action::Delete => Some(Fit::Delete),
            Action::Adopt | Action::FreeName | Action::Update | Action::Reactivate | Action::Deactivate
                if !self.is_wats =>
            {
                Some(Fit::Change(step.patch()))
            }
            _ => None,
        }
    }

    /// The rules for one step. It clears what it shows, and nothing else.
    fn of(&self, step: &Step) -> Self {
        let cleared = step.changes.iter().filter(|change| change.to.is_none());
        Self { clears: cleared.map(|change| change.path.clone()).collect(), ..self.clone() }
    }

    /// Whether a user has its desired state.
    pub(crate) fn is_met(&self, held: &ScimUser, desired: &ScimUser) -> Result<bool> {
        self.way(held, desired).map(|way| way.patch.operations.is_empty())
    }

    /// Whether a user has its desired state, and nothing differs that no request could change.
    pub(crate) fn is_the_same(&self, held: &ScimUser, desired: &ScimUser) -> Result<bool> {
        self.way(held, desired).map(|way| way.patch.operations.is_empty() && way.left_out.is_empty())
    }

    /// The paths of the differences that remain although the server has accepted them, from its answer. An
    /// answer without a name shows only a part of the user.
    pub(crate) fn not_kept(&self, answer: &ScimUser, step: &Step) -> Vec<String> {
        let remaining = || self.remaining(answer, step).ok();
        answer.user_name.as_ref().and_then(|_| remaining()).unwrap_or_default()
    }

    /// The paths of the differences between a user and what a step makes of it, except those that no
    /// request could change.
    pub(crate) fn remaining(&self, held: &ScimUser, step: &Step) -> Result<Vec<String>> {
        let Some(desired) = &step.desired else { return Ok(Vec::new()) };
        let Way { changes, patch, .. } = self.of(step).way(held, desired)?;
        let is_done = patch.operations.is_empty();
        Ok(changes.into_iter().filter(|_| !is_done).map(|change| change.path).collect())
    }

    /// Compares a step with the current state of its user.
    pub(crate) fn fit(&self, step: &Step, held: &ScimUser) -> Result<Fit> {
        if let Some(reason) = another(step, held) {
            return Ok(Fit::Stale(reason));
        }
        if step.action == Action::Delete {
            return Ok(deletion(step, held));
        }
        if step.action == Action::FreeName && !has_its_name(step, held) {
            return Ok(Fit::Done);
        }
        let Some(desired) = &step.desired else {
            return Ok(Fit::Stale("the step has no desired user".to_owned()));
        };
        let way = self.of(step).way(held, desired)?;
        if way.patch.operations.is_empty() {
            return Ok(Fit::Done);
        }
        // Some of the changes may have been applied already.
        if mistake!("a changed user is changed all the same") {
            return Ok(Fit::Change(way.patch));
        }
        let stale = way.changes.iter().find(|change| !step.changes.iter().any(|planned| planned.is_same(change)));
        Ok(match stale {
            Some(change) => Fit::Stale(format!(
                "the user has changed since the plan was made; the step would now make another change: {change}"
            )),
            None => Fit::Change(way.patch),
        })
    }
}

/// A user that was activated or deactivated meanwhile is not deleted.
fn deletion(step: &Step, held: &ScimUser) -> Fit {
    let active = step.changes.iter().find(|change| change.is_of("active"));
    if active.is_none_or(|seen| is_active(held) == seen.from.as_ref().and_then(truth)) {
        Fit::Delete
    } else {
        Fit::Stale("the user was activated or deactivated since the plan was made".to_owned())
    }
}

/// Whether a user has the name that the step frees.
fn has_its_name(step: &Step, held: &ScimUser) -> bool {
    same_text(held.user_name.as_deref().unwrap_or_default(), &step.name)
}

impl Step {
    /// The patch of the changes, for a resource that is as it was when the step was planned.
    pub(in crate::plan) fn patch(&self) -> ScimPatchRequest {
        let changes = self.changes.iter().map(|change| (change.path.clone(), change.to.clone()));
        ScimPatchRequest::of(changes.collect())
    }

    fn changes_path(&self, path: &str) -> bool {
        self.changes.iter().any(|change| change.is_of(path))
    }
}

impl Change {
    fn is_same(&self, other: &Self) -> bool {
        self.is_of(&other.path)
            && same_value(self.from.as_ref(), other.from.as_ref())
            && same_value(self.to.as_ref(), other.to.as_ref())
    }
}

/// Whether two values are equal, or there is neither.
pub(in crate::plan) fn same_value(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => equal(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// How this differs from the user that the step was planned for.
fn another(step: &Step, held: &ScimUser) -> Option<String> {
    let is_named = has_its_name(step, held) || step.changes_path("userName");
    if !is_named {
        return Some("the user has been renamed since the plan was made".to_owned());
    }
    let planned = step.external_id.as_deref().filter(|id| !id.is_empty());
    let is_known = held.external_id() == planned || step.changes_path("externalId");
    (!is_known).then(|| "the externalId of the user has changed since the plan was made".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Profile;
    use crate::plan::{Current, Leavers, Plan, Policy};

    fn user(json: Value) -> ScimUser {
        serde_json::from_value(json).unwrap()
    }

    fn ann() -> ScimUser {
        let name = json!({ "givenName": "Ann", "familyName": "Doe" });
        user(json!({ "id": "1", "userName": "ann", "externalId": "7", "active": true, "name": name }))
    }

    fn plan(policy: &Policy, desired: &[ScimUser]) -> Plan {
        let others =
            (2..=12).map(|n| user(json!({ "id": n.to_string(), "userName": format!("user{n}"), "active": true })));
        let current = Current::complete(others.chain([ann()]).collect());
        policy.plan(&current, desired).unwrap()
    }

    fn renamed(profile: &Profile) -> Plan {
        let desired = [user(json!({ "userName": "ann", "externalId": "7", "name": { "familyName": "Roe" } }))];
        plan(&Policy::new(profile).leavers(Leavers::Keep), &desired)
    }

    fn fit(plan: &Plan, held: &ScimUser) -> Fit {
        assert_eq!(plan.steps.len(), 1);
        plan.rules.fit(&plan.steps[0], held).unwrap()
    }

    #[test]
    fn a_user_that_is_as_it_was_is_changed_and_one_that_is_done_is_not() {
        for (profile, path) in [(Profile::standard(), "name.familyName"), (Profile::wats(), "familyName")] {
            let plan = renamed(&profile);
            let patch = ScimPatchRequest::new().replace(path, "Roe");
            assert_eq!(fit(&plan, &ann()), Fit::Change(patch.clone()));
            let mut held = ann().with_display_name("A. Doe");
            assert_eq!(fit(&plan, &held), Fit::Change(patch), "what the source does not say may change");
            held.name.as_mut().unwrap().family_name = Some("Roe".into());
            assert_eq!(fit(&plan, &held), Fit::Done);
        }
    }

    #[test]
    fn a_user_that_has_changed_in_what_is_planned_is_stale() {
        let plan = renamed(&Profile::wats());
        let mut other_name = ann();
        other_name.name.as_mut().unwrap().family_name = Some("Smith".into());
        let mut renamed = ann();
        renamed.user_name = Some("joe".into());
        let (renumbered, deactivated) = (ann().with_external_id("8"), ann().with_active(false));
        for held in [other_name, renamed, renumbered] {
            assert!(matches!(fit(&plan, &held), Fit::Stale(_)), "{held:?}");
        }
        assert!(matches!(fit(&plan, &deactivated), Fit::Change(_)), "the source does not say");
    }

    #[test]
    fn a_user_to_be_deleted_must_be_as_it_was() {
        let policy = Policy::new(&Profile::standard()).leavers(Leavers::Delete);
        let others: Vec<_> = (2..=12).map(|n| user(json!({ "userName": format!("user{n}") }))).collect();
        let plan = plan(&policy, &others);
        assert_eq!(fit(&plan, &ann()), Fit::Delete);
        assert!(matches!(fit(&plan, &ann().with_active(false)), Fit::Stale(_)));
        assert!(matches!(fit(&plan, &ann().with_external_id("8")), Fit::Stale(_)));
    }

    #[test]
    fn a_user_to_be_deactivated_may_have_changed_otherwise() {
        let others: Vec<_> = (2..=12).map(|n| user(json!({ "userName": format!("user{n}") }))).collect();
        let plan = plan(&Policy::new(&Profile::wats()), &others);
        let patch = ScimPatchRequest::new().replace("active", false);
        assert_eq!(fit(&plan, &ann().with_display_name("A")), Fit::Change(patch));
        assert_eq!(fit(&plan, &ann().with_active(false)), Fit::Done);
    }

    #[test]
    fn levels_that_wats_cannot_remove_do_not_keep_a_step_from_being_done() {
        let mut held = ann().with_levels(["A", "B"]);
        let desired = [user(json!({ "userName": "ann", "externalId": "7" })).with_levels(["B", "C"])];
        let plan = Policy::new(&Profile::wats()).plan(&Current::complete(vec![held.clone()]), &desired).unwrap();
        assert_eq!(plan.steps[0].left_out, ["levels: removing A"]);
        assert_eq!(fit(&plan, &held), Fit::Change(ScimPatchRequest::new().replace("levels", "C")));
        held = held.with_levels(["A", "B", "C"]);
        assert_eq!(fit(&plan, &held), Fit::Done);
    }

    #[test]
    fn a_write_without_a_read_is_that_of_an_unchanged_user_and_needs_its_version() {
        let policy = Policy::new(&Profile::standard()).leavers(Leavers::Keep).clears(["name.givenName", "nickName"]);
        let held = ann().with_attribute("nickName", "A").with_attribute("title", "T");
        let desired =
            user(json!({ "userName": "ann", "active": false, "title": "Dr", "name": { "familyName": "Roe" } }));
        let plan = policy.plan(&Current::complete(vec![held.clone()]), std::slice::from_ref(&desired)).unwrap();
        let mut step = plan.steps[0].clone();
        for version in [None, Some(String::new()), Some("*".to_owned())] {
            step.version = version;
            assert_eq!(plan.rules.unread(&step), None);
        }
        step.version = Some("W/\"1\"".to_owned());
        assert_eq!(plan.rules.unread(&step), Some(fit(&plan, &held)));
        let wats = Policy::new(&Profile::wats()).plan(&Current::complete(vec![held]), &[desired]).unwrap();
        let step = Step { version: Some("1".to_owned()), ..wats.steps[0].clone() };
        assert_eq!(wats.rules.unread(&step), None, "what is added to levels depends on the user");
    }

    #[test]
    fn a_step_clears_what_it_shows_and_nothing_else() {
        let policy = Policy::new(&Profile::standard()).leavers(Leavers::Keep).clears(["title", "nickName"]);
        let held = ann().with_attribute("title", "T");
        let plan = policy.plan(&Current::complete(vec![held.clone()]), &[user(json!({ "userName": "ann" }))]).unwrap();
        let patch = ScimPatchRequest::new().remove("title");
        assert_eq!(fit(&plan, &held.with_attribute("nickName", "A")), Fit::Change(patch));
    }
}
