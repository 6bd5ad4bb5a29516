//! What became of the steps of an apply, for the steps that wait for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::plan::apply::order::Order;
use crate::plan::{Action, Outcome, Plan, Reference};

/// How the steps of an apply have ended. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Ends(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    order: Order,
    ends: Mutex<Vec<End>>,
    /// The last known versions of groups, by their ids: several steps change one group.
    versions: Mutex<HashMap<String, Option<String>>>,
}

#[derive(Clone, Debug, Default)]
enum End {
    #[default]
    Pending,
    /// Done, with the id of the user or group if it is known.
    Done(Option<String>),
    NotDone,
}

/// Whether a step can begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    /// A step that it waits for has not ended.
    Waits,
    /// The step with this index had to be done, and was not.
    BlockedBy(usize),
}

impl Ends {
    pub(crate) fn of(plan: &Plan) -> Self {
        let ends = Mutex::new(vec![End::default(); plan.steps.len()]);
        Self(Arc::new(Shared { order: Order::of(&plan.steps), ends, versions: Mutex::default() }))
    }

    pub(crate) fn readiness(&self, step: usize) -> Readiness {
        self.with(|ends| {
            let mut readiness = Readiness::Ready;
            for need in self.0.order.needs(step) {
                match ends.get(need.step) {
                    Some(End::Pending) => return Readiness::Waits,
                    Some(End::NotDone) if need.has_to_be_done => readiness = Readiness::BlockedBy(need.step),
                    _ => {}
                }
            }
            readiness
        })
    }

    /// Records the end of a step, with the id of its user or group.
    pub(crate) fn record(&self, step: usize, outcome: &Outcome, id: Option<&str>) {
        let end = match outcome {
            Outcome::Applied | Outcome::Unneeded | Outcome::DoneBefore | Outcome::Planned | Outcome::NotKept(_) => {
                End::Done(id.map(ToOwned::to_owned))
            }
            Outcome::Skipped(_) | Outcome::Blocked(_) | Outcome::Differs(_) | Outcome::Failed(_) => End::NotDone,
        };
        self.with(|ends| {
            if let Some(known) = ends.get_mut(step) {
                *known = end;
            }
        });
    }

    /// The id of what an earlier step has created.
    pub(crate) fn created(&self, reference: &Reference) -> Option<String> {
        let creation = self.0.order.creation(reference)?;
        self.with(|ends| match ends.get(creation) {
            Some(End::Done(id)) => id.clone(),
            _ => None,
        })
    }

    /// Whether a step of the plan was to create it, and did not.
    pub(crate) fn was_not_created(&self, reference: &Reference) -> bool {
        let creation = self.0.order.creation(reference);
        creation.is_some_and(|step| self.with(|ends| matches!(ends.get(step), Some(End::NotDone))))
    }

    /// The name that the group of a step had before an earlier step renamed it.
    pub(crate) fn name_before<'a>(&self, plan: &'a Plan, step: usize) -> Option<&'a str> {
        let mut needs = self.0.order.needs(step).filter_map(|need| plan.steps.get(need.step));
        needs.find(|step| step.action == Action::RenameGroup).map(|step| &*step.name)
    }

    /// The version of a group after the last write of this apply; that of the plan if there was none.
    pub(crate) fn version(&self, group: &str, planned: Option<&str>) -> Option<String> {
        let versions = self.0.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.get(group).cloned().unwrap_or_else(|| planned.map(ToOwned::to_owned))
    }

    /// Records the version of a group after a write; `None` if it is not known.
    pub(crate) fn record_version(&self, group: &str, version: Option<&str>) {
        let mut versions = self.0.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.insert(group.to_owned(), version.map(ToOwned::to_owned));
    }

    fn with<O>(&self, f: impl FnOnce(&mut Vec<End>) -> O) -> O {
        f(&mut self.0.ends.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
