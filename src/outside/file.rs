//! A file that is only appended to, and the disk it is on.

use std::ffi::OsString;
use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

#[cfg(sim)]
use super::sim;

/// A file that is open for appending.
#[cfg_attr(not(sim), allow(unreachable_pub, reason = "a simulated world implements it"))]
pub trait AppendFile: Debug + Send {
    /// All of the file.
    ///
    /// # Errors
    ///
    /// What the disk says, here and below.
    fn read(&mut self) -> io::Result<Vec<u8>>;

    /// Empties the file.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn clear(&mut self) -> io::Result<()>;

    /// Appends all of these bytes.
    ///
    /// # Errors
    ///
    /// What the disk says. Some of the bytes may have been appended.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits until the file is on the disk.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn sync(&mut self) -> io::Result<()>;

    /// The last byte; `None` if the file is empty.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn last(&mut self) -> io::Result<Option<u8>>;

    /// The size of the file in bytes.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn size(&mut self) -> io::Result<u64> {
        self.read().map(|content| u64::try_from(content.len()).unwrap_or(u64::MAX))
    }

    /// Whether this path leads to the file, and not to another one or nowhere. True if the system cannot tell.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let _ = path;
        Ok(true)
    }

    /// Takes the file for this process alone; false while another one has it.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn try_lock(&mut self) -> io::Result<bool>;

    /// Releases the file.
    fn unlock(&mut self);

    /// The same open file, as a child process has it between fork and exec.
    #[cfg(test)]
    fn inherited(&self) -> File;
}

impl AppendFile for File {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        self.rewind()?;
        self.read_to_end(&mut text)?;
        Ok(text)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.set_len(0)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn last(&mut self) -> io::Result<Option<u8>> {
        let metadata = self.metadata()?;
        if !metadata.is_file() || metadata.len() == 0 {
            return Ok(None);
        }
        let mut last = [0];
        self.seek(SeekFrom::End(-1))?;
        self.read_exact(&mut last)?;
        let [last] = last;
        Ok(Some(last))
    }

    fn size(&mut self) -> io::Result<u64> {
        self.metadata().map(|metadata| metadata.len())
    }

    #[cfg(unix)]
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;

        let there = match fs::metadata(path) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let here = self.metadata()?;
        Ok((here.dev(), here.ino()) == (there.dev(), there.ino()))
    }

    fn try_lock(&mut self) -> io::Result<bool> {
        match File::try_lock(self) {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn unlock(&mut self) {
        // An error leaves the lock to the end of the process, like a crash.
        let _ = File::unlock(self);
    }

    #[cfg(test)]
    fn inherited(&self) -> File {
        self.try_clone().unwrap()
    }
}

/// Opens a file, or creates one that only its owner can read and write (on Unix).
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn AppendFile>> {
    #[cfg(sim)]
    if let Some(file) = sim::ask(|world| world.open(path)) {
        return file;
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(Box::new(options.open(path)?))
}

/// The content of a file; `None` if there is none. A named pipe would hang, a device might never end,
/// and a dangling link would create a file elsewhere: these are errors.
pub(crate) fn read_regular(path: &Path) -> io::Result<Option<Vec<u8>>> {
    #[cfg(sim)]
    if let Some(content) = sim::ask(|world| world.read(path)) {
        return Ok(content);
    }
    if is_regular(path)? { fs::read(path).map(Some) } else { Ok(None) }
}

/// The names in the folder of a file. A simulated world tells none.
pub(crate) fn names_beside(path: &Path) -> io::Result<Vec<OsString>> {
    #[cfg(sim)]
    if sim::ask(|_| ()).is_some() {
        return Ok(Vec::new());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// Opens a file to read it from its beginning.
pub(crate) fn open_to_read(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    #[cfg(sim)]
    if let Some(content) = sim::ask(|world| world.read(path)) {
        let content = content.ok_or(io::ErrorKind::NotFound)?;
        return Ok(Box::new(io::Cursor::new(content)));
    }
    Ok(Box::new(File::open(path)?))
}

/// Whether the path is an existing regular file; an error if it is something else.
pub(crate) fn is_regular(path: &Path) -> io::Result<bool> {
    #[cfg(sim)]
    if let Some(content) = sim::ask(|world| world.read(path)) {
        return Ok(content.is_some());
    }
    let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(true),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
        Err(error) if is_missing(&error) && fs::symlink_metadata(path).is_ok() => {
            Err(io::Error::new(io::ErrorKind::NotFound, "it is a link to a file that does not exist"))
        }
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Waits until the folder of a file, and so the name of a new file, is on the disk.
#[cfg(unix)]
pub(crate) fn sync_folder(of: &Path) -> io::Result<()> {
    #[cfg(sim)]
    if sim::ask(|_| ()).is_some() {
        return Ok(());
    }
    match of.canonicalize()?.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on Unix")]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes a file accessible by its owner only, whatever mode it was created with.
#[cfg(unix)]
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    #[cfg(sim)]
    if sim::ask(|_| ()).is_some() {
        return Ok(());
    }
    let mut permissions = fs::metadata(path)?.permissions();
    if permissions.mode() & 0o777 == permissions.mode() & 0o700 {
        return Ok(());
    }
    permissions.set_mode(0o600);
    fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on Unix")]
pub(crate) fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}
