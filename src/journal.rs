//! What an apply leaves on disk, so that it can go on after it was interrupted.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::apply::StepOutcome;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Plan, PlanStep};

/// The journal of an apply: a file of JSON Lines, to which a line is added before each step and
/// after it.
///
/// An apply that was interrupted, whatever the moment, goes on with the same journal: steps that
/// were done are not repeated, and those that were on their way are looked up on the server first.
/// The plan stands on the first line, so the file is all that is needed:
///
/// ```
/// use wats_scim::blocking::ScimClient;
/// use wats_scim::{Credentials, CurrentUsers, Journal, PlanPolicy, ScimUser};
/// # let sandbox = wats_scim::sandbox::Sandbox::start()?;
/// # let client = ScimClient::connect(sandbox.base_url(), Credentials::wats_token(sandbox.token()))?;
/// # let path = std::env::temp_dir().join(format!("wats-scim-{}.journal", std::process::id()));
///
/// let plan = PlanPolicy::new(client.profile()).plan(&client.current_users()?, &[ScimUser::new("jane")])?;
/// let report = client.apply(plan.clone()).journal(Journal::open(&path, &plan)?).run()?;
/// assert_eq!(report.applied, 1);
///
/// // After an interruption:
/// let plan = Journal::plan(&path)?;
/// let report = client.apply(plan.clone()).journal(Journal::open(&path, &plan)?).run()?;
/// assert_eq!((report.applied, report.done_before), (0, 1));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// One apply has the file at a time. Like the plan in it, it holds the data of users; where the
/// system knows owners, only its owner can read it.
#[derive(Clone, Debug)]
pub struct Journal {
    open: Arc<Open>,
    is_synced: bool,
}

#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: Mutex<File>,
    /// What became of each step before.
    states: Vec<Option<State>>,
}

/// The state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    Begun,
    Applied,
    Unneeded,
    Skipped,
    Failed,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    plan: &'a Plan,
}

#[derive(Deserialize)]
struct ReadHead {
    plan: Plan,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    at: String,
    step: usize,
    user_name: &'a str,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct ReadLine {
    step: usize,
    state: State,
}

impl Journal {
    /// Begins the journal of a plan, or goes on with it if the file is there.
    ///
    /// # Errors
    ///
    /// [`Journal`](ErrorKind::Journal) if the file cannot be written, is not a journal, is the
    /// journal of another plan, or is in use.
    pub fn open(path: impl AsRef<Path>, plan: &Plan) -> Result<Self> {
        let path = path.as_ref();
        let failed = |what: &str, error: io::Error| refused(path, what, Some(error));
        let mut file = options().create(true).open(path).map_err(|error| failed("could not be opened", error))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => refused(path, "is in use by another apply", None),
            TryLockError::Error(error) => failed("could not be locked", error),
        })?;
        let known = read(&mut file).map_err(|error| failed("could not be read", error))?;
        let states = match &known {
            Some((known, states)) if known == plan => states.clone(),
            Some(_) => {
                let what = "is of another plan; give this plan a journal of its own, or go on with that one, which \
                            Journal::plan reads";
                return Err(refused(path, what, None));
            }
            None => {
                begin(&mut file, plan).map_err(|error| failed("could not be written", error))?;
                Vec::new()
            }
        };
        let open = Open { path: path.to_owned(), file: Mutex::new(file), states };
        Ok(Self { open: Arc::new(open), is_synced: false })
    }

    /// The plan that a journal is of, to go on with it.
    ///
    /// # Errors
    ///
    /// [`Journal`](ErrorKind::Journal) if the file cannot be read or is not a journal.
    pub fn plan(path: impl AsRef<Path>) -> Result<Plan> {
        let path = path.as_ref();
        let failed = |error| refused(path, "could not be read", Some(error));
        let mut first = String::new();
        BufReader::new(File::open(path).map_err(failed)?).read_line(&mut first).map_err(failed)?;
        head(&first).map_err(failed)
    }

    /// Has each line on the disk before going on, so that the journal also survives the machine and
    /// not only the program. That costs time with each step; it is off by default.
    #[must_use]
    pub fn synced(self) -> Self {
        Self { is_synced: true, ..self }
    }

    /// How many steps were done before.
    #[must_use]
    pub fn done(&self) -> usize {
        self.open.states.iter().filter(|state| is_done(**state)).count()
    }

    pub(crate) fn is_done(&self, step: usize) -> bool {
        is_done(self.state(step))
    }

    /// Whether the step was begun before, so that it may be done.
    pub(crate) fn was_begun(&self, step: usize) -> bool {
        self.state(step).is_some()
    }

    fn state(&self, step: usize) -> Option<State> {
        self.open.states.get(step).copied().flatten()
    }

    /// Notes that a step is about to be done.
    pub(crate) fn begin(&self, step: usize, of: &PlanStep) -> Result<()> {
        self.write(&Line { at: now(), step, user_name: &of.user_name, state: State::Begun, id: None, reason: None })
    }

    /// Notes what became of a step.
    pub(crate) fn end(&self, step: usize, of: &PlanStep, id: Option<&str>, outcome: &StepOutcome) -> Result<()> {
        let (state, reason) = match outcome {
            StepOutcome::Applied => (State::Applied, None),
            StepOutcome::Unneeded | StepOutcome::DoneBefore => (State::Unneeded, None),
            StepOutcome::Skipped(reason) => (State::Skipped, Some(reason.clone())),
            StepOutcome::Failed(error) => (State::Failed, Some(error.to_string())),
            StepOutcome::Planned => return Ok(()),
        };
        self.write(&Line { at: now(), step, user_name: &of.user_name, state, id: id.or(of.id.as_deref()), reason })
    }

    fn write(&self, line: &Line<'_>) -> Result<()> {
        let Open { path, file, .. } = &*self.open;
        let failed = |error| refused(path, "could not be written", Some(error));
        let mut text = serde_json::to_vec(line).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&text).map_err(failed)?;
        if self.is_synced {
            file.sync_data().map_err(failed)?;
        }
        Ok(())
    }
}

