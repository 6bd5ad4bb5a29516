//! What an apply leaves on disk, so that it can go on after it was interrupted.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::plan::Outcome;
use crate::plan::{Plan, Step};

/// The journal of an apply: a file of JSON Lines, to which a line is added before each step and
/// after it.
///
/// An apply that was interrupted, whatever the moment, goes on with the same journal: steps that
/// were done are not repeated, and those that were on their way are looked up on the server first.
/// The plan stands on the first line, so the file is all that is needed:
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
/// One apply has the file at a time. Like the plan in it, it holds the data of users; on Unix, a new
/// file can be read and written by its owner only.
#[derive(Clone, Debug)]
pub struct Journal {
    path: PathBuf,
    is_synced: bool,
}

impl Journal {
    /// The journal in this file, which an apply makes if it is not there.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_synced: false }
    }

    /// Has each line on the disk before going on, so that the journal also survives the machine and
    /// not only the program. That costs some milliseconds with each step, in which the async face
    /// holds up the executor's thread; it is off by default.
    #[must_use]
    pub fn synced(self) -> Self {
        Self { is_synced: true, ..self }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The plan that the journal is of, to go on with it. `None` if no apply has begun with it.
    ///
    /// # Errors
    ///
    /// [`Journal`](ErrorKind::Journal) if the file cannot be read or is not a journal.
    pub fn plan(&self) -> Result<Option<Plan>> {
        Ok(self.read()?.map(|known| known.plan))
    }

    /// The error of an apply that cannot have the journal because another one holds it.
    pub(crate) fn in_use(&self) -> Error {
        refused(&self.path, "is in use by another apply", None)
    }

    fn read(&self) -> Result<Option<Known>> {
        let failed = |error| refused(&self.path, "could not be read", Some(error));
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        read(&mut file).map_err(failed)
    }
}

/// A journal that an apply has open. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct OpenJournal(Arc<Open>);

#[derive(Debug)]
struct Open {
    journal: Journal,
    /// None if it is only looked at.
    file: Option<Mutex<File>>,
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

impl Drop for Open {
    /// A child process that another thread starts shares the descriptor until it executes its own
    /// program. Closing the file would leave the lock with the child; unlocking releases it.
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            let file = file.lock().unwrap_or_else(PoisonError::into_inner);
            // An error leaves the lock to the end of the process, like a crash.
            let _ = file.unlock();
        }
    }
}

impl OpenJournal {
    /// Begins the journal of a plan, or resumes it if the file exists. `None` while another apply
    /// holds its lock.
    pub(crate) fn open(journal: &Journal, plan: &Plan) -> Result<Option<Self>> {
        let path = &journal.path;
        let failed = |what: &str, error: io::Error| refused(path, what, Some(error));
        let mut file = options().open(path).map_err(|error| failed("could not be opened", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed("could not be locked", error)),
        }
        let known = read(&mut file).map_err(|error| failed("could not be read", error))?;
        let unwritten = |error| failed("could not be written", error);
        let states = if let Some(known) = known {
            known.check(path, plan)?;
            go_on(&mut file, known.length).map_err(unwritten)?;
            known.states
        } else {
            begin(&mut file, plan).map_err(unwritten)?;
            Vec::new()
        };
        Ok(Some(Self(Arc::new(Open { journal: journal.clone(), file: Some(Mutex::new(file)), states }))))
    }

    /// Looks at the journal of a plan, and writes nothing.
    pub(crate) fn look(journal: &Journal, plan: &Plan) -> Result<Self> {
        let known = journal.read()?;
        if let Some(known) = &known {
            known.check(&journal.path, plan)?;
        }
        let states = known.map(|known| known.states).unwrap_or_default();
        Ok(Self(Arc::new(Open { journal: journal.clone(), file: None, states })))
    }

    pub(crate) fn is_done(&self, step: usize) -> bool {
        is_done(self.state(step))
    }

    /// Whether the step was begun before, so that it may be done.
    pub(crate) fn was_begun(&self, step: usize) -> bool {
        self.state(step).is_some()
    }

    fn state(&self, step: usize) -> Option<State> {
        self.0.states.get(step).copied().flatten()
    }

    /// Notes that a step is about to be done.
    pub(crate) fn begin(&self, step: usize, of: &Step) -> Result<()> {
        self.write(&Line { at: now(), step, user_name: &of.user_name, state: State::Begun, id: None, reason: None })
    }

    /// Notes what became of a step.
    pub(crate) fn end(&self, step: usize, of: &Step, id: Option<&str>, outcome: &Outcome) -> Result<()> {
        let (state, reason) = match outcome {
            Outcome::Applied => (State::Applied, None),
            Outcome::Unneeded | Outcome::DoneBefore => (State::Unneeded, None),
            Outcome::Skipped(reason) => (State::Skipped, Some(reason.clone())),
            Outcome::Failed(error) => (State::Failed, Some(error.to_string())),
            Outcome::Planned => return Ok(()),
        };
        self.write(&Line { at: now(), step, user_name: &of.user_name, state, id: id.or(of.id.as_deref()), reason })
    }

