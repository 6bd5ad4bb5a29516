//! An apply and its settings.

mod begin;
mod run;
mod together;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::together::StepsJob;
use super::apply_step::{Ended, Mode};
use super::batch::RESULT_BUFFER;
use super::step::Over;
use super::{InFlight, ScimRepository, ScimService, example};
use crate::batch::Progress;
use crate::exchange::{Room, Work, WorkSpan};
use crate::model::Schemas;
use crate::plan::{Accepted, Ends, Inapplicable, Journal, OpenJournal, Plan, Rejection};

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

/// The steps of a plan, applied concurrently. The results are returned in the order of the plan.
///
/// Before each step, its user is read again and compared with the user for which the step was planned.
/// If the attributes that the step changes have changed since, or the user no longer exists, the step
/// is skipped and reported. If the user already has the desired values, nothing is written. So a
/// plan can be stored, reviewed and applied later, and applying it a second time changes nothing.
///
/// If users have versions, the write applies only to the version that was read (RFC 7644 §3.14). If the
/// server also says that it checks them (`etag` in its configuration, read by `discover`, or measured by a
/// probe), a change or a deletion is one request: the write is sent for the version of the plan, and
/// the user is read only if it has another one now.
///
/// # Bulk requests
///
/// If the server supports bulk requests (RFC 7644 §3.7), as [`discover`](ScimService::discover) finds out, steps of
/// users that need not be read first begin in one request: creations, and changes and deletions for the version of
/// the plan where a probe has found that the server checks it there
/// ([`Profile::allow_versions_in_bulk`](crate::Profile::allow_versions_in_bulk)). A request has at most 100 steps.
/// Each still has an outcome of its own: a step whose user has another version is read and tried by itself, and if
/// the answer to the request is lost, each user is looked at.
///
/// A server need not show what it has written in a bulk request. What it did not keep is then only found by
/// [`verify`](Self::verify), or not sent so at all: see [`without_bulk`](Self::without_bulk). Steps of groups are not
/// sent in bulk, because their members are read back.
///
/// # Interruptions
///
/// With a [`journal`](Self::journal), an interrupted apply resumes where it stopped.
///
/// After the first step that fails with 401 ([`Unauthorized`](crate::ErrorKind::Unauthorized)) no more steps
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
    ends: Ends,
    journal: Option<Journal>,
    open_journal: Option<OpenJournal>,
    in_flight: usize,
    buffer: usize,
    stop_after: Option<u64>,
    goes_in_bulk: bool,
    stop_when: Option<Box<dyn FnMut() -> bool + Send>>,
    was_stopped: bool,
    mode: Mode,
    accepted: Accepted,
    rejections: Vec<Rejection>,
    on_progress: Option<Box<dyn FnMut(Progress) + Send>>,
    progress: Progress,
    /// How many steps failed without a request.
    unsent: u64,
    running: InFlight<Vec<Ended>>,
    /// Steps that begin with the next request, and the room in it.
    together: StepsJob,
    over: Over,
    room: Option<Room>,
    /// Results that are not returned yet.
    ended: VecDeque<Ended>,
}

impl<R: ScimRepository> ScimApply<R> {
    fn new(repository: Arc<R>, plan: Plan) -> Self {
        Self {
            repository,
            progress: Progress::of((plan.steps.len(), Some(plan.steps.len()))),
            ends: Ends::of(&plan),
            plan: Arc::new(plan),
            next: 0,
            journal: None,
            open_journal: None,
            in_flight: 8,
            buffer: RESULT_BUFFER,
            stop_after: None,
            goes_in_bulk: true,
            stop_when: None,
            was_stopped: false,
            mode: Mode::Apply,
            accepted: Accepted::default(),
            rejections: Vec::new(),
            on_progress: None,
            unsent: 0,
            running: InFlight::within(WorkSpan::of(Work::Apply)),
            together: StepsJob::default(),
            over: Over::default(),
            room: None,
            ended: VecDeque::new(),
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

    /// The maximum number of steps in flight; 8 by default, and at least 1. A [bulk request](Self#bulk-requests)
    /// counts as one.
    pub fn in_flight(mut self, steps: usize) -> Self {
        self.in_flight = steps;
        self
    }

    /// The maximum number of finished results that wait for an earlier one; 1,000 by default. Those of a [bulk
    /// request](Self#bulk-requests) count as one.
    ///
    /// Results are returned in order, so a slow step delays the results behind it. Once this many
    /// wait, no more steps start until the slow one finishes. With 0, each step waits for the oldest
    /// one in flight.
    pub fn buffer(mut self, results: usize) -> Self {
        self.buffer = results;
        self
    }

    /// Sends each step by itself, and none in [bulk requests](Self#bulk-requests).
    ///
    #[doc = example!(
        standard
        "let client = client.discover()" await "?;\n\
         let current = client.current_users()" await "?;\n\
         let plan = Policy::new(client.profile()).leavers(Leavers::Keep).plan(&current, &[ScimUser::new(\"jane\")])?;\n\
         let report = client.apply(plan).without_bulk().run()" await "?;\n\
         assert_eq!(report.applied, 1);"
    )]
    pub fn without_bulk(mut self) -> Self {
        self.goes_in_bulk = false;
        self
    }

