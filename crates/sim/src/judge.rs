//! The judge: what must hold in every world. The letters are those of docs/simulation.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use wats_scim::ScimUser;
use wats_scim::plan::{Action, CurrentUsers, Policy};

use crate::log::{Applied, Claim, Intent, Listing, Write};
use crate::marks::Mark;
use crate::program::{JOURNAL, TRAIL};
use crate::server::{Entry, Object};
use crate::wire::{Fault, Ticket};
use crate::world::World;

/// Judges everything but the plans, when all has come to rest.
pub fn all(world: &World) {
    let log = world.log.borrow();
    for write in &log.writes {
        judge_write(world, write);
    }
    for listing in &log.listings {
        judge_listing(world, listing);
    }
    judge_trail(world);
    let server = world.server.borrow();
    let names = server.store.values().filter_map(|held| held.get("userName")?.as_str());
    let (mut seen, mut has_twins) = (BTreeSet::new(), false);
    names.for_each(|name| has_twins |= !seen.insert(name.to_lowercase()));
    if has_twins {
        world.mark(Mark::Twins);
    }
    if server.has_lagged.get() {
        world.mark(Mark::ReadLagged);
    }
}

/// Whether a creation may be doubled: the server allows two resources of one name, and late effects or old
/// reads hide the first one from the look before the second (SECURITY.md, "What is assumed").
fn can_double(world: &World) -> bool {
    let setting = &world.setting;
    setting.kind.allows_twins && (setting.is_late || !setting.kind.lag.is_zero())
}

/// Whether a request is about an intent.
fn is_about(ticket: &Ticket, intent: &Intent) -> bool {
    let is = |method: &str| ticket.request.method() == method || ticket.request.uri().path().ends_with("/Bulk");
    let has = |text: &str| String::from_utf8_lossy(ticket.request.body()).contains(text);
    match intent {
        Intent::Create { key, .. } => is("POST") && ticket.mentions(key),
        Intent::Change { id, key } => is("PATCH") && ticket.mentions(id) && ticket.mentions(key),
        Intent::Deactivate { id } => is("PATCH") && ticket.mentions(id) && has("active"),
        Intent::Delete { id } => is("DELETE") && ticket.mentions(id),
        Intent::AddMember { group, id } => {
            is("PATCH") && ticket.mentions(group) && ticket.mentions(id) && has("\"add\"")
        }
        Intent::RemoveMember { group, .. } => is("PATCH") && ticket.mentions(group) && has("\"remove\""),
    }
}

/// Whether an entry of the ledger is the effect of an intent.
fn is_effect(entry: &Entry, intent: &Intent) -> bool {
    let after = |name: &str| entry.after.as_ref().and_then(|after| after.get(name));
    let has_member = |object: &Object, id: &str| {
        object
            .get("members")
            .and_then(Value::as_array)
            .is_some_and(|members| members.iter().any(|member| member["value"] == id))
    };
    match intent {
        Intent::Create { endpoint: "Groups", key } => {
            entry.is_creation() && after("displayName") == Some(&key.as_str().into())
        }
        Intent::Create { key, .. } => entry.is_creation() && after("externalId") == Some(&key.as_str().into()),
        Intent::Change { id, key } => entry.id == *id && after("displayName") == Some(&key.as_str().into()),
        Intent::Deactivate { id } => entry.id == *id && after("active") == Some(&false.into()),
        Intent::Delete { id } => entry.id == *id && entry.is_deletion(),
        Intent::AddMember { group, id } => {
            entry.id == *group && entry.after.as_ref().is_some_and(|after| has_member(after, id))
        }
        Intent::RemoveMember { group, id } => {
            entry.id == *group && entry.after.as_ref().is_some_and(|after| !has_member(after, id))
        }
    }
}

