//! In place of the keyring, where there is none.

use wats_scim::Secret;

use super::Key;

const NONE: &str = "this build of wats-scim uses none";

pub(super) fn keep(_: Key<'_>, _: &str, _: bool) -> Result<(), String> {
    Err(NONE.to_owned())
}

pub(super) fn read(_: Key<'_>, _: bool) -> Result<Option<Secret>, String> {
    Err(NONE.to_owned())
}

pub(super) fn forget(_: Key<'_>, _: bool) -> Result<(), String> {
    Err(NONE.to_owned())
}
