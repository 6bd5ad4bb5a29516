use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::batch::RESULT_BUFFER;
use super::settle::look_for;
use super::step::{Arrival, Job};
use super::{InFlight, ScimRepository, ScimService, example, maybe_async, sleep};
use crate::batch::Progress;
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::model::ScimUser;
use crate::model::Target;
use crate::plan::{Action, CurrentUsers, Fit, Plan, Step};
use crate::plan::{AppliedStep, Outcome, Report};
use crate::plan::{Journal, OpenJournal};

impl<R: ScimRepository> ScimService<R> {
    /// Does what a plan says; see [`ScimApply`].
    ///
    #[doc = example!(
        "let current = client.current_users()" await "?;\n\
         let plan = Policy::new(client.profile()).leavers(Leavers::Keep).plan(&current, &[ScimUser::new(\"jane\")])?;\n\
         println!(\"{plan}\");\n\
         let report = client.apply(plan).run()" await "?;\n\
         assert_eq!(report.applied, 1);"
    )]
    pub fn apply(&self, plan: Plan) -> ScimApply<R> {
        ScimApply::new(Arc::clone(self.shared_repository()), plan)
    }
}

#[maybe_async]
impl<R: ScimRepository> ScimService<R> {
    /// Reads all users, for a plan to compare them with those of another system.
    ///
    /// # Errors
    ///
    /// As for [`iter_users`](Self::iter_users): the list is complete or an error.
    ///
    #[doc = example!(
        "let current = client.current_users()" await "?;\n\
         assert_eq!(current.users().len(), 3);"
    )]
    pub async fn current_users(&self) -> Result<CurrentUsers> {
        let mut pages = self.iter_users().in_flight(4);
        let mut users = Vec::new();
        while let Some(user) = pages.try_next().await? {
            users.push(user);
        }
        Ok(CurrentUsers::complete(users))
    }
}

/// The steps of a plan on their way, several at a time. Their results come one by one, in the order
/// of the plan.
///
/// Before a step is done, its user is read, and compared with what the plan was made for. A user
/// that has changed in what the step is about, or is gone, is skipped and reported; one that is
/// already as it should be is left alone. So a plan can be stored, reviewed and applied later, and
/// applying it twice does nothing the second time. Where users carry a version, the write is sent
/// for that version only (RFC 7644 §3.14).
///
/// With a [`journal`](Self::journal), an apply that was interrupted goes on where it was.
///
/// Nothing is sent before the first result is asked for. Dropping it begins no further step.
///
#[doc = example!(
    "let current = client.current_users()" await "?;\n\
     let desired = [ScimUser::new(\"user0001@example.com\").with_display_name(\"Ann\")];\n\
     let plan = Policy::new(client.profile()).plan(&current, &desired)?;\n\
     let mut apply = client.apply(plan).in_flight(16).on_progress(|progress| {\n    \
         println!(\"{} of {:?} done, {} not\", progress.done, progress.total, progress.failed);\n\
     });\n\
     while let Some(AppliedStep { step, outcome, .. }) = apply.try_next()" await "? {\n    \
         println!(\"{step}: {outcome}\");\n\
     }"
)]
#[must_use = "a plan is not applied until its results are read"]
pub struct ScimApply<R> {
    repository: Arc<R>,
    plan: Arc<Plan>,
    /// The place of the next step.
    next: usize,
    journal: Option<Journal>,
    open_journal: Option<OpenJournal>,
    in_flight: usize,
    buffer: usize,
    stop_after: Option<u64>,
    is_dry_run: bool,
    on_progress: Option<Box<dyn FnMut(Progress) + Send>>,
    progress: Progress,
    running: InFlight<(AppliedStep, Result<()>)>,
}

impl<R: ScimRepository> ScimApply<R> {
    fn new(repository: Arc<R>, plan: Plan) -> Self {
        Self {
            repository,
            progress: Progress::of((plan.steps.len(), Some(plan.steps.len()))),
            plan: Arc::new(plan),
            next: 0,
            journal: None,
            open_journal: None,
            in_flight: 8,
            buffer: RESULT_BUFFER,
            stop_after: None,
            is_dry_run: false,
            on_progress: None,
            running: InFlight::default(),
        }
    }

    /// Writes down what is begun and done, and leaves out what the journal says is done.
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// How many steps may be on their way at the same time; 8 by default, and at least 1.
    pub fn in_flight(mut self, steps: usize) -> Self {
        self.in_flight = steps;
        self
    }

