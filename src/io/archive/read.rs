//! Archive in, GGUF out.

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use super::{END, FILE_HEAD, MAGIC, MAX_GAP, PART_HEAD, PLAIN, STEP, TERNARY, VERSION};
use crate::io::convert::Progress;
use crate::io::gguf::MAX_NAME;
use crate::io::model::{Kind, Model, Tensor};
use crate::io::{ErrorKind, IoError, MappedFile};
use crate::quant::ArchiveDecoder;
use crate::quant::archive::crc32;

/// Whether a file begins as an archive does.
#[must_use]
pub fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// An open archive, whose structure has been checked; the contents are when they are restored.
#[derive(Debug)]
pub struct Archive {
    /// What the GGUF file holds: metadata and tensors, without their bytes.
    pub model: Model,
    file: MappedFile,
    restored: u64,
    parts: Vec<Part>,
    whole: u32,
}

#[derive(Debug)]
struct Part {
    name: String,
    ternary: bool,
    /// In the GGUF file.
    offset: u64,
    len: u64,
    /// In the archive.
    payload: Range<usize>,
}

/// Reads one file from the front.
struct Cursor<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn bad(&self, what: impl Into<String>) -> IoError {
        IoError::malformed(self.path, what)
    }

    fn take(&mut self, n: u64) -> Result<&'a [u8], IoError> {
        let end = usize::try_from(n).ok().and_then(|n| self.at.checked_add(n));
        let Some(bytes) = end.and_then(|end| self.bytes.get(self.at..end)) else {
            let left = self.bytes.len().saturating_sub(self.at);
            return Err(
                self.bad(format!("is cut short: byte {} and the {n} after it, {left} are left", self.at))
            );
        };
        self.at += bytes.len();
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, IoError> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().unwrap_or_default()))
    }

    /// A checksum, which must be that of the bytes since `from`.
    fn checksum(&mut self, from: usize, of: &str) -> Result<(), IoError> {
        let found = crc32(0, &self.bytes[from..self.at]);
        if self.u32()? == found {
            return Ok(());
        }
        Err(self.bad(format!("the checksum of {of} at byte {from} is wrong")))
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).unwrap_or_default())
}

impl Archive {
    /// Opens an archive and checks its structure against the length of the file and the list of tensors.
    pub fn open(path: &Path) -> Result<Self, IoError> {
        Self::from_file(MappedFile::open(path)?)
    }

