//! The journal of an apply, from which an interrupted apply resumes.

pub(in crate::plan) mod file;
pub(in crate::plan) mod not_kept;
pub(in crate::plan) mod written;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::audit::lines::Lines;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ScimUser;
use crate::outside::clock;
use crate::outside::file::{is_regular, make_private, read_regular};
use crate::plan::journal::file::{Known, LastLine, Line, StateLine, StepState, WholeLine, begin, read};
use crate::plan::journal::written::{Written, WrittenStep, before};
use crate::plan::{NotKept, Outcome, Plan, Step};

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

/// An open journal. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct OpenJournal(Arc<Open>);

#[derive(Debug)]
struct Open {
    journal: Journal,
    /// `None` in a dry run.
    lines: Option<Lines>,
    /// The last line of each step.
    last: Vec<Option<StateLine>>,
    keeps_before: bool,
    /// Whether a line could not be written: then no more writes are sent.
    has_failed: AtomicBool,
}

impl OpenJournal {
    /// Begins the journal of a plan, or resumes it if the file exists. `None` while another apply
    /// holds its lock.
    pub(crate) fn open(journal: &Journal, plan: &Plan) -> Result<Option<Self>> {
        let path = &journal.path;
        let failed = |what: &str, error: io::Error| refused(path, what, Some(error));
        is_regular(path).map_err(|error| failed("could not be opened", error))?;
        let mut lines = Lines::open(path).map_err(|error| failed("could not be opened", error))?;
        if !lines.try_lock().map_err(|error| failed("could not be locked", error))? {
            return Ok(None);
        }
        lines.is_synced = journal.is_synced;
        let unreadable = |error| failed("could not be read", error);
        let known = read::<StateLine>(lines.read().map_err(unreadable)?).map_err(unreadable)?;
        let (last, keeps_before) = if let Some(known) = known {
            known.check(path, plan)?;
            (known.last, known.keeps_before)
        } else {
            begin(&lines, plan, journal.keeps_before).map_err(|error| failed("could not be written", error))?;
            (Vec::new(), journal.keeps_before)
        };
        make_private(path).map_err(|error| failed("could not be made readable by its owner only", error))?;
        Ok(Some(Self(Arc::new(Open {
            journal: journal.clone(),
            lines: Some(lines),
            last,
            keeps_before,
            has_failed: AtomicBool::new(false),
        }))))
    }

    /// Reads the journal of a plan without writing to it.
    pub(crate) fn look(journal: &Journal, plan: &Plan) -> Result<Self> {
        let known = journal.read::<StateLine>()?;
        if let Some(known) = &known {
            known.check(&journal.path, plan)?;
        }
        let last = known.map(|known| known.last).unwrap_or_default();
        Ok(Self(Arc::new(Open {
            journal: journal.clone(),
            lines: None,
            last,
            keeps_before: false,
            has_failed: AtomicBool::new(false),
        })))
    }

    pub(crate) fn is_done(&self, step: usize) -> bool {
        is_done(self.state(step))
    }

    /// Whether the step was begun before, so that it may have been applied.
    pub(crate) fn was_begun(&self, step: usize) -> bool {
        self.state(step).is_some()
    }

    fn state(&self, step: usize) -> Option<StepState> {
        self.line(step).map(|line| line.state)
    }

    /// The id of the user or group of a step that was done before, if it is known.
    pub(crate) fn id(&self, step: usize) -> Option<&str> {
        self.line(step)?.id.as_deref()
    }

    fn line(&self, step: usize) -> Option<&StateLine> {
        self.0.last.get(step)?.as_ref()
    }

    /// Records that a step begins.
    pub(crate) fn begin(&self, step: usize, of: &Step) -> Result<()> {
        self.write(&Line::new(now(), step, &of.name, StepState::Begun))
    }

    /// Whether the values that a write replaces are recorded.
    pub(crate) fn keeps_before(&self) -> bool {
        self.0.keeps_before
    }

    /// Records what a write is about to replace, if the journal [keeps](Journal::keep_before) it.
    pub(crate) fn keep(&self, step: usize, of: &Step, held: Option<&ScimUser>) -> Result<()> {
        if !self.keeps_before() {
            return Ok(());
        }
        if self.0.has_failed.load(Ordering::Relaxed) {
            return Err(refused(&self.0.journal.path, "could not be written before", None));
        }
        let before = Some(before(of, held));
        self.write(&Line { before, ..Line::new(now(), step, &of.name, StepState::Begun) })
    }

