//! ggml's formats around 3.5 bits, and `Q8_0`.

use std::ffi::c_void;

use crate::ggml::{Format, TQ1_0};

unsafe extern "C" {
    fn peer_init_iq3_s();
    fn quantize_row_q8_0(x: *const f32, y: *mut c_void, k: i64);
}

macro_rules! ggml {
    ($($quantize:ident $dot:ident $decode:ident;)*) => {
        unsafe extern "C" {
            $(
                fn $quantize(x: *const f32, y: *mut c_void, rows: i64, cols: i64, imatrix: *const f32) -> usize;
                fn $dot(
                    n: i32, s: *mut f32, bs: usize, x: *const c_void, bx: usize, y: *const c_void, by: usize, nrc: i32,
                );
                fn $decode(x: *const c_void, y: *mut f32, k: i64);
            )*
        }
    };
}

ggml! {
    quantize_q3_K ggml_vec_dot_q3_K_q8_K dequantize_row_q3_K;
    quantize_q4_K ggml_vec_dot_q4_K_q8_K dequantize_row_q4_K;
    quantize_iq3_s ggml_vec_dot_iq3_s_q8_K dequantize_row_iq3_s;
    quantize_q4_0 ggml_vec_dot_q4_0_q8_0 dequantize_row_q4_0;
    quantize_q8_0 ggml_vec_dot_q8_0_q8_0 dequantize_row_q8_0;
}

/// A peer and the name of its figures.
#[derive(Clone, Copy)]
pub struct Peer {
    pub key: &'static str,
    pub format: Format,
}

pub const PEERS: [Peer; 4] = [
    Peer {
        key: "q3_k",
        format: Format {
            name: "ggml Q3_K",
            block: (256, 110),
            quantize: quantize_q3_K,
            dequantize: dequantize_row_q3_K,
            dot: ggml_vec_dot_q3_K_q8_K,
            ..TQ1_0
        },
    },
    Peer {
        key: "iq3_s",
        format: Format {
            name: "ggml IQ3_S",
            block: (256, 110),
            quantize: quantize_iq3_s,
            dequantize: dequantize_row_iq3_s,
            dot: ggml_vec_dot_iq3_s_q8_K,
            ..TQ1_0
        },
    },
    Peer {
        key: "q4_0",
        format: Format {
            name: "ggml Q4_0",
            block: (32, 18),
            act_block: (32, 34),
            quantize: quantize_q4_0,
            dequantize: dequantize_row_q4_0,
            quantize_acts: quantize_row_q8_0,
            dot: ggml_vec_dot_q4_0_q8_0,
        },
    },
    Peer {
        key: "q4_k",
        format: Format {
            name: "ggml Q4_K",
            block: (256, 144),
            quantize: quantize_q4_K,
            dequantize: dequantize_row_q4_K,
            dot: ggml_vec_dot_q4_K_q8_K,
            ..TQ1_0
        },
    },
];

/// The same bytes as hybridq's.
pub const Q8_0: Peer = Peer {
    key: "ggml",
    format: Format {
        name: "ggml Q8_0",
        block: (32, 34),
        act_block: (32, 34),
        quantize: quantize_q8_0,
        dequantize: dequantize_row_q8_0,
        quantize_acts: quantize_row_q8_0,
        dot: ggml_vec_dot_q8_0_q8_0,
    },
};

/// Fills the tables that only some formats need.
pub fn init() {
    // SAFETY: writes ggml's own tables, before anything reads them.
    unsafe { peer_init_iq3_s() }
}

impl Peer {
    pub fn bits(&self) -> f64 {
        8.0 * self.format.block.1 as f64 / self.format.block.0 as f64
    }

    /// Quantizes and decodes.
    pub fn round_trip(&self, x: &[f32]) -> Vec<f32> {
        let mut packed = vec![0u8; self.format.row_bytes(x.len())];
        self.format.quantize(1, x.len(), x, &mut packed);
        let mut out = vec![0.0; x.len()];
        self.format.dequantize(&packed, &mut out);
        out
    }
}