    /// The same for bytes in memory; `path` names them in errors.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, IoError> {
        Self::from_file(MappedFile::from_bytes(bytes, path))
    }

    /// The same for a file that is mapped already.
    pub fn from_file(file: MappedFile) -> Result<Self, IoError> {
        let path = file.path().to_path_buf();
        let mut cursor = Cursor { path: &path, bytes: file.bytes(), at: 0 };
        let restored = file_head(&mut cursor)?;
        let (parts, whole) = parts(&mut cursor, restored)?;
        let Some(head) = parts.first().filter(|p| !p.ternary && p.offset == 0) else {
            return Err(cursor.bad("holds no head of a GGUF file"));
        };
        let model = Model::gguf_head(&path, &file.bytes()[head.payload.clone()], restored)?;
        let archive = Archive { model, file, restored, parts, whole };
        archive.check_streams(&path)?;
        Ok(archive)
    }

    /// Whether `path` names the file that this archive is read from.
    #[must_use]
    pub fn is_read_from(&self, path: &Path) -> bool {
        self.model.is_read_from(path)
    }

    /// Bytes of the GGUF file that it restores.
    #[must_use]
    pub fn restored_bytes(&self) -> u64 {
        self.restored
    }

    /// Bytes of the archive.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.file.bytes().len() as u64
    }

    /// How many bytes a tensor takes in the archive, and whether it is entropy-coded.
    #[must_use]
    pub fn stored(&self, tensor: &Tensor) -> (u64, bool) {
        let start = tensor.file_range().start as u64;
        let part = self.parts.iter().find(|p| p.offset == start && p.name == tensor.name);
        part.map_or((0, false), |p| (p.payload.len() as u64, p.ternary))
    }

    /// A stream must be that of the tensor whose place it takes.
    fn check_streams(&self, path: &Path) -> Result<(), IoError> {
        for part in self.parts.iter().filter(|p| p.ternary) {
            let bad = |what: &str| IoError::malformed(path, what).tensor(&part.name);
            let decoder = self.decoder(part)?;
            let info = decoder.info().map_err(|e| bad(e.message()))?;
            let of = |t: &&Tensor| t.name == part.name && t.file_range().start as u64 == part.offset;
            let tensor = self.model.tensors.iter().find(of);
            let same = tensor.is_some_and(|t| {
                t.kind == Kind::Packed(info.format)
                    && (t.rows(), t.cols()) == (info.rows, info.cols)
                    && t.bytes() as u64 == part.len
            });
            if !same || info.bytes != part.payload.len() {
                return Err(bad("its stream is not that of the tensor in the list"));
            }
        }
        Ok(())
    }

    fn decoder(&self, part: &Part) -> Result<ArchiveDecoder, IoError> {
        ArchiveDecoder::new(&self.file.bytes()[part.payload.clone()]).map_err(|e| self.refused(part, e))
    }

    fn refused(&self, part: &Part, error: crate::Error) -> IoError {
        let (kind, what, mend) = match error {
            crate::Error::Version => (
                ErrorKind::Unsupported,
                "its stream was written by a newer version of hybridq",
                "update hybridq",
            ),
            _ => (
                ErrorKind::Malformed,
                "its stream is damaged",
                "the file is damaged or incomplete: fetch it again",
            ),
        };
        IoError::new(kind, self.file.path(), what, mend).tensor(&part.name)
    }

    /// Writes the GGUF file to `sink`, every checksum compared; `sink_path` is only for errors.
    pub fn restore<W: Write>(
        &self,
        mut sink: W,
        sink_path: &Path,
        progress: Progress<'_>,
    ) -> Result<(), IoError> {
        let path = self.file.path();
        let mut whole = 0;
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            whole = crc32(whole, bytes);
            sink.write_all(bytes).map_err(|e| IoError::os(sink_path, "write", &e))
        };
        let mut advance = |range: Range<usize>| {
            self.file.release(range.clone());
            if progress(range.len() as u64) {
                return Ok(());
            }
            Err(IoError::new(ErrorKind::Interrupted, path, "interrupted", "nothing was written"))
        };
        for part in &self.parts {
            // `parts` has checked that gaps are short.
            put(&vec![0; (part.offset - at) as usize])?;
            if part.ternary {
                self.restore_stream(part, &mut put, &mut advance)?;
            } else {
                let mut crc = 0;
                for start in part.payload.clone().step_by(STEP) {
                    let range = start..part.payload.end.min(start + STEP);
                    crc = crc32(crc, &self.file.bytes()[range.clone()]);
                    put(&self.file.bytes()[range.clone()])?;
                    advance(range)?;
                }
                let stored = self.file.bytes().get(part.payload.end..part.payload.end + 4);
                if stored != Some(&crc.to_le_bytes()) {
                    let what = "the checksum of its bytes is wrong";
                    return Err(IoError::malformed(path, what).tensor(&part.name));
                }
            }
            at = part.offset + part.len;
        }
        put(&vec![0; (self.restored - at) as usize])?;
        if whole != self.whole {
            return Err(IoError::malformed(path, "the checksum of the whole file is wrong"));
        }
        sink.flush().map_err(|e| IoError::os(sink_path, "write", &e))
    }

    fn restore_stream(
        &self,
        part: &Part,
        put: &mut dyn FnMut(&[u8]) -> Result<(), IoError>,
        advance: &mut dyn FnMut(Range<usize>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let stream = &self.file.bytes()[part.payload.clone()];
        let mut decoder = self.decoder(part)?;
        let fail = |e| self.refused(part, e);
        let info = decoder.info().map_err(fail)?;
        let row = info.format.row_bytes(info.cols).map_err(fail)?;
        let step = (STEP / row.max(1)).clamp(1, info.rows.max(1));
        let mut out = Vec::new();
        // A forged stream may ask for a row that no machine can hold.
        let size = step.checked_mul(row).filter(|&n| out.try_reserve_exact(n).is_ok());
        let Some(size) = size else { return Err(fail(crate::Error::Corrupt)) };
        out.resize(size, 0);
        let (mut done, mut used) = (0, 0);
        while done < info.rows {
            let n = decoder.next_rows(stream, 0, step.min(info.rows - done), &mut out).map_err(fail)?;
            put(&out[..n * row])?;
            done += n;
            let next = decoder.need(&[], 0).map_err(fail)?.start;
            advance(part.payload.start + used..part.payload.start + next.max(used))?;
            used = next.max(used);
        }
        Ok(())
    }
}