    /// Records the outcome of a step.
    pub(crate) fn end(&self, step: usize, of: &Step, id: Option<&str>, outcome: &Outcome) -> Result<()> {
        let (state, reason) = match outcome {
            Outcome::Applied => (StepState::Applied, None),
            // Sending it again would not help.
            Outcome::NotKept(paths) => (StepState::Applied, Some(paths.join(", "))),
            Outcome::Unneeded | Outcome::DoneBefore => (StepState::Unneeded, None),
            Outcome::Skipped(reason) => (StepState::Skipped, Some(reason.clone())),
            Outcome::Blocked(_) => (StepState::Skipped, Some(outcome.to_string())),
            Outcome::Failed(error) => (StepState::Failed, Some(error.to_string())),
            Outcome::Planned | Outcome::Differs(_) => return Ok(()),
        };
        let not_kept: &[String] = if let Outcome::NotKept(paths) = outcome { paths } else { &[] };
        let id = id.or(of.id.as_deref());
        self.write(&Line { id, reason, not_kept, ..Line::new(now(), step, &of.name, state) })
    }

    fn write(&self, line: &Line<'_>) -> Result<()> {
        let Some(lines) = &self.0.lines else { return Ok(()) };
        lines.append(line).map_err(|error| {
            self.0.has_failed.store(true, Ordering::Relaxed);
            refused(&self.0.journal.path, "could not be written", Some(error))
        })
    }
}

fn is_done(state: Option<StepState>) -> bool {
    matches!(state, Some(StepState::Applied | StepState::Unneeded))
}

impl Known<StateLine> {
    fn check(&self, path: &Path, plan: &Plan) -> Result<()> {
        if self.plan == *plan {
            return Ok(());
        }
        let what = "belongs to another plan; use another file for this plan, or resume the plan that Journal::plan \
                    returns";
        Err(refused(path, what, None))
    }
}

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