fn is_done(state: Option<State>) -> bool {
    matches!(state, Some(State::Applied | State::Unneeded))
}

fn options() -> std::fs::OpenOptions {
    let mut options = File::options();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes the first line, over whatever was cut off before it was whole.
fn begin(file: &mut File, plan: &Plan) -> io::Result<()> {
    let mut text = serde_json::to_vec(&Head { plan })?;
    text.push(b'\n');
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&text)?;
    file.sync_data()
}

/// The plan and the state of its steps; none if the first line was never whole, so that no step was
/// begun. A last line that was cut off is taken away.
fn read(file: &mut File) -> io::Result<Option<(Plan, Vec<Option<State>>)>> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let Some(last) = text.iter().rposition(|byte| *byte == b'\n') else {
        // A first line that was cut off begins like one; anything else is somebody's file.
        let is_ours = text.starts_with(HEAD) || HEAD.starts_with(&text);
        return if is_ours { Ok(None) } else { Err(not_a_journal()) };
    };
    text.truncate(last + 1);
    let text = String::from_utf8(text).map_err(|_| not_a_journal())?;
    let mut lines = text.lines();
    let plan = head(lines.next().unwrap_or_default())?;
    let mut states = vec![None; plan.steps.len()];
    for line in lines {
        let line: ReadLine = serde_json::from_str(line)?;
        let state = states.get_mut(line.step).ok_or_else(not_a_journal)?;
        *state = Some(line.state);
    }
    let whole = u64::try_from(text.len()).map_err(io::Error::other)?;
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    Ok(Some((plan, states)))
}

/// How a journal begins.
const HEAD: &[u8] = br#"{"plan":{"#;

fn head(line: &str) -> io::Result<Plan> {
    let head: ReadHead = serde_json::from_str(line).map_err(|_| not_a_journal())?;
    Ok(head.plan)
}

