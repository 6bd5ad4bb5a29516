//! The file of a journal: what it may be, its lines, and how they are read.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::audit::format;
use crate::audit::lines::Lines;
use crate::plan::Plan;
use crate::plan::stored::StoredPlan;

/// The last state of a step in a [`Journal`](super::Journal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum StepState {
    /// The step was begun, and may have been applied: the apply was interrupted, and looks the user up
    /// when it resumes.
    Begun,
    /// It was applied.
    Applied,
    /// The user already had the desired state.
    Unneeded,
    /// The user had changed since the plan was made, so nothing was sent.
    Skipped,
    /// It failed.
    Failed,
}

/// The last line of a step.
pub(super) trait LastLine: DeserializeOwned {
    fn step(&self) -> usize;
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    format: &'static str,
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
    pub(super) name: &'a str,
    pub(super) state: StepState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

/// What an apply needs of a line.
#[derive(Debug, Deserialize)]
pub(super) struct StateLine {
    step: usize,
    pub(super) state: StepState,
    pub(super) id: Option<Box<str>>,
}

impl LastLine for StateLine {
    fn step(&self) -> usize {
        self.step
    }
}

/// All of a line.
#[derive(Deserialize)]
pub(super) struct WholeLine {
    step: usize,
    pub(super) state: StepState,
    pub(super) at: Option<String>,
    pub(super) id: Option<String>,
    pub(super) reason: Option<String>,
}

impl LastLine for WholeLine {
    fn step(&self) -> usize {
        self.step
    }
}

/// Writes the first line, replacing one that was cut off.
pub(super) fn begin(lines: &Lines, plan: &Plan) -> io::Result<()> {
    lines.clear()?;
    lines.append(&Head { format: format::JOURNAL, plan })?;
    lines.sync()
}

/// The content of a journal.
pub(super) struct Known<L> {
    pub(super) plan: Plan,
    /// The last line of each step.
    pub(super) last: Vec<Option<L>>,
}

/// Reads a journal; `None` if the first line was never whole, so that no step was begun. Lines that
/// were cut off are skipped: their step counts as begun, and is looked up on the server.
pub(super) fn read<L: LastLine>(mut text: Vec<u8>) -> io::Result<Option<Known<L>>> {
    let Some(last) = text.iter().rposition(|byte| *byte == b'\n') else {
        // A full disk may have cut the first line off anywhere.
        let is_ours = text.starts_with(HEAD) || HEAD.starts_with(&text);
        format::check_line(&text, format::JOURNAL)?;
        return if is_ours { Ok(None) } else { Err(not_a_journal()) };
    };
    text.truncate(last + 1);
    let mut lines = text.split(|byte| *byte == b'\n');
    let head = lines.next().unwrap_or_default();
    format::check_line(head, format::JOURNAL)?;
    let head: ReadHead = serde_json::from_slice(head).map_err(|_| not_a_journal())?;
    let plan = Plan::try_from(head.plan).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
    let mut last: Vec<Option<L>> = plan.steps.iter().map(|_| None).collect();
    for line in lines.filter_map(|line| serde_json::from_slice::<L>(line).ok()) {
        let known = last.get_mut(line.step()).ok_or_else(not_a_journal)?;
        *known = Some(line);
    }
    Ok(Some(Known { plan, last }))
}

/// How a journal begins.
pub(super) const HEAD: &[u8] = br#"{"format":"wats-scim-journal/1","plan":{"#;

fn not_a_journal() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not a journal of this crate")
}
