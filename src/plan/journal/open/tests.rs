use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::config::Profile;
use crate::error::ErrorKind;
use crate::plan::{Current, Outcome, Policy};

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
    assert!(text.lines().nth(2).unwrap().ends_with(r#""step":0,"name":"user0","state":"applied","id":"7"}"#), "{text}");
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
        (r#"{"format":"wats-scim-trail/1","at":"2026-01-01T00:00:00Z"}"#, "it is an audit trail; read it with Trail"),
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
    assert!(known.missing_secrets(|_| false).is_some());
    let known = known.with_passwords([("jane", "canary")]);
    assert!(known.missing_secrets(|_| false).is_none() && open(&file, &known).is_ok());
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
