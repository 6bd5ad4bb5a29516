//! One step of a plan, applied.

use std::sync::Arc;

use super::settle::{Found, LOOK_FAILED, look_for};
use super::step::{ENDS_THE_WORK, Job, weight};
use super::{ScimRepository, maybe_async};
use crate::config::Profile;
use crate::error::{Error, ErrorKind, Operation, Result, WriteOutcome};
use crate::model::{ScimUser, Target};
use crate::outside::mistake;
use crate::plan::{Action, AppliedStep, Fit, OpenJournal, Outcome, Plan, Step, Write};

/// What is done with the steps of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Apply,
    /// Nothing: they are only listed.
    DryRun,
    /// Their users are read, to say what an apply would do.
    Check,
    /// Their users are read, to say what differs from the plan.
    Verify,
}

/// Applies one step, or checks it.
pub(super) struct StepJob {
    pub(super) number: usize,
    pub(super) step: Step,
    pub(super) mode: Mode,
    pub(super) plan: Arc<Plan>,
    pub(super) journal: Option<OpenJournal>,
}

#[maybe_async(AFIT)]
impl Job for StepJob {
    type Output = (AppliedStep, Result<()>);

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        let done = match (self.mode, self.step.action) {
            (Mode::Apply, Action::Create) => self.create(repository).await,
            (Mode::Apply, _) => self.change(repository).await,
            (Mode::Verify, _) => self.verify(repository).await,
            (Mode::Check | Mode::DryRun, _) => self.check(repository).await,
        };
        let unwritten = done.as_ref().err().filter(|error| error.kind() == ErrorKind::Journal).cloned();
        let (outcome, user) = done.unwrap_or_else(|error| (Outcome::Failed(error), None));
        let Self { number, step, journal, .. } = self;
        let id = user.as_ref().and_then(|user| user.id.as_deref());
        let written = match (unwritten, journal) {
            (Some(error), _) => Err(error),
            (None, Some(journal)) => journal.end(number, &step, id, &outcome),
            (None, None) => Ok(()),
        };
        (AppliedStep { number, step, outcome, user }, written)
    }

    fn failures((step, written): &Self::Output) -> u64 {
        match &step.outcome {
            _ if written.is_err() && !mistake!("an apply goes on after its journal failed") => ENDS_THE_WORK,
            Outcome::Failed(_) if mistake!("an apply goes on after a 401") => 1,
            Outcome::Failed(error) => weight(error),
            outcome => outcome.is_problem().into(),
        }
    }
}

pub(super) type Done = (Outcome, Option<ScimUser>);

/// How often a step is tried again because its user changed in the meantime, or because the outcome of
/// the write is unknown.
const ROUNDS: u32 = 3;

#[maybe_async]
impl StepJob {
    async fn create<R: ScimRepository>(&self, repository: &R) -> Result<Done> {
        let desired = self.desired()?;
        if self.was_begun() {
            let found = look_for(repository, desired).await?;
            if let Some(done) = self.found(found, desired)? {
                return Ok(done);
            }
        }
        self.keep(None)?;
        let error = match repository.create(desired).await {
            Ok(user) => return Ok(self.applied(Some(user))),
            Err(error) => error,
        };
        if error.kind() != ErrorKind::Conflict {
            return Err(error);
        }
        match look_for(repository, desired).await {
            Ok(found) => self.found(found, desired)?.ok_or(error),
            Err(look) => Err(error.followed_by(&look, LOOK_FAILED)),
        }
    }

