//! The passwords of the portal: a line `name:hash` for each person, as in files of htpasswd, with Argon2id.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use wats_scim::Secret;

use crate::failure::Failure;
use crate::{place, private};

/// The hashes by the names of the people.
type Hashes = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub(super) struct PasswordFile(PathBuf);

impl PasswordFile {
    /// The file at this path, or beside the profiles.
    pub(super) fn at(path: Option<PathBuf>) -> Result<Self, Failure> {
        let default = || Ok(place::configuration()?.join("portal.passwords"));
        path.map_or_else(default, Ok).map(Self)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The hash of a person's password.
    pub(super) fn hash(&self, name: &str) -> Result<Option<String>, Failure> {
        Ok(self.read()?.remove(name))
    }

    pub(super) fn has_people(&self) -> Result<bool, Failure> {
        Ok(!self.read()?.is_empty())
    }

    /// Sets the hash of a person, or removes the person. Returns whether the file knew the name.
    pub(super) fn set(&self, name: &str, hash: Option<String>) -> Result<bool, Failure> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _lock = private::lock(folder)?;
        let mut hashes = self.read()?;
        let file = private::NewFile::create(&self.0)?;
        let known = match hash {
            Some(hash) => hashes.insert(name.to_owned(), hash),
            None => hashes.remove(name),
        };
        let text = hashes.iter().fold(String::new(), |mut text, (name, hash)| {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{name}:{hash}");
            text
        });
        file.keep(text.as_bytes())?;
        Ok(known.is_some())
    }

    fn read(&self) -> Result<Hashes, Failure> {
        private::check_mode(&self.0)?;
        let text = private::read(&self.0)?.unwrap_or_default();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let entry = |(at, line): (usize, &str)| {
            let wrong = || Failure::file(&self.0, format!("line {} is not a name, `:` and a hash of Argon2", at + 1));
            let (name, hash) = line.trim_end().split_once(':').ok_or_else(wrong)?;
            PasswordHash::new(hash).map_err(|_| wrong())?;
            Ok((name.to_owned(), hash.to_owned()))
        };
        lines.map(entry).collect()
    }
}

/// # Errors
///
/// [`Failure::Usage`] if a line of the file, or of the trail, cannot hold the name.
pub(super) fn check_name(name: &str) -> Result<(), Failure> {
    let is_plain = |c: char| !c.is_control() && c != ':';
    if !name.is_empty() && name.trim() == name && name.chars().count() <= 100 && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(Failure::Usage(
        "the name of a person has no `:` and at most 100 characters, such as ann@example.com".to_owned(),
    ))
}

/// Hashes a password, with a salt of its own.
pub(super) fn hashed(password: &Secret) -> Result<String, Failure> {
    let hash = Argon2::default().hash_password(password.expose().as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| Failure::Other(format!("the password cannot be kept: {error}")))
}

/// Whether a password is the one of the hash.
pub(super) fn is_right(password: &Secret, hash: &str) -> bool {
    let hash = PasswordHash::new(hash);
    hash.is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_hashes_of_their_owners_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = PasswordFile::at(Some(folder.path().join("people"))).unwrap();
        let password = Secret::new("correct horse battery");
        let hash = hashed(&password).unwrap();
        assert_ne!(hash, hashed(&password).unwrap(), "each has a salt of its own");
        assert!(!file.set("ann", Some(hash.clone())).unwrap());
        assert!(!file.set("bob", Some(hash.clone())).unwrap() && file.set("bob", None).unwrap());
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.starts_with("ann:$argon2id$") && !text.contains("horse") && !text.contains("bob"), "{text}");
        assert_eq!(file.hash("ann").unwrap(), Some(hash.clone()));
        assert_eq!(file.hash("ANN").unwrap(), None);
        assert!(is_right(&password, &hash) && !is_right(&Secret::new("correct horse"), &hash));
        private::check_mode(file.path()).unwrap();
    }

    #[test]
    fn a_line_that_is_no_hash_is_an_error_without_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people");
        private::NewFile::create(&path).unwrap().keep(b"\nann:secret\n").unwrap();
        let error = PasswordFile::at(Some(path)).unwrap().hash("ann").unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn a_name_is_one_field_of_a_line() {
        for name in ["ann", "ann@example.com", "Ann Öst"] {
            check_name(name).unwrap();
        }
        for name in ["", " ann", "a:b", "a\nb", &"x".repeat(101)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
