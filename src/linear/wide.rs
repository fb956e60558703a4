//! The products on a vector tier, written once over [`Lanes`].

use crate::math::tree_sum;
use crate::quant::{ActBlock, Format, five_level, q35p, tq1_0, tq2_0};
use crate::simd::codebook::CodebookLanes;
use crate::simd::lanes::{Lanes, unsigned};

use super::dense::{self, Dense};
use super::five::{self, FiveLevel};
use super::ops::Ops;
use super::q8::{self, Q8_0};
use super::q35p_wide::{self, Q35P};
use super::scalar::Scalar;
use super::sources::{Interleaved, Tq1_0, Tq2_0};
use super::table::ActTable;
use super::{Packed, base3, interleaved, prepared, rows, ternary, ternary_dot, tile};

/// A vector tier: the token of its instructions.
#[derive(Clone, Copy)]
pub(crate) struct Wide<L>(pub(crate) L);

impl<L: Lanes> Wide<L> {
    /// The next base-5 digit of every 7-bit fraction: floor(5 b / 128), as four comparisons.
    #[inline(always)]
    fn quint(self, b: L::Bytes) -> L::Bytes {
        let l = self.0;
        let step = |digit, from: u8| l.sub(digit, l.at_least(b, l.splat(from)));
        step(step(step(step(l.splat(0), 26), 52), 77), 103)
    }

    /// The remaining fraction after a digit: 5 b mod 128.
    #[inline(always)]
    fn next_quint(self, b: L::Bytes) -> L::Bytes {
        let l = self.0;
        let two = l.add(b, b);
        l.and(l.add(l.add(two, two), b), l.splat(127))
    }

    /// The sum of a block as i16 lanes.
    #[inline(always)]
    fn tq1_0_shorts(self, q: &[u8; tq1_0::CODE_BYTES], a: &[i8; 256]) -> L::Shorts {
        let l = self.0;
        let a: &[[i8; 32]; 8] = bytemuck::must_cast_ref(a);
        let [a0, a1, a2, a3, a4, a5, a6, a7] = a;
        let mut sum = l.no_shorts();
        // Bytes 0..32: five planes of 32.
        let (Some(head), Some(&middle), Some(&last)) =
            (q.first_chunk::<32>(), q.get(32..48).and_then(|m| m.first_chunk::<16>()), q.last_chunk::<4>())
        else {
            return sum; // 32 + 16 + 4 bytes: never
        };
        let mut b = l.load(head);
        for a in [a0, a1, a2, a3, a4] {
            sum = l.add_digits(sum, base3::digit(l, b), self.acts(a));
            b = base3::next(l, b);
        }
        // Bytes 32..48: five planes of 16, two in a vector; the fifth beside the four planes of 4 of the last
        // bytes.
        let times = |by: u8| middle.map(|b| b.wrapping_mul(by));
        let halves = |x: [u8; 16], y: [u8; 16]| l.load(bytemuck::must_cast_ref(&[x, y]));
        let tail = [
            last,
            last.map(|b| b.wrapping_mul(3)),
            last.map(|b| b.wrapping_mul(9)),
            last.map(|b| b.wrapping_mul(27)),
        ];
        sum = l.add_digits(sum, base3::digit(l, halves(middle, times(3))), self.acts(a5));
        sum = l.add_digits(sum, base3::digit(l, halves(times(9), times(27))), self.acts(a6));
        sum = l.add_digits(sum, base3::digit(l, halves(times(81), bytemuck::must_cast(tail))), self.acts(a7));
        // 8 calls: within the bound of `add_digits`.
        sum
    }

    /// Four times the sum of a block as i16 lanes. Codes in bits 0-1 and 2-3 of a half byte are masked where they
    /// stand: the latter count four times and are summed by themselves, which saves two shifts of three.
    #[inline(always)]
    fn tq2_0_shorts(self, q: &[u8; tq2_0::CODE_BYTES], a: &[i8; 256]) -> L::Shorts {
        let l = self.0;
        let halves: &[[u8; 32]; 2] = bytemuck::must_cast_ref(q);
        let acts: &[[[i8; 32]; 4]; 2] = bytemuck::must_cast_ref(a);
        let (low, high) = (l.splat(0x03), l.splat(0x0C));
        let (mut ones, mut fours) = (l.no_shorts(), l.no_shorts());
        for (q, [a0, a1, a2, a3]) in halves.iter().zip(acts) {
            let q = l.load(q);
            let upper = l.upper_halves(q);
            ones = l.add_digits(ones, l.and(q, low), self.acts(a0));
            fours = l.add_digits(fours, l.and(q, high), self.acts(a1));
            ones = l.add_digits(ones, l.and(upper, low), self.acts(a2));
            fours = l.add_digits(fours, l.and(upper, high), self.acts(a3));
        }
        // A lane: |4 * ones| <= 4 * 4 * 3 * 256 = 12288 and |fours| <= 4 * 12 * 256 = 12288, together in an i16.
        l.four_times_plus(ones, fours)
    }