    /// How many results may wait for an earlier one, besides the steps in flight; 1,000 by default. A
    /// step that takes long holds up no other until so many wait; with 0, each step waits for the
    /// oldest one in flight.
    pub fn buffer(mut self, results: usize) -> Self {
        self.buffer = results;
        self
    }

    /// Starts no further step once so many were skipped or failed; 1 stops at the first. Steps that
    /// are in flight at that moment still end, and their results are returned. By default all steps
    /// are tried.
    pub fn stop_after(mut self, problems: u64) -> Self {
        self.stop_after = Some(problems.max(1));
        self
    }

    /// Sends nothing at all, and writes nothing down: each step comes back as planned, or as done
    /// before if the journal says so.
    pub fn dry_run(mut self) -> Self {
        self.is_dry_run = true;
        self
    }

    /// Is told of each result, to show how far the apply is.
    pub fn on_progress(mut self, on_progress: impl FnMut(Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// How far the apply is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    fn is_stopped(&self) -> bool {
        self.stop_after.is_some_and(|problems| self.running.failures() >= problems)
    }

    /// Puts the next step on its way; false if there is none.
    fn begin_next(&mut self) -> Result<bool> {
        let number = self.next;
        let Some(step) = self.plan.steps.get(number) else { return Ok(false) };
        self.next += 1;
        let known = |outcome| (AppliedStep { number, step: step.clone(), outcome, user: None }, Ok(()));
        if self.open_journal.as_ref().is_some_and(|journal| journal.is_done(number)) {
            self.running.put(known(Outcome::DoneBefore));
        } else if self.is_dry_run {
            self.running.put(known(Outcome::Planned));
        } else {
            if let Some(journal) = &self.open_journal {
                journal.begin(number, step)?;
            }
            let job = StepJob {
                number,
                step: step.clone(),
                plan: Arc::clone(&self.plan),
                journal: self.open_journal.clone(),
            };
            self.running.start(Arc::clone(&self.repository), job);
        }
        Ok(true)
    }
}

#[maybe_async]
impl<R: ScimRepository> ScimApply<R> {
    /// The next step and what became of it; `None` when there are no more.
    ///
    /// # Errors
    ///
    /// [`Journal`](ErrorKind::Journal) if the journal is not one, is of another plan or in use, or
    /// cannot be written: then no further step is begun, and those on their way are looked up when
    /// the journal goes on. What goes wrong with a step is its outcome.
    pub async fn try_next(&mut self) -> Result<Option<AppliedStep>> {
        if let Err(error) = self.open_journal().await {
            return self.give_up(error);
        }
        let (step, written) = loop {
            while !self.is_stopped() && self.running.has_room(self.in_flight.max(1), self.buffer) {
                match self.begin_next() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => return self.give_up(error),
                }
            }
            match self.running.arrival().await {
                Some(Arrival::First(first)) => break first,
                Some(Arrival::Later) => {}
                None => return Ok(None),
            }
        };
        if let Err(error) = written {
            return self.give_up(error);
        }
        self.progress.count(step.outcome.is_problem());
        if let Some(on_progress) = &mut self.on_progress {
            on_progress(self.progress);
        }
        Ok(Some(step))
    }

    async fn open_journal(&mut self) -> Result<()> {
        let Some(journal) = self.journal.clone() else { return Ok(()) };
        let mut attempts = 0;
        while self.open_journal.is_none() {
            attempts += 1;
            self.open_journal = if self.is_dry_run {
                Some(OpenJournal::look(&journal, &self.plan)?)
            } else {
                OpenJournal::open(&journal, &self.plan)?
            };
            if self.open_journal.is_none() {
                if attempts == LOCK_ATTEMPTS {
                    return Err(journal.in_use());
                }
                sleep(LOCK_PAUSE).await;
            }
        }
        self.journal = None;
        Ok(())
    }

    /// Does all steps.
    ///
    /// # Errors
    ///
    /// As [`try_next`](Self::try_next).
    pub async fn run(mut self) -> Result<Report> {
        let mut report = Report::default();
        while let Some(step) = self.try_next().await? {
            report.count(step);
        }
        report.not_begun = self.plan.steps.len() - self.next;
        Ok(report)
    }
}

impl<R: ScimRepository> ScimApply<R> {
    fn give_up(&mut self, error: Error) -> Result<Option<AppliedStep>> {
        self.running.clear();
        self.next = self.plan.steps.len();
        Err(error)
    }
}

impl<R> fmt::Debug for ScimApply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimApply")
            .field("in_flight", &self.in_flight)
            .field("stop_after", &self.stop_after)
            .field("is_dry_run", &self.is_dry_run)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

