//! A journal that an apply writes.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};

use super::file::{Known, Line, StateLine, StepState, begin, read};
use super::written::before;
use super::{Journal, is_done, refused};
use crate::audit::lines::Lines;
use crate::error::Result;
use crate::model::ScimUser;
use crate::outside::clock;
use crate::outside::file::{is_regular, make_private};
use crate::plan::{Outcome, Plan, Step};

/// An open journal. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct OpenJournal(Arc<Open>);

#[derive(Debug)]
struct Open {
    journal: Journal,
    /// `None` in a dry run.
    lines: Option<Lines>,
    /// The last line of each step.
    last: Vec<Option<StateLine>>,
    keeps_before: bool,
    /// Whether a line could not be written: then no more writes are sent.
    has_failed: AtomicBool,
}

impl OpenJournal {
    /// Begins the journal of a plan, or resumes it if the file exists. `None` while another apply
    /// holds its lock.
    pub(crate) fn open(journal: &Journal, plan: &Plan) -> Result<Option<Self>> {
        let path = &journal.path;
        let failed = |what: &str, error: io::Error| refused(path, what, Some(error));
        is_regular(path).map_err(|error| failed("could not be opened", error))?;
        let mut lines = Lines::open(path).map_err(|error| failed("could not be opened", error))?;
        if !lines.try_lock().map_err(|error| failed("could not be locked", error))? {
            return Ok(None);
        }
        lines.is_synced = journal.is_synced;
        let unreadable = |error| failed("could not be read", error);
        let known = read::<StateLine>(lines.read().map_err(unreadable)?).map_err(unreadable)?;
        let (last, keeps_before) = if let Some(known) = known {
            known.check(path, plan)?;
            (known.last, known.keeps_before)
        } else {
            begin(&lines, plan, journal.keeps_before).map_err(|error| failed("could not be written", error))?;
            (Vec::new(), journal.keeps_before)
        };
        make_private(path).map_err(|error| failed("could not be made readable by its owner only", error))?;
        Ok(Some(Self(Arc::new(Open {
            journal: journal.clone(),
            lines: Some(lines),
            last,
            keeps_before,
            has_failed: AtomicBool::new(false),
        }))))
    }

    /// Reads the journal of a plan without writing to it.
    pub(crate) fn look(journal: &Journal, plan: &Plan) -> Result<Self> {
        let known = journal.read::<StateLine>()?;
        if let Some(known) = &known {
            known.check(&journal.path, plan)?;
        }
        let last = known.map(|known| known.last).unwrap_or_default();
        Ok(Self(Arc::new(Open {
            journal: journal.clone(),
            lines: None,
            last,
            keeps_before: false,
            has_failed: AtomicBool::new(false),
        })))
    }

    pub(crate) fn is_done(&self, step: usize) -> bool {
        is_done(self.state(step))
    }

    /// Whether the step was begun before, so that it may have been applied.
    pub(crate) fn was_begun(&self, step: usize) -> bool {
        self.state(step).is_some()
    }

    fn state(&self, step: usize) -> Option<StepState> {
        self.line(step).map(|line| line.state)
    }

    /// The id of the user or group of a step that was done before, if it is known.
    pub(crate) fn id(&self, step: usize) -> Option<&str> {
        self.line(step)?.id.as_deref()
    }

    fn line(&self, step: usize) -> Option<&StateLine> {
        self.0.last.get(step)?.as_ref()
    }

    /// Records that a step begins.
    pub(crate) fn begin(&self, step: usize, of: &Step) -> Result<()> {
        self.write(&Line::new(now(), step, &of.name, StepState::Begun))
    }

    /// Whether the values that a write replaces are recorded.
    pub(crate) fn keeps_before(&self) -> bool {
        self.0.keeps_before
    }

    /// Records what a write is about to replace, if the journal [keeps](Journal::keep_before) it.
    pub(crate) fn keep(&self, step: usize, of: &Step, held: Option<&ScimUser>) -> Result<()> {
        if !self.keeps_before() {
            return Ok(());
        }
        if self.0.has_failed.load(Ordering::Relaxed) {
            return Err(refused(&self.0.journal.path, "could not be written before", None));
        }
        let before = Some(before(of, held));
        self.write(&Line { before, ..Line::new(now(), step, &of.name, StepState::Begun) })
    }

    /// Records the outcome of a step.
    pub(crate) fn end(&self, step: usize, of: &Step, id: Option<&str>, outcome: &Outcome) -> Result<()> {
        let (state, reason) = match outcome {
            Outcome::Applied => (StepState::Applied, None),
            // Sending it again would not help.
            Outcome::NotKept(paths) => (StepState::Applied, Some(paths.join(", "))),
            Outcome::Unneeded | Outcome::DoneBefore => (StepState::Unneeded, None),
            Outcome::Skipped(reason) => (StepState::Skipped, Some(reason.clone())),
            Outcome::Blocked(_) => (StepState::Skipped, Some(outcome.to_string())),
            Outcome::Failed(error) => (StepState::Failed, Some(error.to_string())),
            Outcome::Planned | Outcome::Differs(_) => return Ok(()),
        };
        let not_kept: &[String] = if let Outcome::NotKept(paths) = outcome { paths } else { &[] };
        let id = id.or(of.id.as_deref());
        self.write(&Line { id, reason, not_kept, ..Line::new(now(), step, &of.name, state) })
    }

    fn write(&self, line: &Line<'_>) -> Result<()> {
        let Some(lines) = &self.0.lines else { return Ok(()) };
        lines.append(line).map_err(|error| {
            self.0.has_failed.store(true, Ordering::Relaxed);
            refused(&self.0.journal.path, "could not be written", Some(error))
        })
    }
}

impl Known<StateLine> {
    fn check(&self, path: &Path, plan: &Plan) -> Result<()> {
        if self.plan == *plan {
            return Ok(());
        }
        let what = "belongs to another plan; use another file for this plan, or resume the plan that Journal::plan \
                    returns";
        Err(refused(path, what, None))
    }
}

fn now() -> String {
    let now: DateTime<Utc> = clock::date().into();
    now.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests;
