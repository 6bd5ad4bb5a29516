//! The keyring of the system. Each function fails with the reason, and never waits for a person who is not there:
//! `can_ask` says whether one is at the terminal.

#[cfg(target_os = "linux")]
#[path = "secret_service.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "keychain.rs"]
mod system;
#[cfg(windows)]
#[path = "credential_manager.rs"]
mod system;

pub(super) use system::{forget, keep, read};

use super::Key;

/// The name of this program in a keyring.
const SERVICE: &str = "wats-scim";

/// The name of an entry, in a keyring that has names and not attributes.
#[cfg(not(target_os = "linux"))]
fn account(key: Key<'_>) -> String {
    format!("{} at {}", key.profile, key.url)
}

/// A secret, which is text.
fn secret(bytes: Vec<u8>) -> Result<wats_scim::Secret, String> {
    String::from_utf8(bytes).map(wats_scim::Secret::new).map_err(|_| "the entry is not text".to_owned())
}
