//! The judge: what must hold in every world. The letters are those of docs/simulation.md.

mod journal;
mod listing;
mod plan;
mod undo;
mod write;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

pub use self::plan::judge as judge_plan;
pub use self::undo::judge as judge_undo;
use crate::assumed::{Promise, holds};
use crate::marks::Mark;
use crate::program::TRAIL;
use crate::world::World;

/// Judges everything but the plans, when all has come to rest.
pub fn all(world: &World) {
    let log = world.log.borrow();
    for write in &log.writes {
        write::judge(world, write);
    }
    for listing in &log.listings {
        listing::judge(world, listing);
    }
    judge_trail(world);
    for path in world.disk.borrow().spoiled() {
        world.violation(&format!("(e) a line of {} that was written whole cannot be read", path.display()));
    }
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

/// Whether the promise that a creation is applied once does not hold in this world.
fn can_double(world: &World) -> bool {
    !holds(Promise::Once, &world.setting)
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
        let known_as = [entry.id.to_lowercase(), of("externalId"), of("displayName")];
        if !known_as.iter().any(|name| named.contains(name)) {
            world.violation(&format!("(e) {} was written, and is not on the trail", entry.id));
        }
    }
}