    async fn change<R: ScimRepository>(&self, repository: &R) -> Result<Done> {
        let id = self.id()?;
        let mut unread = self.unread(repository.profile());
        let mut rounds = 0;
        // The error of a write that may have been applied.
        let mut unknown = None;
        loop {
            let mut held = None;
            let write = match unread.take() {
                Some(write) => write,
                None => {
                    rounds += 1;
                    let found = match repository.get::<ScimUser>(id).await {
                        Ok(Some(found)) => found,
                        Ok(None) => return Ok(self.gone(unknown.is_some())),
                        Err(error) => return Err(after(unknown, error)),
                    };
                    match (self.plan.rules.fit(&self.step, &found)?, unknown) {
                        (Fit::Stale(reason), None) => return Ok((Outcome::Skipped(reason), Some(found))),
                        (Fit::Stale(reason), Some(written)) => {
                            return Err(written.with_note(&format!("; then {reason}")));
                        }
                        (Fit::Done, None) => return Ok((Outcome::Unneeded, Some(found))),
                        (Fit::Done, Some(_)) => return Ok((Outcome::Applied, Some(found))),
                        (Fit::Send(write), earlier) => {
                            (unknown, held) = (earlier, Some(found));
                            write
                        }
                    }
                }
            };
            self.keep(held.as_ref())?;
            let target = match &held {
                Some(held) => Target::of(held)?,
                None => Target::in_version(id, self.step.version.as_deref()),
            };
            let done = match write {
                Write::Patch(patch) => repository.patch::<ScimUser>(target, &patch).await,
                Write::Delete => repository.delete::<ScimUser>(target).await.map(|()| None),
            };
            let error = match done {
                Ok(user) => return Ok(self.applied(user)),
                Err(error) => error,
            };
            let is_unknown = error.write_outcome() == Some(WriteOutcome::Unknown);
            let is_worth_a_look = match error.kind() {
                ErrorKind::Unauthorized => false,
                ErrorKind::PreconditionFailed | ErrorKind::NotFound => true,
                _ => is_unknown,
            };
            if rounds == ROUNDS || !is_worth_a_look {
                return Err(after(unknown, error));
            }
            if is_unknown {
                unknown = Some(error);
            }
        }
    }
}

/// The error of a step, after a write that may have been applied.
fn after(unknown: Option<Error>, error: Error) -> Error {
    match unknown {
        Some(written) => written.followed_by(&error, "the next attempt failed too"),
        None => error,
    }
}

impl StepJob {
    pub(super) fn desired(&self) -> Result<&ScimUser> {
        self.step.desired.as_ref().ok_or_else(|| unusable(&self.step, "it has no desired user"))
    }

    pub(super) fn id(&self) -> Result<&str> {
        self.step.id.as_deref().ok_or_else(|| unusable(&self.step, "it has no id"))
    }

    /// Whether an earlier run may have applied the step.
    fn was_begun(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.was_begun(self.number))
    }

    /// The write that can be sent without reading the user: the server applies it only to the version for
    /// which it was planned. A user that is deleted is read where the journal keeps what is lost.
    fn unread(&self, profile: &Profile) -> Option<Write> {
        let is_kept =
            self.step.action == Action::Delete && self.journal.as_ref().is_some_and(OpenJournal::keeps_before);
        let may_be_unread = profile.checks_versions && !is_kept && !self.was_begun();
        may_be_unread.then(|| self.plan.rules.unread(&self.step)).flatten()
    }

    /// Records what a write is about to replace, from the user that was read, or else from the plan.
    fn keep(&self, held: Option<&ScimUser>) -> Result<()> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.keep(self.number, &self.step, held))
    }

    /// The outcome of a write, from the user in the answer.
    fn applied(&self, user: Option<ScimUser>) -> Done {
        let not_kept = user.as_ref().map(|user| self.plan.rules.not_kept(user, &self.step)).unwrap_or_default();
        (if not_kept.is_empty() { Outcome::Applied } else { Outcome::NotKept(not_kept) }, user)
    }

    /// The outcome if the user, or another one with its name or external id, already exists.
    pub(super) fn found(&self, found: Found<ScimUser>, desired: &ScimUser) -> Result<Option<Done>> {
        let rules = &self.plan.rules;
        let (is_met, held, reason) = match found {
            Found::Sent(held) => {
                (rules.is_met(&held, desired)?, held, "the user exists already, without some of these values")
            }
            // What no patch can change may be what tells two people apart.
            Found::Other(held) => (rules.is_the_same(&held, desired)?, held, "another user has this userName now"),
            Found::Perhaps(held) => {
                let reason = "a user with this externalId exists, with another userName or other values";
                (rules.is_the_same(&held, desired)?, held, reason)
            }
            Found::Nothing => return Ok(None),
        };
        let outcome = if is_met { Outcome::Unneeded } else { Outcome::Skipped(reason.to_owned()) };
        Ok(Some((outcome, Some(held))))
    }

    pub(super) fn gone(&self, may_be_done: bool) -> Done {
        let outcome = match (self.step.action, may_be_done) {
            (Action::Delete, true) => Outcome::Applied,
            (Action::Delete, false) => Outcome::Unneeded,
            _ => Outcome::Skipped("the user no longer exists".to_owned()),
        };
        (outcome, None)
    }
}

/// The error of a step that cannot be sent.
pub(super) fn unusable(step: &Step, why: &str) -> Error {
    let operation = match step.action {
        Action::Create => Operation::Create("user"),
        Action::Delete => Operation::Delete("user"),
        _ => Operation::Patch("user"),
    };
    Error::invalid(format!("the step is inconsistent: {why}; make a new plan")).in_operation(operation)
}
