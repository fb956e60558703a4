//! Builders of model files, sound and unsound, and a way to run the command line on them.
#![allow(dead_code)] // the tests of the command line use it too

use std::fs;
use std::path::PathBuf;

/// Deterministic values that look like weights: roughly normal, standard deviation about 0.05.
pub fn weights(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..n).map(|_| 0.1 * (uniform() + uniform() + uniform())).collect()
}

pub fn f32_bytes(x: &[f32]) -> Vec<u8> {
    x.iter().flat_map(|v| v.to_le_bytes()).collect()
}

pub fn f16_bytes(x: &[f32]) -> Vec<u8> {
    x.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect()
}

pub fn bf16_bytes(x: &[f32]) -> Vec<u8> {
    x.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect()
}

/// A safetensors file from a header text and data: nothing is checked.
pub fn raw_safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

/// A sound safetensors file: (name, dtype, shape, bytes).
pub fn safetensors(tensors: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
    let mut header = Vec::new();
    let mut data = Vec::new();
    for (name, dtype, shape, bytes) in tensors {
        let (start, end) = (data.len(), data.len() + bytes.len());
        header.push(format!(
            "{}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}",
            serde_json::to_string(name).unwrap()
        ));
        data.extend(bytes);
    }
    raw_safetensors(&format!("{{\"__metadata__\":{{\"format\":\"pt\"}},{}}}", header.join(",")), &data)
}

/// A GGUF file, every field of which can be made to lie.
#[derive(Clone)]
pub struct RawGguf {
    pub magic: [u8; 4],
    pub version: u32,
    pub tensor_count: Option<u64>,
    pub key_count: Option<u64>,
    /// Key bytes, value type, encoded value.
    pub metadata: Vec<(Vec<u8>, u32, Vec<u8>)>,
    pub tensors: Vec<RawTensor>,
    pub data: Vec<u8>,
}

#[derive(Clone)]
pub struct RawTensor {
    pub name: Vec<u8>,
    pub name_len: Option<u64>,
    pub n_dims: Option<u32>,
    pub dims: Vec<u64>,
    pub kind: u32,
    pub offset: u64,
}

pub fn tensor(name: &str, dims: &[u64], kind: u32, offset: u64) -> RawTensor {
    let name = name.as_bytes().to_vec();
    RawTensor { name, name_len: None, n_dims: None, dims: dims.to_vec(), kind, offset }
}

pub fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text].concat()
}

pub fn array(kind: u32, count: u64, content: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &count.to_le_bytes(), content].concat()
}

impl RawGguf {
    /// Two F32 tensors of 8 and 4 values, a string and a number as metadata.
    pub fn sound() -> Self {
        RawGguf {
            magic: *b"GGUF",
            version: 3,
            tensor_count: None,
            key_count: None,
            metadata: vec![
                (b"general.name".to_vec(), 8, string(b"tiny")),
                (b"general.alignment".to_vec(), 4, 32u32.to_le_bytes().to_vec()),
            ],
            tensors: vec![tensor("first", &[4, 2], 0, 0), tensor("second", &[4], 0, 32)],
            data: f32_bytes(&weights(12, 1)),
        }
    }

    pub fn with(change: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut file = Self::sound();
        change(&mut file);
        file.bytes()
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.header();
        out.resize(out.len().next_multiple_of(32), 0);
        out.extend(&self.data);
        out
    }

    pub fn header(&self) -> Vec<u8> {
        let mut out = self.magic.to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend(self.tensor_count.unwrap_or(self.tensors.len() as u64).to_le_bytes());
        out.extend(self.key_count.unwrap_or(self.metadata.len() as u64).to_le_bytes());
        for (key, kind, value) in &self.metadata {
            out.extend(string(key));
            out.extend(kind.to_le_bytes());
            out.extend(value);
        }
        for t in &self.tensors {
            out.extend(t.name_len.unwrap_or(t.name.len() as u64).to_le_bytes());
            out.extend(&t.name);
            out.extend(t.n_dims.unwrap_or(t.dims.len() as u32).to_le_bytes());
            t.dims.iter().for_each(|d| out.extend(d.to_le_bytes()));
            out.extend(t.kind.to_le_bytes());
            out.extend(t.offset.to_le_bytes());
        }
        out
    }
}

/// A folder of its own for one test, removed at the end.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// The names of everything in the folder, hidden files too.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// What a run of the command line left behind.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

#[cfg(feature = "cli")]
pub fn hybridq<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Run {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hybridq")).args(args).output().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Run {
    /// Exit code 0, nothing on standard error; gives standard output.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self.stdout
    }

    /// Exit code 2 and exactly one line on standard error; gives the line.
    #[track_caller]
    pub fn refused(self) -> String {
        assert_eq!(self.code, Some(2), "{self:?}");
        let line = self.stderr.strip_suffix('\n').unwrap_or(&self.stderr).to_owned();
        assert!(line.starts_with("hybridq: error: "), "{line:?}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(line.chars().count() < 1000, "{line:?}");
        assert_eq!(self.stdout, "");
        line
    }
}
