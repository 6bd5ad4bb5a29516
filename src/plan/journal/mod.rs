//! The journal of an apply, from which an interrupted apply resumes.

pub(in crate::plan) mod file;
pub(in crate::plan) mod not_kept;
mod open;
pub(in crate::plan) mod written;

use std::io;
use std::path::{Path, PathBuf};

pub(crate) use self::open::OpenJournal;
use crate::error::{Error, ErrorKind, Result};
use crate::outside::file::read_regular;
use crate::plan::journal::file::{Known, LastLine, StateLine, StepState, WholeLine, read};
use crate::plan::journal::written::{Written, WrittenStep};
use crate::plan::{NotKept, Plan, Step};

/// The journal of an apply: a file of JSON Lines, with a line before and after each step.
///
/// An apply that was interrupted at any moment resumes from its journal: completed steps are not
/// repeated, and steps that were in flight are looked up on the server first. The first line holds the
/// plan, so the file is all that is needed:
///
/// ```
/// use wats_scim::blocking::ScimClient;
/// use wats_scim::{Credentials, ScimUser};
/// use wats_scim::plan::{Journal, Policy};
/// # let sandbox = wats_scim_sandbox::Sandbox::start()?;
/// # let client = ScimClient::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()))?;
/// # let path = std::env::temp_dir().join(format!("wats-scim-{}.journal", std::process::id()));
///
/// let journal = Journal::at(&path);
/// let plan = match journal.plan()? {
///     // The last apply was interrupted.
///     Some(plan) => plan,
///     None => Policy::new(client.profile()).plan(&client.current_users()?, &[ScimUser::new("jane")])?,
/// };
/// let report = client.apply(plan).journal(journal).run()?;
/// assert!(report.is_complete());
/// std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Only one apply can have the file open at a time. The journal contains personal data, like the plan
/// in it, but no passwords; on Unix, only its owner can read and write the file.
#[derive(Clone, Debug)]
pub struct Journal {
    path: PathBuf,
    is_synced: bool,
    keeps_before: bool,
}

