//! Products of f32 matrices in the three forms that training needs, all row-major: `A Bᵀ`, `A B`, `Aᵀ B`.
//!
//! # The order of operations
//!
//! An output is a sum over the inner index in order: product rounded, then the sum. Every 256 products begin a new sum,
//! and these are added up in order; [`Product::add`] begins with what the output holds. There is no fused operation and
//! no sum across lanes, so that all tiers give the same bits, and an output does not depend on how many rows or columns
//! the product has beside its own. (What NaN has as payload is not fixed.)
//!
//! |error| <= (256 + k / 256 + 2) * 2^-24 * sum of |a b| for k products, short of overflow.
//!
//! # How
//!
//! `B` is packed into panels of 16 columns, 256 of the inner index at a time, which a loop over tiles of up to 6 rows
//! finds in the first cache level; accumulators stay in registers. `A` is read where it lies: either form of it gives the
//! few values that a step broadcasts. (After Goto, van de Geijn: "Anatomy of high-performance matrix multiplication",
//! TOMS 34, 2008, without the packed `A`.)

use bytemuck::{Pod, Zeroable};

use crate::simd::floats::{self, FloatKernel, Floats};
use crate::workspace::{Carver, Layout, split_rows_mut};
use crate::{Error, simd};

/// Columns of a panel: the lanes of a vector.
const LANES: usize = 16;
/// Products of one sum. A panel of so many is 16 KB.
const DEPTH: usize = 256;
/// Columns that are packed at a time: 512 KB at most.
const COLUMNS: usize = 512;
/// Rows of `A` that are gone over for a panel: 96 KB, a multiple of all tiles.
const ROWS: usize = 96;

/// Which of the matrices is turned over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Form {
    /// `A Bᵀ`: `A` has `rows` x `inner`, `B` `cols` x `inner` values. Inputs times weights.
    ABt = 0,
    /// `A B`: `rows` x `inner` and `inner` x `cols`. Gradients of outputs times weights.
    AB = 1,
    /// `Aᵀ B`: `inner` x `rows` and `inner` x `cols`. Gradients of outputs times inputs.
    AtB = 2,
}

impl Form {
    /// The form with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Form, Error> {
        [Form::ABt, Form::AB, Form::AtB].into_iter().find(|&f| f as i32 == value).ok_or(Error::UnknownEnum)
    }
}

/// A product `C` (`rows` x `cols`) of two matrices.
///
/// ```
/// use hybridq::linear::matrix::{Form, Product};
/// let (x, w) = ([1.0f32, 2.0, 3.0, 4.0], [1.0f32, 0.0, 0.0, 1.0, 1.0, 1.0]); // 2 x 2 inputs, 3 x 2 weights
/// let product = Product { form: Form::ABt, rows: 2, cols: 3, inner: 2, add: false };
/// let mut scratch = vec![0; product.workspace_size()?];
/// let mut y = [0.0; 6];
/// product.run(&x, &w, &mut y, &mut scratch)?;
/// assert_eq!(y, [1.0, 2.0, 3.0, 3.0, 4.0, 7.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// Which of the matrices is turned over.
    pub form: Form,
    /// Rows of the result.
    pub rows: usize,
    /// Columns of the result.
    pub cols: usize,
    /// Products that make one output.
    pub inner: usize,
    /// Adds to what the result holds; else overwrites it.
    pub add: bool,
}

/// 16 floats in a cache line of their own.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LANES]);

impl Product {
    /// Bytes of scratch that [`Product::run`] needs: those of the packed part of `B`, 0.5 MB at most.
    ///
    /// # Errors
    /// [`Error::SizeOverflow`].
    pub fn workspace_size(&self) -> Result<usize, Error> {
        Ok(Layout::EMPTY.array::<Line>(self.lines())?.size())
    }

    /// Lines of the packed part of `B`; no product of these overflows.
    fn lines(&self) -> usize {
        self.inner.min(DEPTH) * self.cols.min(COLUMNS).div_ceil(LANES)
    }