fn not_a_journal() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not a journal of this crate")
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
    let now: DateTime<Utc> = Utc::now();
    now.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::model::ScimUser;
    use crate::plan::{CurrentUsers, PlanPolicy};
    use crate::profile::Profile;

    /// A file that is gone with this.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new() -> Self {
            static NEXT: AtomicUsize = AtomicUsize::new(0);
            let name = format!("wats-scim-journal-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn plan(users: usize) -> Plan {
        let desired: Vec<_> = (0..users).map(|n| ScimUser::new(format!("user{n}"))).collect();
        PlanPolicy::new(&Profile::wats()).plan(&CurrentUsers::complete(Vec::new()), &desired).unwrap()
    }

    fn why(path: &Path, plan: &Plan) -> String {
        let error = Journal::open(path, plan).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Journal);
        error.to_string()
    }

    #[test]
    fn what_was_begun_and_done_is_known_again() {
        let (file, plan) = (Temporary::new(), plan(4));
        let journal = Journal::open(&file.0, &plan).unwrap().synced();
        for (step, outcome) in
            [(0, Some(StepOutcome::Applied)), (1, None), (2, Some(StepOutcome::Skipped("gone".into())))]
        {
            journal.begin(step, &plan.steps[step]).unwrap();
            if let Some(outcome) = outcome {
                journal.end(step, &plan.steps[step], Some("7"), &outcome).unwrap();
            }
        }
        drop(journal);
        assert_eq!(Journal::plan(&file.0).unwrap(), plan);
        let journal = Journal::open(&file.0, &plan).unwrap();
        let known: Vec<_> = (0..4).map(|step| (journal.is_done(step), journal.was_begun(step))).collect();
        assert_eq!(known, [(true, true), (false, true), (false, true), (false, false)]);
        assert_eq!(journal.done(), 1);
        let text = fs::read_to_string(&file.0).unwrap();
        assert!(
            text.lines().nth(2).unwrap().ends_with(r#""step":0,"userName":"user0","state":"applied","id":"7"}"#),
            "{text}"
        );
    }

    #[test]
    fn a_journal_that_was_cut_off_anywhere_is_gone_on_with() {
        let (file, plan) = (Temporary::new(), plan(3));
        let journal = Journal::open(&file.0, &plan).unwrap();
        let head = fs::metadata(&file.0).unwrap().len();
        for step in 0..2 {
            journal.begin(step, &plan.steps[step]).unwrap();
            journal.end(step, &plan.steps[step], None, &StepOutcome::Applied).unwrap();
        }
        drop(journal);
        let whole = fs::read(&file.0).unwrap();
        for length in 0..whole.len() {
            fs::write(&file.0, &whole[..length]).unwrap();
            let journal = Journal::open(&file.0, &plan).unwrap();
            let lines = whole[..length].split(|byte| *byte == b'\n').count() - 1;
            assert_eq!(
                journal.done(),
                lines.saturating_sub(1) / 2,
                "{length} of {}, the first line has {head}",
                whole.len()
            );
            journal.begin(2, &plan.steps[2]).unwrap();
            drop(journal);
            assert!(Journal::open(&file.0, &plan).unwrap().was_begun(2), "{length}");
        }
    }

    #[test]
    fn the_journal_of_another_plan_and_other_files_are_left_alone() {
        let file = Temporary::new();
        drop(Journal::open(&file.0, &plan(2)).unwrap());
        let before = fs::read(&file.0).unwrap();
        assert!(why(&file.0, &plan(3)).contains("is of another plan"));
        assert_eq!(fs::read(&file.0).unwrap(), before);
        for text in ["127.0.0.1 localhost\n", "x", "{\"plan\":7}\n", "\n\n"] {
            fs::write(&file.0, text).unwrap();
            assert!(why(&file.0, &plan(2)).contains("not a journal"), "{text}");
            assert_eq!(fs::read_to_string(&file.0).unwrap(), text);
        }
        assert!(Journal::plan(std::env::temp_dir().join("wats-scim-nowhere")).is_err());
    }

    #[test]
    fn one_apply_has_it_at_a_time() {
        let (file, plan) = (Temporary::new(), plan(1));
        let journal = Journal::open(&file.0, &plan).unwrap();
        assert!(why(&file.0, &plan).ends_with("is in use by another apply"));
        drop(journal);
        assert!(Journal::open(&file.0, &plan).is_ok());
    }
}
