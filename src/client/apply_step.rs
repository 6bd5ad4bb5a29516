//! One step of a plan, applied.

use std::sync::Arc;

use wats_scim_filter::Filter;

use super::bulk::{Answer, create_again, is_lost};
use super::settle::{Found, LOOK_FAILED, look_for};
use super::step::{ENDS_THE_WORK, weight};
use super::{ScimRepository, maybe_async};
use crate::config::Profile;
use crate::error::{Error, ErrorKind, Operation, Result, WriteOutcome};
use crate::exchange::ListQuery;
use crate::model::{Resource, ScimGroup, ScimUser, Target};
use crate::outside::mistake;
use crate::plan::{Action, AppliedStep, Ends, Fit, Kind, OpenJournal, Origin, Outcome, Plan, Reference, Step};

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
    pub(super) ends: Ends,
    pub(super) journal: Option<OpenJournal>,
}

/// A step that has ended, and whether the journal has its end.
pub(super) struct Ended {
    pub(super) step: AppliedStep,
    pub(super) written: Result<()>,
}

impl Ended {
    /// How many failures it counts for where the apply is to stop after some of them.
    pub(super) fn failures(&self) -> u64 {
        match &self.step.outcome {
            _ if self.written.is_err() && !mistake!("an apply goes on after its journal failed") => ENDS_THE_WORK,
            Outcome::Failed(_) if mistake!("an apply goes on after a 401") => 1,
            Outcome::Failed(error) => weight(error),
            outcome => outcome.is_problem().into(),
        }
    }

    /// The error after which no other step can be applied.
    pub(super) fn ends_the_work(&self) -> Option<&Error> {
        let ((Err(error), _) | (Ok(()), Outcome::Failed(error))) = (&self.written, &self.step.outcome) else {
            return None;
        };
        (self.failures() == ENDS_THE_WORK).then_some(error)
    }
}

#[maybe_async]
impl StepJob {
    /// Applies or checks the step, after the answer to its first write if that was sent already.
    pub(super) async fn run<R: ScimRepository>(self, repository: &R, answer: Option<Answer<ScimUser>>) -> Ended {
        let with_origin = self.origin().and_then(|origin| repository.with_origin(&origin));
        let repository = with_origin.as_ref().unwrap_or(repository);
        let done = match (self.mode, self.step.action.is_of_group()) {
            (Mode::Check | Mode::Verify, _) => self.look(repository).await,
            (Mode::Apply | Mode::DryRun, true) => {
                self.apply_to_group(repository).await.map(|(outcome, id)| (outcome, None, id))
            }
            (Mode::Apply | Mode::DryRun, false) => {
                self.apply_to_user(repository, answer).await.map(|(outcome, user)| (outcome, user, None))
            }
        };
        let unwritten = done.as_ref().err().filter(|error| error.kind() == ErrorKind::Journal).cloned();
        let (outcome, user, id) = done.unwrap_or_else(|error| (Outcome::Failed(error), None, None));
        let Self { number, step, journal, ends, .. } = self;
        let id = id.or_else(|| user.as_ref()?.id.clone()).or_else(|| step.id.clone());
        ends.record(number, &outcome, id.as_deref());
        let written = match (unwritten, journal) {
            (Some(error), _) => Err(error),
            (None, Some(journal)) => journal.end(number, &step, id.as_deref(), &outcome),
            (None, None) => Ok(()),
        };
        Ended { step: AppliedStep { number, step, outcome, user }, written }
    }
}

/// The outcome of a step, and the user or group as the server holds it after the step.
pub(super) type Done<T = ScimUser> = (Outcome, Option<T>);

/// How often a step is tried again because its user changed in the meantime, or because the outcome of
/// the write is unknown.
pub(super) const ROUNDS: u32 = 3;

