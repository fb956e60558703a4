//! Rows: packed blocks to trits, the rule, and back.

use half::f16;

use crate::math::tree_sum;
use crate::quant::{Format, dense_ternary, tq1_0, tq2_0};
use crate::simd;
use crate::workspace::{pieces_with, split_rows, split_rows_mut};

use super::held::Held;
use super::noise::{GROUP, Noise};
use super::rule::{Counts, Rule};
use super::{Clock, Options, Report};

/// Trits of a block of 256.
const TRITS: usize = 256;
/// Trits of two groups of dense ternary.
const PAIR: usize = 2 * dense_ternary::GROUP_LEN;
/// Whether four groups of noise at once are faster: with vectors. They are the same bits.
const WIDE: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
/// The smallest and the largest scale that learning leaves behind.
const SCALES: [f32; 2] = [f32::from_bits((127 - 14) << 23), crate::math::F16_MAX];

/// Everything about an update but its arrays.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) format: Format,
    pub(super) options: &'a Options,
    pub(super) clock: Clock,
    pub(super) first_row: u64,
    pub(super) cols: usize,
}

/// Whether no value is NaN or infinite.
pub(super) fn all_finite(x: &[f32]) -> bool {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        move || x.iter().fold(0, |largest, v| largest.max(v.to_bits() & 0x7FFF_FFFF)) < 0x7F80_0000,
    )
}

/// All rows. Lengths have been checked.
pub(super) fn update<H: Held>(
    job: &Job<'_>,
    gradient: &[f32],
    weights: &mut [u8],
    inertia: &mut [H::Cell],
) -> Report {
    let Ok(row_bytes) = job.format.row_bytes(job.cols) else { return Report::default() };
    let cols = job.cols;
    let rows = split_rows(gradient, cols).zip(split_rows_mut(weights, row_bytes));
    let rows = rows.zip(split_rows_mut(inertia, H::cells(cols)));
    let (rule, job) = (Rule::new(job.options), *job);
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        move || {
            let mut tally = Tally { report: Report::default() };
            for (i, ((gradient, packed), inertia)) in rows.enumerate() {
                let noise = Noise::of_row(job.clock, job.first_row.wrapping_add(i as u64), cols);
                let mut row =
                    Row { rule: &rule, noise, scale_rate: job.options.scale_rate, tally: &mut tally };
                match job.format {
                    Format::Tq1_0 => row.blocks::<Tq1, H>(gradient, packed, inertia),
                    Format::DenseTernary => row.dense::<H>(gradient, packed, inertia),
                    _ => row.blocks::<Tq2, H>(gradient, packed, inertia),
                }
            }
            tally.report
        },
    )
}

/// A format of blocks of 256.
trait Block {
    const BYTES: usize;
    /// The trits and the bytes of the scale.
    fn unpack(block: &[u8], trits: &mut [i8; TRITS]) -> [u8; 2];
    fn pack(trits: &[i8; TRITS], scale: [u8; 2], block: &mut [u8]);
}

struct Tq1;
struct Tq2;

impl Block for Tq1 {
    const BYTES: usize = tq1_0::BLOCK_BYTES;
    #[inline(always)]
    fn unpack(block: &[u8], trits: &mut [i8; TRITS]) -> [u8; 2] {
        let Some(block) = block.first_chunk::<{ tq1_0::BLOCK_BYTES }>() else { return [0; 2] };
        tq1_0::unpack(block, trits);
        let [.., s0, s1] = *block;
        [s0, s1]
    }
    #[inline(always)]
    fn pack(trits: &[i8; TRITS], scale: [u8; 2], block: &mut [u8]) {
        if let Some(block) = block.first_chunk_mut::<{ tq1_0::BLOCK_BYTES }>() {
            tq1_0::pack(trits, f16::from_le_bytes(scale), block);
        }
    }
}

impl Block for Tq2 {
    const BYTES: usize = tq2_0::BLOCK_BYTES;
    #[inline(always)]
    fn unpack(block: &[u8], trits: &mut [i8; TRITS]) -> [u8; 2] {
        let Some(block) = block.first_chunk::<{ tq2_0::BLOCK_BYTES }>() else { return [0; 2] };
        tq2_0::unpack(block, trits);
        let [.., s0, s1] = *block;
        [s0, s1]
    }
    #[inline(always)]
    fn pack(trits: &[i8; TRITS], scale: [u8; 2], block: &mut [u8]) {
        if let Some(block) = block.first_chunk_mut::<{ tq2_0::BLOCK_BYTES }>() {
            tq2_0::pack(trits, f16::from_le_bytes(scale), block);
        }
    }
}