    /// Works out the product. `a` and `b` have exactly the values that the form names, `c` at least `rows * cols`, of
    /// which just those are written. NaN and infinities go the way that IEEE 754 gives them.
    ///
    /// # Errors
    /// [`Error::Shape`] (`a`, `b`), [`Error::OutputTooSmall`] (`c`), [`Error::WorkspaceTooSmall`],
    /// [`Error::SizeOverflow`]. `c` is untouched then.
    pub fn run(&self, a: &[f32], b: &[f32], c: &mut [f32], scratch: &mut [u8]) -> Result<(), Error> {
        let len = |x: usize, y: usize| x.checked_mul(y).ok_or(Error::SizeOverflow);
        if a.len() != len(self.rows, self.inner)? || b.len() != len(self.cols, self.inner)? {
            return Err(Error::Shape);
        }
        let c = c.get_mut(..len(self.rows, self.cols)?).ok_or(Error::OutputTooSmall)?;
        let panels = Carver::new(scratch).take::<Line>(self.lines())?;
        if c.is_empty() {
            return Ok(());
        }
        if self.inner == 0 {
            if !self.add {
                c.fill(0.0);
            }
            return Ok(());
        }
        let panels = bytemuck::must_cast_slice_mut(panels);
        floats::run(simd::active(), Job { product: *self, a, b, c, panels });
        Ok(())
    }
}

struct Job<'a> {
    product: Product,
    a: &'a [f32],
    b: &'a [f32],
    c: &'a mut [f32],
    panels: &'a mut [[f32; LANES]],
}

/// What a tile reads and writes.
#[derive(Clone, Copy)]
struct Place {
    /// Rows of the product.
    rows: (usize, usize),
    /// The part of the inner index.
    from: usize,
    /// Of the panel.
    column: usize,
    /// Whether the output is added to.
    add: bool,
}

impl FloatKernel for Job<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(mut self, f: F) {
        let Product { form, rows, cols, inner, add } = self.product;
        let tile = tile_len::<F>(rows);
        let mut column = 0;
        while column < cols {
            let width = (cols - column).min(COLUMNS);
            let mut from = 0;
            while from < inner {
                let depth = (inner - from).min(DEPTH);
                self.pack(f, (column, width), (from, depth));
                let mut row = 0;
                while row < rows {
                    let here = (row, (row + ROWS).min(rows));
                    let place = Place { rows: here, from, column, add: add || from > 0 };
                    // What depends on the tile is only the inner loops.
                    match (form == Form::AtB, tile) {
                        (false, 6) if F::TILE >= 6 => self.panels::<F, 6, false>(f, place, depth),
                        (false, 4) if F::TILE >= 6 => self.panels::<F, 4, false>(f, place, depth),
                        (false, 3) if F::TILE == 3 => self.panels::<F, 3, false>(f, place, depth),
                        (false, _) => self.panels::<F, 1, false>(f, place, depth),
                        (true, 6) if F::TILE >= 6 => self.panels::<F, 6, true>(f, place, depth),
                        (true, 4) if F::TILE >= 6 => self.panels::<F, 4, true>(f, place, depth),
                        (true, 3) if F::TILE == 3 => self.panels::<F, 3, true>(f, place, depth),
                        (true, _) => self.panels::<F, 1, true>(f, place, depth),
                    }
                    row += ROWS;
                }
                from += depth;
            }
            column += width;
        }
    }
}

/// Rows of a tile: 6 or 4 (SSE4.2: 3), whichever takes less time with the rows that are worked out twice; 1 where there are
/// not as many.
#[inline(always)]
fn tile_len<F: Floats>(rows: usize) -> usize {
    match F::TILE {
        // A step along the inner index is 44 instructions for 6 rows and 34 for 4.
        6.. if rows >= 6 && rows.div_ceil(6) * 5 <= rows.div_ceil(4) * 4 => 6,
        6.. if rows >= 4 => 4,
        3 if rows >= 3 => 3,
        _ => 1,
    }
}

