//! ggml's quantizers and dot products, as its own matrix multiplication calls them: one call a row.

use std::ffi::c_void;

pub(crate) type Quantize = unsafe extern "C" fn(*const f32, *mut c_void, i64, i64, *const f32) -> usize;
pub(crate) type Dequantize = unsafe extern "C" fn(*const c_void, *mut f32, i64);
pub(crate) type QuantizeActs = unsafe extern "C" fn(*const f32, *mut c_void, i64);
pub(crate) type VecDot = unsafe extern "C" fn(i32, *mut f32, usize, *const c_void, usize, *const c_void, usize, i32);

unsafe extern "C" {
    fn peer_init();
    fn quantize_tq1_0(x: *const f32, y: *mut c_void, rows: i64, cols: i64, imatrix: *const f32) -> usize;
    fn quantize_tq2_0(x: *const f32, y: *mut c_void, rows: i64, cols: i64, imatrix: *const f32) -> usize;
    fn dequantize_row_tq1_0(x: *const c_void, y: *mut f32, k: i64);
    fn dequantize_row_tq2_0(x: *const c_void, y: *mut f32, k: i64);
    fn quantize_row_q8_K(x: *const f32, y: *mut c_void, k: i64);
    fn ggml_vec_dot_tq1_0_q8_K(
        n: i32,
        s: *mut f32,
        bs: usize,
        x: *const c_void,
        bx: usize,
        y: *const c_void,
        by: usize,
        nrc: i32,
    );
    fn ggml_vec_dot_tq2_0_q8_K(
        n: i32,
        s: *mut f32,
        bs: usize,
        x: *const c_void,
        bx: usize,
        y: *const c_void,
        by: usize,
        nrc: i32,
    );
}

/// Fills the tables that ggml fills at start-up.
pub fn init() {
    // SAFETY: writes ggml's own tables, before anything reads them.
    unsafe { peer_init() }
}

/// A ggml weight format with the activations it is multiplied with.
#[derive(Clone, Copy)]
pub struct Format {
    pub name: &'static str,
    pub(crate) block: (usize, usize),
    pub(crate) act_block: (usize, usize),
    pub(crate) quantize: Quantize,
    pub(crate) dequantize: Dequantize,
    pub(crate) quantize_acts: QuantizeActs,
    pub(crate) dot: VecDot,
}

pub const TQ1_0: Format = Format {
    name: "ggml TQ1_0",
    block: (256, 54),
    act_block: (256, 292),
    quantize: quantize_tq1_0,
    dequantize: dequantize_row_tq1_0,
    quantize_acts: quantize_row_q8_K,
    dot: ggml_vec_dot_tq1_0_q8_K,
};
pub const TQ2_0: Format = Format {
    name: "ggml TQ2_0",
    block: (256, 66),
    quantize: quantize_tq2_0,
    dequantize: dequantize_row_tq2_0,
    dot: ggml_vec_dot_tq2_0_q8_K,
    ..TQ1_0
};
impl Format {
    pub fn row_bytes(&self, cols: usize) -> usize {
        cols / self.block.0 * self.block.1
    }

    pub fn quantize(&self, rows: usize, cols: usize, x: &[f32], out: &mut [u8]) {
        assert!(
            cols % self.block.0 == 0 && x.len() == rows * cols && out.len() >= rows * self.row_bytes(cols)
        );
        // SAFETY: the lengths were just checked; a null importance matrix means none.
        unsafe {
            (self.quantize)(x.as_ptr(), out.as_mut_ptr().cast(), rows as i64, cols as i64, std::ptr::null());
        }
    }

    pub fn dequantize(&self, w: &[u8], out: &mut [f32]) {
        assert!(out.len() % self.block.0 == 0 && w.len() >= self.row_bytes(out.len()));
        // SAFETY: the lengths were just checked.
        unsafe { (self.dequantize)(w.as_ptr().cast(), out.as_mut_ptr(), out.len() as i64) }
    }

    pub fn act_bytes(&self, cols: usize) -> usize {
        cols / self.act_block.0 * self.act_block.1
    }

    pub fn quantize_acts(&self, x: &[f32], out: &mut [u8]) {
        assert!(x.len() % self.act_block.0 == 0 && out.len() >= self.act_bytes(x.len()));
        // SAFETY: the lengths were just checked.
        unsafe { (self.quantize_acts)(x.as_ptr(), out.as_mut_ptr().cast(), x.len() as i64) }
    }

    /// `y[r] = W[r] . a`, row after row, as ggml's matrix multiplication does it on one thread.
    pub fn matvec(&self, rows: usize, cols: usize, w: &[u8], acts: &[u8], y: &mut [f32]) {
        let row = self.row_bytes(cols);
        assert!(w.len() >= rows * row && acts.len() >= self.act_bytes(cols) && y.len() >= rows);
        for (w, y) in w.chunks_exact(row).zip(y) {
            // SAFETY: one whole row, one whole vector, one result.
            unsafe {
                (self.dot)(cols as i32, y, 0, w.as_ptr().cast(), 0, acts.as_ptr().cast(), 0, 1);
            }
        }
    }

    /// `Y[b][r]`: ggml tiles 16 rows by 16 vectors so that both stay in cache; so does this.
    pub fn matmul(&self, rows: usize, cols: usize, w: &[u8], batch: usize, acts: &[u8], y: &mut [f32]) {
        let (row, vector) = (self.row_bytes(cols), self.act_bytes(cols));
        assert!(w.len() >= rows * row && acts.len() >= batch * vector && y.len() >= batch * rows);
        for b0 in (0..batch).step_by(16) {
            for r0 in (0..rows).step_by(16) {
                for b in b0..(b0 + 16).min(batch) {
                    let end = (r0 + 16).min(rows);
                    let y = &mut y[b * rows + r0..b * rows + end];
                    self.matvec(
                        end - r0,
                        cols,
                        &w[r0 * row..end * row],
                        &acts[b * vector..(b + 1) * vector],
                        y,
                    );
                }
            }
        }
    }
}