/// Counts of a whole call.
struct Tally {
    report: Report,
}

impl Tally {
    /// Adds the counts of `len` weights.
    #[inline(always)]
    fn add(&mut self, len: usize, counts: &Counts) {
        let total = |lanes: &[u8; GROUP]| lanes.iter().map(|&n| n as u64).sum::<u64>();
        let r = &mut self.report;
        r.weights += len as u64;
        r.raised += total(&counts.raised);
        r.lowered += total(&counts.lowered);
        r.clipped += total(&counts.clipped);
        // Padding holds zeros.
        r.zeros += (len as u64).saturating_sub(total(&counts.nonzero));
    }
}

/// One row at work.
struct Row<'a> {
    rule: &'a Rule,
    noise: Noise,
    scale_rate: f32,
    tally: &'a mut Tally,
}

impl Row<'_> {
    #[inline(always)]
    fn blocks<B: Block, H: Held>(&mut self, gradient: &[f32], packed: &mut [u8], inertia: &mut [H::Cell]) {
        let blocks = pieces_with::<TRITS, _, _>(gradient, split_rows_mut(packed, B::BYTES));
        let mut rest = inertia;
        for (number, (gradient, block)) in blocks.enumerate() {
            let Some((inertia, later)) =
                core::mem::take(&mut rest).split_at_mut_checked(H::cells(gradient.len()))
            else {
                return;
            };
            rest = later;
            let mut trits = [0; TRITS];
            let scale = B::unpack(block, &mut trits);
            let scale = self.learnt_scale(number, scale, gradient, &trits);
            self.trits::<H>(number * TRITS, gradient, &mut trits, inertia);
            B::pack(&trits, scale, block);
        }
    }

    #[inline(always)]
    fn dense<H: Held>(&mut self, gradient: &[f32], packed: &mut [u8], inertia: &mut [H::Cell]) {
        let Some((digits, scale)) = packed.split_last_chunk_mut::<{ dense_ternary::SCALE_BYTES }>() else {
            return;
        };
        let mut slope = 0.0;
        let mut rest = inertia;
        // Two groups of the format are five of the noise.
        let pairs = pieces_with::<PAIR, _, _>(gradient, digits.chunks_mut(2 * dense_ternary::GROUP_BYTES));
        for (number, (gradient, pair)) in pairs.enumerate() {
            let Some((inertia, later)) =
                core::mem::take(&mut rest).split_at_mut_checked(H::cells(gradient.len()))
            else {
                return;
            };
            rest = later;
            let mut trits = [0; PAIR];
            let codes = trits.get_mut(..gradient.len()).unwrap_or_default();
            let halves = codes.chunks_mut(dense_ternary::GROUP_LEN);
            for (codes, group) in halves.zip(pair.chunks(dense_ternary::GROUP_BYTES)) {
                match (codes.first_chunk_mut(), group.first_chunk()) {
                    (Some(codes), Some(group)) => dense_ternary::unpack_full(group, codes),
                    _ => dense_ternary::unpack_group(group, codes),
                }
            }
            if self.scale_rate > 0.0 {
                slope += self.slope(gradient, &trits);
            }
            self.trits::<H>(number * PAIR, gradient, &mut trits, inertia);
            let codes = trits.get(..gradient.len()).unwrap_or_default();
            let halves = codes.chunks(dense_ternary::GROUP_LEN);
            for (codes, group) in halves.zip(pair.chunks_mut(dense_ternary::GROUP_BYTES)) {
                match (codes.first_chunk(), group.first_chunk_mut()) {
                    (Some(codes), Some(group)) => dense_ternary::pack_full(codes, group),
                    _ => dense_ternary::pack_group(codes, group),
                }
            }
        }
        *scale = self.moved_scale(0, *scale, slope);
    }

    /// The scale of a block after its step.
    #[inline(always)]
    fn learnt_scale(&self, number: usize, scale: [u8; 2], gradient: &[f32], trits: &[i8; TRITS]) -> [u8; 2] {
        if self.scale_rate > 0.0 {
            self.moved_scale(number, scale, self.slope(gradient, trits))
        } else {
            scale
        }
    }

    /// The gradient for the scale: `sum(g t)`, in the order of all sums of this library.
    #[cfg_attr(any(target_arch = "x86_64", target_arch = "aarch64"), inline(always))]
    fn slope(&self, gradient: &[f32], trits: &[i8]) -> f32 {
        let mut lanes = [0.0f32; 16];
        let (groups, tail) = gradient.as_chunks::<16>();
        let (trit_groups, _) = trits.as_chunks::<16>();
        for (g, t) in groups.iter().zip(trit_groups) {
            for ((lane, &g), &t) in lanes.iter_mut().zip(g).zip(t) {
                *lane += finite(g) * t as f32;
            }
        }
        for ((lane, &g), &t) in
            lanes.iter_mut().zip(tail).zip(trit_groups.get(groups.len()).unwrap_or(&[0; 16]))
        {
            *lane += finite(g) * t as f32;
        }
        tree_sum(lanes)
    }

    /// `scale - scale_rate slope`, rounded to f16 up or down at random so that its mean is right.
    #[cfg_attr(any(target_arch = "x86_64", target_arch = "aarch64"), inline(always))]
    fn moved_scale(&self, number: usize, scale: [u8; 2], slope: f32) -> [u8; 2] {
        if self.scale_rate <= 0.0 {
            return scale;
        }
        let [least, most] = SCALES;
        let old = crate::math::f16_from_le(scale);
        let moved = old - self.scale_rate * slope;
        // NaN gives the least.
        let moved = if moved > least { moved } else { least };
        let moved = if moved < most { moved } else { most };
        // 13 bits of the fraction are dropped; a carry goes on into the exponent, as it should.
        let bits = moved.to_bits() + (self.noise.scale(number) & 0x1FFF);
        let half = (bits >> 13).wrapping_sub((127 - 15) << 10) as u16;
        // 65504 has no bits to drop: it stays.
        half.to_le_bytes()
    }

    /// The rule for the weights from column `first` on, a multiple of 64: at most 320.
    #[cfg_attr(any(target_arch = "x86_64", target_arch = "aarch64"), inline(always))]
    fn trits<H: Held>(&mut self, first: usize, gradient: &[f32], trits: &mut [i8], inertia: &mut [H::Cell]) {
        let mut counts = Counts::ZERO;
        let mut noise = [[0; GROUP]; 4];
        let (gradients, gradient_tail) = gradient.as_chunks::<GROUP>();
        let mut inertia = inertia;
        let (trits, _) = trits.as_chunks_mut::<GROUP>();
        let mut trits = trits.iter_mut();
        let mut groups = gradients.iter();
        let (mut number, mut left) = (first / GROUP, gradients.len());
        while left > 0 {
            let now = if !WIDE || left < noise.len() { 1 } else { noise.len() };
            if now == 1 {
                self.noise.groups::<8>(number, &mut noise);
            } else {
                self.noise.groups::<32>(number, &mut noise);
            }
            for ((g, t), noise) in groups.by_ref().zip(trits.by_ref()).zip(&noise).take(now) {
                let cells = core::mem::take(&mut inertia);
                let Some((cells, later)) = cells.split_at_mut_checked(H::cells(GROUP)) else { return };
                inertia = later;
                let mut m = [0; GROUP];
                H::read(cells, GROUP, &mut m);
                self.rule.apply(g, noise, t, &mut m, &mut counts);
                H::write(&m, GROUP, cells);
            }
            (number, left) = (number + now, left - now);
        }
        if let Some(trits) = trits.next().filter(|_| !gradient_tail.is_empty()) {
            self.noise.groups::<8>(number, &mut noise);
            let [noise, ..] = &noise;
            let (mut g, mut m) = ([0.0; GROUP], [0; GROUP]);
            g.iter_mut().zip(gradient_tail).for_each(|(to, &from)| *to = from);
            H::read(inertia, gradient_tail.len(), &mut m);
            self.rule.apply(&g, noise, trits, &mut m, &mut counts);
            H::write(&m, gradient_tail.len(), inertia);
        }
        self.tally.add(gradient.len(), &counts);
    }
}

/// NaN as 0, an infinity as the largest number.
#[inline(always)]
fn finite(g: f32) -> f32 {
    let g = if g.is_nan() { 0.0 } else { g };
    let g = if g < f32::MAX { g } else { f32::MAX };
    if g > -f32::MAX { g } else { -f32::MAX }
}
