//! NumPy's `.npy`: one array (format specification: numpy.lib.format; versions 1.0, 2.0 and 3.0).
//!
//! Read: little-endian floats of 2, 4 and 8 bytes, integers of 1 to 8 bytes and booleans, of one dimension (one column)
//! or two, in C or Fortran order; all become f32, rows in C order. The header is a Python dictionary of three known
//! entries, so it is parsed here: the crates that read `.npy` bring a parser for Python and big integers along.

use std::path::Path;

use half::f16;

use super::matrix::Matrix;
use super::{ErrorKind, IoError, printable};

/// What a file begins with.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header that is looked at. NumPy itself refuses longer ones than 10000.
const LONGEST: usize = 1 << 16;

/// What the header says.
#[derive(Debug, Default, PartialEq)]
struct Header {
    descr: Option<String>,
    fortran: Option<bool>,
    shape: Option<Vec<u64>>,
}

fn unsupported(path: &Path, what: impl Into<String>, mend: &'static str) -> IoError {
    IoError::new(ErrorKind::Unsupported, path, what, mend)
}

/// The array in `bytes`; errors call it `path`.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Matrix, IoError> {
    let damaged = |what: &str| IoError::malformed(path, what);
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("does not begin as .npy does"))?;
    let (&[major, minor], rest) =
        rest.split_first_chunk().ok_or_else(|| damaged("ends within its header"))?;
    let (length, rest) = match major {
        1 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(|| damaged("ends within its header"))?;
            (u16::from_le_bytes(*length) as usize, rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(|| damaged("ends within its header"))?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        _ => {
            let what = format!("is .npy version {major}.{minor}, and 1 to 3 are known");
            return Err(unsupported(path, what, "save it with numpy.save"));
        }
    };
    if length > LONGEST {
        return Err(damaged(&format!("has a header of {length} bytes, and {LONGEST} are the most")));
    }
    let (header, data) = rest.split_at_checked(length).ok_or_else(|| damaged("ends within its header"))?;
    let header = std::str::from_utf8(header).map_err(|_| damaged("has a header that is no text"))?;
    let header = Parser { rest: header }
        .header()
        .map_err(|what| damaged(&format!("has a header that cannot be read: {what}")))?;
    let (Some(descr), Some(fortran), Some(shape)) = (header.descr, header.fortran, header.shape) else {
        return Err(damaged("has a header without descr, fortran_order or shape"));
    };

    let kind = Element::of(&descr).ok_or_else(|| {
        let mend = if descr.starts_with('>') {
            "save it with astype(\"<f4\")"
        } else {
            "save numbers, such as with astype(\"f4\")"
        };
        unsupported(path, format!("has elements of type '{}'", printable(&descr)), mend)
    })?;
    let (rows, cols) = match shape[..] {
        [rows] => (rows, 1),
        [rows, cols] => (rows, cols),
        _ => {
            let what = format!("has {} dimensions instead of rows and columns", shape.len());
            return Err(unsupported(path, what, "reshape it to two dimensions"));
        }
    };
    let there = data.len() as u64;
    let needed = rows.checked_mul(cols).and_then(|n| n.checked_mul(kind.size() as u64));
    if needed != Some(there) {
        let says = needed.map_or("more than 2^64".to_owned(), |n| n.to_string());
        return Err(damaged(&format!("holds {there} bytes of data, and its shape says {says}")));
    }
    // Both fit: a file of that many bytes is there, unless one of them is 0.
    let (Ok(rows), Ok(cols)) = (usize::try_from(rows), usize::try_from(cols)) else {
        return Err(damaged("has a shape beyond the address space"));
    };
    if rows == 0 || cols == 0 {
        let mend = "name a file with at least one row and one column";
        return Err(IoError::new(
            ErrorKind::Data,
            path,
            format!("is empty: {rows} rows, {cols} columns"),
            mend,
        ));
    }
    let mut values = vec![0.0f32; rows * cols];
    for (i, (element, out)) in data.chunks_exact(kind.size()).zip(0..rows * cols).enumerate() {
        let wide = kind.value(element);
        let value = wide as f32;
        let (row, col) = if fortran { (i % rows, i / rows) } else { (i / cols, i % cols) };
        if !value.is_finite() {
            return Err(Matrix::refuse(path, wide, &format!("row {}, column {}", row + 1, col + 1)));
        }
        values[if fortran { row * cols + col } else { out }] = value;
    }
    Ok(Matrix { rows, cols, data: values })
}

