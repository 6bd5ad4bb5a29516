//! What a server accepted and did not keep.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::object;
use crate::plan::apply::recheck::same_value;
use crate::plan::stored::check::action_of;
use crate::plan::values::merge::{remove, value_at};
use crate::plan::{Change, Inexpressible, Outcome, Plan, Report, Step};

/// Values that a server accepted and did not keep, from [`Report::not_kept`] or
/// [`Journal::not_kept`](crate::plan::Journal::not_kept), for [`Plan::without_not_kept`]. Serde stores it between two
/// runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotKept {
    /// By the ids of the users.
    users: BTreeMap<String, Vec<Change>>,
}

impl NotKept {
    /// Whether the server has kept everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Adds what was not kept in another run.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (id, changes) in other.users {
            self.users.entry(id).or_default().extend(changes);
        }
        self
    }

    pub(in crate::plan) fn add(&mut self, step: &Step, id: Option<&str>, paths: &[String]) {
        let Some(id) = id.or(step.id.as_deref()).filter(|_| !paths.is_empty() && !step.action.is_of_group()) else {
            return;
        };
        let desired = step.desired.as_ref().and_then(|desired| object(desired).ok()).unwrap_or_default();
        let changes = paths.iter().map(|path| {
            let to = value_at(&desired, path).cloned();
            Change { path: path.clone(), from: None, to }
        });
        self.users.entry(id.to_owned()).or_default().extend(changes);
    }

    /// Whether the server did not keep this very value. That a user cannot sign in any more is always proposed
    /// again.
    fn has(&self, step: &Step, change: &Change) -> bool {
        let known = step.id.as_ref().and_then(|id| self.users.get(id));
        let is_same = |known: &Change| same_value(known.to.as_ref(), change.to.as_ref());
        !change.is_of("active") && known.into_iter().flatten().any(|known| known.is_of(&change.path) && is_same(known))
    }
}

impl Report {
    /// The values that the server did not keep.
    #[must_use]
    pub fn not_kept(&self) -> NotKept {
        let mut not_kept = NotKept::default();
        for problem in &self.problems {
            if let Outcome::NotKept(paths) = &problem.outcome {
                not_kept.add(&problem.step, problem.user.as_ref().and_then(|user| user.id.as_deref()), paths);
            }
        }
        not_kept
    }
}

impl Plan {
    /// The plan without the changes that the server did not keep in an earlier run: they are listed in
    /// [`inexpressible`](Self::inexpressible), or in what their step leaves out. A change to another value is
    /// kept in the plan, as is every change of `active`.
    ///
    /// ```
    /// use wats_scim::plan::{Current, NotKept, Policy};
    /// use wats_scim::{Profile, ScimUser};
    ///
    /// let earlier: NotKept = serde_json::from_str(r#"{"1": [{"path": "title", "to": "Dr"}]}"#)?;
    /// let ann: ScimUser = serde_json::from_str(r#"{"id": "1", "userName": "ann", "active": true}"#)?;
    /// let current = Current::complete(vec![ann]);
    /// let desired = [ScimUser::new("ann").with_attribute("title", "Dr")];
    /// let plan = Policy::new(&Profile::standard()).plan(&current, &desired)?;
    /// assert_eq!(plan.steps.len(), 1);
    ///
    /// let plan = plan.without_not_kept(&earlier);
    /// assert_eq!(plan.steps.len(), 0);
    /// assert_eq!(plan.inexpressible[0].left_out, ["title: the server did not keep it"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn without_not_kept(mut self, earlier: &NotKept) -> Self {
        let steps = std::mem::take(&mut self.steps);
        for mut step in steps {
            let (ignored, changes): (Vec<_>, Vec<_>) =
                step.changes.iter().cloned().partition(|change| earlier.has(&step, change));
            let left_out = ignored.iter().map(|change| format!("{}: the server did not keep it", change.path));
            if ignored.is_empty() {
                self.steps.push(step);
            } else if changes.is_empty() {
                let left_out = step.left_out.iter().cloned().chain(left_out).collect();
                self.inexpressible.push(Inexpressible { user_name: step.name, left_out });
            } else {
                step.left_out.extend(left_out);
                step.forget(&ignored);
                step.action = action_of(&changes);
                step.changes = changes;
                self.steps.push(step);
            }
        }
        self
    }
}

impl Step {
    /// Removes the values of these changes from the desired user, so that they are left unchanged.
    fn forget(&mut self, changes: &[Change]) {
        let Some(mut desired) = self.desired.as_ref().and_then(|desired| object(desired).ok()) else { return };
        for change in changes {
            remove(&mut desired, &change.path);
        }
        if let Ok(desired) = serde_json::from_value(desired.into()) {
            self.desired = Some(desired);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Profile;
    use crate::model::ScimUser;
    use crate::plan::{Current, Fit, Policy};

    fn user(json: Value) -> ScimUser {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn only_the_value_that_was_not_kept_leaves_the_plan_and_the_rest_still_applies() {
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let held = user(json!({ "id": "1", "userName": "ann", "active": true, "title": "T", "nickName": "A",
                                "name": { "familyName": "Doe" }, urn: { "department": "X" } }));
        let desired = user(json!({ "userName": "ann", "active": false, "title": "Dr", "displayName": "Ann",
                                   "name": { "familyName": "Roe" }, urn: { "department": "Y" } }));
        let policy = Policy::new(&Profile::standard()).ours(crate::plan::Ours::Everybody).clears(["nickName"]);
        let plan = policy.plan(&Current::complete(vec![held.clone()]), &[desired]).unwrap();
        let department = format!("{urn}:department");
        let lost = json!({ "1": [
            { "path": "title", "to": "Mr" }, { "path": "NAME.familyName", "to": "Roe" }, { "path": "nickName" },
            { "path": department, "to": "Y" }, { "path": "active", "to": false },
        ] });
        let next = plan.clone().without_not_kept(&serde_json::from_value(lost).unwrap());
        let [step] = &next.steps[..] else { panic!("{next}") };
        let paths: Vec<_> = step.changes.iter().map(|change| &*change.path).collect();
        assert_eq!(paths, ["active", "title", "displayName"]);
        assert_eq!(step.left_out.len(), 3, "{next}");
        assert_eq!(step.check(), Ok(()));
        assert!(matches!(next.rules.fit(step, &held).unwrap(), Fit::Change(_)), "what was dropped is no difference");
        assert_eq!(plan.clone().without_not_kept(&NotKept::default()), plan);
    }
}
