//! The steps of groups: which are created, renamed and deleted, and which members are added and removed.

pub(in crate::plan) mod fit;
pub(in crate::plan) mod matching;
pub(in crate::plan) mod members;
pub(in crate::plan) mod shown;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wats_scim_filter::json::same_characters;

use crate::model::{Resource, ScimGroup};
use crate::plan::groups::matching::{GroupPair, group_name, group_pairs};
use crate::plan::groups::members::Wanted;
use crate::plan::identity::people::People;
use crate::plan::{
    Action, Cause, Change, Conflict, ConflictKind, CurrentGroup, DesiredGroup, Kind, Plan, Reference, Step,
};

/// The most members that one request adds or removes; servers cap them.
pub(crate) const MEMBERS_IN_A_REQUEST: usize = 100;

/// What a policy says about groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(in crate::plan) struct GroupRules {
    /// Groups of the server that are ours and missing from the source are deleted.
    pub(in crate::plan) deletes: bool,
    /// The members of nested groups are members themselves.
    pub(in crate::plan) flattens: bool,
}

/// The users and groups that the steps may change.
pub(in crate::plan) struct Reach<'a> {
    /// The users that may be removed from a group: their names, by their ids.
    pub(in crate::plan) removable: HashMap<&'a str, &'a str>,
    /// Whether a group may be renamed, deleted or emptied.
    pub(in crate::plan) is_ours: &'a dyn Fn(&ScimGroup) -> bool,
    /// Whether a name, or a group of the server, is protected.
    pub(in crate::plan) is_protected: &'a dyn Fn(&str) -> bool,
    pub(in crate::plan) protects: &'a dyn Fn(&ScimGroup) -> bool,
}

/// Adds the steps of groups to a plan.
pub(in crate::plan) fn plan_groups(
    plan: &mut Plan,
    current: &[CurrentGroup],
    desired: &[DesiredGroup],
    people: &People<'_>,
    rules: &GroupRules,
    reach: &Reach<'_>,
) {
    let pairs = group_pairs(current, desired);
    let wanted = Wanted::of(current, desired, &pairs, people, rules.flattens);
    let ids: HashMap<&str, &ScimGroup> =
        current.iter().filter_map(|held| Some((held.group().id()?, held.group()))).collect();
    let deleted = deleted(desired, current, &pairs, rules, reach);
    for (number, (group, pair)) in desired.iter().zip(&pairs).enumerate() {
        let mut conflict = |reason: String| {
            let group = format!("group {}", group.display_name);
            plan.conflicts.push(Conflict::new(ConflictKind::Group, &group, &reason));
        };
        let held = match pair {
            GroupPair::Conflict(reason) => {
                conflict((*reason).to_owned());
                continue;
            }
            GroupPair::New => None,
            GroupPair::With(at) => current.get(*at),
        };
        if (reach.is_protected)(&group.display_name) || held.is_some_and(|held| (reach.protects)(held.group())) {
            plan.unchanged += 1;
            continue;
        }
        let members = match wanted.members(number) {
            Ok(members) => members,
            Err(reason) => {
                conflict(reason);
                continue;
            }
        };
        let before = plan.steps.len();
        match held {
            None => {
                plan.steps.push(step(Action::CreateGroup, group));
                if let Some(members) = members {
                    put_members(plan, Action::AddMembers, &step(Action::AddMembers, group), members);
                }
            }
            Some(held) => {
                let changes = renaming(held.group(), group);
                if !changes.is_empty() {
                    plan.steps.push(Step { changes, ..Step::on_group(Action::RenameGroup, held.group()) });
                }
                if let Some(members) = members {
                    let of =
                        Step { name: group.display_name.clone(), ..Step::on_group(Action::AddMembers, held.group()) };
                    if let Some(why) = held.why_unread() {
                        conflict(format!("its members cannot be read: {why}"));
                    } else {
                        let (members, unseen) = seen(held, members);
                        if let (Some(why), [_, ..]) = (held.why_groups_unread(), &*unseen) {
                            conflict(format!(
                                "whether it has the nested {} cannot be read: {why}; see to it on the server, or let the \
                                 policy flatten groups",
                                unseen.join(", ")
                            ));
                        }
                        let is_kept = |group: &ScimGroup| !group.id().is_some_and(|id| deleted.contains(id));
                        let keeps_groups = group.keeps_groups;
                        let may_leave = |group: &ScimGroup| !keeps_groups && (reach.is_ours)(group) && is_kept(group);
                        change_members(plan, held.group(), &of, &members, &ids, reach, may_leave);
                    }
                }
            }
        }
        if plan.steps.len() == before {
            plan.unchanged += 1;
        }
        plan.steps.iter_mut().skip(before).for_each(|step| step.origin.clone_from(&group.origin));
    }
    let meant = pairs.iter().filter(|pair| matches!(pair, GroupPair::With(_))).count();
    plan.unchanged += current.len().saturating_sub(meant).saturating_sub(deleted.len());
    let is_deleted = |held: &&CurrentGroup| held.group().id().is_some_and(|id| deleted.contains(id));
    let deletions = current.iter().filter(is_deleted).map(|held| Step::on_group(Action::DeleteGroup, held.group()));
    plan.steps.extend(deletions);
}

