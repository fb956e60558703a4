//! The error of the file room: one line that names the file, the tensor, the fault and the mend.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// The longest name that an error line repeats; a hostile file may carry a megabyte-long one.
const SHOWN: usize = 96;

/// What sort of refusal an [`IoError`] is, for programs; people read the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused to open, read, write or rename.
    Os,
    /// The file breaks the rules of its own format: truncated, corrupt or lying.
    Malformed,
    /// The file is sound but holds something that hybridq does not handle.
    Unsupported,
    /// The data cannot be quantized as asked: NaN, infinity, or a scale out of range.
    Data,
    /// The request itself makes no sense, or the output already exists.
    Request,
    /// The caller asked to stop.
    Interrupted,
}

/// A refusal from the file room. Its `Display` is a single line without control characters,
/// whatever the file says its names are.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct IoError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    file: PathBuf,
    tensor: Option<String>,
    what: String,
    mend: Cow<'static, str>,
}

impl IoError {
    /// A refusal of `file`: `what` is wrong with it, and `mend` is what the reader can do.
    pub fn new(
        kind: ErrorKind,
        file: &Path,
        what: impl Into<String>,
        mend: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (file, what, mend) = (file.to_path_buf(), what.into(), mend.into());
        IoError(Box::new(Inner { kind, file, tensor: None, what, mend }))
    }

    /// The same refusal, about one tensor of the file.
    #[must_use]
    pub fn tensor(mut self, name: &str) -> Self {
        self.0.tensor = Some(name.to_owned());
        self
    }

    /// The operating system's refusal while it was asked to `doing` the file.
    pub(crate) fn os(file: &Path, doing: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Os;
        let mend = match error.kind() {
            Os::NotFound => "check the path",
            Os::PermissionDenied => "check the permissions of the file and of its folder",
            Os::StorageFull | Os::QuotaExceeded | Os::FileTooLarge => "free some space or write elsewhere",
            Os::AlreadyExists => "choose another name, or pass --overwrite",
            Os::InvalidInput => "rename or split the tensor",
            _ => "check the file system",
        };
        // The text of an OS error ends in "(os error N)": keep the words, drop the number.
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or("").to_lowercase();
        IoError::new(ErrorKind::Os, file, format!("cannot {doing} it: {text}"), mend)
    }

    pub(crate) fn malformed(file: &Path, what: impl Into<String>) -> Self {
        IoError::new(ErrorKind::Malformed, file, what, "the file is damaged or incomplete: fetch it again")
    }

    /// What sort of refusal this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file that was refused.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    /// The tensor that was refused, where the fault lies in one.
    #[must_use]
    pub fn tensor_name(&self) -> Option<&str> {
        self.0.tensor.as_deref()
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", clean(&self.file.to_string_lossy(), usize::MAX))?;
        if let Some(tensor) = &self.tensor {
            write!(f, "tensor '{}': ", printable(tensor))?;
        }
        // `what` may quote a parser that quotes the file.
        write!(f, "{}; {}", clean(&self.what, 400), clean(&self.mend, usize::MAX))
    }
}

/// A text from a file, fit for a terminal: control and direction characters escaped, length limited.
#[must_use]
pub fn printable(text: &str) -> String {
    clean(text, SHOWN)
}

fn clean(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i >= limit {
            out.push('…');
            break;
        }
        if c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_whatever_the_names() {
        let error = IoError::malformed(Path::new("a\nb.gguf"), "bad\r\nthing").tensor("x\u{1b}[2J\n");
        let line = error.to_string();
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(line.contains("tensor 'x") && line.contains("fetch it again"));
        let long = IoError::malformed(Path::new("f"), "w").tensor(&"é".repeat(100_000)).to_string();
        assert!(long.chars().count() < 400);
    }
}
