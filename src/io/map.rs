//! Read-only memory mapping that gives pages back once they have been used.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::{ErrorKind, IoError};

/// A whole file, mapped read-only; or bytes that are in memory already.
#[derive(Debug)]
pub struct MappedFile {
    path: PathBuf,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl MappedFile {
    /// Maps the regular file at `path`.
    pub fn open(path: &Path) -> Result<Self, IoError> {
        // Asked before opening: opening a pipe would wait for its writer.
        let kind = std::fs::metadata(path).map_err(|e| IoError::os(path, "open", &e))?;
        if !kind.is_file() {
            let what = if kind.is_dir() { "is a folder" } else { "is not a regular file" };
            return Err(IoError::new(ErrorKind::Request, path, what, "name a model file"));
        }
        let file = File::open(path).map_err(|e| IoError::os(path, "open", &e))?;
        Self::from_file(&file, path)
    }

    /// Maps an open file; `path` is what its errors call it.
    pub fn from_file(file: &File, path: &Path) -> Result<Self, IoError> {
        // SAFETY: the mapping is read-only and private to this value. That nobody truncates the
        // file meanwhile is the caller's word, stated in the documentation of `io`.
        let map = unsafe { Mmap::map(file) }.map_err(|e| IoError::os(path, "map", &e))?;
        Ok(MappedFile { path: path.to_path_buf(), bytes: Bytes::Mapped(map) })
    }

    /// Bytes that came from elsewhere than a file; `path` is what their errors call them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Self {
        MappedFile { path: path.to_path_buf(), bytes: Bytes::Owned(bytes.to_vec()) }
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes) => bytes,
        }
    }

    /// Tells the system that this part has been used: its pages leave the memory of this process.
    ///
    /// Without it the resident size of a streaming reader grows to the size of the file. Reading
    /// the range again is allowed and only costs the reading.
    pub fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Bytes::Mapped(map) = &self.bytes {
            // No page of any Unix that matters is larger (64 KiB on some aarch64). The page at the start
            // goes too, because a reader that comes in order has left it behind; the one at the end
            // stays, because it is read next.
            const PAGE: usize = 64 * 1024;
            let start = range.start / PAGE * PAGE;
            let end = range.end.min(map.len()) / PAGE * PAGE;
            if start < end {
                // SAFETY: the mapping is read-only and backed by the file, so dropping its pages
                // loses nothing: the next access reads them again. Advice may fail; nothing relies
                // on it.
                let _ = unsafe {
                    map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, start, end - start)
                };
            }
        }
        #[cfg(not(unix))]
        let _ = range;
    }
}