fn judge_write(world: &World, write: &Write) {
    let (wire, server) = (world.wire.borrow(), world.server.borrow());
    let Write { intent, called, returned, claim, tickets, is_alone } = write;
    let about: Vec<usize> =
        tickets.clone().filter(|at| wire.tickets.get(*at).is_some_and(|ticket| is_about(ticket, intent))).collect();
    let sent = || about.iter().filter_map(|at| wire.tickets.get(*at));
    let effects: Vec<&Entry> = server
        .ledger
        .iter()
        .filter(|entry| {
            entry.ticket.is_some_and(|ticket| about.binary_search(&ticket).is_ok()) && is_effect(entry, intent)
        })
        .collect();
    let violation = |what: &str| world.violation(&format!("{what}: {intent:?}, claimed {claim:?}"));

    // (a) to (c)
    match claim {
        Claim::Applied => {
            let is_gone = matches!(intent, Intent::Delete { id } if {
                server.ledger.iter().any(|entry| entry.id == *id && entry.is_deletion() && entry.at <= *returned)
            });
            if !is_gone && !effects.iter().any(|entry| entry.at >= *called && entry.at <= *returned) {
                violation("(a) it was not applied");
            }
        }
        Claim::NotApplied(_) if !effects.is_empty() => violation("(c) it was applied"),
        Claim::NotApplied(_) => world.mark(Mark::KnownAsNotApplied),
        Claim::Unknown(_) if !sent().any(|ticket| ticket.is_ambiguous) => {
            violation("(c) it is not known, although every answer was clear");
        }
        Claim::Unknown(_) => {
            world.mark(if effects.is_empty() { Mark::UnknownAndNotApplied } else { Mark::UnknownAndApplied });
        }
    }
    if matches!(intent, Intent::Create { .. }) && effects.len() > 1 && !can_double(world) {
        violation("(b) it was created twice");
    }
    // Even where a late request can double it, the client has looked again before it says so.
    if let (Intent::Create { .. }, Claim::Applied, true) = (intent, claim, *is_alone)
        && effects.iter().filter(|entry| entry.at + Duration::from_millis(1) < *returned).count() > 1
        && world.setting.kind.lag.is_zero()
        && sent().all(|ticket| ticket.fault != Some(Fault::Twice))
    {
        violation("(b) there are two, and the client says that all is well");
    }

    // (g)
    let attempts = sent().filter(|ticket| ticket.fault != Some(Fault::NotProcessed)).count();
    let is_bulk = sent().any(|ticket| ticket.request.uri().path().ends_with("/Bulk"));
    if !is_bulk && attempts > world.setting.attempts as usize {
        violation("(g) more attempts than allowed");
    }
    let took = *returned - *called;
    if *is_alone && took > world.setting.deadline + Duration::from_millis(20) {
        violation(&format!("(g) it took {took:?}"));
    }
    mark_write(world, write, &about, &effects);
}

fn mark_write(world: &World, write: &Write, about: &[usize], effects: &[&Entry]) {
    let wire = world.wire.borrow();
    let sent: Vec<&Ticket> = about.iter().filter_map(|at| wire.tickets.get(*at)).collect();
    let is_applied = write.claim == Claim::Applied;
    if effects.iter().any(|entry| entry.at > write.returned) {
        world.mark(Mark::LateEffect);
    }
    match (&write.intent, sent.as_slice()) {
        (Intent::Create { .. }, [only]) if is_applied && only.is_ambiguous => world.mark(Mark::SettledAfterLostAnswer),
        (Intent::Create { .. }, [_, _, ..]) if is_applied => world.mark(Mark::CreatedAgain),
        (Intent::Delete { .. }, [first, .., last]) if is_applied && first.is_ambiguous => {
            if last.answered.is_some_and(|(_, status)| status == 404) {
                world.mark(Mark::DeletedByALostAttempt);
            }
        }
        _ => {}
    }
    if matches!(write.intent, Intent::Create { .. }) {
        let is_look = |at: &usize| wire.tickets.get(*at).is_some_and(|ticket| !ticket.is_write());
        let looks = write.tickets.clone().filter(is_look).filter_map(|at| wire.tickets.get(at)?.answered);
        if looks.into_iter().any(|(look, _)| effects.iter().any(|entry| entry.at > look && entry.at < write.returned)) {
            world.mark(Mark::CreatedAfterTheLook);
        }
    }
    match &write.claim {
        Claim::Applied => {}
        Claim::NotApplied(why) | Claim::Unknown(why) => {
            if why.contains("to wait for longer") {
                world.mark(Mark::AskedTooLong);
            }
            if sent.len() == world.setting.attempts as usize && sent.len() > 1 {
                world.mark(Mark::OutOfAttempts);
            }
            if write.is_alone && write.returned - write.called > world.setting.deadline / 2 {
                world.mark(Mark::OutOfTime);
            }
        }
    }
}

