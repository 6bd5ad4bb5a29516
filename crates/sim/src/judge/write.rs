//! (a) to (c), and (g): what the client says of a write.

use std::time::Duration;

use serde_json::Value;

use super::can_double;
use super::plan::{is_disguised, is_taken_away};
use crate::assumed::{Promise, holds};
use crate::log::{Claim, Intent, Write};
use crate::marks::Mark;
use crate::server::{Entry, Object};
use crate::wire::{Fault, Ticket};
use crate::world::World;

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

pub(super) fn judge(world: &World, write: &Write) {
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
        Claim::Applied if holds(Promise::Applied, &world.setting) => {
            let is_gone = matches!(intent, Intent::Delete { id } if {
                server.ledger.iter().any(|entry| entry.id == *id && entry.is_deletion() && entry.at <= *returned)
            });
            if !is_gone && !effects.iter().any(|entry| entry.at >= *called && entry.at <= *returned) {
                violation("(a) it was not applied");
            }
        }
        Claim::NotApplied(_)
            if effects.iter().any(|entry| !is_disguised(world, entry))
                && holds(Promise::NotApplied, &world.setting) =>
        {
            violation("(c) it was applied");
        }
        Claim::NotApplied(_) => world.mark(Mark::KnownAsNotApplied),
        Claim::Applied => {}
        Claim::Unknown(_) if !sent().any(|ticket| ticket.is_ambiguous) => {
            violation("(c) it is not known, although every answer was clear");
        }
        Claim::Unknown(_) => {
            world.mark(if effects.is_empty() { Mark::UnknownAndNotApplied } else { Mark::UnknownAndApplied });
        }
    }
    let live = effects.iter().filter(|entry| !is_taken_away(world, &entry.id)).count();
    if matches!(intent, Intent::Create { .. }) && live > 1 && !can_double(world) {
        violation("(b) it was created twice");
    }
    // Even where a late request can double it, the client has looked again before it says so.
    let all = tickets.clone().filter_map(|at| wire.tickets.get(at));
    // A look that arrives late tells the client nothing.
    let looks = all.filter(|ticket| !ticket.is_write()).filter_map(|look| look.arrived);
    let looked = looks.filter(|arrived| arrived <= returned).max();
    // What is answered after it was carried out is looked at, too; what a gateway answers before is not.
    let created = sent().next_back().and_then(|last| {
        last.arrived.filter(|arrived| last.answered.is_some_and(|(answered, _)| answered >= *arrived))
    });
    let is_to_be_seen = |entry: &&&Entry| {
        looked.is_some_and(|looked| entry.at < looked) || created.is_some_and(|created| entry.at <= created)
    };
    if let (Intent::Create { .. }, Claim::Applied, true) = (intent, claim, *is_alone)
        && effects.iter().filter(is_to_be_seen).count() > 1
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
    let took = returned.saturating_sub(*called);
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
        (Intent::Delete { .. }, [first, .., last])
            if is_applied && first.is_ambiguous && last.answered.is_some_and(|(_, status)| status == 404) =>
        {
            world.mark(Mark::DeletedByALostAttempt);
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
            if write.is_alone && write.returned.saturating_sub(write.called) > world.setting.deadline / 2 {
                world.mark(Mark::OutOfTime);
            }
        }
    }
}
