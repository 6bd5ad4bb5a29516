//! The secrets of profiles: in the keyring of the system, or in a file that only its owner can read.

mod file;
#[cfg(all(feature = "keyring", any(target_os = "linux", target_os = "macos", windows)))]
mod keyring;
#[cfg(not(all(feature = "keyring", any(target_os = "linux", target_os = "macos", windows))))]
#[path = "no_keyring.rs"]
mod keyring;

use serde::{Deserialize, Serialize};
use wats_scim::Secret;

use crate::context::Context;
use crate::failure::Failure;
use crate::{place, terminal};

/// Where a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Store {
    Keyring,
    File,
}

/// What a secret is for. It belongs to both: with another URL, the profile has no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    pub(crate) profile: &'a str,
    pub(crate) url: &'a str,
}

/// Keeps a secret: in the keyring if there is one, else in the file, which is said.
pub(crate) fn keep(context: &Context, key: Key<'_>, secret: &Secret) -> Result<Store, Failure> {
    // Everything is in the folder that is named, and nothing elsewhere.
    if !place::is_named() {
        match keyring::keep(key, secret.expose(), terminal::can_ask()) {
            Ok(()) => return Ok(Store::Keyring),
            Err(why) => context.say(format!(
                "there is no keyring to use ({why}); the secret is kept in {}, which only this account can read",
                file::path()?.display()
            )),
        }
    }
    file::keep(key, secret)?;
    Ok(Store::File)
}

/// The secret; `None` if there is none.
pub(crate) fn read(store: Store, key: Key<'_>) -> Result<Option<Secret>, Failure> {
    match store {
        Store::File => file::read(key),
        Store::Keyring => keyring::read(key, terminal::can_ask()).map_err(|why| locked(key, &why)),
    }
}

/// Removes the secret, if there is one.
pub(crate) fn forget(store: Store, key: Key<'_>) -> Result<(), Failure> {
    match store {
        Store::File => file::forget(key),
        Store::Keyring => keyring::forget(key, terminal::can_ask()).map_err(|why| locked(key, &why)),
    }
}

fn locked(key: Key<'_>, why: &str) -> Failure {
    Failure::Other(format!(
        "the secret of the profile {} is in the keyring, which cannot be used here ({why}); unlock it, give \
         --token-file, or run `wats-scim login {0}` again",
        key.profile
    ))
}