/// (d) A list is complete or an error, within bounded requests.
fn judge_listing(world: &World, listing: &Listing) {
    let Listing { called, returned, ids, is_complete, tickets } = listing;
    let server = world.server.borrow();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    if distinct.len() < ids.len() {
        world.violation(&format!("(d) a user is listed twice: {ids:?}"));
    }
    // The users that were there all the time, and those that were there at any time.
    let since = called.saturating_sub(world.setting.kind.lag);
    let mut there: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for entry in server.ledger.iter().filter(|entry| entry.endpoint == "Users" && entry.at <= *returned) {
        let (always, ever) = there.entry(&entry.id).or_default();
        if entry.is_deletion() {
            *always = false;
            *ever &= entry.at >= since;
        } else {
            *ever = true;
            *always |= entry.is_creation() && entry.at <= since;
        }
    }
    if let Some(stranger) = ids.iter().find(|id| !there.get(id.as_str()).is_some_and(|(_, ever)| *ever)) {
        world.violation(&format!("(d) {stranger} is listed, and was not there"));
    }
    let missing = there.iter().find(|(id, (always, _))| *always && !distinct.contains(&(**id).to_owned()));
    if let (true, Some((id, _))) = (is_complete, missing) {
        world.violation(&format!("(d) {id} is not in a list that is said to be complete"));
    }
    let pages = there.len() / world.setting.kind.cap.min(4) + 1;
    if tickets.len() > (100 + 6 * pages) * world.setting.attempts as usize {
        world.violation(&format!("(d) a list of {} users took {} requests", there.len(), tickets.len()));
    }
    match is_complete {
        true if pages > 1 => world.mark(Mark::ListComplete),
        true => {}
        false => world.mark(Mark::ListFailed),
    }
}

/// (e) and (f): a plan that was applied by processes that may have been killed.
pub fn plan(world: &World, applied: &Applied, policy: &Policy) {
    let server = world.server.borrow();
    let Applied { began, ended, plan, desired, before, problems, is_complete } = applied;
    let during =
        || server.ledger.iter().filter(|entry| entry.at >= *began && entry.at <= *ended && entry.endpoint == "Users");
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
        ("deleted", ours().filter(|entry| entry.is_deletion()).count(), plan.count(Action::Delete)),
    ] {
        if done > planned {
            world.violation(&format!("(f) {done} users were {what}, and the plan has {planned}"));
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
        {
            world.violation(&format!("(f) {} was changed by another writer, and is changed all the same", entry.id));
        }
    }
    // (e) Others are untouched.
    for (id, held) in before {
        let is_planned = plan.steps.iter().any(|step| step.id.as_ref() == Some(id));
        let now = server.store.get(&("Users", id.clone()));
        if !is_planned && !touched.contains(id.as_str()) && now != Some(held) {
            world.violation(&format!("(e) {id} is not in the plan, and was changed"));
        }
    }
    if touched.is_empty() && !world.setting.kind.renames && !can_double {
        let held: Vec<ScimUser> = server
            .store
            .iter()
            .filter(|((endpoint, _), _)| *endpoint == "Users")
            .filter_map(|(_, held)| serde_json::from_value(Value::Object((**held).clone())).ok())
            .collect();
        if !is_complete {
            world.violation(&format!("(e) the plan is not done after the world was calm: {problems:?}"));
        }
        match policy.plan(&CurrentUsers::complete(held), desired) {
            Ok(next) if next.is_empty() => {}
            Ok(next) => world.violation(&format!("(e) the next plan is not empty:\n{next}")),
            Err(refusal) => world.violation(&format!("(e) the next plan is refused: {refusal}")),
        }
    }
    judge_journal(world, applied, &ours().collect::<Vec<_>>());
}

/// Whether another writer has deleted a user, or given it another external id, so that it cannot be told
/// from a stranger's.
fn is_taken_away(world: &World, id: &str) -> bool {
    let external_id =
        |object: &Option<std::rc::Rc<Object>>| object.as_ref().and_then(|object| object.get("externalId").cloned());
    let server = world.server.borrow();
    let mut of_others = server.ledger.iter().filter(|entry| entry.id == id && entry.ticket.is_none());
    of_others.any(|entry| external_id(&entry.before) != external_id(&entry.after))
}

