//! Where the command keeps its files: profiles, secrets and the trail.

use std::env;
use std::path::PathBuf;

use directories::ProjectDirs;

use crate::failure::Failure;

/// The folder of all of them, instead of those of the system. Secrets are in it, too, and not in the keyring.
const HOME: &str = "WATS_SCIM_HOME";

/// The folder of the profiles and the secrets.
pub(crate) fn configuration() -> Result<PathBuf, Failure> {
    folder(|folders| folders.config_dir().to_owned())
}

/// The folder of the trail.
pub(crate) fn data() -> Result<PathBuf, Failure> {
    folder(|folders| folders.data_local_dir().to_owned())
}

/// Whether the folder of all of them is named.
pub(crate) fn is_named() -> bool {
    named().is_some()
}

fn named() -> Option<PathBuf> {
    env::var_os(HOME).filter(|home| !home.is_empty()).map(PathBuf::from)
}

fn folder(of: impl Fn(&ProjectDirs) -> PathBuf) -> Result<PathBuf, Failure> {
    if let Some(home) = named() {
        return Ok(home);
    }
    let folders = ProjectDirs::from("", "", "wats-scim");
    let missing = || Failure::Other(format!("the account has no home folder; set {HOME} to a folder of your own"));
    folders.as_ref().map(of).ok_or_else(missing)
}