    /// Starts no more steps after this many were skipped, failed or [not kept](crate::plan::Outcome::NotKept); 1 stops
    /// at the first one. Steps in flight are completed, and their results returned. By default all steps
    /// are tried, unless the credentials expire. No step is sent in a [bulk request](Self#bulk-requests) then.
    pub fn stop_after(mut self, problems: u64) -> Self {
        self.stop_after = Some(problems.max(1));
        self
    }

    /// Starts no more steps once this returns true, for example after Ctrl-C. It is called before each step. Steps
    /// in flight are completed, and their results returned; with a journal, the apply resumes where it stopped.
    ///
    #[doc = example!(
        "let current = client.current_users()" await "?;\n\
         let plan = Policy::new(client.profile()).leavers(Leavers::Keep).plan(&current, &[ScimUser::new(\"jane\")])?;\n\
         let report = client.apply(plan).stop_when(|| true).run()" await "?;\n\
         assert_eq!((report.applied, report.not_begun), (0, 1));"
    )]
    pub fn stop_when(mut self, stop: impl FnMut() -> bool + Send + 'static) -> Self {
        self.stop_when = Some(Box::new(stop));
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

    /// Applies only the plan with this [digest](Plan::digest), the one that was reviewed; any other plan is
    /// rejected before anything is sent.
    ///
    #[doc = example!(
        "let current = client.current_users()" await "?;\n\
         let plan = Policy::new(client.profile()).leavers(Leavers::Keep).plan(&current, &[ScimUser::new(\"jane\")])?;\n\
         let approved = plan.digest(); // As the review names it.\n\
         let report = client.apply(plan).approved(approved).run()" await "?;\n\
         assert_eq!(report.applied, 1);"
    )]
    pub fn approved(mut self, digest: impl Into<String>) -> Self {
        self.accepted.approved = Some(digest.into());
        self
    }

    /// Checks the plan with the [schemas](ScimService::schemas) of the server and its profile: a plan with a
    /// step that [would be rejected](Plan::would_be_rejected) is rejected before anything is sent. Without
    /// this, a step that the server does not support by its profile fails alone, without a request, in a
    /// [dry run](Self::dry_run), too.
    pub fn schemas(mut self, schemas: &Schemas) -> Self {
        self.rejections = self.plan.would_be_rejected(self.repository.profile(), schemas);
        self
    }

    /// Sends no request and writes no journal: returns each step as [`Planned`](crate::plan::Outcome::Planned), or as
    /// [`DoneBefore`](crate::plan::Outcome::DoneBefore) if the journal records it as done.
    pub fn dry_run(mut self) -> Self {
        self.mode = Mode::DryRun;
        self
    }

    /// Reads the user of each step and says what an apply would do now; writes nothing, neither to the
    /// server nor to the journal. The outcome is [`Planned`](crate::plan::Outcome::Planned),
    /// [`Unneeded`](crate::plan::Outcome::Unneeded), or [`Skipped`](crate::plan::Outcome::Skipped) with the reason.
    ///
    #[doc = example!(
        "let current = client.current_users()" await "?;\n\
         let plan = Policy::new(client.profile()).leavers(Leavers::Keep).plan(&current, &[ScimUser::new(\"jane\")])?;\n\
         client.create_user(&ScimUser::new(\"jane\"))" await "?;\n\
         let report = client.apply(plan).check().run()" await "?;\n\
         assert_eq!((report.planned, report.unneeded), (0, 1));"
    )]
    pub fn check(mut self) -> Self {
        self.mode = Mode::Check;
        self
    }

    /// Reads the user of each step and compares it with what the plan makes of it, after an apply; writes
    /// nothing. The outcome is [`Unneeded`](crate::plan::Outcome::Unneeded) if the user is as planned, or
    /// [`Differs`](crate::plan::Outcome::Differs) with the attributes, so the report is complete if the plan holds.
    ///
    #[doc = example!(
        "let current = client.current_users()" await "?;\n\
         let plan = Policy::new(client.profile()).leavers(Leavers::Keep).plan(&current, &[ScimUser::new(\"jane\")])?;\n\
         client.apply(plan.clone()).run()" await "?;\n\
         let report = client.apply(plan).verify().run()" await "?;\n\
         assert!(report.is_complete());"
    )]
    pub fn verify(mut self) -> Self {
        self.mode = Mode::Verify;
        self
    }

    /// Sets a function that is called after each result, to show progress.
    pub fn on_progress(mut self, on_progress: impl FnMut(Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// The reason why [`try_next`](Self::try_next) and [`run`](Self::run) would reject the plan before anything is
    /// sent: its server, its age, or its digest. `None` if they are accepted.
    ///
    #[doc = example!(
        "let current = client.current_users()" await "?;\n\
         let plan = Policy::new(client.profile()).leavers(Leavers::Keep).plan(&current, &[ScimUser::new(\"jane\")])?;\n\
         let apply = client.apply(plan).approved(\"another digest\");\n\
         assert!(apply.inapplicable().is_some());"
    )]
    #[must_use]
    pub fn inapplicable(&self) -> Option<Inapplicable> {
        self.plan.inapplicable(self.repository.server(), &self.accepted)
    }

    /// The current progress.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }
}

impl<R> fmt::Debug for ScimApply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimApply")
            .field("in_flight", &self.in_flight)
            .field("stop_after", &self.stop_after)
            .field("mode", &self.mode)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
