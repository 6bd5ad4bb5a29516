//! A token in a file that another process rotates.

use std::fs::{self, Metadata};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::AccessToken;
use crate::error::{Error, ErrorKind, Result, Secret};

/// The file, and the state in which its token was read.
#[derive(Debug)]
pub(crate) struct TokenFile {
    path: PathBuf,
    read: Mutex<Option<Stamp>>,
}

/// What changes when a file is written or replaced. A symbolic link is followed, so that a link to
/// another file, as Kubernetes rotates tokens, is a change too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), length: metadata.len() }
    }
}

impl TokenFile {
    /// A token is shorter; a larger file is something else, such as `/dev/zero`.
    const LARGEST: u64 = 64 << 10;

    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), read: Mutex::new(None) }
    }

    /// Whether the file is not in the state in which its token was read.
    pub(crate) fn has_changed(&self) -> bool {
        let stamp = fs::metadata(&self.path).ok().map(|metadata| Stamp::of(&metadata));
        stamp.is_none() || stamp != *self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the token.
    pub(crate) fn read(&self) -> Result<AccessToken> {
        let unreadable =
            |error: io::Error| self.unusable(&format!("cannot be read ({})", error.kind())).with_source(error);
        // Before the content, so that a change during the read is seen as a change later.
        let metadata = fs::metadata(&self.path).map_err(unreadable)?;
        if !metadata.is_file() || metadata.len() > Self::LARGEST {
            return Err(self.unusable("is not a file with a token"));
        }
        let text = Secret::new(fs::read_to_string(&self.path).map_err(unreadable)?);
        if text.expose().trim().is_empty() {
            return Err(self.unusable("is empty"));
        }
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(Stamp::of(&metadata));
        Ok(AccessToken::new(text))
    }

    fn unusable(&self, why: &str) -> Error {
        Error::new(ErrorKind::Unauthorized, format!("the token file {} {why}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_the_file_is_seen_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let file = TokenFile::at(&path);
        assert!(file.has_changed() && file.read().unwrap_err().to_string().contains("cannot be read"));
        fs::write(&path, " \n").unwrap();
        assert!(file.has_changed() && file.read().unwrap_err().to_string().ends_with("is empty"));
        fs::write(&path, "first\n").unwrap();
        assert!(file.has_changed());
        assert_eq!(file.read().unwrap().token.expose(), "first\n");
        assert!(!file.has_changed());
        fs::write(&path, "the second").unwrap();
        assert!(file.has_changed());
        assert_eq!(file.read().unwrap().token.expose(), "the second");
        fs::remove_file(&path).unwrap();
        assert!(file.has_changed());
        assert!(TokenFile::at(directory.path()).read().is_err());
    }
}
