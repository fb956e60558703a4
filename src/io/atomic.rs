//! Output that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{ErrorKind, IoError};

/// A file being written under a temporary name in the folder of its target.
///
/// [`AtomicFile::commit`] flushes it to the disk and renames it. Dropped without commit, it
/// disappears; a killed process may leave the temporary file (`.hybridq-*.part`), never a partial
/// file under the target name.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    file: BufWriter<NamedTempFile>,
    overwrite: bool,
}

impl AtomicFile {
    /// Starts writing what will become `target`. An existing target is refused unless `overwrite`.
    pub fn create(target: &Path, overwrite: bool) -> Result<Self, IoError> {
        // A link keeps pointing where it pointed: the file behind it is replaced, not the link.
        let target = match fs::symlink_metadata(target) {
            Ok(meta) if meta.is_symlink() => {
                fs::canonicalize(target).map_err(|e| IoError::os(target, "follow the link of", &e))?
            }
            _ => target.to_path_buf(),
        };
        if let Ok(meta) = fs::metadata(&target) {
            if !meta.is_file() {
                let what = "exists and is not a regular file";
                return Err(IoError::new(ErrorKind::Request, &target, what, "name a file to write"));
            }
            if !overwrite {
                return Err(exists(&target));
            }
        }
        if target.file_name().is_none() {
            return Err(IoError::new(
                ErrorKind::Request,
                &target,
                "is not a file name",
                "name a file to write",
            ));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".hybridq-").suffix(".part");
        #[cfg(unix)]
        {
            // The default of a temporary file is 0600; the result is an ordinary file, subject to
            // the umask.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .tempfile_in(folder(&target))
            .map_err(|e| IoError::os(&target, "create a temporary file beside", &e))?;
        Ok(AtomicFile { target, file: BufWriter::with_capacity(256 * 1024, file), overwrite })
    }

    /// Writes all of `bytes`, with an error that names the target.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), IoError> {
        self.file.write_all(bytes).map_err(|e| IoError::os(&self.target, "write", &e))
    }

    /// Flushes to the disk, then gives the file its name.
    pub fn commit(self) -> Result<(), IoError> {
        let AtomicFile { target, file, overwrite } = self;
        let file = file.into_inner().map_err(|e| IoError::os(&target, "write", e.error()))?;
        file.as_file().sync_all().map_err(|e| IoError::os(&target, "write", &e))?;
        if overwrite {
            file.persist(&target)
                .map_err(|e| IoError::os(&target, "rename the temporary file to", &e.error))?;
        } else {
            file.persist_noclobber(&target).map_err(|e| match e.error.kind() {
                io::ErrorKind::AlreadyExists => exists(&target),
                _ => IoError::os(&target, "rename the temporary file to", &e.error),
            })?;
        }
        // The rename itself reaches the disk with its folder. Some file systems refuse to sync a
        // folder; the file is complete either way.
        if let Ok(folder) = File::open(folder(&target)) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn exists(target: &Path) -> IoError {
    IoError::new(ErrorKind::Request, target, "exists already", "choose another name, or pass --overwrite")
}
