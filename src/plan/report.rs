//! What became of the steps of a plan.

use std::fmt;

use crate::error::Error;
use crate::model::ScimUser;
use crate::plan::Step;

/// One step of a plan, and what became of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct AppliedStep {
    /// The place of the step in the plan, from 0.
    pub number: usize,
    /// The step.
    pub step: Step,
    /// What became of it.
    pub outcome: Outcome,
    /// The user as it is now, if the server shows it.
    pub user: Option<ScimUser>,
}

/// What became of a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It was done.
    Applied,
    /// The user was already as the step would make it.
    Unneeded,
    /// The journal says that it was done before.
    DoneBefore,
    /// It would have been done; nothing was sent.
    Planned,
    /// The user has changed since the plan was made, or is gone, so nothing was done. The text says
    /// what changed. Plan again for this user.
    Skipped(String),
    /// It failed. The error says whether it may have been done.
    Failed(Error),
}

impl Outcome {
    /// Whether the user is not as the step would make it.
    #[must_use]
    pub fn is_problem(&self) -> bool {
        matches!(self, Self::Skipped(_) | Self::Failed(_))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied => f.write_str("applied"),
            Self::Unneeded => f.write_str("not needed any more"),
            Self::DoneBefore => f.write_str("done before"),
            Self::Planned => f.write_str("planned; nothing was sent"),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
            Self::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}

/// What became of a plan. `Display` gives a summary, and a line for each step that was skipped or
/// failed.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// How many steps were done.
    pub applied: usize,
    /// How many were not needed any more.
    pub unneeded: usize,
    /// How many were done before, as the journal says.
    pub done_before: usize,
    /// How many would have been done, in a dry run.
    pub planned: usize,
    /// How many were not begun, because there were too many failures.
    pub not_begun: usize,
    /// The steps that were skipped or failed.
    pub problems: Vec<AppliedStep>,
}

impl Report {
    /// Whether every step was done, now or before, or was not needed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty() && self.not_begun == 0 && self.planned == 0
    }

    pub(crate) fn count(&mut self, step: AppliedStep) {
        match step.outcome {
            Outcome::Applied => self.applied += 1,
            Outcome::Unneeded => self.unneeded += 1,
            Outcome::DoneBefore => self.done_before += 1,
            Outcome::Planned => self.planned += 1,
            Outcome::Skipped(_) | Outcome::Failed(_) => self.problems.push(step),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} applied", self.applied)?;
        for (count, what) in [
            (self.unneeded, "not needed any more"),
            (self.done_before, "done before"),
            (self.planned, "planned"),
            (self.problems.len(), "skipped or failed"),
            (self.not_begun, "not begun"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        for AppliedStep { step, outcome, .. } in &self.problems {
            write!(f, "\n{step}\n    {outcome}")?;
        }
        Ok(())
    }
}
