//! Which steps wait for which: a step that names a new user or group waits for its creation, and one that
//! takes a name waits for the one that frees it.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use serde_json::Value;
use wats_scim_filter::json::text_key;

use crate::plan::input::reference::Kind;
use crate::plan::values::manager::new_manager;
use crate::plan::{Action, Reference, Step};

/// What a step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// The index of the other step.
    pub(crate) step: usize,
    /// Whether the other step has to be done, and not only to have ended.
    pub(crate) has_to_be_done: bool,
}

/// What each step of a plan waits for.
#[derive(Debug, Default)]
pub(crate) struct Order {
    needs: Vec<Vec<Need>>,
    /// The steps that create what other steps refer to.
    creations: HashMap<Created<'static>, usize>,
}

/// What a step creates: its name, or its `externalId`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Created<'a> {
    Named(Kind, Cow<'a, str>),
    ExternalId(Kind, Cow<'a, str>),
}

/// What one step does for another.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key<'a> {
    Creates(Created<'a>),
    /// Frees this name.
    Frees(Kind, Cow<'a, str>),
    /// Changes what has this id.
    Changes(Kind, &'a str),
    /// Adds members to this group, by its id or name.
    AddsTo(Cow<'a, str>),
    /// Removes members from it.
    RemovesFrom(Cow<'a, str>),
}

impl Order {
    pub(crate) fn of(steps: &[Step]) -> Self {
        let mut givers: HashMap<Key<'_>, usize> = HashMap::new();
        // Of several steps for one user or group, each waits for the one before.
        let mut earlier: Vec<Option<Need>> = vec![None; steps.len()];
        for (at, step) in steps.iter().enumerate() {
            step.gives(&mut |key| {
                let has_to_be_done = matches!(key, Key::Changes(..));
                let is_in_turn = has_to_be_done || matches!(key, Key::AddsTo(_) | Key::RemovesFrom(_));
                let before = givers.insert(key, at);
                if let (true, Some(step), Some(earlier)) = (is_in_turn, before, earlier.get_mut(at)) {
                    *earlier = Some(Need { step, has_to_be_done });
                }
            });
        }
        let mut creations = HashMap::new();
        let needs = steps.iter().zip(earlier).enumerate().map(|(at, (step, earlier))| {
            let mut needs: Vec<Need> = earlier.into_iter().collect();
            step.takes(&mut |key, has_to_be_done| {
                if let Some(&giver) = givers.get(&key)
                    && giver != at
                    && !(matches!(key, Key::Frees(..)) && frees_later(steps, giver, at))
                {
                    needs.push(Need { step: giver, has_to_be_done });
                    if let Key::Creates(created) = key {
                        creations.insert(created.into_owned(), giver);
                    }
                }
            });
            needs
        });
        Self { needs: needs.collect(), creations }
    }

    /// The step that creates the referenced user or group, if another step refers to it.
    pub(crate) fn creation(&self, reference: &Reference) -> Option<usize> {
        reference.created().and_then(|created| self.creations.get(&created)).copied()
    }

    /// What a step waits for. Only earlier steps are waited for, so no order of a plan can block it.
    pub(crate) fn needs(&self, step: usize) -> impl Iterator<Item = Need> {
        self.needs.get(step).into_iter().flatten().copied().filter(move |need| need.step < step)
    }
}

/// The steps in an order in which no step waits for a later one, otherwise unchanged; and the steps that
/// wait for each other.
pub(in crate::plan) fn sorted(steps: Vec<Step>) -> (Vec<Step>, Vec<Step>) {
    let Order { needs, .. } = Order::of(&steps);
    if needs.iter().enumerate().all(|(at, needs)| needs.iter().all(|need| need.step < at)) {
        return (steps, Vec::new());
    }
    let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut waiters: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, needs) in needs.iter().enumerate() {
        for need in needs {
            waiters.entry(need.step).or_default().push(at);
        }
    }
    let mut ready: BinaryHeap<_> =
        waiting.iter().enumerate().filter(|(_, needs)| **needs == 0).map(|(at, _)| Reverse(at)).collect();
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    let mut sorted = Vec::with_capacity(steps.len());
    while let Some(Reverse(at)) = ready.pop() {
        sorted.extend(steps.get_mut(at).and_then(Option::take));
        for waiter in waiters.remove(&at).unwrap_or_default() {
            if let Some(needs) = waiting.get_mut(waiter) {
                *needs -= 1;
                if *needs == 0 {
                    ready.push(Reverse(waiter));
                }
            }
        }
    }
    (sorted, steps.into_iter().flatten().collect())
}

impl Step {
    fn kind(&self) -> Kind {
        if self.action.is_of_group() { Kind::Group } else { Kind::User }
    }

    /// The group of a step by its id, or by its name if the plan creates it.
    fn group(&self) -> Cow<'_, str> {
        self.id.as_deref().map_or_else(|| text_key(&self.name), Cow::Borrowed)
    }

    /// The name that the step gives up, and the one that it takes.
    pub(super) fn names(&self) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
        let named_by = if self.action.is_of_group() { "displayName" } else { "userName" };
        let renaming = self.changes.iter().find(|change| change.is_of(named_by));
        match self.action {
            Action::Create | Action::CreateGroup => (None, Some(text_key(&self.name))),
            Action::Delete | Action::DeleteGroup => (Some(text_key(&self.name)), None),
            Action::AddMembers | Action::RemoveMembers => (None, None),
            _ => renaming.map_or((None, None), |change| (text_of(change.from.as_ref()), text_of(change.to.as_ref()))),
        }
    }

    fn gives<'a>(&'a self, give: &mut impl FnMut(Key<'a>)) {
        let kind = self.kind();
        match self.action {
            Action::Create | Action::CreateGroup => {
                give(Key::Creates(Created::Named(kind, text_key(&self.name))));
                if let Some(id) = self.external_id.as_deref().filter(|id| !id.is_empty()) {
                    give(Key::Creates(Created::ExternalId(kind, id.into())));
                }
            }
            Action::AddMembers => give(Key::AddsTo(self.group())),
            Action::RemoveMembers => give(Key::RemovesFrom(self.group())),
            Action::DeleteGroup => {}
            _ => {
                if let Some(id) = &self.id {
                    give(Key::Changes(kind, id));
                }
            }
        }
        if let (Some(name), _) = self.names() {
            give(Key::Frees(kind, name));
        }
    }

    fn takes<'a>(&'a self, take: &mut impl FnMut(Key<'a>, bool)) {
        let kind = self.kind();
        if let (_, Some(name)) = self.names() {
            take(Key::Frees(kind, name), true);
        }
        if matches!(self.action, Action::AddMembers | Action::RemoveMembers | Action::DeleteGroup) {
            match &self.id {
                Some(id) => take(Key::Changes(kind, id), false),
                None => take(Key::Creates(Created::Named(kind, text_key(&self.name))), true),
            }
        }
        if matches!(self.action, Action::RemoveMembers | Action::DeleteGroup) {
            take(Key::AddsTo(self.group()), false);
        }
        if self.action == Action::DeleteGroup {
            take(Key::RemovesFrom(self.group()), false);
        }
        // The other members of a group are added without a member that could not be created.
        for member in self.members.iter().filter(|member| member.id.is_none()) {
            if let Some(created) = member.created() {
                take(Key::Creates(created), false);
            }
        }
        if let Some(name) = self.desired.as_ref().and_then(new_manager) {
            take(Key::Creates(Created::Named(Kind::User, text_key(&name).into_owned().into())), true);
        }
    }
}

/// Whether a step frees the name that an earlier step for the same user or group takes: a temporary one.
fn frees_later(steps: &[Step], giver: usize, taker: usize) -> bool {
    let [giver_id, taker_id] = [giver, taker].map(|at| steps.get(at).and_then(|step| step.id.as_deref()));
    giver > taker && giver_id.is_some() && giver_id == taker_id
}

fn text_of(value: Option<&Value>) -> Option<Cow<'_, str>> {
    value.and_then(Value::as_str).map(text_key)
}

impl Reference {
    /// Under what a step would create it.
    fn created(&self) -> Option<Created<'_>> {
        match (&self.name, &self.external_id) {
            (Some(name), _) => Some(Created::Named(self.kind, text_key(name))),
            (None, Some(id)) => Some(Created::ExternalId(self.kind, id.into())),
            (None, None) => None,
        }
    }
}

