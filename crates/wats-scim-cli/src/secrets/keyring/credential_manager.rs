//! The Credential Manager of Windows, which asks nothing. An entry has at most 2,560 bytes.

use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};
use wats_scim::Secret;
use windows_native_keyring_store::Store;

use super::{Key, SERVICE, account, secret};

pub(in crate::secrets) fn keep(key: Key<'_>, secret: &str, _: bool) -> Result<(), String> {
    entry(key)?.set_secret(secret.as_bytes()).map_err(|error| error.to_string())
}

pub(in crate::secrets) fn read(key: Key<'_>, _: bool) -> Result<Option<Secret>, String> {
    entry(key)?.get_secret().map_or_else(|error| absent(error, None), |bytes| secret(bytes).map(Some))
}

pub(in crate::secrets) fn forget(key: Key<'_>, _: bool) -> Result<(), String> {
    entry(key)?.delete_credential().or_else(|error| absent(error, ()))
}

fn entry(key: Key<'_>) -> Result<Entry, String> {
    let store = Store::new().map_err(|error| error.to_string())?;
    store.build(SERVICE, &account(key), None).map_err(|error| error.to_string())
}

fn absent<T>(error: Error, nothing: T) -> Result<T, String> {
    if matches!(error, Error::NoEntry) { Ok(nothing) } else { Err(error.to_string()) }
}
