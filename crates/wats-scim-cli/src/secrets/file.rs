//! The file of secrets, `secrets.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wats_scim::Secret;

use super::Key;
use crate::failure::Failure;
use crate::{place, private};

/// By the name of the profile. It has no `Debug`, because of the secrets.
type Entries = BTreeMap<String, Entry>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    url: String,
    secret: String,
}

pub(super) fn path() -> Result<PathBuf, Failure> {
    Ok(place::configuration()?.join("secrets.toml"))
}

pub(super) fn keep(key: Key<'_>, secret: &Secret) -> Result<(), Failure> {
    private::create_folder(&place::configuration()?)?;
    let mut entries = entries()?;
    let entry = Entry { url: key.url.to_owned(), secret: secret.expose().to_owned() };
    entries.insert(key.profile.to_owned(), entry);
    write(&entries)
}

pub(super) fn read(key: Key<'_>) -> Result<Option<Secret>, Failure> {
    let entry = entries()?.remove(key.profile).filter(|entry| entry.url == key.url);
    Ok(entry.map(|entry| Secret::new(entry.secret)))
}

pub(super) fn forget(key: Key<'_>) -> Result<(), Failure> {
    let mut entries = entries()?;
    match entries.remove(key.profile) {
        Some(entry) if entry.url == key.url => write(&entries),
        _ => Ok(()),
    }
}

fn entries() -> Result<Entries, Failure> {
    let path = path()?;
    private::check_mode(&path)?;
    let Some(text) = private::read(&path)? else { return Ok(Entries::new()) };
    toml::from_str(&text).map_err(|error| {
        // The text of the error would quote a secret.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Failure::file(
            &path,
            format!("line {line} is not as wats-scim writes it; repair it, or remove the file and log in again"),
        )
    })
}

fn write(entries: &Entries) -> Result<(), Failure> {
    let file = private::NewFile::create(&path()?)?;
    let text = toml::to_string(entries).map_err(|_| Failure::Other("the secrets cannot be written".to_owned()))?;
    file.keep(text.as_bytes())
}
