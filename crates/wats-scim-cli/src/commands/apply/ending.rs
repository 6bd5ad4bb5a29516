//! How an apply ends: its report, what was not done as a source, and the exit code.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;
use wats_scim::plan::{AppliedStep, Outcome, Report};
use wats_scim::{Error, ErrorKind};

use super::Args;
use super::order::Order;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::many::counted;
use crate::output::print;
use crate::plan_file::{self, beside};

/// The format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A summary, and a line for each problem
    Text,
    /// One object
    Json,
}

pub(super) struct Ending<'a> {
    format: Format,
    order: &'a Order,
    /// The steps that are not as planned afterwards, although they were done.
    differs: Vec<AppliedStep>,
    rejects: Option<PathBuf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    digest: &'a str,
    is_complete: bool,
    #[serde(flatten)]
    report: &'a Report,
    differs: &'a [AppliedStep],
    #[serde(skip_serializing_if = "Option::is_none")]
    rejects: Option<String>,
}

impl<'a> Ending<'a> {
    pub(super) fn of(args: &Args, order: &'a Order) -> Self {
        Self { format: args.output, order, differs: Vec::new(), rejects: None }
    }

    /// Nothing is left to do.
    pub(super) fn done_before(&self, steps: usize) -> Result<Exit, Failure> {
        let mut report = Report::default();
        report.done_before = steps;
        self.print(&report)?;
        Ok(Exit::Done)
    }

    /// Nothing was written.
    pub(super) fn checked(&self, report: &Report) -> Result<Exit, Failure> {
        self.print(report)?;
        match report.problems.len() {
            0 if report.not_begun > 0 => Err(Failure::Interrupted("the check was interrupted".to_owned())),
            0 => Ok(Exit::Done),
            problems => Err(Failure::Partly(format!("{problems} steps would not be done; make a new plan for them"))),
        }
    }

    /// What the users and groups are afterwards, beyond the problems that are known.
    pub(super) fn verified(&mut self, report: &Report, after: Report) {
        let known: HashSet<usize> = report.problems.iter().map(|problem| problem.number).collect();
        self.differs = after.problems.into_iter().filter(|step| !known.contains(&step.number)).collect();
    }

    pub(super) fn applied(mut self, context: &Context, report: Report) -> Result<Exit, Failure> {
        let is_interrupted = context.interrupt.is_pressed() && report.not_begun > 0;
        // Otherwise there is nothing to mend: the same command resumes.
        let is_tried = !is_interrupted && is_worth_verifying(&report);
        let rejects = if is_tried { report.rejects() } else { Vec::new() };
        if !rejects.is_empty() {
            let path = beside(&self.order.path, "rejects.json");
            plan_file::store(&path, &rejects)?;
            context.say(format_args!(
                "not done: {}; see {1}. Mend it, then run `wats-scim plan {1} --leavers keep`: all others are missing \
                 from it.",
                counted(rejects.len(), "users"),
                path.display()
            ));
            self.rejects = Some(path);
        }
        self.print(&report)?;
        if is_interrupted {
            let left = report.not_begun;
            return Err(Failure::Interrupted(format!(
                "interrupted; {left} steps are left, and the same command resumes"
            )));
        }
        if !is_worth_verifying(&report) {
            context.say("The same command resumes.");
            let is_expired = has_expired(&report);
            let is_the_end = |error: &Error| !is_expired || error.kind() == ErrorKind::Unauthorized;
            let ends = report.problems.into_iter().find_map(|problem| match problem.outcome {
                Outcome::Failed(error) if is_the_end(&error) => Some(error),
                _ => None,
            });
            return ends.map_or(Ok(Exit::Partly), |error| Err(Failure::Scim(error)));
        }
        let undone = report.problems.len() + report.not_begun;
        if undone > 0 {
            return Err(Failure::Partly(format!(
                "{undone} of {} steps are not done or not kept; the same command tries them again, but what was \
                 skipped needs a new plan",
                self.order.plan.steps.len()
            )));
        }
        match self.differs.len() {
            0 => Ok(Exit::Done),
            differs => Err(Failure::Partly(format!(
                "all is done, but {differs} steps are not as planned now, or could not be read again; make a new plan"
            ))),
        }
    }

    fn print(&self, report: &Report) -> Result<(), Failure> {
        if self.format == Format::Json {
            let rejects = self.rejects.as_ref().map(|path| path.display().to_string());
            let is_complete = report.is_complete() && self.differs.is_empty();
            let summary = Summary { digest: &self.order.digest, is_complete, report, differs: &self.differs, rejects };
            return print(serde_json::to_string_pretty(&summary).map_err(|error| Failure::Other(error.to_string()))?);
        }
        print(report)?;
        self.differs.iter().try_for_each(|AppliedStep { step, outcome, .. }| print(format!("{step}\n    {outcome}")))
    }
}

/// Whether it makes sense to read the users again.
pub(super) fn is_worth_verifying(report: &Report) -> bool {
    !is_unreachable(report) && !has_expired(report)
}

fn has_expired(report: &Report) -> bool {
    let is_expired = |error: &Error| error.kind() == ErrorKind::Unauthorized;
    report.problems.iter().any(|problem| matches!(&problem.outcome, Outcome::Failed(error) if is_expired(error)))
}

/// Whether no step reached the server.
fn is_unreachable(report: &Report) -> bool {
    let is_lost = |error: &Error| matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout);
    let mut problems = report.problems.iter();
    !report.problems.is_empty()
        && report.applied + report.unneeded == 0
        && problems.all(|problem| matches!(&problem.outcome, Outcome::Failed(error) if is_lost(error)))
}
