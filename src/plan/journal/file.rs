//! The file of a journal: what it may be, its lines, and how they are read.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::audit::format;
use crate::audit::lines::Lines;
use crate::plan::Plan;
use crate::plan::stored::StoredPlan;

/// The last state of a step in a [`Journal`](crate::plan::Journal).
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
pub(in crate::plan) trait LastLine: DeserializeOwned {
    fn step(&self) -> usize;

    /// The line, with what an earlier one of the step adds to it.
    fn after(self, earlier: Option<Self>) -> Self {
        let _ = earlier;
        self
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    format: &'static str,
    plan: &'a Plan,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    keeps_before: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadHead {
    plan: StoredPlan,
    #[serde(default)]
    keeps_before: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::plan) struct Line<'a> {
    pub(in crate::plan) at: String,
    pub(in crate::plan) step: usize,
    pub(in crate::plan) name: &'a str,
    pub(in crate::plan) state: StepState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::plan) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::plan) reason: Option<String>,
    /// The paths of the attributes that the server did not keep.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(in crate::plan) not_kept: &'a [String],
    /// The values that a write replaces, by their paths, right before it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::plan) before: Option<Map<String, Value>>,
}

impl<'a> Line<'a> {
    pub(in crate::plan) fn new(at: String, step: usize, name: &'a str, state: StepState) -> Self {
        Self { at, step, name, state, id: None, reason: None, not_kept: &[], before: None }
    }
}

/// What an apply needs of a line.
#[derive(Debug, Deserialize)]
pub(in crate::plan) struct StateLine {
    step: usize,
    pub(in crate::plan) state: StepState,
    pub(in crate::plan) id: Option<Box<str>>,
}

impl LastLine for StateLine {
    fn step(&self) -> usize {
        self.step
    }
}

/// All of a line.
#[derive(Deserialize)]
pub(in crate::plan) struct WholeLine {
    step: usize,
    pub(in crate::plan) state: StepState,
    pub(in crate::plan) at: Option<String>,
    pub(in crate::plan) id: Option<String>,
    pub(in crate::plan) reason: Option<String>,
    #[serde(default, rename = "notKept")]
    pub(in crate::plan) not_kept: Vec<String>,
    /// What the write that follows replaces.
    before: Option<Map<String, Value>>,
    /// The same of earlier writes, which may have been applied.
    #[serde(skip)]
    replaced: Option<Map<String, Value>>,
}

impl WholeLine {
    /// The values before the writes of the step, of those that may have been applied; `None` if there is no
    /// such write.
    pub(in crate::plan) fn replaced(self) -> Option<Map<String, Value>> {
        earliest(self.replaced, self.before)
    }
}

/// Of two values of one path, the first.
fn earliest(first: Option<Map<String, Value>>, second: Option<Map<String, Value>>) -> Option<Map<String, Value>> {
    match (first, second) {
        (Some(first), Some(mut second)) => {
            second.extend(first);
            Some(second)
        }
        (first, second) => first.or(second),
    }
}

impl LastLine for WholeLine {
    fn step(&self) -> usize {
        self.step
    }

    fn after(mut self, earlier: Option<Self>) -> Self {
        let Some(Self { before, replaced, .. }) = earlier else { return self };
        match (self.state, self.before.take()) {
            // The next attempt of the same run, which has read the user after the one before.
            (StepState::Begun, Some(again)) => (self.before, self.replaced) = (Some(again), replaced),
            // The write of this run was rejected, or another writer came before it.
            (StepState::Unneeded | StepState::Skipped, _) => self.replaced = replaced,
            (StepState::Begun | StepState::Applied | StepState::Failed, _) => {
                self.replaced = earliest(replaced, before);
            }
        }
        self
    }
}

/// Writes the first line, replacing one that was cut off.
pub(in crate::plan) fn begin(lines: &Lines, plan: &Plan, keeps_before: bool) -> io::Result<()> {
    lines.clear()?;
    lines.append(&Head { format: format::JOURNAL, plan, keeps_before })?;
    lines.sync()
}

/// The content of a journal.
pub(in crate::plan) struct Known<L> {
    pub(in crate::plan) plan: Plan,
    /// Whether the lines have the values that the writes replace.
    pub(in crate::plan) keeps_before: bool,
    /// The last line of each step.
    pub(in crate::plan) last: Vec<Option<L>>,
}

/// Reads a journal; `None` if the first line was never whole, so that no step was begun. Lines that
/// were cut off are skipped: their step counts as begun, and is looked up on the server.
pub(in crate::plan) fn read<L: LastLine>(mut text: Vec<u8>) -> io::Result<Option<Known<L>>> {
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
    let keeps_before = head.keeps_before;
    let plan = Plan::try_from(head.plan).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
    let mut last: Vec<Option<L>> = plan.steps.iter().map(|_| None).collect();
    for line in lines.filter_map(|line| serde_json::from_slice::<L>(line).ok()) {
        let known = last.get_mut(line.step()).ok_or_else(not_a_journal)?;
        *known = Some(line.after(known.take()));
    }
    Ok(Some(Known { plan, keeps_before, last }))
}

/// How a journal begins.
pub(in crate::plan) const HEAD: &[u8] = br#"{"format":"wats-scim-journal/1","plan":{"#;

fn not_a_journal() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not a journal of this crate")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The values before the writes of a step with these lines.
    fn replaced(lines: &[Value]) -> Option<Value> {
        let mut last: Option<WholeLine> = None;
        for line in lines {
            let mut line = line.clone();
            line["step"] = 0.into();
            last = Some(serde_json::from_value::<WholeLine>(line).unwrap().after(last));
        }
        last?.replaced().map(Value::Object)
    }

    #[test]
    fn only_writes_that_may_have_been_applied_have_replaced_something() {
        let begun = || json!({ "state": "begun" });
        let sent = |before: Value| json!({ "state": "begun", "before": before });
        let ended = |state: &str| json!({ "state": state });
        let both = || json!({ "a": 1, "b": 2 });
        assert_eq!(replaced(&[begun(), ended("unneeded")]), None);
        for state in ["applied", "failed"] {
            assert_eq!(replaced(&[begun(), sent(both()), ended(state)]), Some(both()));
        }
        assert_eq!(replaced(&[begun(), sent(both())]), Some(both()), "it was interrupted");
        for state in ["unneeded", "skipped"] {
            assert_eq!(replaced(&[begun(), sent(both()), ended(state)]), None, "another writer was first");
            let resumed = [begun(), sent(both()), begun(), ended(state)];
            assert_eq!(replaced(&resumed), Some(both()), "the first run may have applied it");
        }
        let again = [begun(), sent(both()), sent(json!({ "b": 2 })), ended("applied")];
        assert_eq!(replaced(&again), Some(json!({ "b": 2 })), "the first attempt was rejected");
        let resumed = [begun(), sent(both()), begun(), sent(json!({ "b": 3 })), ended("applied")];
        assert_eq!(replaced(&resumed), Some(both()), "the earliest values");
        assert_eq!(replaced(&[begun(), sent(json!({})), ended("applied")]), Some(json!({})), "a creation");
    }
}
