//! The keychain of macOS, which asks by itself, and only a person who is logged in to the desktop.

use security_framework::base::Error;
use security_framework::passwords::{PasswordOptions, delete_generic_password, generic_password, set_generic_password};
use wats_scim::Secret;

use super::{Key, SERVICE, account, secret};

/// `errSecItemNotFound`.
const NOT_FOUND: i32 = -25300;

pub(in crate::secrets) fn keep(key: Key<'_>, secret: &str, _: bool) -> Result<(), String> {
    set_generic_password(SERVICE, &account(key), secret.as_bytes()).map_err(|error| error.to_string())
}

pub(in crate::secrets) fn read(key: Key<'_>, _: bool) -> Result<Option<Secret>, String> {
    let found = generic_password(PasswordOptions::new_generic_password(SERVICE, &account(key)));
    found.map_or_else(|error| absent(error, None), |bytes| secret(bytes).map(Some))
}

pub(in crate::secrets) fn forget(key: Key<'_>, _: bool) -> Result<(), String> {
    delete_generic_password(SERVICE, &account(key)).or_else(|error| absent(error, ()))
}

fn absent<T>(error: Error, nothing: T) -> Result<T, String> {
    if error.code() == NOT_FOUND { Ok(nothing) } else { Err(error.to_string()) }
}