fn is_deleted_by_another(world: &World, id: &str) -> bool {
    let server = world.server.borrow();
    server.ledger.iter().any(|entry| entry.id == id && entry.is_deletion() && entry.ticket.is_none())
}

/// When another writer has changed the `displayName` that this entry overwrites.
fn last_of_another(world: &World, entry: &Entry, began: Duration) -> Option<Duration> {
    let name =
        |object: &Option<std::rc::Rc<Object>>| object.as_ref().and_then(|object| object.get("displayName").cloned());
    let is_overwritten = entry.after.is_some() && name(&entry.before) != name(&entry.after);
    let server = world.server.borrow();
    let before = server.ledger.iter().take_while(|other| !std::ptr::eq(*other, entry));
    let of_others = before.filter(|other| other.id == entry.id && other.ticket.is_none() && other.at >= began);
    let last = of_others.filter(|other| name(&other.before) != name(&other.after)).last()?;
    (is_overwritten && name(&last.after) == name(&entry.before)).then_some(last.at)
}

/// Whether the client has read a resource after this time, before it sent this request.
fn was_read_after(world: &World, ticket: usize, id: &str, time: Duration) -> bool {
    let wire = world.wire.borrow();
    let reads = wire.tickets.iter().take(ticket).filter(|read| !read.is_write() && read.mentions(id));
    reads.last().is_some_and(|read| read.arrived.is_some_and(|arrived| arrived > time) && read.answered.is_some())
}

/// (e) The journal and the ledger agree.
fn judge_journal(world: &World, applied: &Applied, effects: &[&Entry]) {
    let text = world.disk.borrow().read(Path::new(JOURNAL)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    world.check_secrets("the journal", &text);
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let text_of = |entry: &Entry, name: &str| {
        let object = entry.after.as_ref().or(entry.before.as_ref());
        object.and_then(|object| object.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let is_of = |entry: &Entry, step: u64| {
        usize::try_from(step).ok().and_then(|step| applied.plan.steps.get(step)).is_some_and(|step| match &step.id {
            Some(id) => *id == entry.id,
            None => step.external_id.as_ref().is_some_and(|id| *id == text_of(entry, "externalId")),
        })
    };
    let steps = |state: Option<&str>| {
        let is = |line: &&Value| state.is_none_or(|state| line["state"] == state);
        lines.iter().filter(is).filter_map(|line| line["step"].as_u64()).collect::<BTreeSet<_>>()
    };
    let known = steps(None);
    for entry in effects {
        if !known.iter().any(|step| is_of(entry, *step)) {
            world.violation(&format!("(e) {} was written, and is not in the journal", entry.id));
        }
    }
    let is_gone = |step: u64| {
        let step = usize::try_from(step).ok().and_then(|step| applied.plan.steps.get(step));
        let id = step.filter(|step| step.action == Action::Delete).and_then(|step| step.id.as_deref());
        id.is_some_and(|id| is_deleted_by_another(world, id))
    };
    for step in steps(Some("applied")) {
        if !effects.iter().any(|entry| is_of(entry, step)) && !is_gone(step) {
            world.violation(&format!("(e) the journal says that step {step} is applied, and it is not"));
        }
    }
}

/// (e) Every write is on the trail before it happens.
fn judge_trail(world: &World) {
    let text = world.disk.borrow().read(Path::new(TRAIL)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    world.check_secrets("the trail", &text);
    if world.setting.loses_power && world.setting.dies_at.is_some() {
        return;
    }
    let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let mut named: BTreeSet<String> = BTreeSet::new();
    for event in &events {
        named.extend(
            ["id", "externalId", "name"].iter().filter_map(|name| event[*name].as_str()).map(str::to_lowercase),
        );
    }
    for entry in world.server.borrow().ledger.iter().filter(|entry| entry.ticket.is_some()) {
        let of = |name: &str| {
            entry.after.as_ref().and_then(|after| after.get(name)?.as_str()).unwrap_or_default().to_lowercase()
        };
        let names = [entry.id.to_lowercase(), of("externalId"), of("displayName")];
        if !names.iter().any(|name| named.contains(name)) {
            world.violation(&format!("(e) {} was written, and is not on the trail", entry.id));
        }
    }
}
