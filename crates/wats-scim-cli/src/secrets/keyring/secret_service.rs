//! The Secret Service of a Linux desktop, on the D-Bus of the session.

use std::collections::HashMap;
use std::env;
use std::path::Path;

use dbus_secret_service::{EncryptionType, Error, Item, SecretService};
use wats_scim::Secret;

use super::{Key, SERVICE, secret};

/// So many seconds a person has to unlock the keyring.
const PROMPT_SECONDS: u64 = 120;

pub(in crate::secrets) fn keep(key: Key<'_>, secret: &str, can_ask: bool) -> Result<(), String> {
    let service = open(can_ask)?;
    let collection = service.get_default_collection().map_err(why)?;
    collection.ensure_unlocked().or_else(|_| collection.unlock()).map_err(why)?;
    let label = format!("wats-scim: {}", key.profile);
    collection.create_item(&label, attributes(key), secret.as_bytes(), true, "text/plain").map_err(why)?;
    Ok(())
}

pub(in crate::secrets) fn read(key: Key<'_>, can_ask: bool) -> Result<Option<Secret>, String> {
    let service = open(can_ask)?;
    let found = service.search_items(attributes(key)).map_err(why)?;
    let Some(item) = found.unlocked.first().or(found.locked.first()) else { return Ok(None) };
    unlock(item)?;
    secret(item.get_secret().map_err(why)?).map(Some)
}

pub(in crate::secrets) fn forget(key: Key<'_>, can_ask: bool) -> Result<(), String> {
    let service = open(can_ask)?;
    let found = service.search_items(attributes(key)).map_err(why)?;
    for item in found.unlocked.iter().chain(&found.locked) {
        unlock(item)?;
        item.delete().map_err(why)?;
    }
    Ok(())
}

fn unlock(item: &Item<'_>) -> Result<(), String> {
    item.ensure_unlocked().or_else(|_| item.unlock()).map_err(why)
}

fn attributes(key: Key<'_>) -> HashMap<&str, &str> {
    HashMap::from([("service", SERVICE), ("profile", key.profile), ("url", key.url)])
}

fn open(can_ask: bool) -> Result<SecretService, String> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_socket = || env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists());
    // Without one, libdbus would start a bus of its own.
    if !is_set("DBUS_SESSION_BUS_ADDRESS") && !has_socket() {
        return Err("there is no D-Bus session".to_owned());
    }
    // The prompt is a window, which is of no use without a desktop, or without a person in front of it.
    let has_display = is_set("WAYLAND_DISPLAY") || is_set("DISPLAY");
    let seconds = if can_ask && has_display { PROMPT_SECONDS } else { 0 };
    // Encryption of the connection adds nothing: a program that reads the socket of this account can ask the keyring itself.
    SecretService::connect_with_max_prompt_timeout(EncryptionType::Plain, seconds).map_err(why)
}

/// The reason; the errors of D-Bus can be of several lines.
#[allow(clippy::needless_pass_by_value, reason = "it is passed to map_err")]
fn why(error: Error) -> String {
    match error {
        Error::Prompt | Error::Locked => "it is locked".to_owned(),
        Error::NoResult => "it has no default collection".to_owned(),
        other => other.to_string().lines().next().unwrap_or_default().to_owned(),
    }
}
