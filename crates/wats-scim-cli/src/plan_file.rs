//! The file of a plan, and the files beside it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use wats_scim::blocking::ScimClient;
use wats_scim::plan::{Current, Journal, Plan, Policy};
use wats_scim::{ErrorKind, Profile};

use crate::failure::Failure;

/// Whether the file is the journal of an apply, and not a plan.
pub(crate) fn is_journal(path: &Path) -> Result<bool, Failure> {
    use std::io::Read as _;

    let mut start = Vec::new();
    let file = fs::File::open(path).map_err(|error| Failure::file(path, error))?;
    file.take(64).read_to_end(&mut start).map_err(|error| Failure::file(path, error))?;
    Ok(start.starts_with(br#"{"format":"wats-scim-journal/"#))
}

/// Reads a plan, or the plan of a journal.
pub(crate) fn read(path: &Path) -> Result<Plan, Failure> {
    if is_journal(path)? {
        let plan = Journal::at(path).plan()?;
        return plan.ok_or_else(|| Failure::file(path, "the journal has no plan; apply the plan again"));
    }
    let text = fs::read(path).map_err(|error| Failure::file(path, error))?;
    serde_json::from_slice(&text).map_err(|error| Failure::file(path, error))
}

/// The file beside a plan with another ending: `plan.journal` beside `plan.json`.
pub(crate) fn beside(plan: &Path, ending: &str) -> PathBuf {
    plan.with_extension(ending)
}

/// Writes a file that only its owner can read (on Unix), all or nothing.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let new = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&new);
        Failure::file(path, error)
    })
}

/// The policy in a JSON file, or the default one.
pub(crate) fn policy(path: Option<&Path>, profile: &Profile) -> Result<Policy, Failure> {
    let Some(path) = path else { return Ok(Policy::new(profile)) };
    let text = fs::read(path).map_err(|error| Failure::file(path, error))?;
    let policy: Policy = serde_json::from_slice(&text).map_err(|error| Failure::file(path, error))?;
    Ok(policy.profile(profile))
}

/// The users of the server, and its groups if it has any.
pub(crate) fn current(client: &ScimClient) -> Result<Current, Failure> {
    match client.current_directory() {
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(client.current_users()?),
        current => Ok(current?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_plan_have_its_name() {
        for (plan, journal) in
            [("a/plan.json", "a/plan.journal"), ("plan", "plan.journal"), ("x.y.json", "x.y.journal")]
        {
            assert_eq!(beside(Path::new(plan), "journal"), Path::new(journal));
        }
    }

    #[test]
    fn a_file_is_replaced_and_its_owners_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        write(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;

            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(write(&folder.path().join("missing/file"), "x").is_err());
    }
}