/// A program that was killed may leave its lock for a moment with a child process that it was just
/// starting, so a lock is tried several times before the journal counts as in use.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Doing one step.
struct StepJob {
    number: usize,
    step: Step,
    plan: Arc<Plan>,
    journal: Option<OpenJournal>,
}

#[maybe_async(AFIT)]
impl Job for StepJob {
    type Output = (AppliedStep, Result<()>);

    async fn run<R: ScimRepository>(self, repository: &R) -> Self::Output {
        let done = match self.step.action {
            Action::Create => self.create(repository).await,
            _ => self.change(repository).await,
        };
        let (outcome, user) = done.unwrap_or_else(|error| (Outcome::Failed(error), None));
        let Self { number, step, journal, .. } = self;
        let id = user.as_ref().and_then(|user| user.id.as_deref());
        let written = journal.map_or(Ok(()), |journal| journal.end(number, &step, id, &outcome));
        (AppliedStep { number, step, outcome, user }, written)
    }

    fn failures((step, _): &Self::Output) -> u64 {
        step.outcome.is_problem().into()
    }
}

type Done = (Outcome, Option<ScimUser>);

/// How often a user is read again because somebody changed it in between, or because it is not
/// known whether the change was applied.
const ROUNDS: u32 = 3;

#[maybe_async]
impl StepJob {
    async fn create<R: ScimRepository>(&self, repository: &R) -> Result<Done> {
        let desired = self.step.desired.as_ref().ok_or_else(|| self.unusable("says nothing of the user"))?;
        if self.journal.as_ref().is_some_and(|journal| journal.was_begun(self.number))
            && let Some(held) = look_for(repository, desired).await?.into_held()
        {
            return self.found(held, desired);
        }
        let error = match repository.create(desired).await {
            Ok(user) => return Ok((Outcome::Applied, Some(user))),
            Err(error) => error,
        };
        if error.kind() != ErrorKind::Conflict {
            return Err(error);
        }
        match look_for(repository, desired).await?.into_held() {
            Some(held) => self.found(held, desired),
            None => Err(error),
        }
    }

    async fn change<R: ScimRepository>(&self, repository: &R) -> Result<Done> {
        let id = self.step.id.as_deref().ok_or_else(|| self.unusable("has no id"))?;
        let mut rounds = 0;
        let mut may_be_done = false;
        loop {
            rounds += 1;
            let Some(held) = repository.get::<ScimUser>(id).await? else { return Ok(self.gone(may_be_done)) };
            let done = match self.plan.rules.fit(&self.step, &held)? {
                Fit::Stale(reason) => return Ok((Outcome::Skipped(reason), Some(held))),
                Fit::Done if may_be_done => return Ok((Outcome::Applied, Some(held))),
                Fit::Done => return Ok((Outcome::Unneeded, Some(held))),
                Fit::Change(patch) => repository.patch::<ScimUser>(Target::of(&held)?, &patch).await,
                Fit::Delete => repository.delete::<ScimUser>(Target::of(&held)?).await.map(|()| None),
            };
            let error = match done {
                Ok(user) => return Ok((Outcome::Applied, user)),
                Err(error) => error,
            };
            let is_unknown = error.write_outcome() == Some(WriteOutcome::Unknown);
            may_be_done |= is_unknown;
            let is_worth_a_look =
                is_unknown || matches!(error.kind(), ErrorKind::PreconditionFailed | ErrorKind::NotFound);
            if rounds == ROUNDS || !is_worth_a_look {
                return Err(error);
            }
        }
    }
}

impl StepJob {
    /// A user of this name is there already.
    fn found(&self, held: ScimUser, desired: &ScimUser) -> Result<Done> {
        let outcome = if self.plan.rules.is_met(&held, desired)? {
            Outcome::Unneeded
        } else {
            Outcome::Skipped("there is a user of this name by now, and it is not the same".to_owned())
        };
        Ok((outcome, Some(held)))
    }

    fn gone(&self, may_be_done: bool) -> Done {
        let outcome = match (self.step.action, may_be_done) {
            (Action::Delete, true) => Outcome::Applied,
            (Action::Delete, false) => Outcome::Unneeded,
            _ => Outcome::Skipped("the user is gone".to_owned()),
        };
        (outcome, None)
    }

    fn unusable(&self, why: &str) -> Error {
        let operation = match self.step.action {
            Action::Create => Operation::Create("user"),
            Action::Delete => Operation::Delete("user"),
            _ => Operation::Patch("user"),
        };
        Error::invalid(format!("the step {why}")).in_operation(operation)
    }
}
