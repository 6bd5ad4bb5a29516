//! The differences between two plans.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;

use wats_scim_filter::json::text_key;

use crate::plan::{Action, Plan, Step};

/// The differences between two plans, from [`Plan::diff`].
///
/// `Display` prints a summary, and a line for each added (`added`), removed and changed step; a changed step has
/// two lines.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlanDiff<'a> {
    /// The steps that only the other plan has.
    pub added: Vec<&'a Step>,
    /// The steps that only this plan has.
    pub removed: Vec<&'a Step>,
    /// The steps of a user or group that differ: in this plan, and in the other one.
    pub changed: Vec<(&'a Step, &'a Step)>,
}

impl PlanDiff<'_> {
    /// Whether both plans have the same steps.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Plan {
    /// What another plan does differently, such as one that was made later. Steps are compared by their id, or
    /// else by their name; their order, causes, origins and versions are not compared.
    ///
    /// ```
    /// use wats_scim::{Profile, ScimUser};
    /// use wats_scim::plan::{Current, Policy};
    ///
    /// let (policy, current) = (Policy::new(&Profile::wats()), Current::complete(vec![]));
    /// let approved = policy.plan(&current, &[ScimUser::new("ann")])?;
    /// let today = policy.plan(&current, &[ScimUser::new("ann"), ScimUser::new("bob")])?;
    /// let diff = approved.diff(&today);
    /// assert_eq!(diff.added[0].name, "bob");
    /// assert!(diff.removed.is_empty() && diff.changed.is_empty());
    /// println!("{diff}");
    /// # Ok::<(), wats_scim::plan::Refusal>(())
    /// ```
    #[must_use]
    pub fn diff<'a>(&'a self, other: &'a Self) -> PlanDiff<'a> {
        let (by_id, ours, theirs) = pairs(self.steps.iter().collect(), other.steps.iter().collect(), |step| {
            Some((kind(step), step.id.as_deref()?))
        });
        let (by_name, removed, added) = pairs(ours, theirs, |step| Some((kind(step), text_key(&step.name))));
        let changed = by_id.into_iter().chain(by_name).filter(|(one, other)| !does_the_same(one, other)).collect();
        PlanDiff { added, removed, changed }
    }
}

/// The resource type, and for a group the action: a group can have a step of each.
fn kind(step: &Step) -> Option<Action> {
    step.action.is_of_group().then_some(step.action)
}

type Steps<'a> = Vec<&'a Step>;

/// The pairs of steps with the same key, and the rest of both plans.
fn pairs<'a, K: Hash + Eq>(
    ours: Steps<'a>,
    theirs: Steps<'a>,
    key: impl Fn(&'a Step) -> Option<K>,
) -> (Vec<(&'a Step, &'a Step)>, Steps<'a>, Steps<'a>) {
    let mut by_key: HashMap<K, VecDeque<usize>> = HashMap::new();
    for (at, step) in theirs.iter().enumerate() {
        if let Some(key) = key(step) {
            by_key.entry(key).or_default().push_back(at);
        }
    }
    let mut theirs: Vec<Option<&Step>> = theirs.into_iter().map(Some).collect();
    let (mut pairs, mut rest) = (Vec::new(), Vec::new());
    for step in ours {
        let at = key(step).and_then(|key| by_key.get_mut(&key)?.pop_front());
        match at.and_then(|at| theirs.get_mut(at)?.take()) {
            Some(other) => pairs.push((step, other)),
            None => rest.push(step),
        }
    }
    (pairs, rest, theirs.into_iter().flatten().collect())
}

/// As they are stored, since a stored plan has no passwords.
fn does_the_same(one: &Step, other: &Step) -> bool {
    let stored = |step: &Step| {
        let mut stored = serde_json::to_value(step).ok()?;
        for name in ["version", "cause", "origin", "leftOutSecrets"] {
            stored.as_object_mut()?.remove(name);
        }
        Some(stored)
    };
    stored(one) == stored(other)
}

impl fmt::Display for PlanDiff<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, removed, changed } = self;
        write!(f, "{} steps added, {} removed, {} changed", added.len(), removed.len(), changed.len())?;
        added.iter().try_for_each(|step| write!(f, "\nadded    {step}"))?;
        removed.iter().try_for_each(|step| write!(f, "\nremoved  {step}"))?;
        changed.iter().try_for_each(|(before, after)| write!(f, "\nbefore   {before}\nafter    {after}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Profile;
    use crate::model::ScimUser;
    use crate::plan::{Current, Ours, Policy};

    fn plan(current: Value, desired: Value) -> Plan {
        let current: Vec<ScimUser> = serde_json::from_value(current).unwrap();
        let desired: Vec<ScimUser> = serde_json::from_value(desired).unwrap();
        let policy = Policy::new(&Profile::standard()).ours(Ours::Everybody);
        policy.plan(&Current::complete(current), &desired).unwrap()
    }

    #[test]
    fn a_diff_has_what_was_added_removed_and_changed() {
        let current = json!([{ "id": "1", "userName": "ann", "title": "T" }, { "id": "2", "userName": "bob" },
                             { "id": "3", "userName": "cy", "title": "T" }]);
        let before = plan(
            current.clone(),
            json!([{ "userName": "ann", "title": "Dr" }, { "userName": "bob", "title": "B" }, { "userName": "cy" },
                   { "userName": "dee" }, { "userName": "eve" }]),
        );
        let after = plan(
            current,
            json!([{ "userName": "ann", "title": "Mr" }, { "userName": "bob", "title": "B" },
                   { "userName": "Dee", "title": "D" }, { "userName": "fay" }]),
        );
        let diff = before.diff(&after);
        let names = |steps: &[&Step]| steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&diff.added), ["fay", "cy"]);
        assert_eq!(names(&diff.removed), ["eve"]);
        assert_eq!(names(&diff.changed.iter().map(|(_, after)| *after).collect::<Vec<_>>()), ["ann", "Dee"]);
        insta::assert_snapshot!(diff, @r#"
        2 steps added, 1 removed, 2 changed
        added    + fay  create
        added    - cy  deactivate
        removed  + eve  create
        before   ~ ann  update: title "T" → "Dr"
        after    ~ ann  update: title "T" → "Mr"
        before   + dee  create
        after    + Dee  create: title "D"
        "#);
        assert!(before.diff(&before.clone()).is_empty());
    }

    #[test]
    fn a_stored_plan_does_not_differ_from_the_one_that_was_made() {
        let plan = plan(
            json!([{ "id": "1", "userName": "ann" }]),
            json!([{ "userName": "bob", "password": "p", "x": { "y": [1.50] } }]),
        );
        let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert!(plan.diff(&read).is_empty());
    }
}