impl Created<'_> {
    fn into_owned(self) -> Created<'static> {
        match self {
            Self::Named(kind, name) => Created::Named(kind, name.into_owned().into()),
            Self::ExternalId(kind, id) => Created::ExternalId(kind, id.into_owned().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(steps: Value) -> Vec<Step> {
        serde_json::from_value(steps).unwrap()
    }

    fn rename(id: &str, from: &str, to: &str) -> Value {
        json!({ "action": "update", "name": from, "id": id, "desired": { "userName": to },
                "changes": [{ "path": "userName", "from": from, "to": to }] })
    }

    fn create(name: &str, manager: Option<&str>) -> Value {
        let manager = manager.map(|name| json!({ "value": format!("bulkId:{name}") }));
        let urn = <crate::model::EnterpriseUser as crate::model::Extension>::SCHEMA;
        json!({ "action": "create", "name": name, "desired": { "userName": name, urn: { "manager": manager } } })
    }

    fn names(steps: &[Step]) -> Vec<String> {
        steps.iter().map(|step| format!("{} {}", step.action.verb(), step.name)).collect()
    }

    #[test]
    fn a_name_is_free_before_it_is_taken() {
        let all = steps(json!([create("B", None), rename("1", "a", "b"), rename("2", "b", "c")]));
        let (sorted, cyclic) = sorted(all);
        assert_eq!(names(&sorted), ["update b", "create B", "update a"]);
        assert!(cyclic.is_empty());
        let order = Order::of(&sorted);
        let waits: Vec<_> = (0..3).map(|step| order.needs(step).map(|need| need.step).collect::<Vec<_>>()).collect();
        assert_eq!(waits, [vec![], vec![0], vec![0]]);
    }

    #[test]
    fn a_swap_is_ordered_by_a_temporary_name_and_is_cyclic_without_one() {
        let (_, cyclic) = sorted(steps(json!([rename("1", "a", "b"), rename("2", "b", "a")])));
        assert_eq!(cyclic.len(), 2);
        let all = json!([rename("1", "tmp", "b"), rename("2", "b", "a"), rename("1", "a", "tmp")]);
        // Of two steps for one user, the later one waits for the earlier.
        let all = steps(json!([all[2], all[0], all[1]]));
        let (sorted, cyclic) = sorted(all);
        assert_eq!(
            (names(&sorted), cyclic.len()),
            (["update a", "update b", "update tmp"].map(str::to_owned).to_vec(), 0)
        );
    }

    #[test]
    fn a_name_in_another_form_is_not_waited_for_by_its_own_step() {
        let order = Order::of(&steps(json!([rename("1", "Ann", "ann")])));
        assert_eq!(order.needs(0).count(), 0);
    }

    #[test]
    fn managers_are_created_first_and_a_circle_of_them_is_found() {
        let (first, cyclic) =
            sorted(steps(json!([create("ann", Some("Bob")), create("bob", Some("cy")), create("cy", None)])));
        assert_eq!(
            (names(&first), cyclic.len()),
            (["create cy", "create bob", "create ann"].map(str::to_owned).to_vec(), 0)
        );
        let (rest, cyclic) =
            sorted(steps(json!([create("ann", Some("bob")), create("bob", Some("ann")), create("cy", None)])));
        assert_eq!((rest.len(), cyclic.len()), (1, 2));
    }

    #[test]
    fn members_are_removed_after_others_were_added_and_a_group_is_deleted_last() {
        let add = json!({ "action": "addMembers", "name": "Testers", "id": "7", "members": [{ "name": "ann" }, { "id": "2" }] });
        let remove = json!({ "action": "removeMembers", "name": "Testers", "id": "7", "members": [{ "id": "3" }] });
        let delete = json!({ "action": "deleteGroup", "name": "Testers", "id": "7" });
        let rename = json!({ "action": "renameGroup", "name": "Old", "id": "8", "changes": [{ "path": "displayName", "from": "Old", "to": "testers" }] });
        let (sorted, _) = sorted(steps(json!([rename, delete, remove, add, create("ann", None)])));
        let expected =
            ["create ann", "add members Testers", "remove members Testers", "delete group Testers", "rename group Old"];
        assert_eq!(names(&sorted), expected);
        let order = Order::of(&sorted);
        assert_eq!(order.creation(&Reference::user_name("ANN")), Some(0));
        assert_eq!(order.needs(1).map(|need| (need.step, need.has_to_be_done)).collect::<Vec<_>>(), [(0, false)]);
    }
}
