use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::batch::RESULT_BUFFER;
use super::settle::{Found, LOOK_FAILED, look_for};
use super::step::{Arrival, ENDS_THE_WORK, Job, weight};
use super::{InFlight, ScimRepository, ScimService, example, maybe_async, sleep};
use crate::batch::Progress;
use crate::error::Operation;
use crate::error::{Error, ErrorKind, Result, WriteOutcome};
use crate::exchange::{Work, WorkSpan};
use crate::model::ScimUser;
use crate::model::Target;
use crate::outside::mistake;
use crate::plan::{Accepted, Action, CurrentUsers, Fit, Plan, Step};
use crate::plan::{AppliedStep, Outcome, Report};
use crate::plan::{Journal, OpenJournal};

impl<R: ScimRepository> ScimService<R> {
    /// Applies a plan; see [`ScimApply`].
    ///
    /// Lazy: no request is sent until the first result is read.
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
    /// Reads all users of the server, to compute a plan from them.
    ///
    /// # Errors
    ///
    /// Any error of [`iter_users`](Self::iter_users), so the list is never incomplete.
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
        let current = CurrentUsers::complete(users);
        Ok(match self.repository().server() {
            Some(server) => current.of_server(server),
            None => current,
        })
    }
}

/// The steps of a plan, applied concurrently. The results are returned in the order of the plan.
///
/// Before each step, its user is read again and compared with the user for which the step was planned.
/// If the attributes that the step changes have changed since, or the user no longer exists, the step
/// is skipped and reported. If the user already has the desired values, nothing is written. So a
/// plan can be stored, reviewed and applied later, and applying it a second time changes nothing. If
/// users have versions, the write applies only to the version that was read (RFC 7644 §3.14).
///
/// With a [`journal`](Self::journal), an interrupted apply resumes where it stopped.
///
/// After the first step that fails with 401 ([`Unauthorized`](ErrorKind::Unauthorized)) no more steps
/// start, because the credentials have expired and could not be renewed: get new ones, and resume from
/// the journal, or apply the plan again. A 403 does not stop the apply, because it can concern a single user.
///
/// Lazy: no request is sent until the first result is read. Dropping it starts no more steps.
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
#[must_use = "an apply is lazy: it sends no request until its results are read"]
pub struct ScimApply<R> {
    repository: Arc<R>,
    plan: Arc<Plan>,
    /// The index of the next step.
    next: usize,
    journal: Option<Journal>,
    open_journal: Option<OpenJournal>,
    in_flight: usize,
    buffer: usize,
    stop_after: Option<u64>,
    is_dry_run: bool,
    accepted: Accepted,
    on_progress: Option<Box<dyn FnMut(Progress) + Send>>,
    progress: Progress,
    /// How many steps failed without a request.
    unsent: u64,
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
            accepted: Accepted::default(),
            on_progress: None,
            unsent: 0,
            running: InFlight::within(WorkSpan::of(Work::Apply)),
        }
    }

    /// Records each step in a journal before and after it is applied, and skips the steps that the
    /// journal already records as done.
    ///
    #[doc = example!(
        "use wats_scim::plan::Journal;\n\n\
         # let directory = tempfile::tempdir()?;\n\
         let journal = Journal::at(directory.path().join(\"users.journal\"));\n\
         let current = client.current_users()" await "?;\n\
         let plan = Policy::new(client.profile()).leavers(Leavers::Keep).plan(&current, &[ScimUser::new(\"jane\")])?;\n\
         let report = client.apply(plan).journal(journal).run()" await "?;\n\
         assert_eq!(report.applied, 1);"
    )]
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// The maximum number of steps in flight; 8 by default, and at least 1.
    pub fn in_flight(mut self, steps: usize) -> Self {
        self.in_flight = steps;
        self
    }

    /// The maximum number of finished results that wait for an earlier one; 1,000 by default.
    ///
    /// Results are returned in order, so a slow step delays the results behind it. Once this many
    /// wait, no more steps start until the slow one finishes. With 0, each step waits for the oldest
    /// one in flight.
    pub fn buffer(mut self, results: usize) -> Self {
        self.buffer = results;
        self
    }

    /// Starts no more steps after this many were skipped, failed or [not kept](Outcome::NotKept); 1 stops
    /// at the first one. Steps in flight are completed, and their results returned. By default all steps
    /// are tried, unless the credentials expire.
    pub fn stop_after(mut self, problems: u64) -> Self {
        self.stop_after = Some(problems.max(1));
        self
    }

    /// Applies a plan that was made for another address of the server. Without this, a plan that
    /// [names another server](Plan::server) is rejected before anything is sent.
    pub fn allow_other_server(mut self) -> Self {
        self.accepted.any_server = true;
        self
    }

    /// Rejects a plan that was [made](Plan::made_at) longer ago, before anything is sent. No limit by
    /// default: each step is checked against the current state of its user anyway.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.accepted.max_age = Some(age);
        self
    }

    /// Sends no request and writes no journal: returns each step as
    /// [`Planned`](Outcome::Planned), or as [`DoneBefore`](Outcome::DoneBefore) if the journal records
    /// it as done.
    pub fn dry_run(mut self) -> Self {
        self.is_dry_run = true;
        self
    }

    /// Sets a function that is called after each result, to show progress.
    pub fn on_progress(mut self, on_progress: impl FnMut(Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// The current progress.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    fn is_stopped(&self) -> bool {
        let problems = self.running.failures().saturating_add(self.unsent);
        problems >= self.stop_after.unwrap_or(ENDS_THE_WORK)
    }

    /// Starts the next step; false if there is none.
    fn begin_next(&mut self) -> Result<bool> {
        let number = self.next;
        let Some(step) = self.plan.steps.get(number) else { return Ok(false) };
        self.next += 1;
        let known = |outcome| (AppliedStep { number, step: step.clone(), outcome, user: None }, Ok(()));
        let inconsistent = step.check().err().map(|why| unusable(step, &why));
        if self.open_journal.as_ref().is_some_and(|journal| journal.is_done(number)) {
            self.running.put(known(Outcome::DoneBefore));
        } else if let Some(error) = inconsistent {
            self.unsent += 1;
            self.running.put(known(Outcome::Failed(error)));
        } else if self.is_dry_run {
            self.running.put(known(Outcome::Planned));
        } else {
            if let Some(journal) = &self.open_journal
                && !mistake!("a step is not recorded before it is sent")
            {
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
    /// Returns the next step with its outcome; `None` at the end. A step that fails is not an error
    /// here: the failure is its outcome.
    ///
    /// # Errors
    ///
    /// [`Journal`](ErrorKind::Journal) if the file is not a journal, belongs to another plan, is in
    /// use, or cannot be written. Then no more steps start; the steps in flight are checked when
    /// the apply resumes from its journal.
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the plan was made for another server, or is older than
    /// [`max_age`](Self::max_age); nothing is sent.
    pub async fn try_next(&mut self) -> Result<Option<AppliedStep>> {
        if self.next == 0
            && let Some(why) = self.plan.refusal(self.repository.server(), self.accepted)
        {
            return self.give_up(Error::invalid(why));
        }
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

    /// Applies all steps and returns a summary.
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

/// The lock of a killed program may survive for a moment in a child process that it was starting, so
/// the lock is tried several times before the journal is reported as in use.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Applies one step.
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

    fn failures((step, written): &Self::Output) -> u64 {
        match &step.outcome {
            _ if written.is_err() => ENDS_THE_WORK,
            Outcome::Failed(_) if mistake!("an apply goes on after a 401") => 1,
            Outcome::Failed(error) => weight(error),
            outcome => outcome.is_problem().into(),
        }
    }
}

type Done = (Outcome, Option<ScimUser>);

/// How often a step is tried again because its user changed in the meantime, or because the outcome of
/// the write is unknown.
const ROUNDS: u32 = 3;

#[maybe_async]
impl StepJob {
    async fn create<R: ScimRepository>(&self, repository: &R) -> Result<Done> {
        let desired = self.step.desired.as_ref().ok_or_else(|| unusable(&self.step, "it has no desired user"))?;
        if self.journal.as_ref().is_some_and(|journal| journal.was_begun(self.number)) {
            let found = look_for(repository, desired).await?;
            if let Some(done) = self.found(found, desired)? {
                return Ok(done);
            }
        }
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
        let id = self.step.id.as_deref().ok_or_else(|| unusable(&self.step, "it has no id"))?;
        let mut rounds = 0;
        // The error of a write that may have been applied.
        let mut unknown = None;
        loop {
            rounds += 1;
            let held = match repository.get::<ScimUser>(id).await {
                Ok(held) => held,
                Err(error) => return Err(after(unknown, error)),
            };
            let may_be_done = unknown.is_some();
            let Some(held) = held else { return Ok(self.gone(may_be_done)) };
            let done = match (self.plan.rules.fit(&self.step, &held)?, unknown) {
                (Fit::Stale(reason), None) => return Ok((Outcome::Skipped(reason), Some(held))),
                (Fit::Stale(reason), Some(written)) => return Err(written.with_note(&format!("; then {reason}"))),
                (Fit::Done, None) => return Ok((Outcome::Unneeded, Some(held))),
                (Fit::Done, Some(_)) => return Ok((Outcome::Applied, Some(held))),
                (Fit::Change(patch), earlier) => {
                    unknown = earlier;
                    repository.patch::<ScimUser>(Target::of(&held)?, &patch).await
                }
                (Fit::Delete, earlier) => {
                    unknown = earlier;
                    repository.delete::<ScimUser>(Target::of(&held)?).await.map(|()| None)
                }
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
    /// The outcome of a write, from the user in the answer.
    fn applied(&self, user: Option<ScimUser>) -> Done {
        let desired = self.step.desired.as_ref();
        let not_kept = user.as_ref().zip(desired).and_then(|(user, desired)| self.plan.rules.not_kept(user, desired));
        (not_kept.map_or(Outcome::Applied, Outcome::NotKept), user)
    }

    /// The outcome if the user, or another one with its name or external id, already exists.
    fn found(&self, found: Found<ScimUser>, desired: &ScimUser) -> Result<Option<Done>> {
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

    fn gone(&self, may_be_done: bool) -> Done {
        let outcome = match (self.step.action, may_be_done) {
            (Action::Delete, true) => Outcome::Applied,
            (Action::Delete, false) => Outcome::Unneeded,
            _ => Outcome::Skipped("the user no longer exists".to_owned()),
        };
        (outcome, None)
    }
}

/// The error of a step that cannot be sent.
fn unusable(step: &Step, why: &str) -> Error {
    let operation = match step.action {
        Action::Create => Operation::Create("user"),
        Action::Delete => Operation::Delete("user"),
        _ => Operation::Patch("user"),
    };
    Error::invalid(format!("the step is inconsistent: {why}; make a new plan")).in_operation(operation)
}