impl Job<'_> {
    /// Packs part of `B`: panel after panel, for each inner index the values of 16 columns, zeros where there are none.
    #[inline(always)]
    fn pack<F: Floats>(&mut self, f: F, (column, width): (usize, usize), (from, depth): (usize, usize)) {
        let Product { form, cols, inner, .. } = self.product;
        for (number, panel) in split_rows_mut(self.panels, depth).take(width.div_ceil(LANES)).enumerate() {
            let first = column + number * LANES;
            if form == Form::ABt {
                let rows = self.b.get(first * inner..).unwrap_or_default();
                turn(f, rows, inner, from, panel);
                continue;
            }
            let mut rest = self.b.get(from * cols + first..).unwrap_or_default();
            let here = (cols - first).min(LANES);
            for to in panel {
                match rest.first_chunk() {
                    Some(values) if here == LANES => *to = *values,
                    _ => {
                        *to = [0.0; LANES];
                        for (to, &value) in to.iter_mut().zip(rest).take(here) {
                            *to = value;
                        }
                    }
                }
                rest = rest.get(cols..).unwrap_or_default();
            }
        }
    }

    /// The rows of a place times all panels.
    #[inline(always)]
    fn panels<F: Floats, const R: usize, const TURNED: bool>(&mut self, f: F, place: Place, depth: usize) {
        let Product { rows, cols, inner, .. } = self.product;
        let (first, end) = place.rows;
        let width = (cols - place.column).min(COLUMNS);
        let mut column = place.column;
        let mut panels = &*self.panels;
        while column < place.column + width {
            let Some((panel, later)) = panels.split_at_checked(depth) else { break };
            panels = later;
            let mut row = first;
            while row < end {
                // The last tile works out some rows once more, and keeps what it has to itself.
                let start = row.min(rows.saturating_sub(R));
                let sums = if TURNED {
                    let a = self.a.get(place.from * rows..).unwrap_or_default();
                    columns_tile::<F, R>(f, a, (rows, start), panel)
                } else {
                    let a = self.a.get(start * inner..).unwrap_or_default();
                    rows_tile::<F, R>(f, a, inner, place.from, panel)
                };
                for (at, sum) in (start..).zip(sums) {
                    if at < row || at >= end {
                        continue;
                    }
                    let Some(to) = self.c.get_mut(at * cols + column..(at + 1) * cols) else { continue };
                    if let Some(to) = to.first_chunk_mut() {
                        *to = f.store(if place.add { f.add(f.load(to), sum) } else { sum });
                    } else {
                        for (to, sum) in to.iter_mut().zip(f.store(sum)) {
                            *to = if place.add { *to + sum } else { sum };
                        }
                    }
                }
                row = start + R;
            }
            column += LANES;
        }
    }
}

/// `R` rows of `a`, which are `inner` apart, times a panel.
#[inline(always)]
fn rows_tile<F: Floats, const R: usize>(
    f: F,
    a: &[f32],
    inner: usize,
    from: usize,
    panel: &[[f32; LANES]],
) -> [F::V; R] {
    let mut sums = [f.splat(0.0); R];
    let depth = panel.len();
    let mut rows = [&[] as &[f32]; R];
    for (r, row) in rows.iter_mut().enumerate() {
        // All of one length, so that one comparison a step does for all of them.
        let Some(values) = a.get(r * inner + from..).and_then(|a| a.get(..depth)) else { return sums };
        *row = values;
    }
    for (p, b) in panel.iter().enumerate() {
        let b = f.load(b);
        for (sum, row) in sums.iter_mut().zip(rows) {
            let Some(&a) = row.get(p) else { continue };
            *sum = f.add(*sum, f.mul(f.splat(a), b));
        }
    }
    sums
}

/// `R` columns of `a` from `start` on, whose rows are `rows` long, times a panel.
#[inline(always)]
fn columns_tile<F: Floats, const R: usize>(
    f: F,
    a: &[f32],
    (rows, start): (usize, usize),
    panel: &[[f32; LANES]],
) -> [F::V; R] {
    let mut sums = [f.splat(0.0); R];
    // Whole rows, whose lengths are equal: one comparison does for all of them.
    for (b, row) in panel.iter().zip(a.chunks_exact(rows.max(1))) {
        let Some(values) = row.get(start..).and_then(|row| row.first_chunk::<R>()) else { return sums };
        let b = f.load(b);
        for (sum, &a) in sums.iter_mut().zip(values) {
            *sum = f.add(*sum, f.mul(f.splat(a), b));
        }
    }
    sums
}

/// 16 rows, which are `inner` apart, as columns of a panel.
#[inline(always)]
fn turn<F: Floats>(f: F, b: &[f32], inner: usize, from: usize, panel: &mut [[f32; LANES]]) {
    const NONE: &[f32; LANES] = &[0.0; LANES];
    let depth = panel.len();
    let row = |r: usize| {
        let row = b.get(r * inner..).unwrap_or_default();
        row.get(from..from + depth).unwrap_or_default()
    };
    let (squares, rest) = panel.as_chunks_mut::<LANES>();
    let done = squares.len() * LANES;
    for (number, square) in squares.iter_mut().enumerate() {
        let mut rows = [NONE; LANES];
        for (r, to) in rows.iter_mut().enumerate() {
            *to = row(r).get(number * LANES..).and_then(|row| row.first_chunk()).unwrap_or(NONE);
        }
        f.transpose(&rows, square);
    }
    if rest.is_empty() {
        return;
    }
    for r in 0..LANES {
        let values = row(r).get(done..).unwrap_or_default();
        let values = values.iter().copied().chain(core::iter::repeat(0.0));
        for (to, value) in rest.iter_mut().zip(values) {
            if let Some(to) = to.get_mut(r) {
                *to = value;
            }
        }
    }
}
