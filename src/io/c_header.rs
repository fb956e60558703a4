//! Tensors as a C99 header: what a firmware links instead of reading a file.
//!
//! The header is clean under `-std=c99 -Wall -Wextra -Wpedantic` and as C++11. A packed tensor becomes
//! `static const uint8_t prefix_name[]` with macros for its rows, its columns and its `HQ_FORMAT_*`
//! number; a float tensor becomes `static const float[]` with nine significant digits, which name every
//! `float` exactly; integers become the type of their width.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use super::convert::Progress;
use super::model::{Kind, Model, Tensor};
use super::printable;
use super::{Dtype, ErrorKind, IoError};

/// Writes `model` as a C header to `sink`; `sink_path` is only for errors. Every identifier begins with
/// `prefix`, every macro with its upper-case form.
pub fn write_c_header<W: Write>(
    model: &Model,
    prefix: &str,
    sink: W,
    sink_path: &Path,
    progress: Progress<'_>,
) -> Result<(), IoError> {
    let prefix = identifier(prefix);
    let names = names(model, &prefix)?;
    let mut out = Out { sink, path: sink_path, line: String::new() };
    let upper = prefix.to_ascii_uppercase();
    let guard = format!("{upper}_HYBRIDQ_WEIGHTS_H");
    let source = model.path.file_name().map(|n| printable(&n.to_string_lossy())).unwrap_or_default();
    // A file name must not end the comment early.
    let source = source.replace("*/", "* /").replace("/*", "/ *").replace(['\\', '?'], "_");
    let version = env!("CARGO_PKG_VERSION");
    out.text(&format!(
        "/* Weights of {source}, written by hybridq {version}. */\n#ifndef {guard}\n#define {guard}\n\n\
         #include <stdint.h>\n{ALIGNMENT}"
    ))?;
    for (tensor, name) in model.tensors.iter().zip(&names) {
        if tensor.is_empty() {
            // C has no empty arrays.
            out.text(&format!("\n/* {}: empty */\n", comment(&tensor.name)))?;
            continue;
        }
        out.tensor(model, tensor, name)?;
        model.release(tensor, 0..tensor.rows());
        if !progress(tensor.bytes() as u64) {
            let mend = "nothing was written";
            return Err(IoError::new(ErrorKind::Interrupted, &model.path, "interrupted", mend));
        }
    }
    out.text(&format!("\n#endif /* {guard} */\n"))?;
    out.sink.flush().map_err(|e| IoError::os(sink_path, "write", &e))
}

/// The prefix as an identifier, and what [`write_c_header`] calls each tensor.
pub(crate) fn c_names(model: &Model, prefix: &str) -> Result<(String, Vec<String>), IoError> {
    let prefix = identifier(prefix);
    let names = names(model, &prefix)?;
    Ok((prefix, names))
}

/// C99 cannot ask for alignment; each compiler has its own way. hybridq reads bytes at any alignment, so
/// a compiler without one only loses a little speed.
const ALIGNMENT: &str = "
#ifndef HQ_ALIGN4
#if defined(__cplusplus)
#define HQ_ALIGN4 alignas(4)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define HQ_ALIGN4 _Alignas(4)
#elif defined(__GNUC__)
#define HQ_ALIGN4 __attribute__((aligned(4)))
#elif defined(_MSC_VER)
#define HQ_ALIGN4 __declspec(align(4))
#else
#define HQ_ALIGN4
#endif
#endif
";

/// One identifier for each tensor, or the collision that forbids it.
fn names(model: &Model, prefix: &str) -> Result<Vec<String>, IoError> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let mut names = Vec::with_capacity(model.tensors.len());
    for tensor in &model.tensors {
        let name = body(&format!("{prefix}_{}", tensor.name));
        // Macros are upper case: two names that differ only in case collide there.
        if let Some(other) = seen.insert(name.to_ascii_uppercase(), &tensor.name) {
            let what = format!("its C name {name} is also that of '{}'", printable(other));
            let mend = "rename one of the two";
            return Err(IoError::new(ErrorKind::Unsupported, &model.path, what, mend).tensor(&tensor.name));
        }
        names.push(name);
    }
    // An array in upper case may be called what another's macro is called.
    let arrays: HashSet<&str> = names.iter().map(String::as_str).collect();
    for (tensor, name) in model.tensors.iter().zip(&names) {
        for suffix in ["ROWS", "COLS", "LEN", "FORMAT", "BYTES"] {
            let name = format!("{}_{suffix}", name.to_ascii_uppercase());
            if arrays.contains(name.as_str()) {
                let what = format!("its macro {name} is also the C name of another tensor");
                let mend = "rename one of the two, or choose a --prefix in lower case";
                let error = IoError::new(ErrorKind::Unsupported, &model.path, what, mend);
                return Err(error.tensor(&tensor.name));
            }
        }
    }
    Ok(names)
}

/// A string as a C identifier: other characters become underscores, a leading digit gets one.
fn identifier(text: &str) -> String {
    let body = body(text);
    if body.starts_with(|c: char| c.is_ascii_alphabetic()) { body } else { self::body(&format!("w_{body}")) }
}

/// Never two underscores in a row: C++ reserves them.
fn body(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out
}

fn comment(text: &str) -> String {
    printable(text).replace("*/", "* /").replace("/*", "/ *").replace(['\\', '?'], "_")
}

struct Out<'a, W> {
    sink: W,
    path: &'a Path,
    line: String,
}