/// The ids of the groups that are missing from the source and are deleted.
fn deleted<'a>(
    desired: &[DesiredGroup],
    current: &'a [CurrentGroup],
    pairs: &[GroupPair],
    rules: &GroupRules,
    reach: &Reach<'_>,
) -> HashSet<&'a str> {
    if !rules.deletes {
        return HashSet::new();
    }
    let meant: HashSet<usize> =
        pairs.iter().filter_map(|pair| if let GroupPair::With(at) = pair { Some(*at) } else { None }).collect();
    let in_conflict = InConflict::of(desired, pairs);
    let missing = current.iter().enumerate().filter(|(at, _)| !meant.contains(at)).map(|(_, held)| held.group());
    let may = |group: &&ScimGroup| (reach.is_ours)(group) && !(reach.protects)(group) && !in_conflict.concerns(group);
    missing.filter(may).filter_map(Resource::id).collect()
}

/// The members of which it is known whether the group has them, and the names of the others.
fn seen<'a>(held: &CurrentGroup, members: &'a [Reference]) -> (Cow<'a, [Reference]>, Vec<String>) {
    if held.why_groups_unread().is_none() {
        return (members.into(), Vec::new());
    }
    // A group that the plan creates is in no other one.
    let is_unseen = |member: &&Reference| member.kind == Kind::Group && member.id.is_some();
    let (unseen, seen): (Vec<_>, Vec<_>) = members.iter().partition(is_unseen);
    (seen.into_iter().cloned().collect(), unseen.iter().map(ToString::to_string).collect())
}

/// The steps that give a group of the server its members.
fn change_members(
    plan: &mut Plan,
    held: &ScimGroup,
    of: &Step,
    wanted: &[Reference],
    groups: &HashMap<&str, &ScimGroup>,
    reach: &Reach<'_>,
    may_leave: impl Fn(&ScimGroup) -> bool,
) {
    let shown: HashSet<_> = held.member_ids().collect();
    let is_missing = |member: &&Reference| member.id.as_deref().is_none_or(|id| !shown.contains(id));
    let added: Vec<_> = wanted.iter().filter(is_missing).cloned().collect();
    let wanted: HashSet<_> = wanted.iter().filter_map(|member| member.id.as_deref()).collect();
    // Unknown members are not removed: the source does not own them.
    let removed = held.members.iter().flatten().filter_map(|member| {
        let id = member.known_id().filter(|id| !wanted.contains(id))?;
        match groups.get(id) {
            // A group that is deleted leaves all others by that, as a user does.
            Some(group) => {
                may_leave(group).then(|| Reference { name: group.display_name.clone(), ..Reference::id(id).to_group() })
            }
            None => {
                reach.removable.get(id).map(|name| Reference { name: Some((*name).to_owned()), ..Reference::id(id) })
            }
        }
    });
    let removed: Vec<_> = removed.collect();
    put_members(plan, Action::AddMembers, of, &added);
    put_members(plan, Action::RemoveMembers, of, &removed);
}

fn put_members(plan: &mut Plan, action: Action, of: &Step, members: &[Reference]) {
    let steps = members.chunks(MEMBERS_IN_A_REQUEST).map(|members| Step {
        action,
        cause: cause(action),
        members: members.to_vec(),
        ..of.clone()
    });
    plan.steps.extend(steps);
}

/// The changes of a group itself.
fn renaming(held: &ScimGroup, desired: &DesiredGroup) -> Vec<Change> {
    let change = |path: &str, from: Option<&str>, to: Option<&str>| {
        let to = to.filter(|to| !from.is_some_and(|from| same_characters(from, to)))?;
        Some(Change { path: path.to_owned(), from: from.map(Value::from), to: Some(to.into()) })
    };
    let name = change("displayName", held.name(), Some(&desired.display_name));
    name.into_iter().chain(change("externalId", held.external_id(), desired.known_external_id())).collect()
}

fn step(action: Action, group: &DesiredGroup) -> Step {
    Step { external_id: group.external_id.clone(), ..Step::of_group(action, group.display_name.clone()) }
}

fn cause(action: Action) -> Cause {
    if matches!(action, Action::RemoveMembers | Action::DeleteGroup) { Cause::Missing } else { Cause::Source }
}

impl Step {
    /// A step for a group of the server.
    pub(in crate::plan) fn on_group(action: Action, held: &ScimGroup) -> Self {
        Self {
            id: held.id.clone(),
            external_id: held.external_id.clone(),
            version: held.version().map(ToOwned::to_owned),
            ..Self::of_group(action, held.display_name.clone().unwrap_or_default())
        }
    }

    fn of_group(action: Action, name: String) -> Self {
        Self {
            action,
            name,
            id: None,
            external_id: None,
            version: None,
            cause: cause(action),
            origin: None,
            changes: Vec::new(),
            left_out: Vec::new(),
            desired: None,
            left_out_secrets: Vec::new(),
            members: Vec::new(),
        }
    }
}

/// The identifiers of groups of the source that are in conflict.
struct InConflict<'a> {
    names: HashSet<Cow<'a, str>>,
    external_ids: HashSet<&'a str>,
}

impl<'a> InConflict<'a> {
    fn of(desired: &'a [DesiredGroup], pairs: &[GroupPair]) -> Self {
        let groups = || desired.iter().zip(pairs).filter(|(_, pair)| matches!(pair, GroupPair::Conflict(_)));
        Self {
            names: groups().filter_map(|(group, _)| group_name(Some(&group.display_name))).collect(),
            external_ids: groups().filter_map(|(group, _)| group.known_external_id()).collect(),
        }
    }

    fn concerns(&self, group: &ScimGroup) -> bool {
        group_name(group.name()).is_some_and(|name| self.names.contains(&name))
            || group.external_id().is_some_and(|id| self.external_ids.contains(id))
    }
}

#[cfg(test)]
mod tests;
