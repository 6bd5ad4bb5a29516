//! (e) and (f): plans.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use wats_scim::ScimGroup;
use wats_scim::plan::{Action, Current, CurrentGroup, Policy};

use super::{can_double, journal};
use crate::assumed::{Promise, holds};
use crate::log::{Applied, Refused};
use crate::server::{Entry, Object, Server, members};
use crate::world::World;

/// (e) and (f): a plan that was applied by processes that may have been killed.
pub fn judge(world: &World, applied: &Applied, policy: &Policy) {
    let server = world.server.borrow();
    let Applied { began, ended, plan, desired, before, problems, is_complete } = applied;
    let during = || server.ledger.iter().filter(|entry| entry.at >= *began && entry.at <= *ended);
    let touched: BTreeSet<&str> =
        during().filter(|entry| entry.ticket.is_none()).map(|entry| entry.id.as_str()).collect();

    // (f) No more harm than the plan has counted.
    let ours = || during().filter(|entry| entry.ticket.is_some());
    for (what, done, planned) in [
        (
            "deactivated",
            ours().filter(|entry| entry.deactivates()).map(|entry| &entry.id).collect::<BTreeSet<_>>().len(),
            plan.count(Action::Deactivate),
        ),
        (
            "deleted",
            ours().filter(|entry| entry.is_deletion()).count(),
            plan.count(Action::Delete) + plan.count(Action::DeleteGroup),
        ),
    ] {
        if done > planned {
            world.violation(&format!("(f) {done} users or groups were {what}, and the plan has {planned}"));
        }
    }
    // (f) No member is lost that the plan does not remove.
    for entry in ours().filter(|entry| entry.endpoint == "Groups" && !entry.is_deletion()) {
        let steps = plan.steps.iter().filter(|step| step.action == Action::RemoveMembers && entry.is_of(step));
        let planned: BTreeSet<_> =
            steps.flat_map(|step| &step.members).filter_map(|member| member.id.clone()).collect();
        let (before, after) = (members(entry.before.as_deref()), members(entry.after.as_deref()));
        if let Some(lost) = before.difference(&after).find(|id| !planned.contains(*id)) {
            world.violation(&format!("(f) {lost} was removed from the group {}, and the plan does not", entry.id));
        }
    }
    // (c) A step that failed had no effect in that run, unless the client says that it may have.
    for Refused { step, why, tickets } in &world.log.borrow().refused {
        let is_of = |entry: &&Entry| plan.steps.get(*step).is_some_and(|step| entry.is_of(step));
        let is_sent = |entry: &&Entry| entry.ticket.is_some_and(|ticket| tickets.contains(&ticket));
        // What changed nothing may be what another step of the group has done again.
        let has_effect = |entry: &&Entry| entry.before != entry.after;
        if ours().filter(is_of).any(|entry| is_sent(&entry) && has_effect(&entry) && !is_disguised(world, entry)) {
            world.violation(&format!("(c) step {step} was applied, and the client says: {why}"));
        }
    }
    // (b) One intent, one user.
    let can_double = can_double(world);
    let mut created: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in ours().filter(|entry| entry.is_creation() && !is_taken_away(world, &entry.id)) {
        let external_id = entry.after.as_ref().and_then(|after| after.get("externalId")?.as_str()).unwrap_or_default();
        *created.entry(external_id).or_default() += 1;
    }
    if let Some((twice, _)) = created.iter().find(|(_, times)| **times > 1).filter(|_| !can_double) {
        world.violation(&format!("(b) {twice} was created twice"));
    }
    // (f) What another writer has changed is not changed as planned, once the client has read it.
    for entry in ours() {
        if let (Some(ticket), Some(other)) = (entry.ticket, last_of_another(world, entry, *began))
            && was_read_after(world, ticket, &entry.id, other)
            && holds(Promise::Kept, &world.setting)
        {
            world.violation(&format!("(f) {} was changed by another writer, and is changed all the same", entry.id));
        }
    }
    // (e) Others are untouched.
    for (id, held) in before {
        let is_planned = plan.steps.iter().any(|step| step.id.as_ref() == Some(id));
        let now = ["Users", "Groups"].iter().find_map(|endpoint| server.store.get(&(*endpoint, id.clone())));
        if !is_planned && !touched.contains(id.as_str()) && now != Some(held) {
            world.violation(&format!("(e) {id} is not in the plan, and was changed"));
        }
    }
    if touched.is_empty() && !world.setting.kind.renames && holds(Promise::Reached, &world.setting) {
        if !is_complete {
            world.violation(&format!("(e) the plan is not done after the world was calm: {problems:?}"));
        }
        // A rename of the plan can end the conflict of another user of that name.
        let was_in_conflict = |name: &str| plan.conflicts.iter().any(|conflict| conflict.user == name);
        match policy.plan(&current(&server, desired.groups().is_some()), desired) {
            Ok(next) if next.steps.iter().all(|step| was_in_conflict(&step.name)) => {}
            Ok(next) => world.violation(&format!("(e) the next plan is not empty:\n{next}")),
            Err(refusal) => world.violation(&format!("(e) the next plan is refused: {refusal}")),
        }
    }
    journal::judge(world, applied, &ours().collect::<Vec<_>>());
}

