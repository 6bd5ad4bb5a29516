//! The outcomes of an apply.

use std::fmt;

use crate::error::Error;
use crate::error::one_line;
use crate::model::ScimUser;
use crate::plan::Step;
use serde::Serialize;

/// One step of a plan with its outcome.
///
/// As JSON (serde) it has the number, the step without the desired user, the outcome, and the reason and
/// the error if there is one. Passwords are redacted.
#[derive(Debug)]
#[non_exhaustive]
pub struct AppliedStep {
    /// The index of the step in the plan, from 0.
    pub number: usize,
    /// The step.
    pub step: Step,
    /// The outcome.
    pub outcome: Outcome,
    /// The user after the step, if the server returned it.
    pub user: Option<ScimUser>,
}

/// The outcome of a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The step was applied.
    Applied,
    /// The user already had the desired state.
    Unneeded,
    /// The step was applied by an earlier run, according to the journal.
    DoneBefore,
    /// A dry run: the step would be applied; nothing was sent.
    Planned,
    /// The user has changed since the plan was made, or no longer exists, so nothing was sent. The text
    /// is the reason. Make a new plan for this user.
    Skipped(String),
    /// The step was applied, but the server's answer does not have all of the desired values: those of these
    /// paths, or these members. A new plan would have a step for them again, unless it is made
    /// [without them](crate::plan::Plan::without_not_kept).
    NotKept(Vec<String>),
    /// The step needs another one that was not done, or refers to a user or group that does not exist; the
    /// text names it. Nothing was sent, but for the members of a group that exist. It is tried again when
    /// the apply resumes.
    Blocked(String),
    /// From [`verify`](crate::blocking::ScimApply::verify): the user or group is not as planned. The text names
    /// the attributes, or is the reason.
    Differs(String),
    /// The step failed; [`Error::write_outcome`] reports whether it may have been applied.
    Failed(Error),
}

impl Outcome {
    /// Whether the user does not have the desired state.
    #[must_use]
    pub fn is_problem(&self) -> bool {
        match self {
            Self::Applied | Self::Unneeded | Self::DoneBefore | Self::Planned => false,
            Self::Skipped(_) | Self::NotKept(_) | Self::Blocked(_) | Self::Differs(_) | Self::Failed(_) => true,
        }
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
            Self::NotKept(paths) => write!(f, "applied, not kept: {}", one_line(&paths.join(", ")).unwrap_or_default()),
            Self::Differs(reason) => write!(f, "differs: {}", one_line(reason).unwrap_or_default()),
            Self::Blocked(by) => write!(f, "blocked by {by}"),
            Self::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}

/// The result of an apply, also as JSON (serde). `Display` prints a summary, and a line for each step that was skipped, failed,
/// or not kept by the server.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// How many steps were applied, including those that the server did not keep.
    pub applied: usize,
    /// How many were not needed any more: the users already had the desired state.
    pub unneeded: usize,
    /// How many were applied by an earlier run, according to the journal.
    pub done_before: usize,
    /// How many would be applied, in a dry run or a check.
    pub planned: usize,
    /// How many were not begun because the apply stopped.
    pub not_begun: usize,
    /// The steps that were skipped or failed, that the server did not keep, or whose users differ.
    pub problems: Vec<AppliedStep>,
    /// The desired users of the steps that were not begun.
    #[serde(skip)]
    left: Vec<ScimUser>,
}

impl Report {
    /// Whether every step was applied and kept, now or earlier, or was not needed.
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
            Outcome::Skipped(_) | Outcome::Blocked(_) | Outcome::Differs(_) | Outcome::Failed(_) => {
                self.problems.push(step);
            }
            Outcome::NotKept(_) => {
                self.applied += 1;
                self.problems.push(step);
            }
        }
    }

    /// Adds the steps that were not begun.
    pub(crate) fn end(&mut self, not_begun: &[Step]) {
        self.not_begun = not_begun.len();
        self.left = not_begun.iter().filter_map(of_source).cloned().collect();
    }

    /// The users of the source whose steps were skipped, failed or not begun, to be corrected and planned again.
    /// It has no leavers: deactivations and deletions that follow from the source are proposed again by the
    /// next plan over the whole source.
    ///
    /// These users are not the whole source, so **plan them with [`Leavers::Keep`](crate::plan::Leavers::Keep)**: all
    /// other users of the server are missing from them.
    ///
    /// ```
    /// use wats_scim::blocking::ScimClient;
    /// use wats_scim::plan::{Current, Leavers, Policy};
    /// use wats_scim::{Credentials, ScimUser};
    ///
    /// # let sandbox = wats_scim_sandbox::Sandbox::builder().users(20).start()?;
    /// # let client = ScimClient::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()))?;
    /// let policy = Policy::new(client.profile()).leavers(Leavers::Keep);
    /// let plan = policy.plan(&client.current_users()?, &[ScimUser::new("jane").with_external_id("1")])?;
    /// // Meanwhile, another person gets the name.
    /// client.create_user(&ScimUser::new("jane").with_external_id("2"))?;
    /// let mut rejects = client.apply(plan).run()?.rejects();
    /// assert_eq!(rejects.len(), 1);
    ///
    /// rejects[0].user_name = Some("jane.doe".to_owned());
    /// let plan = policy.plan(&client.current_users()?, &rejects)?;
    /// assert!(client.apply(plan).run()?.is_complete());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn rejects(&self) -> Vec<ScimUser> {
        let is_undone = |problem: &&AppliedStep| {
            matches!(problem.outcome, Outcome::Skipped(_) | Outcome::Blocked(_) | Outcome::Failed(_))
        };
        let undone = self.problems.iter().filter(is_undone).filter_map(|problem| of_source(&problem.step));
        undone.chain(&self.left).cloned().collect()
    }
}

/// The desired user of a step if it is from the source: that of a leaver has no name.
fn of_source(step: &Step) -> Option<&ScimUser> {
    step.desired.as_ref().filter(|desired| desired.user_name.is_some())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} applied", self.applied)?;
        let count = |is: fn(&Outcome) -> bool| self.problems.iter().filter(|step| is(&step.outcome)).count();
        let not_kept = count(|outcome| matches!(outcome, Outcome::NotKept(_)));
        let different = count(|outcome| matches!(outcome, Outcome::Differs(_)));
        for (count, what) in [
            (not_kept, "of them not kept by the server"),
            (self.unneeded, "not needed any more"),
            (self.done_before, "done before"),
            (self.planned, "planned"),
            (self.problems.len() - not_kept - different, "skipped, blocked or failed"),
            (different, "not as planned"),
            (self.not_begun, "not begun"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        // Steps with one outcome, such as those that an expired token stopped, have it once.
        let mut problems = self.problems.iter().map(|problem| (&problem.step, problem.outcome.to_string())).peekable();
        while let Some((step, outcome)) = problems.next() {
            write!(f, "\n{step}")?;
            if problems.peek().is_none_or(|(_, next)| *next != outcome) {
                write!(f, "\n    {outcome}")?;
            }
        }
        Ok(())
    }
}
