//! (e): a plan that was taken back.

use serde_json::Value;
use wats_scim::plan::Plan;

use crate::assumed::{Promise, holds};
use crate::log::Applied;
use crate::server::{Object, members};
use crate::world::World;

/// (e) After an undo that is complete everything is as it was before the plan, but for what was created: its users
/// are inactive, and its groups are gone.
pub fn judge(world: &World, applied: &Applied, undo: &Plan, problems: &[(usize, String)], is_complete: bool) {
    let server = world.server.borrow();
    let is_touched = server.ledger.iter().any(|entry| entry.at >= applied.began && entry.ticket.is_none());
    if is_touched || server.kind.renames || !holds(Promise::Reached, &world.setting) {
        return;
    }
    if !is_complete || !undo.conflicts.is_empty() || !undo.inexpressible.is_empty() {
        world.violation(&format!("(e) a plan could not be taken back: {problems:?}\n{undo}"));
        return;
    }
    for ((endpoint, id), now) in &server.store {
        let before = applied.before.iter().find(|(known, _)| known == id);
        let is_as_before = match before {
            Some((_, before)) => is_the_same(before, now),
            None => *endpoint == "Users" && now.get("active") == Some(&Value::Bool(false)),
        };
        if !is_as_before {
            world.violation(&format!("(e) {id} is not as it was after the plan was taken back"));
        }
    }
}

/// Whether two states are the same but for the version and the order of members.
fn is_the_same(before: &Object, now: &Object) -> bool {
    let rest = |object: &Object| {
        let mut rest = object.clone();
        rest.retain(|name, value| name != "meta" && name != "members" && !value.is_null());
        rest
    };
    rest(before) == rest(now) && members(Some(before)) == members(Some(now))
}