fn file_head(cursor: &mut Cursor<'_>) -> Result<u64, IoError> {
    if !is_archive(cursor.bytes) {
        let (what, mend) = ("is not a hybridq archive", "name a file that 'hybridq archive' wrote");
        return Err(IoError::new(ErrorKind::Malformed, cursor.path, what, mend));
    }
    let head = cursor.take(FILE_HEAD as u64 - 4)?;
    let version = u32::from_le_bytes(head[4..8].try_into().unwrap_or_default());
    if version != VERSION {
        let what = format!("is an archive of version {version}");
        return Err(IoError::new(ErrorKind::Unsupported, cursor.path, what, "update hybridq"));
    }
    cursor.checksum(0, "the file head")?;
    Ok(u64_at(head, 8))
}

/// Reads all part heads. Payloads lie inside the file, places in the GGUF file are in order.
fn parts(cursor: &mut Cursor<'_>, restored: u64) -> Result<(Vec<Part>, u32), IoError> {
    let mut parts = Vec::new();
    let mut end = 0;
    loop {
        let start = cursor.at;
        let head = cursor.take(PART_HEAD as u64)?;
        let (offset, len, payload) = (u64_at(head, 0), u64_at(head, 8), u64_at(head, 16));
        let (kind, zero) = (head[24], head[25]);
        let name_len = u64::from(u16::from_le_bytes([head[26], head[27]]));
        if name_len > MAX_NAME {
            return Err(cursor.bad(format!("a name of {name_len} bytes is longer than {MAX_NAME}")));
        }
        let name = cursor.take(name_len)?;
        cursor.checksum(start, "a part head")?;
        let Ok(name) = std::str::from_utf8(name) else {
            return Err(cursor.bad("a tensor name is not UTF-8"));
        };
        let bad = |what: String| IoError::malformed(cursor.path, what).tensor(name);
        let gap = offset.checked_sub(end).filter(|&gap| gap < MAX_GAP);
        let after = offset.checked_add(len).filter(|&e| e <= restored);
        let (Some(_), Some(after)) = (gap, after) else {
            return Err(bad(format!("its place, byte {offset} and the {len} after it, is wrong")));
        };
        if zero != 0 || kind > END || (kind == PLAIN && payload != len) {
            return Err(bad(format!("its head names kind {kind} and {payload} bytes for {len}")));
        }
        let at = cursor.at;
        cursor.take(payload)?;
        let payload = at..cursor.at;
        if kind == END {
            cursor.checksum(at, "the end")?;
            if (offset, len, payload.len(), cursor.at) != (restored, 0, 4, cursor.bytes.len()) {
                return Err(cursor.bad("its end is not where it should be"));
            }
            let whole = cursor.bytes[payload].try_into().unwrap_or_default();
            return Ok((parts, u32::from_le_bytes(whole)));
        }
        if kind == PLAIN {
            cursor.take(4)?;
        }
        parts.push(Part { name: name.to_owned(), ternary: kind == TERNARY, offset, len, payload });
        end = after;
    }
}