/// The header of an array in C order: version 1.0, data aligned to 64 bytes.
pub(super) fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let sizes = if shape.len() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    while !(MAGIC.len() + 4 + text.len() + 1).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// Types of elements.
#[derive(Clone, Copy)]
enum Element {
    Float(usize),
    Signed(usize),
    Unsigned(usize),
}

impl Element {
    fn of(descr: &str) -> Option<Element> {
        // `=` is the order of the machine that reads; here as on it, little.
        let (order, name) = descr.split_at_checked(1)?;
        let element = match name {
            "f2" => Element::Float(2),
            "f4" => Element::Float(4),
            "f8" => Element::Float(8),
            "i1" => Element::Signed(1),
            "i2" => Element::Signed(2),
            "i4" => Element::Signed(4),
            "i8" => Element::Signed(8),
            "u1" | "b1" => Element::Unsigned(1),
            "u2" => Element::Unsigned(2),
            "u4" => Element::Unsigned(4),
            "u8" => Element::Unsigned(8),
            _ => return None,
        };
        let known = match order {
            "<" => true,
            "=" => cfg!(target_endian = "little"),
            // One byte has no order.
            "|" | ">" => element.size() == 1,
            _ => false,
        };
        known.then_some(element)
    }

    fn size(self) -> usize {
        match self {
            Element::Float(size) | Element::Signed(size) | Element::Unsigned(size) => size,
        }
    }

    /// Rounded to f64 once, for integers of 8 bytes.
    fn value(self, bytes: &[u8]) -> f64 {
        let mut wide = [0u8; 8];
        for (to, from) in wide.iter_mut().zip(bytes) {
            *to = *from;
        }
        let bits = u64::from_le_bytes(wide);
        match self {
            Element::Float(2) => f16::from_bits(bits as u16).to_f64(),
            Element::Float(4) => f32::from_bits(bits as u32) as f64,
            Element::Float(_) => f64::from_bits(bits),
            Element::Signed(size) => {
                let shift = 64 - 8 * size as u32;
                ((bits << shift) as i64 >> shift) as f64
            }
            Element::Unsigned(_) => bits as f64,
        }
    }
}

/// Reads the dictionary of the header, front to back.
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn header(mut self) -> Result<Header, String> {
        let mut header = Header::default();
        self.expect('{')?;
        while !self.take('}') {
            let key = self.text()?;
            self.expect(':')?;
            let known = match key.as_str() {
                "descr" => header.descr.replace(self.descr()?).is_none(),
                "fortran_order" => header.fortran.replace(self.truth()?).is_none(),
                "shape" => header.shape.replace(self.shape()?).is_none(),
                _ => return Err(format!("unknown entry '{}'", printable(&key))),
            };
            if !known {
                return Err(format!("two entries '{key}'"));
            }
            if !self.take(',') {
                self.expect('}')?;
                break;
            }
        }
        if self.rest.trim().is_empty() { Ok(header) } else { Err("text after its end".to_owned()) }
    }

    fn take(&mut self, c: char) -> bool {
        match self.rest.trim_start().strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        if self.take(c) { Ok(()) } else { Err(format!("'{c}' expected")) }
    }

    fn text(&mut self) -> Result<String, String> {
        let quote = if self.take('\'') { '\'' } else { self.expect('"').map(|()| '"')? };
        let (text, rest) = self.rest.split_once(quote).ok_or("a text without end")?;
        self.rest = rest;
        Ok(text.to_owned())
    }

    /// A structured type is a list; its text serves to name it.
    fn descr(&mut self) -> Result<String, String> {
        if self.rest.trim_start().starts_with('[') {
            let (list, rest) = self.rest.split_once(']').ok_or("a list without end")?;
            self.rest = rest;
            return Ok(format!("{}]", list.trim()));
        }
        self.text()
    }

    fn truth(&mut self) -> Result<bool, String> {
        let rest = self.rest.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err("True or False expected".to_owned())
    }

    fn shape(&mut self) -> Result<Vec<u64>, String> {
        let mut sizes = Vec::new();
        self.expect('(')?;
        while !self.take(')') {
            let rest = self.rest.trim_start();
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, rest) = rest.split_at(digits);
            sizes.push(number.parse().map_err(|_| "a size that is no number of 64 bits".to_owned())?);
            // Python 2 wrote long integers so.
            self.rest = rest.strip_prefix('L').unwrap_or(rest);
            if sizes.len() > 32 {
                return Err("more than 32 dimensions".to_owned());
            }
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(sizes)
    }
}
