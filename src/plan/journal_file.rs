//! The file of a journal: what it may be, its lines, and how they are read.

use std::io;

use serde::{Deserialize, Serialize};

use crate::audit::lines::Lines;
use crate::plan::Plan;
use crate::plan::check::StoredPlan;

/// The state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum State {
    Begun,
    Applied,
    Unneeded,
    Skipped,
    Failed,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    plan: &'a Plan,
}

#[derive(Deserialize)]
struct ReadHead {
    plan: StoredPlan,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    pub(super) at: String,
    pub(super) step: usize,
    pub(super) user_name: &'a str,
    pub(super) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

#[derive(Deserialize)]
struct ReadLine {
    step: usize,
    state: State,
}

/// Writes the first line, replacing one that was cut off.
pub(super) fn begin(lines: &Lines, plan: &Plan) -> io::Result<()> {
    lines.clear()?;
    lines.append(&Head { plan })?;
    lines.sync()
}

/// The content of a journal.
pub(super) struct Known {
    pub(super) plan: Plan,
    pub(super) states: Vec<Option<State>>,
}

/// Reads a journal; `None` if the first line was never whole, so that no step was begun. Lines that
/// were cut off are skipped: their step counts as begun, and is looked up on the server.
pub(super) fn read(mut text: Vec<u8>) -> io::Result<Option<Known>> {
    let Some(last) = text.iter().rposition(|byte| *byte == b'\n') else {
        // A full disk may have cut the first line off anywhere.
        let is_ours = text.starts_with(HEAD) || HEAD.starts_with(&text);
        return if is_ours { Ok(None) } else { Err(not_a_journal()) };
    };
    text.truncate(last + 1);
    let mut lines = text.split(|byte| *byte == b'\n');
    let head = lines.next().unwrap_or_default();
    let head: ReadHead = serde_json::from_slice(head).map_err(|_| not_a_journal())?;
    let plan = Plan::try_from(head.plan).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
    let mut states = vec![None; plan.steps.len()];
    for line in lines.filter_map(|line| serde_json::from_slice::<ReadLine>(line).ok()) {
        let state = states.get_mut(line.step).ok_or_else(not_a_journal)?;
        *state = Some(line.state);
    }
    Ok(Some(Known { plan, states }))
}

/// How a journal begins.
pub(super) const HEAD: &[u8] = br#"{"plan":{"#;

fn not_a_journal() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not a journal of this crate")
}