impl Journal {
    /// The journal in this file. An apply creates the file if it does not exist.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_synced: false, keeps_before: false }
    }

    /// Syncs each line to disk before the apply continues, so that the journal also survives a power
    /// failure. This costs some milliseconds per step, during which the async client blocks the
    /// executor's thread; off by default.
    #[must_use]
    pub fn synced(self) -> Self {
        Self { is_synced: true, ..self }
    }

    /// Keeps the values that each step replaces, so that the apply can be undone: see
    /// [`Policy::undo`](crate::plan::Policy::undo). Of a user that is deleted, all attributes are kept; passwords
    /// never are. This costs a line per step, and a read per deletion; off by default. A journal that was begun
    /// with it keeps them when the apply resumes.
    #[must_use]
    pub fn keep_before(self) -> Self {
        Self { keeps_before: true, ..self }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The plan of the journal, to resume it. `None` if no apply has begun with it.
    ///
    /// It has no passwords of new users, unless [`Plan::allow_passwords`] was called: set them with
    /// [`Plan::with_passwords`].
    ///
    /// # Errors
    ///
    /// [`Journal`](ErrorKind::Journal) if the file cannot be read or is not a journal.
    pub fn plan(&self) -> Result<Option<Plan>> {
        Ok(self.read::<StateLine>()?.map(|known| known.plan))
    }

    /// The steps of the journal in the order of the plan, each with its last state: what was done, what
    /// failed and why, and what was in flight. Empty if no apply has begun with it.
    ///
    /// It only reads, so it can be called while an apply is running.
    ///
    /// # Errors
    ///
    /// [`Journal`](ErrorKind::Journal) if the file cannot be read or is not a journal.
    ///
    /// ```
    /// use wats_scim::plan::{Journal, StepState};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("users.journal");
    /// for step in Journal::at(path).steps()? {
    ///     match step.state {
    ///         Some(StepState::Failed) => println!("{}: {}", step.step, step.reason.unwrap_or_default()),
    ///         Some(_) => {}
    ///         None => println!("{}: not begun", step.step),
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn steps(&self) -> Result<Vec<JournalStep>> {
        let Some(Known { plan, last, .. }) = self.read::<WholeLine>()? else { return Ok(Vec::new()) };
        let steps = plan.steps.into_iter().zip(last).enumerate().map(|(number, (step, last))| {
            let (state, last) = (last.as_ref().map(|last| last.state), last);
            let (at, id, reason) = last.map(|last| (last.at, last.id, last.reason)).unwrap_or_default();
            JournalStep { number, id: id.or_else(|| step.id.clone()), step, state, at, reason }
        });
        Ok(steps.collect())
    }

    /// The values that the server did not keep, for
    /// [`Plan::without_not_kept`](crate::plan::Plan::without_not_kept). Empty if no apply has begun with the journal.
    ///
    /// # Errors
    ///
    /// [`Journal`](ErrorKind::Journal) if the file cannot be read or is not a journal.
    pub fn not_kept(&self) -> Result<NotKept> {
        let mut not_kept = NotKept::default();
        let Some(Known { plan, last, .. }) = self.read::<WholeLine>()? else { return Ok(not_kept) };
        for (step, last) in plan.steps.iter().zip(last) {
            if let Some(WholeLine { id, not_kept: paths, .. }) = last {
                not_kept.add(step, id.as_deref(), &paths);
            }
        }
        Ok(not_kept)
    }

    /// What the apply wrote, with the values before it, to [undo](crate::plan::Policy::undo) it. Also of an apply that
    /// was interrupted.
    ///
    /// # Errors
    ///
    /// [`Journal`](ErrorKind::Journal) if the file cannot be read, is not a journal, or was written without
    /// [`keep_before`](Self::keep_before).
    pub fn written(&self) -> Result<Written> {
        let Some(Known { plan, keeps_before, last }) = self.read::<WholeLine>()? else { return Ok(Written::default()) };
        if !keeps_before {
            let what = "has no old values, so the apply cannot be undone; use Journal::keep_before for the next one";
            return Err(refused(&self.path, what, None));
        }
        let Plan { server, steps, .. } = plan;
        let steps = steps.into_iter().zip(last).filter_map(|(step, last)| {
            let last = last?;
            let is_done = is_done(Some(last.state));
            let id = last.id.clone().or_else(|| step.id.clone());
            Some(WrittenStep { is_done, id, before: last.replaced()?, step })
        });
        Ok(Written { server, steps: steps.collect() })
    }

    /// The error of an apply whose journal is in use by another one.
    pub(crate) fn in_use(&self) -> Error {
        refused(&self.path, "is in use by another apply", None)
    }

    fn read<L: LastLine>(&self) -> Result<Option<Known<L>>> {
        let failed = |error| refused(&self.path, "could not be read", Some(error));
        match read_regular(&self.path).map_err(failed)? {
            Some(text) => read(text).map_err(failed),
            None => Ok(None),
        }
    }
}

/// One step of a journal, from [`Journal::steps`]. As JSON (serde), passwords are redacted and the desired
/// user is left out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JournalStep {
    /// The index of the step in the plan, from 0.
    pub number: usize,
    /// The step.
    pub step: Step,
    /// The last state; `None` if the step was not begun.
    pub state: Option<StepState>,
    /// The time of that state by the clock of the local machine, in RFC 3339.
    pub at: Option<String>,
    /// The id of the user, if it is known.
    pub id: Option<String>,
    /// The reason why the step was skipped, failed or not kept by the server.
    pub reason: Option<String>,
}

/// Whether a step need not be repeated.
fn is_done(state: Option<StepState>) -> bool {
    matches!(state, Some(StepState::Applied | StepState::Unneeded))
}

/// An error of a journal.
fn refused(path: &Path, what: &str, error: Option<io::Error>) -> Error {
    let message = match &error {
        Some(error) => format!("the journal {} {what}: {error}", path.display()),
        None => format!("the journal {} {what}", path.display()),
    };
    let refusal = Error::new(ErrorKind::Journal, message);
    match error {
        Some(error) => refusal.with_source(error),
        None => refusal,
    }
}
