//! Files that only their owner can read, and that are replaced all or nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;

/// A file that is not there yet: it takes the place of the one at its path when it is kept.
#[derive(Debug)]
pub(crate) struct NewFile {
    beside: NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    /// Prepares a file, so that a path that cannot be written is noticed before there is anything to lose.
    ///
    /// # Errors
    ///
    /// [`Failure::Other`] if the folder cannot be written, or if the path leads to something that is no file.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        // A link is followed: its target is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if fs::symlink_metadata(&path).is_ok_and(|there| !there.is_file()) {
            return Err(Failure::file(&path, "this is not a file; give the path of one"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Only its owner can read it, from the first byte.
        let beside = tempfile::Builder::new().prefix(".wats-scim-").tempfile_in(folder);
        Ok(Self { beside: beside.map_err(|error| Failure::file(&path, error))?, path })
    }

    /// Writes the file and puts it in its place.
    pub(crate) fn keep(mut self, content: &[u8]) -> Result<(), Failure> {
        let written = self.beside.write_all(content).and_then(|()| self.beside.as_file().sync_all());
        written.map_err(|error| Failure::file(&self.path, error))?;
        self.beside.persist(&self.path).map_err(|error| Failure::file(&self.path, error.error))?;
        Ok(())
    }
}

/// The text of a file; `None` if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file(path, error)),
    }
}

/// Fails if others than the owner can read a file.
#[cfg(unix)]
pub(crate) fn check_mode(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;

    match fs::metadata(path) {
        Ok(there) if there.permissions().mode() & 0o077 != 0 => Err(Failure::Other(format!(
            "others can read {0}: run `chmod 600 {0}`, and replace the secrets in it if others had access",
            path.display()
        ))),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on Unix")]
pub(crate) fn check_mode(_: &Path) -> Result<(), Failure> {
    Ok(())
}

/// Creates a folder that only its owner can read.
pub(crate) fn create_folder(path: &Path) -> Result<(), Failure> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path).map_err(|error| Failure::file(path, error))
}

/// Waits for the other runs that change the files of a folder. The lock ends with the value.
pub(crate) fn lock(folder: &Path) -> Result<File, Failure> {
    create_folder(folder)?;
    let path = folder.join(".lock");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|error| Failure::file(&path, error))?;
    file.lock().map_err(|error| Failure::file(&path, error))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_all_or_nothing_and_is_its_owners_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "before").unwrap();
        drop(NewFile::create(&path).unwrap());
        assert_eq!(read(&path).unwrap().as_deref(), Some("before"));
        NewFile::create(&path).unwrap().keep(b"after").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("after"));
        check_mode(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(NewFile::create(folder.path()).unwrap_err().to_string().contains("not a file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_rejected() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.toml");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(check_mode(&path).unwrap_err().to_string().contains("chmod 600"));
    }
}