#[maybe_async]
impl StepJob {
    async fn apply_to_user<R: ScimRepository>(&self, repository: &R, answer: Option<Answer<ScimUser>>) -> Result<Done> {
        let with_manager;
        let job = match self.step.new_manager() {
            Some(manager) => match self.id_of(repository, &manager).await? {
                Some(id) => {
                    with_manager = self.with_step(self.step.with_manager(&id));
                    &with_manager
                }
                None => return Ok((Outcome::Blocked(format!("its manager: {manager} is not on the server")), None)),
            },
            None => self,
        };
        match job.step.action {
            Action::Create => job.create(repository, answer).await,
            _ => job.change(repository, answer).await,
        }
    }

    /// The id of what the step refers to: a step before it may have created it.
    pub(super) async fn id_of<R: ScimRepository>(&self, repository: &R, to: &Reference) -> Result<Option<String>> {
        if let Some(id) = self.known_id(to) {
            return Ok(Some(id));
        }
        match to.kind {
            Kind::User => find::<R, ScimUser>(repository, to).await,
            Kind::Group => find::<R, ScimGroup>(repository, to).await,
        }
    }

    async fn create<R: ScimRepository>(&self, repository: &R, answer: Option<Answer<ScimUser>>) -> Result<Done> {
        let desired = self.desired()?;
        let created = match answer {
            Some(Err(error)) if is_lost(&error) => create_again(repository, desired, error).await.map(Some),
            Some(answer) => answer,
            None => {
                if self.was_begun() {
                    let found = look_for(repository, desired).await?;
                    if let Some(done) = self.found(found, desired)? {
                        return Ok(done);
                    }
                }
                self.keep(None)?;
                repository.create(desired).await.map(Some)
            }
        };
        let error = match created {
            Ok(user) => return Ok(self.applied(user)),
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

    async fn change<R: ScimRepository>(&self, repository: &R, mut answer: Option<Answer<ScimUser>>) -> Result<Done> {
        let id = self.id()?;
        let mut unread = self.unread(repository.profile());
        let mut rounds = 0;
        // The error of a write that may have been applied.
        let mut unknown = None;
        loop {
            let (fit, held) = if let Some(fit) = unread.take() {
                (fit, None)
            } else {
                rounds += 1;
                match repository.get::<ScimUser>(id).await {
                    Ok(Some(held)) => (self.plan.rules.fit(&self.step, &held)?, Some(held)),
                    Ok(None) => return Ok((self.gone(unknown.is_some()), None)),
                    Err(error) => return Err(after(unknown, error)),
                }
            };
            let done = match (fit, unknown) {
                (Fit::Stale(reason), None) => return Ok((Outcome::Skipped(reason), held)),
                (Fit::Stale(reason), Some(written)) => return Err(written.with_note(&format!("; then {reason}"))),
                (Fit::Done, None) => return Ok((Outcome::Unneeded, held)),
                (Fit::Done, Some(_)) => return Ok((Outcome::Applied, held)),
                (Fit::Change(patch), earlier) => {
                    unknown = earlier;
                    match answer.take() {
                        Some(answer) => answer,
                        None => repository.patch::<ScimUser>(self.ready(held.as_ref())?, &patch).await,
                    }
                }
                (Fit::Delete, earlier) => {
                    unknown = earlier;
                    match answer.take() {
                        Some(answer) => answer,
                        None => repository.delete::<ScimUser>(self.ready(held.as_ref())?).await.map(|()| None),
                    }
                }
            };
            let error = match done {
                Ok(user) => return Ok(self.applied(user)),
                Err(error) => error,
            };
            if rounds == ROUNDS || !is_worth_a_look(&error) {
                return Err(after(unknown, error));
            }
            if error.write_outcome() == Some(WriteOutcome::Unknown) {
                unknown = Some(error);
            }
        }
    }
}

/// The id of the user or group of the server that a reference means.
#[maybe_async]
async fn find<R: ScimRepository, T: Resource>(repository: &R, to: &Reference) -> Result<Option<String>> {
    let found = match (&to.name, &to.external_id) {
        (Some(name), _) => repository.get_by_name::<T>(name).await?,
        (None, Some(id)) => {
            let query = ListQuery::new().filter(Filter::eq("externalId", id.as_str())).count(2);
            let page = repository.list::<T>(&query).await?;
            page.resources.into_iter().find(|found| found.external_id() == Some(id))
        }
        (None, None) => None,
    };
    Ok(found.and_then(|found| found.id().map(ToOwned::to_owned)))
}

/// Whether the state of the user or group after a failed write decides how to go on.
pub(super) fn is_worth_a_look(error: &Error) -> bool {
    match error.kind() {
        _ if weight(error) == ENDS_THE_WORK => false,
        ErrorKind::PreconditionFailed | ErrorKind::NotFound => true,
        _ => error.write_outcome() == Some(WriteOutcome::Unknown),
    }
}

/// The error of a step, after a write that may have been applied.
pub(super) fn after(unknown: Option<Error>, error: Error) -> Error {
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

    /// The row of the source that the step is made for.
    pub(super) fn origin(&self) -> Option<String> {
        let origin = self.step.origin.as_ref().filter(|origin| matches!(origin, Origin::Row { .. }))?;
        Some(origin.to_string())
    }

    pub(super) fn with_step(&self, step: Step) -> Self {
        let Self { number, step: _, mode, plan, ends, journal } = self;
        let (plan, ends, journal) = (Arc::clone(plan), ends.clone(), journal.clone());
        Self { number: *number, step, mode: *mode, plan, ends, journal }
    }

    /// The id of what the step refers to, without a request.
    pub(super) fn known_id(&self, to: &Reference) -> Option<String> {
        to.id.clone().or_else(|| self.ends.created(to))
    }

    /// Whether the step was begun before, so that it may have been applied.
    pub(super) fn was_begun(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.was_begun(self.number))
    }

    /// The write that can be sent without reading the user: the server applies it only to the version for
    /// which it was planned. A user that is deleted is read where the journal keeps what is lost.
    pub(super) fn unread(&self, profile: &Profile) -> Option<Fit> {
        let is_kept =
            self.step.action == Action::Delete && self.journal.as_ref().is_some_and(OpenJournal::keeps_before);
        let may_be_unread = profile.checks_versions && !is_kept && !self.was_begun();
        may_be_unread.then(|| self.plan.rules.unread(&self.step)).flatten()
    }

    /// Records what a write is about to replace, from the user that was read, or else from the plan.
    pub(super) fn keep(&self, held: Option<&ScimUser>) -> Result<()> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.keep(self.number, &self.step, held))
    }

    /// Records what a write is about to replace, and returns its target: the user that was read, or else the
    /// version of the plan.
    fn ready<'a>(&'a self, held: Option<&'a ScimUser>) -> Result<Target<'a>> {
        self.keep(held)?;
        match held {
            Some(held) => Target::of(held),
            None => Ok(Target::in_version(self.id()?, self.step.version.as_deref())),
        }
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

    /// The outcome if the user or group of the step does not exist.
    pub(super) fn gone(&self, may_be_done: bool) -> Outcome {
        match (self.step.action, may_be_done) {
            (Action::Delete | Action::DeleteGroup, true) => Outcome::Applied,
            (Action::Delete | Action::DeleteGroup, false) => Outcome::Unneeded,
            (action, _) if action.is_of_group() => Outcome::Skipped("the group no longer exists".to_owned()),
            _ => Outcome::Skipped("the user no longer exists".to_owned()),
        }
    }
}

/// The error of a step that cannot be sent.
pub(super) fn unusable(step: &Step, why: &str) -> Error {
    Error::invalid(format!("the step is inconsistent: {why}; make a new plan")).in_operation(operation(step))
}

pub(super) fn operation(step: &Step) -> Operation {
    match step.action {
        Action::Create => Operation::Create("user"),
        Action::Delete => Operation::Delete("user"),
        Action::CreateGroup => Operation::Create("group"),
        Action::DeleteGroup => Operation::Delete("group"),
        action if action.is_of_group() => Operation::Patch("group"),
        _ => Operation::Patch("user"),
    }
}