    #[inline(always)]
    fn acts(self, a: &[i8; 32]) -> L::Bytes {
        self.0.load(unsigned(a))
    }
}

impl<L: CodebookLanes> Ops for Wide<L> {
    const EIGHT_ROWS: bool = true;

    #[inline(always)]
    fn dot_i8(self, a: &[i8], b: &[i8]) -> i32 {
        let len = a.len().min(b.len());
        let (a, b) = (a.get(..len).unwrap_or_default(), b.get(..len).unwrap_or_default());
        let (a, a_rest) = a.as_chunks::<32>();
        let (b, b_rest) = b.as_chunks::<32>();
        let mut sum = self.0.no_ints();
        for (a, b) in a.iter().zip(b) {
            sum = self.0.add_products(sum, self.acts(a), self.acts(b));
        }
        self.0.total(sum) + Scalar.dot_i8(a_rest, b_rest)
    }

    #[inline(always)]
    fn tq1_0(self, q: &[u8; tq1_0::CODE_BYTES], a: &[i8; 256]) -> i32 {
        self.0.widen(self.tq1_0_shorts(q, a))
    }

    #[inline(always)]
    fn tq2_0(self, q: &[u8; tq2_0::CODE_BYTES], a: &[i8; 256]) -> i32 {
        // Four times a whole number: the shift is exact.
        self.0.widen(self.tq2_0_shorts(q, a)) >> 2
    }

    #[inline(always)]
    fn eight_rows(
        self,
        weights: &Packed<'_>,
        data: &[u8],
        acts: &[ActBlock],
        tables: &[ActTable],
        y: &mut [f32],
    ) {
        let Packed { format, cols, row_bytes, .. } = *weights;
        let l = self.0;
        match format {
            Format::Tq1_0 if L::DOT => ternary_dot::tq1_0(l, data, row_bytes, acts, y),
            Format::Tq1_0 => ternary::tq1_0(l, data, row_bytes, acts, tables, y),
            Format::Tq2_0 => ternary::tq2_0(l, data, row_bytes, acts, y),
            Format::DenseTernary => dense::matvec(l, data, row_bytes, cols, acts, y),
            Format::FiveLevel => five::matvec(l, data, row_bytes, cols, acts, y),
            Format::Q8_0 if q8::symmetric(acts) => q8::matvec(l, data, row_bytes, acts, y),
            Format::Q8_0 => {
                for (y, row) in y.iter_mut().zip(data.chunks_exact(row_bytes.max(1))) {
                    *y = rows::dot(self, format, row, cols, acts);
                }
            }
            Format::Q35P => q35p_wide::matvec(l, data, row_bytes, cols, acts, y),
            Format::Q35B => {} // goes its own way: `Ops::q35b`
        }
    }

    #[inline(always)]
    fn batch(self, weights: &Packed<'_>, acts: &[ActBlock], per_vector: usize, y: &mut [f32]) -> usize {
        let Packed { format, rows, cols, row_bytes, data } = *weights;
        let (l, bytes, shape) = (self.0, 8 * row_bytes, (rows, cols));
        match format {
            Format::Tq1_0 => tile::matmul::<L, Tq1_0>(l, data, bytes, shape, acts, per_vector, y),
            Format::Tq2_0 => tile::matmul::<L, Tq2_0>(l, data, bytes, shape, acts, per_vector, y),
            Format::DenseTernary => tile::matmul::<L, Dense>(l, data, bytes, shape, acts, per_vector, y),
            Format::FiveLevel => tile::matmul::<L, FiveLevel>(l, data, bytes, shape, acts, per_vector, y),
            Format::Q8_0 => tile::matmul::<L, Q8_0>(l, data, bytes, shape, acts, per_vector, y),
            Format::Q35P => tile::matmul::<L, Q35P>(l, data, bytes, shape, acts, per_vector, y),
            Format::Q35B => 0, // goes its own way: `Ops::q35b`
        }
    }

    #[inline(always)]
    fn prepared(self, data: &[u8], acts: &[ActBlock], y: &mut [f32]) {
        interleaved::matvec(self.0, data, acts, y);
    }

    #[inline(always)]
    fn batch_prepared(
        self,
        data: &[u8],
        rows: usize,
        acts: &[ActBlock],
        per_vector: usize,
        y: &mut [f32],
    ) -> usize {
        let bytes = per_vector * prepared::BLOCK_BYTES;
        tile::matmul::<L, Interleaved>(self.0, data, bytes, (rows, 256 * per_vector), acts, per_vector, y)
    }