/// What the server holds, as a client that makes no mistake would read it.
fn current(server: &Server, with_groups: bool) -> Current {
    let held = |of: &str| -> Value {
        let held = server.store.iter().filter(|((endpoint, _), _)| *endpoint == of);
        held.map(|(_, held)| Value::Object((**held).clone())).collect()
    };
    let users = Current::complete(serde_json::from_value(held("Users")).unwrap_or_default());
    if !with_groups {
        return users;
    }
    let groups: Vec<ScimGroup> = serde_json::from_value(held("Groups")).unwrap_or_default();
    users.with_groups(groups.into_iter().map(CurrentGroup::complete).collect())
}

/// Whether another writer has given a user that was just created another external id: then it cannot be distinguished
/// from a stranger's (SECURITY.md).
pub(super) fn is_disguised(world: &World, created: &Entry) -> bool {
    let external_id =
        |object: &Option<Rc<Object>>| object.as_ref().and_then(|object| object.get("externalId").cloned());
    let server = world.server.borrow();
    let mut of_others = server.ledger.iter().filter(|entry| entry.id == created.id && entry.ticket.is_none());
    created.is_creation()
        && of_others.any(|entry| !entry.is_deletion() && external_id(&entry.before) != external_id(&entry.after))
}

/// Whether another writer has deleted a user, or given it another external id, so that it cannot be distinguished
/// from a stranger's.
pub(super) fn is_taken_away(world: &World, id: &str) -> bool {
    let external_id =
        |object: &Option<Rc<Object>>| object.as_ref().and_then(|object| object.get("externalId").cloned());
    let server = world.server.borrow();
    let mut of_others = server.ledger.iter().filter(|entry| entry.id == id && entry.ticket.is_none());
    of_others.any(|entry| external_id(&entry.before) != external_id(&entry.after))
}

pub(super) fn is_touched_by_another(world: &World, id: &str) -> bool {
    let server = world.server.borrow();
    server.ledger.iter().any(|entry| entry.id == id && entry.ticket.is_none() && !entry.is_creation())
}

/// When another writer has changed the `displayName` that this entry overwrites.
fn last_of_another(world: &World, entry: &Entry, began: Duration) -> Option<Duration> {
    let name = |object: &Option<Rc<Object>>| object.as_ref().and_then(|object| object.get("displayName").cloned());
    let is_overwritten = entry.after.is_some() && name(&entry.before) != name(&entry.after);
    let server = world.server.borrow();
    let before = server.ledger.iter().take_while(|other| !std::ptr::eq(*other, entry));
    let of_others = before.filter(|other| other.id == entry.id && other.ticket.is_none() && other.at >= began);
    let last = of_others.filter(|other| name(&other.before) != name(&other.after)).last()?;
    (is_overwritten && name(&last.after) == name(&entry.before)).then_some(last.at)
}

/// Whether the client has read a resource after this time, before it sent this request.
fn was_read_after(world: &World, ticket: usize, id: &str, time: Duration) -> bool {
    let (wire, lag) = (world.wire.borrow(), world.setting.kind.lag);
    let reads = wire.tickets.iter().take(ticket).filter(|read| !read.is_write() && read.mentions(id));
    reads.last().is_some_and(|read| read.arrived.is_some_and(|arrived| arrived > time + lag) && read.answered.is_some())
}
