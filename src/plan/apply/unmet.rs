//! Steps that need what no step of the plan does: a name that its holder keeps, or a manager that is not created.
//! They are in conflict, as what they wait for is.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use wats_scim_filter::json::text_key;

use crate::model::{Resource, ScimUser};
use crate::plan::apply::order::Order;
use crate::plan::identity::conflict::reference;
use crate::plan::identity::matching::name_of;
use crate::plan::input::reference::Kind;
use crate::plan::values::manager::new_manager;
use crate::plan::{Action, Cause, Conflict, ConflictKind, Plan, Reference, Step};

impl Plan {
    /// Takes the steps that cannot be done out of the plan. `held` are the users of the server.
    pub(in crate::plan) fn withdraw_unmet(&mut self, held: &[ScimUser]) {
        let mut withdrawn = Withdrawn::of(&self.steps, &self.conflicts);
        withdrawn.without_names(held);
        withdrawn.without_managers();
        withdrawn.follow();
        let Withdrawn { is_out, found, .. } = withdrawn;
        if !is_out.contains(&true) {
            return;
        }
        let steps = std::mem::take(&mut self.steps).into_iter().zip(is_out);
        self.steps = steps.filter_map(|(step, is_out)| (!is_out).then_some(step)).collect();
        self.conflicts.extend(found);
    }

    /// Members that no step creates are not added.
    pub(in crate::plan) fn withdraw_members(&mut self) {
        let adds = |step: &&Step| step.action == Action::AddMembers;
        if !self.steps.iter().filter(adds).flat_map(|step| &step.members).any(|member| member.id.is_none()) {
            return;
        }
        let created = |step: &Step| (step.action == Action::Create).then(|| text_key(&step.name).into_owned());
        let created: HashSet<_> = self.steps.iter().filter_map(created).collect();
        let is_created =
            |member: &Reference| member.name.as_deref().is_some_and(|name| created.contains(&*text_key(name)));
        for step in self.steps.iter_mut().filter(|step| step.action == Action::AddMembers) {
            let group = format!("group {}", step.name);
            step.members.retain(|member| {
                let is_met = member.id.is_some() || member.kind == Kind::Group || is_created(member);
                if !is_met {
                    let reason = format!("its member {member} is not created");
                    self.conflicts.push(Conflict::new(ConflictKind::Group, &group, &reason));
                }
                is_met
            });
        }
        self.steps.retain(|step| step.action != Action::AddMembers || !step.members.is_empty());
    }

    /// A leaver gives up its name only for another user.
    pub(in crate::plan) fn keep_names_aside(&mut self) {
        let is_aside = |step: &Step| step.cause == Cause::Missing && step.desired.is_some() && step.names().0.is_some();
        if !self.steps.iter().any(is_aside) {
            return;
        }
        let taken: HashSet<_> = self.steps.iter().filter_map(|step| step.names().1.map(Cow::into_owned)).collect();
        let is_for_nothing = |step: &Step| is_aside(step) && step.names().0.is_some_and(|name| !taken.contains(&*name));
        self.steps.retain_mut(|step| {
            if is_for_nothing(step) {
                step.changes.retain(|change| !change.is_of("userName"));
                step.desired.iter_mut().for_each(|user| user.user_name = None);
            }
            !step.changes.is_empty() || step.cause != Cause::Missing || step.desired.is_none()
        });
    }
}