    #[inline(always)]
    fn base3(self, q: &[u8; 32], a: &[&[i8; 32]; 5]) -> [i32; 5] {
        let l = self.0;
        let mut b = l.load(q);
        let mut sums = [0; 5];
        for (sum, a) in sums.iter_mut().zip(a) {
            *sum = l.widen(l.add_digits(l.no_shorts(), base3::digit(l, b), self.acts(a)));
            b = base3::next(l, b);
        }
        sums
    }

    #[inline(always)]
    fn five_level(self, q: &[u8; five_level::CODE_BYTES], a: &[&[i8; 64]; 3]) -> [i32; 3] {
        let l = self.0;
        let triples = five_level::triples(q);
        let halves: &[[u8; 32]; 2] = bytemuck::must_cast_ref(&triples);
        let [b0, b1] = halves;
        let (mut b0, mut b1) = (l.load(b0), l.load(b1));
        let mut sums = [0; 3];
        for (sum, a) in sums.iter_mut().zip(a) {
            let [a0, a1]: &[[i8; 32]; 2] = bytemuck::must_cast_ref(*a);
            let first = l.add_digits(l.no_shorts(), self.quint(b0), self.acts(a0));
            *sum = l.widen(l.add_digits(first, self.quint(b1), self.acts(a1)));
            (b0, b1) = (self.next_quint(b0), self.next_quint(b1));
        }
        sums
    }

    #[inline(always)]
    fn q35b(self, job: super::q35b::Matmul<'_, '_>) {
        super::q35b_wide::matmul(self.0, job);
    }

    #[inline(always)]
    fn q35p(self, group: &[u8; q35p::GROUP_BYTES], a: &[i8; 256]) -> i32 {
        super::q35p::sum_wide(self.0, group, a)
    }

    #[inline(always)]
    fn dot_affine(self, codes: &[i8], affine: q35p::Affine, x: &[f32]) -> f32 {
        let l = self.0;
        let len = codes.len().min(x.len());
        let (codes, codes_rest) = codes.get(..len).unwrap_or_default().as_chunks::<16>();
        let (x, x_rest) = x.get(..len).unwrap_or_default().as_chunks::<16>();
        let (scale, offset) = (l.load_floats(&[affine.scale; 16]), l.load_floats(&[affine.offset; 16]));
        let mut sum = l.no_floats();
        for (codes, x) in codes.iter().zip(x) {
            let values = l.add_product(offset, l.codes_to_floats(codes), scale);
            sum = l.add_product(sum, values, l.load_floats(x));
        }
        let mut lanes = l.store_floats(sum);
        for (lane, (&c, &x)) in lanes.iter_mut().zip(codes_rest.iter().zip(x_rest)) {
            *lane += affine.value(c) * x;
        }
        tree_sum(lanes)
    }

    #[inline(always)]
    fn dot_codes(self, codes: &[i8], x: &[f32]) -> f32 {
        let l = self.0;
        let len = codes.len().min(x.len());
        let (codes, codes_rest) = codes.get(..len).unwrap_or_default().as_chunks::<16>();
        let (x, x_rest) = x.get(..len).unwrap_or_default().as_chunks::<16>();
        let mut sum = l.no_floats();
        for (codes, x) in codes.iter().zip(x) {
            sum = l.add_product(sum, l.codes_to_floats(codes), l.load_floats(x));
        }
        let mut lanes = l.store_floats(sum);
        for (lane, (&c, &x)) in lanes.iter_mut().zip(codes_rest.iter().zip(x_rest)) {
            *lane += c as f32 * x;
        }
        tree_sum(lanes)
    }

    #[inline(always)]
    fn dot_f32(self, a: &[f32], b: &[f32]) -> f32 {
        let l = self.0;
        let len = a.len().min(b.len());
        let (a, a_rest) = a.get(..len).unwrap_or_default().as_chunks::<16>();
        let (b, b_rest) = b.get(..len).unwrap_or_default().as_chunks::<16>();
        let mut sum = l.no_floats();
        for (a, b) in a.iter().zip(b) {
            sum = l.add_product(sum, l.load_floats(a), l.load_floats(b));
        }
        let mut lanes = l.store_floats(sum);
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
            *lane += a * b;
        }
        tree_sum(lanes)
    }

    #[inline(always)]
    fn axpy(self, alpha: f32, x: &[f32], y: &mut [f32]) {
        // The portable loop has no order to keep; compiled for the tier it is the vector loop.
        Scalar.axpy(alpha, x, y);
    }
}