fn now() -> String {
    let now: DateTime<Utc> = clock::date().into();
    now.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::config::Profile;
    use crate::model::ScimUser;
    use crate::plan::{Current, Policy};

    /// The path of a new file, in a folder that is deleted on drop.
    fn new_file() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal");
        (folder, file)
    }

    fn plan(users: usize) -> Plan {
        let desired: Vec<_> = (0..users).map(|n| ScimUser::new(format!("user{n}"))).collect();
        Policy::new(&Profile::wats()).plan(&Current::complete(Vec::new()), &desired).unwrap()
    }

    fn open(path: &Path, plan: &Plan) -> Result<OpenJournal> {
        let journal = Journal::at(path).synced();
        OpenJournal::open(&journal, plan)?.ok_or_else(|| journal.in_use())
    }

    fn why(path: &Path, plan: &Plan) -> String {
        let error = open(path, plan).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Journal);
        error.to_string()
    }

    #[test]
    fn steps_that_were_begun_and_done_are_known_again() {
        let ((_folder, file), plan) = (new_file(), plan(4));
        let journal = open(&file, &plan).unwrap();
        for (step, outcome) in [(0, Some(Outcome::Applied)), (1, None), (2, Some(Outcome::Skipped("gone".into())))] {
            journal.begin(step, &plan.steps[step]).unwrap();
            if let Some(outcome) = outcome {
                journal.end(step, &plan.steps[step], Some("7"), &outcome).unwrap();
            }
        }
        drop(journal);
        assert_eq!(Journal::at(&file).plan().unwrap(), Some(plan.clone()));
        let journal = open(&file, &plan).unwrap();
        let known: Vec<_> = (0..4).map(|step| (journal.is_done(step), journal.was_begun(step))).collect();
        assert_eq!(known, [(true, true), (false, true), (false, true), (false, false)]);
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.lines().nth(2).unwrap().ends_with(r#""step":0,"name":"user0","state":"applied","id":"7"}"#),
            "{text}"
        );
    }

    #[test]
    fn a_journal_that_was_cut_off_anywhere_is_resumed() {
        let ((_folder, file), plan) = (new_file(), plan(3));
        let journal = open(&file, &plan).unwrap();
        let head = fs::metadata(&file).unwrap().len();
        for step in 0..2 {
            journal.begin(step, &plan.steps[step]).unwrap();
            journal.end(step, &plan.steps[step], None, &Outcome::Applied).unwrap();
        }
        drop(journal);
        let whole = fs::read(&file).unwrap();
        for length in 0..whole.len() {
            fs::write(&file, &whole[..length]).unwrap();
            let journal = open(&file, &plan).unwrap();
            let lines = whole[..length].split(|byte| *byte == b'\n').count() - 1;
            let done = (0..3).filter(|step| journal.is_done(*step)).count();
            assert_eq!(done, lines.saturating_sub(1) / 2, "{length} of {}, the first line has {head}", whole.len());
            journal.begin(2, &plan.steps[2]).unwrap();
            drop(journal);
            assert!(open(&file, &plan).unwrap().was_begun(2), "{length}");
        }
    }

    #[test]
    fn the_journal_of_another_plan_and_other_files_are_left_alone() {
        let (folder, file) = new_file();
        drop(open(&file, &plan(2)).unwrap());
        let before = fs::read(&file).unwrap();
        assert!(why(&file, &plan(3)).contains("belongs to another plan"));
        assert_eq!(fs::read(&file).unwrap(), before);
        for text in ["127.0.0.1 localhost\n", "x", "{\"a", "{\"plan\":7}\n", "\n\n"] {
            fs::write(&file, text).unwrap();
            assert!(why(&file, &plan(2)).contains("not a journal"), "{text}");
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(Journal::at(folder.path().join("nowhere")).plan().unwrap(), None);
        assert!(Journal::at(folder.path()).plan().is_err());
    }

    #[test]
    fn a_trail_or_a_plan_is_not_read_as_a_journal() {
        let ((_folder, file), plan) = (new_file(), plan(1));
        let stored = serde_json::to_string(&plan).unwrap();
        for (text, expected) in [
            (
                r#"{"format":"wats-scim-trail/1","at":"2026-01-01T00:00:00Z"}"#,
                "it is an audit trail; read it with Trail",
            ),
            (&*stored, "it is a plan; read it with serde_json"),
            (r#"{"format":"wats-scim-journal/2"}"#, "its format is \"wats-scim-journal/2\""),
        ] {
            for text in [text.to_owned(), format!("{text}\n")] {
                fs::write(&file, &text).unwrap();
                for error in [why(&file, &plan), Journal::at(&file).steps().unwrap_err().to_string()] {
                    assert!(error.contains(expected), "{error}");
                }
                assert_eq!(fs::read_to_string(&file).unwrap(), text, "it is left alone");
            }
        }
    }

    #[test]
    fn a_plan_with_passwords_is_resumed_from_a_journal_without_them() {
        let (_folder, file) = new_file();
        let jane = ScimUser::new("jane").with_attribute("password", "canary");
        let plan = Policy::new(&Profile::wats()).plan(&Current::complete(Vec::new()), &[jane]).unwrap();
        drop(open(&file, &plan).unwrap());
        assert!(!fs::read_to_string(&file).unwrap().contains("canary"));
        assert!(open(&file, &plan).is_ok(), "it is the same plan");
        let known = Journal::at(&file).plan().unwrap().unwrap();
        assert!(known.lacks_secrets(|_| false).is_some());
        let known = known.with_passwords([("jane", "canary")]);
        assert!(known.lacks_secrets(|_| false).is_none() && open(&file, &known).is_ok());
    }

    #[test]
    fn an_inconsistent_plan_is_not_resumed() {
        let ((_folder, file), plan) = (new_file(), plan(1));
        drop(open(&file, &plan).unwrap());
        let text = fs::read_to_string(&file).unwrap().replace(r#""action":"create""#, r#""action":"delete""#);
        fs::write(&file, &text).unwrap();
        let error = Journal::at(&file).plan().unwrap_err().to_string();
        assert!(
            error.ends_with("step 1 of the plan is inconsistent: it deletes a user, and has a desired user"),
            "{error}"
        );
        assert_eq!(why(&file, &plan), error);
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }

    #[test]
    fn a_disk_that_was_full_for_a_moment_costs_one_line() {
        let ((_folder, file), plan) = (new_file(), plan(3));
        let journal = open(&file, &plan).unwrap();
        journal.begin(0, &plan.steps[0]).unwrap();
        let mut other = fs::OpenOptions::new().append(true).open(&file).unwrap();
        std::io::Write::write_all(&mut other, br#"{"at":"2026-01-01T00:00:00.000Z","st"#).unwrap();
        drop(journal);
        let journal = open(&file, &plan).unwrap();
        journal.end(0, &plan.steps[0], None, &Outcome::Applied).unwrap();
        journal.begin(1, &plan.steps[1]).unwrap();
        drop(journal);
        let journal = open(&file, &plan).unwrap();
        assert!(journal.is_done(0) && journal.was_begun(1) && !journal.was_begun(2));
    }

    #[cfg(unix)]
    #[test]
    fn a_journal_is_a_regular_file_of_its_owner_only() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let plan = plan(1);
        let (folder, file) = new_file();
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        drop(open(&file, &plan).unwrap());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        let [link, target] = ["link", "target"].map(|name| folder.path().join(name));
        symlink(&target, &link).unwrap();
        assert!(why(&link, &plan).contains("a link to a file that does not exist"));
        assert!(!target.exists());
        assert!(why(Path::new("/dev/full"), &plan).contains("it is not a regular file"));
        assert!(Journal::at("/dev/full").plan().is_err());
    }

    #[test]
    fn one_apply_uses_it_at_a_time() {
        let ((_folder, file), plan) = (new_file(), plan(1));
        let journal = open(&file, &plan).unwrap();
        assert!(why(&file, &plan).ends_with("is in use by another apply"));
        drop(journal);
        assert!(open(&file, &plan).is_ok());
    }

    #[test]
    fn a_process_that_inherits_the_descriptor_does_not_keep_the_lock() {
        let ((_folder, file), plan) = (new_file(), plan(1));
        let journal = open(&file, &plan).unwrap();
        // What a child holds between fork and exec: another descriptor of the same open file.
        let inherited = journal.0.lines.as_ref().unwrap().inherited();
        drop(journal);
        assert!(open(&file, &plan).is_ok());
        drop(inherited);
    }
}