/// The steps that are taken out, and why.
struct Withdrawn<'a> {
    steps: &'a [Step],
    conflicts: &'a [Conflict],
    is_out: Vec<bool>,
    /// The steps whose waiters are still to be taken out, with the conflict that was the first.
    next: Vec<(usize, Option<usize>)>,
    found: Vec<Conflict>,
    /// The places of the conflicts, by the ids of the users of the server and by names.
    ids: HashMap<&'a str, usize>,
    names: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Withdrawn<'a> {
    fn of(steps: &'a [Step], conflicts: &'a [Conflict]) -> Self {
        let (mut ids, mut names) = (HashMap::new(), HashMap::new());
        for (at, conflict) in conflicts.iter().enumerate() {
            if let Some(id) = conflict.held.as_ref().and_then(|held| held.id.as_deref()) {
                ids.entry(id).or_insert(at);
            }
            names.entry(text_key(&conflict.user)).or_insert(at);
        }
        Self { steps, conflicts, is_out: vec![false; steps.len()], next: Vec::new(), found: Vec::new(), ids, names }
    }

    /// Steps that take a name which no step frees.
    fn without_names(&mut self, held: &[ScimUser]) {
        // Every holder of such a name frees it, or is in conflict.
        if self.conflicts.is_empty() {
            return;
        }
        let mut takers: HashMap<Cow<'a, str>, Vec<usize>> = HashMap::new();
        let mut freed = HashSet::new();
        for (at, step) in self.steps.iter().enumerate().filter(|(_, step)| !step.action.is_of_group()) {
            let (free, taken) = step.names();
            freed.extend(free.map(|name| (step.id.as_deref(), name)));
            if let Some(name) = taken {
                takers.entry(name).or_default().push(at);
            }
        }
        for user in held {
            let Some(name) = name_of(user) else { continue };
            let Some(takers) = takers.get(&name) else { continue };
            if freed.contains(&(user.id.as_deref(), name.clone())) {
                continue;
            }
            let first = user.id().and_then(|id| self.ids.get(id)).or_else(|| self.names.get(&name)).copied();
            for at in takers {
                self.withdraw(*at, first, |reason| name_taken(Some(reference(user)), reason));
            }
        }
    }

    /// Steps whose manager no step creates.
    fn without_managers(&mut self) {
        let steps = self.steps.iter().enumerate();
        let named: Vec<_> = steps.filter_map(|(at, step)| Some((at, new_manager(step.desired.as_ref()?)?))).collect();
        if named.is_empty() {
            return;
        }
        let created = self.steps.iter().filter(|step| step.action == Action::Create);
        let created: HashSet<_> = created.map(|step| text_key(&step.name)).collect();
        for (at, manager) in named.into_iter().filter(|(_, manager)| !created.contains(&text_key(manager))) {
            let first = self.names.get(&text_key(&manager)).copied();
            self.withdraw(at, first, |reason| not_created(&manager, reason));
        }
    }

    /// Takes a step out, with a conflict that names the first one.
    fn withdraw(&mut self, at: usize, first: Option<usize>, conflict: impl FnOnce(&str) -> Conflict) {
        let Some((step, is_out)) = self.steps.get(at).zip(self.is_out.get_mut(at)) else { return };
        if std::mem::replace(is_out, true) {
            return;
        }
        let first_conflict = first.and_then(|first| self.conflicts.get(first));
        let reason = first_conflict.map(|first| format!(", because {} is in conflict: {}", first.user, first.reason));
        let wanted = step.desired.as_ref().and_then(|user| user.user_name.clone());
        let user = wanted.unwrap_or_else(|| step.name.clone());
        self.found.push(Conflict { user, ..conflict(reason.as_deref().unwrap_or_default()) });
        self.next.push((at, first));
    }

    /// Takes out the steps that wait for those that are out.
    fn follow(&mut self) {
        if self.next.is_empty() && !self.steps.iter().any(|step| step.action == Action::FreeName) {
            return;
        }
        let order = Order::of(self.steps);
        let mut waiters: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut is_followed = HashSet::new();
        for at in 0..self.steps.len() {
            for need in order.needs(at).filter(|need| need.has_to_be_done) {
                waiters.entry(need.step).or_default().push(at);
                if self.is_of_one_user(need.step, at) {
                    // A temporary name is not for long.
                    waiters.entry(at).or_default().push(need.step);
                    is_followed.insert(need.step);
                }
            }
        }
        let freed = self.steps.iter().enumerate().filter(|(_, step)| step.action == Action::FreeName);
        for at in freed.map(|(at, _)| at).filter(|at| !is_followed.contains(at)).collect::<Vec<_>>() {
            let first = self.steps.get(at).and_then(|step| self.ids.get(step.id.as_deref()?)).copied();
            self.take_along(at, first);
        }
        while let Some((out, first)) = self.next.pop() {
            for at in waiters.remove(&out).unwrap_or_default() {
                let Some(needed) = self.steps.get(out) else { continue };
                if self.is_of_one_user(out, at) {
                    self.take_along(at, first);
                } else if needed.action == Action::Create {
                    self.withdraw(at, first, |reason| not_created(&needed.name, reason));
                } else {
                    self.withdraw(at, first, |reason| name_taken(needed.held(), reason));
                }
            }
        }
    }

    /// Takes a step out that is about what is in conflict already.
    fn take_along(&mut self, at: usize, first: Option<usize>) {
        if let Some(is_out) = self.is_out.get_mut(at)
            && !std::mem::replace(is_out, true)
        {
            self.next.push((at, first));
        }
    }

    fn is_of_one_user(&self, one: usize, other: usize) -> bool {
        let id = |at: usize| {
            self.steps.get(at).filter(|step| !step.action.is_of_group()).and_then(|step| step.id.as_deref())
        };
        id(one).is_some() && id(one) == id(other)
    }
}

/// The conflict of a step whose name another user keeps; the user is filled in.
fn name_taken(held: Option<Reference>, reason: &str) -> Conflict {
    let reason = format!("another user of the server keeps this userName{reason}");
    Conflict { held, ..Conflict::new(ConflictKind::NameTaken, "", &reason) }
}

/// The same of a step whose manager is not there.
fn not_created(manager: &str, reason: &str) -> Conflict {
    Conflict::new(ConflictKind::Manager, "", &format!("its manager {manager} is not created{reason}"))
}
