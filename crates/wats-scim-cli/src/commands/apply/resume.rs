//! What the journal beside a plan says: whether it is of this plan, and what is left to do.

use std::fs;
use std::path::PathBuf;

use wats_scim::plan::{Action, JournalStep, Plan, StepState};

use super::Args;
use super::order::{Order, name, short};
use crate::context::Context;
use crate::failure::Failure;
use crate::plan_file::beside;

pub(super) struct Resume {
    /// The actions of the steps that are not done.
    left: Vec<Action>,
    resumes: bool,
    /// The plan of the journal, if it is another one.
    other: Option<Plan>,
}

impl Resume {
    /// Reads the journal. The journal of another plan is in the way, unless that plan is finished.
    pub(super) fn of(args: &Args, order: &Order) -> Result<Self, Failure> {
        let known = order.journal.plan()?;
        let is_of_this_plan = known.as_ref() == Some(&order.plan);
        let steps = if known.is_some() { order.journal.steps()? } else { Vec::new() };
        if is_of_this_plan {
            let left = steps.iter().filter(|step| !is_done(step)).map(|step| step.step.action).collect();
            return Ok(Self { left, resumes: true, other: None });
        }
        if known.is_some() && steps.iter().any(is_open) && !args.set_aside && !args.check {
            let path = order.journal.path().display();
            let done = steps.iter().filter(|step| is_done(step)).count();
            return Err(Failure::Other(format!(
                "{path} is the journal of another plan, of which {done} of {} steps are done; resume that one with \
                 `wats-scim apply {path}`, or give --set-aside to keep its journal under another name and begin this \
                 plan",
                steps.len()
            )));
        }
        let left = order.plan.steps.iter().map(|step| step.action).collect();
        Ok(Self { left, resumes: false, other: known })
    }

    /// Makes room for the journal of this plan.
    pub(super) fn begin(&self, context: &Context, order: &Order) -> Result<(), Failure> {
        let Some(other) = &self.other else { return Ok(()) };
        let aside = aside(order, other);
        fs::rename(order.journal.path(), &aside).map_err(|error| Failure::file(&aside, error))?;
        context.say(format_args!("The journal of the plan before is now {}.", aside.display()));
        Ok(())
    }

    pub(super) fn left(&self) -> usize {
        self.left.len()
    }

    pub(super) fn resumes(&self) -> bool {
        self.resumes
    }

    /// The number to confirm: the deactivations and deletions, or 1.
    pub(super) fn number(&self) -> usize {
        let is_grave = |action: &&Action| matches!(action, Action::Deactivate | Action::Delete | Action::DeleteGroup);
        self.left.iter().filter(is_grave).count().max(1)
    }

    pub(super) fn question(&self, order: &Order) -> String {
        let mut actions: Vec<(Action, usize)> = Vec::new();
        for action in &self.left {
            match actions.iter_mut().find(|(known, _)| known == action) {
                Some((_, count)) => *count += 1,
                None => actions.push((*action, 1)),
            }
        }
        let counts: Vec<_> = actions.iter().map(|(action, count)| format!("{count} {}", name(*action))).collect();
        let server = order.plan.server.as_deref().unwrap_or("the server");
        format!("{} steps on {server}: {}", self.left.len(), counts.join(", "))
    }
}

fn is_done(step: &JournalStep) -> bool {
    matches!(step.state, Some(StepState::Applied | StepState::Unneeded))
}

/// Whether a step was interrupted or not begun.
fn is_open(step: &JournalStep) -> bool {
    matches!(step.state, None | Some(StepState::Begun))
}

/// A free name for the journal of another plan.
fn aside(order: &Order, other: &Plan) -> PathBuf {
    let digest = other.digest();
    let mut number = 1;
    loop {
        let ending = match number {
            1 => format!("{}.journal", short(&digest)),
            number => format!("{}.{number}.journal", short(&digest)),
        };
        let path = beside(order.journal.path(), &ending);
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}
