//! (d): lists.

use std::collections::{BTreeMap, BTreeSet};

use crate::assumed::{Promise, holds};
use crate::log::Listing;
use crate::marks::Mark;
use crate::server::Entry;
use crate::world::World;

/// (d) A list is complete or an error, within bounded requests.
pub(super) fn judge(world: &World, listing: &Listing) {
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
    // Pages of one user do not overlap, so that a list that changes meanwhile looks the same (SECURITY.md).
    let is_other = |entry: &&Entry| entry.endpoint == "Users" && (entry.is_creation() || entry.is_deletion());
    let mut changes = server.ledger.iter().filter(is_other);
    let has_changed = changes.any(|entry| entry.at > since && entry.at <= *returned);
    let is_blind = world.setting.kind.cap == 1 && !world.setting.kind.has_cursors && has_changed;
    let missing = there.iter().find(|(id, (always, _))| *always && !distinct.contains(&(**id).to_owned()));
    if let (true, false, Some((id, _)), true) =
        (is_complete, is_blind, missing, holds(Promise::Complete, &world.setting))
    {
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
