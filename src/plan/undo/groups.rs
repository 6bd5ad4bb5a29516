//! What takes back the steps of groups.

use std::collections::{HashMap, HashSet};

use wats_scim_filter::json::text_key;

use crate::model::{Resource, ScimGroup};
use crate::plan::identity::matching::name_of;
use crate::plan::journal::written::WrittenStep;
use crate::plan::{
    Action, Change, Conflict, ConflictKind, Current, CurrentGroup, Fit, Inexpressible, Kind, Plan, Policy,
};
use crate::plan::{Reference, Step};

/// Adds the steps that take back what was written of groups.
pub(in crate::plan) fn undo_groups(plan: &mut Plan, policy: &Policy, current: &Current, written: &[&WrittenStep]) {
    if written.is_empty() {
        return;
    }
    let groups = current.groups().unwrap_or_default();
    let users = || current.users().iter();
    let mut undo = Undo {
        plan,
        policy,
        groups: groups.iter().filter_map(|held| Some((held.group().id()?, held))).collect(),
        ids: users().filter_map(|user| user.id.as_deref()).collect(),
        by_name: users().filter_map(|user| Some((name_of(user)?.into_owned(), user.id.as_deref()?))).collect(),
        names_back: HashMap::new(),
        deleted: HashSet::new(),
        were_read: current.groups().is_some(),
    };
    let is_first = |written: &&&WrittenStep| matches!(written.step.action, Action::RenameGroup | Action::CreateGroup);
    // The steps of members have the name that the group has then, and a group that is deleted needs none.
    for written in written.iter().filter(is_first).chain(written.iter().rev().filter(|one| !is_first(one))) {
        undo.take_back(written);
    }
}

struct Undo<'a> {
    plan: &'a mut Plan,
    policy: &'a Policy,
    groups: HashMap<&'a str, &'a CurrentGroup>,
    /// The ids of the users of the server, and those by their names.
    ids: HashSet<&'a str>,
    by_name: HashMap<String, &'a str>,
    /// The names that groups get back, by their ids.
    names_back: HashMap<String, String>,
    /// The ids of the groups that are deleted.
    deleted: HashSet<String>,
    were_read: bool,
}

impl Undo<'_> {
    fn take_back(&mut self, written: &WrittenStep) {
        let WrittenStep { step, id, is_done, .. } = written;
        if !self.were_read {
            return self.list(step, "the groups were not read, see current_directory");
        }
        let Some(held) = id.as_deref().and_then(|id| self.groups.get(id).copied()) else {
            return match (step.action, is_done) {
                (Action::DeleteGroup, true) => self.list(step, "the group was deleted"),
                (Action::CreateGroup, false) => {}
                _ => self.refuse(step, "the group no longer exists"),
            };
        };
        if id.as_ref().is_some_and(|id| self.deleted.contains(id)) {
            return;
        }
        if self.policy.who.protects_group(held.group()) {
            self.plan.unchanged += 1;
            return;
        }
        match step.action {
            Action::CreateGroup => self.uncreate(step, held.group()),
            Action::RenameGroup => self.rename_back(step, held.group()),
            Action::AddMembers => self.move_members(step, held, Action::RemoveMembers),
            Action::RemoveMembers => self.move_members(step, held, Action::AddMembers),
            _ => self.plan.unchanged += 1,
        }
    }

    fn uncreate(&mut self, step: &Step, held: &ScimGroup) {
        if !self.policy.groups.deletes {
            self.list(step, "it is deleted if the policy deletes groups");
        } else if step.why_not_on(held, None).is_some() || held.external_id() != step.external_id.as_deref() {
            self.refuse(step, "the group has changed since it was created");
        } else {
            self.deleted.extend(held.id.clone());
            self.plan.steps.push(Step::on_group(Action::DeleteGroup, held));
        }
    }

    fn rename_back(&mut self, step: &Step, held: &ScimGroup) {
        if step.fit_group(held) != Fit::Done {
            return self.refuse(step, "the group has changed since the apply");
        }
        let back = |change: &Change| Change { from: change.to.clone(), to: change.from.clone(), ..change.clone() };
        if let Some(id) = &held.id {
            self.names_back.insert(id.clone(), step.name.clone());
        }
        let changes = step.changes.iter().map(back).collect();
        self.plan.steps.push(Step { changes, ..Step::on_group(Action::RenameGroup, held) });
    }

    /// Removes members that were added, or adds those that were removed, as far as they are there.
    fn move_members(&mut self, step: &Step, held: &CurrentGroup, action: Action) {
        if let Some(why) = held.why_unread() {
            return self.list(step, &format!("its members cannot be read: {why}"));
        }
        if let Some(why) = held.why_groups_unread()
            && step.members.iter().any(|member| member.kind == Kind::Group)
        {
            self.list(step, &format!("its nested groups cannot be read: {why}"));
        }
        let shown: HashSet<_> = held.group().member_ids().collect();
        let is_moved = |member: &Reference| {
            member.id.as_deref().is_some_and(|id| shown.contains(id) == (action == Action::RemoveMembers))
        };
        let members: Vec<_> = step.members.iter().filter_map(|member| self.known(member)).filter(is_moved).collect();
        if members.is_empty() {
            self.plan.unchanged += 1;
            return;
        }
        let mut back = Step { members, ..Step::on_group(action, held.group()) };
        if let Some(name) = held.group().id().and_then(|id| self.names_back.get(id)) {
            back.name.clone_from(name);
        }
        self.plan.steps.push(back);
    }

    /// A member with its id, if it is still there.
    fn known(&self, member: &Reference) -> Option<Reference> {
        let id = match (&member.id, member.kind) {
            (Some(id), Kind::User) => self.ids.get(id.as_str()).copied(),
            (Some(id), Kind::Group) => self.groups.get_key_value(id.as_str()).map(|(id, _)| *id),
            (None, _) => self.by_name.get(&*text_key(member.name.as_deref()?)).copied(),
        };
        Some(Reference { id: Some(id?.to_owned()), ..member.clone() })
    }

    fn refuse(&mut self, step: &Step, reason: &str) {
        self.plan.conflicts.push(Conflict::new(ConflictKind::Changed, &step.name, reason));
    }

    fn list(&mut self, step: &Step, why: &str) {
        let left_out = vec![format!("{}: {why}", step.title())];
        self.plan.inexpressible.push(Inexpressible { user_name: step.name.clone(), left_out });
    }
}
