//! The file of a plan, and the files beside it.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use wats_scim::ErrorKind;
use wats_scim::blocking::ScimClient;
use wats_scim::plan::{Current, Journal, Plan};

use crate::failure::Failure;
use crate::private::NewFile;

/// Whether the file is the journal of an apply, and not a plan.
pub(crate) fn is_journal(path: &Path) -> Result<bool, Failure> {
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

/// Stores a plan, or what belongs to it, in a file that only its owner can read, all or nothing.
pub(crate) fn store(path: &Path, content: &impl Serialize) -> Result<(), Failure> {
    NewFile::create(path)?.keep(format!("{}\n", text(content)?).as_bytes())
}

/// A plan, or what belongs to it, as JSON.
pub(crate) fn text(content: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(content).map_err(|error| Failure::Other(format!("it cannot be stored: {error}")))
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
}