    fn write(&self, line: &Line<'_>) -> Result<()> {
        let Open { journal, file, .. } = &*self.0;
        let failed = |error| refused(&journal.path, "could not be written", Some(error));
        let mut text = serde_json::to_vec(line).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let Some(file) = file else { return Ok(()) };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&text).map_err(failed)?;
        if journal.is_synced {
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
    options.read(true).write(true).create(true);
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

/// What a journal says.
struct Known {
    plan: Plan,
    states: Vec<Option<State>>,
    /// Where its last whole line ends.
    length: usize,
}

impl Known {
    fn check(&self, path: &Path, plan: &Plan) -> Result<()> {
        if self.plan == *plan {
            return Ok(());
        }
        let what = "is of another plan; give this plan a journal of its own, or go on with that one, which \
                    Journal::plan reads";
        Err(refused(path, what, None))
    }
}

/// Reads a journal; there is none if the first line was never whole, so that no step was begun. A
/// last line that was cut off does not count.
fn read(file: &mut File) -> io::Result<Option<Known>> {
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
    let head: ReadHead = serde_json::from_str(lines.next().unwrap_or_default()).map_err(|_| not_a_journal())?;
    let mut states = vec![None; head.plan.steps.len()];
    for line in lines {
        let line: ReadLine = serde_json::from_str(line)?;
        let state = states.get_mut(line.step).ok_or_else(not_a_journal)?;
        *state = Some(line.state);
    }
    Ok(Some(Known { plan: head.plan, states, length: text.len() }))
}

/// Writes on after the last whole line.
fn go_on(file: &mut File, length: usize) -> io::Result<()> {
    let length = u64::try_from(length).map_err(io::Error::other)?;
    file.set_len(length)?;
    file.seek(SeekFrom::Start(length)).map(drop)
}

/// How a journal begins.
const HEAD: &[u8] = br#"{"plan":{"#;

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

    use tempfile::TempDir;

    use super::*;
    use crate::config::Profile;
    use crate::model::ScimUser;
    use crate::plan::{CurrentUsers, Policy};

    /// A folder that is removed in the end, and the path of a journal in it.
    fn place() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        (folder, path)
    }

    fn plan(users: usize) -> Plan {
        let desired: Vec<_> = (0..users).map(|n| ScimUser::new(format!("user{n}"))).collect();
        Policy::new(&Profile::wats()).plan(&CurrentUsers::complete(Vec::new()), &desired).unwrap()
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
    fn what_was_begun_and_done_is_known_again() {
        let ((_folder, path), plan) = (place(), plan(4));
        let journal = open(&path, &plan).unwrap();
        for (step, outcome) in [(0, Some(Outcome::Applied)), (1, None), (2, Some(Outcome::Skipped("gone".into())))] {
            journal.begin(step, &plan.steps[step]).unwrap();
            if let Some(outcome) = outcome {
                journal.end(step, &plan.steps[step], Some("7"), &outcome).unwrap();
            }
        }
        drop(journal);
        assert_eq!(Journal::at(&path).plan().unwrap(), Some(plan.clone()));
        let journal = open(&path, &plan).unwrap();
        let known: Vec<_> = (0..4).map(|step| (journal.is_done(step), journal.was_begun(step))).collect();
        assert_eq!(known, [(true, true), (false, true), (false, true), (false, false)]);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.lines().nth(2).unwrap().ends_with(r#""step":0,"userName":"user0","state":"applied","id":"7"}"#),
            "{text}"
        );
    }

    #[test]
    fn a_journal_that_was_cut_off_anywhere_is_gone_on_with() {
        let ((_folder, path), plan) = (place(), plan(3));
        let journal = open(&path, &plan).unwrap();
        let head = fs::metadata(&path).unwrap().len();
        for step in 0..2 {
            journal.begin(step, &plan.steps[step]).unwrap();
            journal.end(step, &plan.steps[step], None, &Outcome::Applied).unwrap();
        }
        drop(journal);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let journal = open(&path, &plan).unwrap();
            let lines = whole[..length].split(|byte| *byte == b'\n').count() - 1;
            let done = (0..3).filter(|step| journal.is_done(*step)).count();
            assert_eq!(done, lines.saturating_sub(1) / 2, "{length} of {}, the first line has {head}", whole.len());
            journal.begin(2, &plan.steps[2]).unwrap();
            drop(journal);
            assert!(open(&path, &plan).unwrap().was_begun(2), "{length}");
        }
    }

    #[test]
    fn the_journal_of_another_plan_and_other_files_are_left_alone() {
        let (folder, path) = place();
        drop(open(&path, &plan(2)).unwrap());
        let before = fs::read(&path).unwrap();
        assert!(why(&path, &plan(3)).contains("is of another plan"));
        assert_eq!(fs::read(&path).unwrap(), before);
        for text in ["127.0.0.1 localhost\n", "x", "{\"plan\":7}\n", "\n\n"] {
            fs::write(&path, text).unwrap();
            assert!(why(&path, &plan(2)).contains("not a journal"), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(Journal::at(folder.path().join("nowhere")).plan().unwrap(), None);
        assert!(Journal::at(folder.path()).plan().is_err());
    }

    #[test]
    fn one_apply_has_it_at_a_time() {
        let ((_folder, path), plan) = (place(), plan(1));
        let journal = open(&path, &plan).unwrap();
        assert!(why(&path, &plan).ends_with("is in use by another apply"));
        drop(journal);
        assert!(open(&path, &plan).is_ok());
    }

    #[test]
    fn a_process_that_inherits_the_descriptor_does_not_keep_the_lock() {
        let ((_folder, path), plan) = (place(), plan(1));
        let journal = open(&path, &plan).unwrap();
        // What a child holds between fork and exec: another descriptor of the same open file.
        let inherited = journal.0.file.as_ref().unwrap().lock().unwrap().try_clone().unwrap();
        drop(journal);
        assert!(open(&path, &plan).is_ok());
        drop(inherited);
    }
}