impl<W: Write> Out<'_, W> {
    fn text(&mut self, text: &str) -> Result<(), IoError> {
        self.sink.write_all(text.as_bytes()).map_err(|e| IoError::os(self.path, "write", &e))
    }

    fn tensor(&mut self, model: &Model, tensor: &Tensor, name: &str) -> Result<(), IoError> {
        let upper = name.to_ascii_uppercase();
        let shape = tensor.shape_text();
        self.text(&format!("\n/* {}: {shape}, {} */\n", comment(&tensor.name), tensor.kind.name()))?;
        let (rows, cols, len) = (tensor.rows(), tensor.cols(), tensor.len());
        match &tensor.kind {
            Kind::Packed(format) => {
                let (number, word) = (*format as i32, format.name().to_ascii_uppercase());
                self.text(&format!(
                    "#define {upper}_ROWS {rows}\n#define {upper}_COLS {cols}\n\
                     #define {upper}_BYTES {}\n#define {upper}_FORMAT {number} /* HQ_FORMAT_{word} */\n\
                     HQ_ALIGN4 static const uint8_t {name}[{}] = {{\n",
                    tensor.bytes(),
                    tensor.bytes()
                ))?;
                self.values(model.bytes(tensor).iter(), |line, v| write!(line, "{v}"))?;
            }
            Kind::Plain(dtype) if dtype.is_weight() => {
                self.text(&format!(
                    "#define {upper}_ROWS {rows}\n#define {upper}_COLS {cols}\n#define {upper}_LEN {len}\n\
                     static const float {name}[{len}] = {{\n"
                ))?;
                let mut x = vec![0.0; cols];
                for row in 0..rows {
                    model.read_rows(tensor, row..row + 1, &mut x)?;
                    if x.iter().any(|v| !v.is_finite()) {
                        let what = "holds NaN or infinity, which C99 has no portable constant for";
                        let file = model.file_of(tensor);
                        return Err(
                            IoError::new(ErrorKind::Data, file, what, "clean it").tensor(&tensor.name)
                        );
                    }
                    self.values(x.iter(), |line, v| write!(line, "{v:.8e}f"))?;
                }
            }
            Kind::Plain(dtype) => {
                let Some(c_type) = c_type(*dtype) else { return Err(self.unsupported(model, tensor)) };
                self.text(&format!(
                    "#define {upper}_ROWS {rows}\n#define {upper}_COLS {cols}\n#define {upper}_LEN {len}\n\
                     static const {c_type} {name}[{len}] = {{\n"
                ))?;
                let elements = model.bytes(tensor).chunks_exact(dtype.size());
                self.values(elements, |line, bytes| integer(line, *dtype, bytes))?;
            }
            Kind::Other(_) => return Err(self.unsupported(model, tensor)),
        }
        self.text("};\n")
    }

    fn unsupported(&self, model: &Model, tensor: &Tensor) -> IoError {
        let what = format!("is of type {}, which has no place in a C header", tensor.kind.name());
        let mend = "convert it to F32, F16 or BF16 first";
        IoError::new(ErrorKind::Unsupported, model.file_of(tensor), what, mend).tensor(&tensor.name)
    }

    /// Comma-separated values in lines of at most about a hundred characters.
    fn values<T>(
        &mut self,
        values: impl Iterator<Item = T>,
        one: impl Fn(&mut String, T) -> std::fmt::Result,
    ) -> Result<(), IoError> {
        self.line.clear();
        for value in values {
            // Writing to a string does not fail.
            let _ = one(&mut self.line, value);
            self.line.push(',');
            if self.line.len() > 96 {
                self.line.push('\n');
                self.sink.write_all(self.line.as_bytes()).map_err(|e| IoError::os(self.path, "write", &e))?;
                self.line.clear();
            }
        }
        if !self.line.is_empty() {
            self.line.push('\n');
            self.sink.write_all(self.line.as_bytes()).map_err(|e| IoError::os(self.path, "write", &e))?;
        }
        Ok(())
    }
}

fn c_type(dtype: Dtype) -> Option<&'static str> {
    Some(match dtype {
        Dtype::I8 => "int8_t",
        Dtype::I16 => "int16_t",
        Dtype::I32 => "int32_t",
        Dtype::I64 => "int64_t",
        Dtype::U8 | Dtype::Bool => "uint8_t",
        Dtype::U16 => "uint16_t",
        Dtype::U32 => "uint32_t",
        Dtype::U64 => "uint64_t",
        _ => return None,
    })
}

/// The smallest integers of each width have no literal in C: they are written as a difference.
fn integer(line: &mut String, dtype: Dtype, bytes: &[u8]) -> std::fmt::Result {
    let mut wide = [0u8; 8];
    for (w, b) in wide.iter_mut().zip(bytes) {
        *w = *b;
    }
    let bits = u64::from_le_bytes(wide);
    match dtype {
        Dtype::I8 => write!(line, "{}", bits as i8),
        Dtype::I16 => write!(line, "{}", bits as i16),
        Dtype::I32 if bits as i32 == i32::MIN => write!(line, "({}-1)", i32::MIN + 1),
        Dtype::I32 => write!(line, "{}", bits as i32),
        Dtype::I64 if bits as i64 == i64::MIN => write!(line, "(INT64_C({})-1)", i64::MIN + 1),
        Dtype::I64 => write!(line, "INT64_C({})", bits as i64),
        Dtype::U64 => write!(line, "UINT64_C({bits})"),
        Dtype::U32 => write!(line, "UINT32_C({bits})"),
        _ => write!(line, "{bits}"),
    }
}
