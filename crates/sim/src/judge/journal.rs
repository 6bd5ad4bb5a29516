//! (e): the journal of an apply.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::plan::is_touched_by_another;
use crate::log::Applied;
use crate::program::JOURNAL;
use crate::server::Entry;
use crate::world::World;

/// (e) The journal and the ledger agree.
pub(super) fn judge(world: &World, applied: &Applied, effects: &[&Entry]) {
    let text = world.disk.borrow().read(Path::new(JOURNAL)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    world.check_secrets("the journal", &text);
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let is_of = |entry: &Entry, step: u64| {
        usize::try_from(step).ok().and_then(|step| applied.plan.steps.get(step)).is_some_and(|step| entry.is_of(step))
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
    // Another writer may have done what a write with an unclear answer has not.
    let is_of_another = |step: u64| {
        let step = usize::try_from(step).ok().and_then(|step| applied.plan.steps.get(step));
        step.and_then(|step| step.id.as_deref()).is_some_and(|id| is_touched_by_another(world, id))
    };
    for step in steps(Some("applied")) {
        if !effects.iter().any(|entry| is_of(entry, step)) && !is_of_another(step) {
            world.violation(&format!("(e) the journal says that step {step} is applied, and it is not"));
        }
    }
}
