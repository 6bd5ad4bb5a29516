//! Parts of a plan: some of its steps.

use std::collections::HashSet;

use wats_scim_filter::json::text_key;

use crate::plan::{Action, Kind, Plan, Reference, Step};

impl Plan {
    /// The plan with the steps of these actions only. It has a digest of its own.
    ///
    /// ```
    /// use wats_scim::{Profile, ScimUser};
    /// use wats_scim::plan::{Action, Current, Policy};
    ///
    /// let current = Current::complete(vec![ScimUser::new("bob").with_external_id("7")]);
    /// let policy = Policy::new(&Profile::wats());
    /// let plan = policy.plan(&current, &[ScimUser::new("ann")])?;
    /// assert_eq!(plan.steps.len(), 2);
    /// let creations = plan.only([Action::Create]);
    /// assert_eq!(creations.steps[0].name, "ann");
    /// # Ok::<(), wats_scim::plan::Refusal>(())
    /// ```
    #[must_use]
    pub fn only(mut self, actions: impl IntoIterator<Item = Action>) -> Self {
        let actions: HashSet<Action> = actions.into_iter().collect();
        self.steps.retain(|step| actions.contains(&step.action));
        self
    }

    /// The plan of one user, given by its `userName` in any form of the same name, its `externalId` or its id:
    /// its steps, its memberships in groups, and its conflicts. It has a digest of its own.
    #[must_use]
    pub fn for_user(mut self, who: &str) -> Self {
        let known = self.known(who);
        self.steps = self.steps.iter().filter_map(|step| known.part_of(step)).collect();
        self.conflicts.retain(|conflict| known.has(Some(&conflict.user), Some(&conflict.user), None));
        self.inexpressible.retain(|user| known.has(Some(&user.user_name), None, None));
        self.unchanged = 0;
        self
    }

    /// A user with all identifiers that its steps have.
    pub(in crate::plan) fn known(&self, who: &str) -> Known {
        let mut known = Known::of(who);
        for step in self.steps.iter().filter(|step| !step.action.is_of_group()) {
            if known.has_step(step) {
                known.add(Some(&step.name), step.external_id.as_deref(), step.id.as_deref());
            }
        }
        known
    }
}

/// The identifiers by which a user is known.
pub(in crate::plan) struct Known {
    /// Names in the form in which they are compared.
    names: HashSet<String>,
    external_ids: HashSet<String>,
    ids: HashSet<String>,
}

impl Known {
    /// A user whose name, `externalId` or id is given.
    pub(in crate::plan) fn of(who: &str) -> Self {
        let given = || HashSet::from([who.to_owned()]);
        Self { names: HashSet::from([text_key(who).into_owned()]), external_ids: given(), ids: given() }
    }

    pub(in crate::plan) fn has(&self, name: Option<&str>, external_id: Option<&str>, id: Option<&str>) -> bool {
        name.is_some_and(|name| self.names.contains(&*text_key(name)))
            || external_id.is_some_and(|external_id| self.external_ids.contains(external_id))
            || id.is_some_and(|id| self.ids.contains(id))
    }

    pub(in crate::plan) fn add(&mut self, name: Option<&str>, external_id: Option<&str>, id: Option<&str>) {
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        self.names.extend(given(name).map(|name| text_key(&name).into_owned()));
        self.external_ids.extend(given(external_id));
        self.ids.extend(given(id));
    }

    /// The step, or of a step of a group what concerns the user; `None` if it is about others.
    pub(in crate::plan) fn part_of(&self, step: &Step) -> Option<Step> {
        if !step.action.is_of_group() {
            return self.has_step(step).then(|| step.clone());
        }
        let members: Vec<_> = step.members.iter().filter(|member| self.has_member(member)).cloned().collect();
        (!members.is_empty()).then(|| Step { members, ..step.clone() })
    }

    fn has_step(&self, step: &Step) -> bool {
        self.has(Some(&step.name), step.external_id.as_deref(), step.id.as_deref())
    }

    fn has_member(&self, member: &Reference) -> bool {
        let Reference { kind, id, external_id, name } = member;
        *kind == Kind::User && self.has(name.as_deref(), external_id.as_deref(), id.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Profile;
    use crate::model::ScimUser;
    use crate::plan::{Current, Policy};

    fn user(json: serde_json::Value) -> ScimUser {
        serde_json::from_value(json).unwrap()
    }

    fn plan() -> Plan {
        let current = Current::complete(vec![
            user(json!({ "id": "1", "userName": "Ann", "externalId": "7", "active": true, "title": "T" })),
            user(json!({ "id": "2", "userName": "bob", "externalId": "8", "active": true })),
        ]);
        let desired = [
            user(json!({ "userName": "ann", "externalId": "7", "title": "Dr" })),
            user(json!({ "userName": "cy" })),
            user(json!({ "userName": "dee" })),
            user(json!({ "userName": "DEE" })),
        ];
        let mut plan = Policy::new(&Profile::standard()).plan(&current, &desired).unwrap();
        let members = [Reference::id("1"), Reference::user_name("cy"), Reference::id("2"), Reference::group("ann")];
        let team = json!({ "action": "addMembers", "name": "Team", "id": "g", "members": members });
        plan.steps.push(serde_json::from_value::<Step>(team).unwrap());
        plan
    }

    #[test]
    fn a_part_has_the_steps_of_its_actions_and_a_digest_of_its_own() {
        let whole = plan();
        let part = whole.clone().only([Action::Create, Action::Deactivate]);
        let actions: Vec<_> = part.steps.iter().map(|step| step.action).collect();
        assert_eq!(actions, [Action::Create, Action::Deactivate]);
        assert_ne!(part.digest(), whole.digest());
        let read: Plan = serde_json::from_str(&serde_json::to_string(&part).unwrap()).unwrap();
        assert_eq!(read, part);
        assert_eq!(whole.clone().only([]).steps, []);
    }

    #[test]
    fn the_plan_of_a_user_has_its_steps_its_memberships_and_its_conflicts() {
        for who in ["ANN", "7", "1"] {
            let part = plan().for_user(who);
            let names: Vec<_> = part.steps.iter().map(|step| (&*step.name, step.members.len())).collect();
            assert_eq!(names, [("Ann", 0), ("Team", 1)], "{who}");
            assert_eq!(part.steps[1].members, [Reference::id("1")]);
            assert_eq!((part.conflicts.len(), part.unchanged), (0, 0));
        }
        let part = plan().for_user("cy");
        assert_eq!((part.steps.len(), part.steps[1].members.len()), (2, 1));
        let part = plan().for_user("Dee");
        assert_eq!((part.steps.len(), part.conflicts.len()), (0, 2));
        assert_eq!(plan().for_user("nowhere").steps, []);
    }
}
