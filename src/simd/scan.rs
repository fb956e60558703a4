//! What quantizers do with 256 values at a time. The provided methods are the reference; a tier overrides what the
//! compiler does not vectorise well by itself, and gives the same bits.

/// Values of a chunk.
pub(crate) const CHUNK: usize = 256;
/// Heights that are worked out together.
pub(crate) const CUTS: usize = 8;

/// Values from a threshold on, and which are just below it.
pub(crate) struct Split {
    /// Sums of the magnitudes from the upper threshold on: value `i` goes to lane `i mod 16`, in rising order.
    pub(crate) sums: [f32; 16],
    /// How many they are.
    pub(crate) count: u32,
    /// Bit `i mod 64` of word `i / 64`: value `i` lies between the thresholds.
    pub(crate) between: [u64; 4],
}

/// Candidates that are tried without sorting them; one more lane is for the set without any of them.
pub(crate) const FEW: usize = 15;

/// A few magnitudes, as values to add and as thresholds; the rest of either is neutral.
pub(crate) struct Few {
    /// Then values below every threshold.
    values: [f32; FEW + 1],
    /// Then thresholds above every value.
    thresholds: [f32; FEW + 1],
}

impl Few {
    pub(crate) const NONE: Few = Few { values: [-1.0; FEW + 1], thresholds: [f32::INFINITY; FEW + 1] };

    /// Writes place `i`, if there is one: the magnitude of `x`, or neutral values.
    #[inline(always)]
    pub(crate) fn put(&mut self, i: usize, x: Option<&f32>) {
        let i = i.min(FEW);
        if let (Some(value), Some(threshold)) = (self.values.get_mut(i), self.thresholds.get_mut(i)) {
            (*value, *threshold) = x.map_or((-1.0, f32::INFINITY), |x| (x.abs(), x.abs()));
        }
    }
}

/// What [`Scan::cells`] finds out about the cells between neighbouring cuts.
pub(crate) struct Cells {
    pub(crate) starts: [f32; CUTS],
    pub(crate) ends: [f32; CUTS],
    /// Half of where the chord through the ends reaches zero; NaN where it does not fall.
    pub(crate) middles: [f32; CUTS],
    /// A bit for each cell whose bound reaches the best gain at a cut.
    pub(crate) kept: u32,
}

/// One instruction each, unlike `f32::max` and `min`, which look for NaN.
#[inline(always)]
pub(crate) fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
pub(crate) fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The operations; `self` is a pulp token or [`Portable`].
pub(crate) trait Scan: Copy {
    /// The largest bits of a magnitude; they order as the magnitudes do, then infinity, then NaN.
    #[inline(always)]
    fn largest_bits(self, x: &[f32]) -> u32 {
        x.iter().fold(0, |largest, v| largest.max(v.to_bits() & 0x7FFF_FFFF))
    }

    /// Sums of the magnitudes: value `i` goes to lane `i mod 16`, in rising order.
    #[inline(always)]
    fn sums(self, x: &[f32; CHUNK]) -> [f32; 16] {
        let mut sums = [0.0; 16];
        for group in x.as_chunks::<16>().0 {
            for (sum, v) in sums.iter_mut().zip(group) {
                *sum += v.abs();
            }
        }
        sums
    }

    /// [`Scan::largest_bits`] and [`Scan::sums`] in one pass.
    #[inline(always)]
    fn largest_and_sums(self, x: &[f32; CHUNK]) -> (u32, [f32; 16]) {
        (self.largest_bits(x), self.sums(x))
    }

    /// Sums of the magnitudes that are at least `threshold`, as [`Scan::sums`], and how many they are.
    #[inline(always)]
    fn sums_from(self, x: &[f32; CHUNK], threshold: f32) -> ([f32; 16], u32) {
        let (mut sums, mut counts) = ([0.0; 16], [0u32; 16]);
        for group in x.as_chunks::<16>().0 {
            for ((sum, count), v) in sums.iter_mut().zip(&mut counts).zip(group) {
                let (m, reached) = (v.abs(), v.abs() >= threshold);
                *sum += f32::from_bits(m.to_bits() & (reached as u32).wrapping_neg());
                *count += reached as u32;
            }
        }
        (sums, counts.iter().sum())
    }

    /// `|x| * per_step` (below 2^15) to nearest, ties to even; in any order within each 16.
    #[inline(always)]
    fn steps(self, x: &[f32; CHUNK], per_step: f32, steps: &mut [u16; CHUNK]) {
        // Adding 2^23 leaves the integer in the low bits.
        for (step, &v) in steps.iter_mut().zip(x) {
            *step = (v.abs() * per_step + 8_388_608.0).to_bits() as u16;
        }
    }

    /// `sum max(0, step - cut)` for every cut, of steps up to 8191.
    #[inline(always)]
    fn heights(self, steps: &[u16; CHUNK], cuts: &[u16; CUTS]) -> [f32; CUTS] {
        let mut heights = [0.0; CUTS];
        for (height, &cut) in heights.iter_mut().zip(cuts) {
            *height = steps.iter().map(|&step| step.saturating_sub(cut) as u32).sum::<u32>() as f32;
        }
        heights
    }

    /// The sum of all steps.
    #[inline(always)]
    fn total(self, steps: &[u16; CHUNK]) -> u32 {
        steps.iter().map(|&step| step as u32).sum()
    }

    /// The cells that end at the cuts, the first of which starts at `left`. `u * H(u)` is the gain at `u`, bounded
    /// in a cell by `u` times the chord of `H` plus `slack`.
    #[inline(always)]
    fn cells(self, left: (f32, f32), cuts: &[u16; CUTS], heights: &[f32; CUTS], slack: f32) -> Cells {
        let mut cells = Cells { starts: [0.0; CUTS], ends: [0.0; CUTS], middles: [0.0; CUTS], kept: 0 };
        let (mut a, mut ha, mut best) = (left.0, left.1, 0.0);
        let mut bounds = [0.0; CUTS];
        let to = cells.starts.iter_mut().zip(&mut cells.ends).zip(&mut cells.middles).zip(&mut bounds);
        for ((((start, end), middle), bound), (&b, &hb)) in to.zip(cuts.iter().zip(heights)) {
            let b = b as f32;
            let slope = (ha - hb) / larger(b - a, 1.0);
            let v = 0.5 * (a + ha / slope);
            let t = smaller(larger(v, a), b);
            best = larger(best, a * ha);
            (*start, *end, *bound) = (a, b, t * (ha - slope * (t - a)) + slack);
            *middle = if slope > 0.0 { v } else { f32::NAN };
            (a, ha) = (b, hb);
        }
        for (cell, bound) in bounds.iter().enumerate() {
            cells.kept |= ((*bound >= best * (1.0 - 1e-5)) as u32) << cell;
        }
        cells
    }

    /// Of the set with this sum and count, and the sets with all of the first `n` of `few` from one of them on
    /// beside it: the one with the largest sum^2 / count, its threshold (infinity for the set alone), sum and
    /// count. Of equals that with the larger threshold.
    #[inline(always)]
    fn best_of(self, few: &Few, n: usize, sum: f32, count: f32) -> (f32, f32, f32) {
        let mut best = (f32::INFINITY, sum, count);
        let mut gain = sum * sum / count;
        for &from in few.thresholds.iter().take(n) {
            let (mut s, mut c) = (sum, count);
            for &m in few.values.iter().take(n) {
                if m >= from {
                    s += m;
                    c += 1.0;
                }
            }
            let found = s * s / c;
            if found > gain || (found == gain && from > best.0) {
                gain = found;
                best = (from, s, c);
            }
        }
        best
    }

    /// How many values are at most `limit`.
    #[inline(always)]
    fn at_most(self, values: &[f32; CUTS], limit: f32) -> usize {
        values.iter().filter(|v| **v <= limit).count()
    }

    /// Sums and counts what reaches `high` in magnitude and finds what reaches only `low`.
    #[inline(always)]
    fn split(self, x: &[f32; CHUNK], low: f32, high: f32) -> Split {
        let mut split = Split { sums: [0.0; 16], count: 0, between: [0; 4] };
        let (words, _) = x.as_chunks::<64>();
        for (word, x) in split.between.iter_mut().zip(words) {
            let (groups, _) = x.as_chunks::<16>();
            let mut bit = 1u64;
            for group in groups {
                for (sum, &v) in split.sums.iter_mut().zip(group) {
                    let m = v.abs();
                    *sum += if m >= high { m } else { 0.0 };
                    split.count += (m >= high) as u32;
                    *word |= if (m >= low) & (m < high) { bit } else { 0 };
                    bit <<= 1;
                }
            }
        }
        split
    }

    /// `1` for `x >= zero`, `-1` for `x <= -zero`, else 0; `zero` is positive or NaN.
    #[inline(always)]
    fn trits(self, x: &[f32; CHUNK], zero: f32) -> [i8; CHUNK] {
        let mut trits = [0; CHUNK];
        for (trit, &v) in trits.iter_mut().zip(x) {
            *trit = (v >= zero) as i8 - (v <= -zero) as i8;
        }
        trits
    }

    /// Trits plus one, in two bits each: bits `2k` of byte `32 h + j` are value `128 h + 32 k + j`.
    #[inline(always)]
    fn crumbs(self, x: &[f32; CHUNK], zero: f32, out: &mut [u8; CHUNK / 4]) {
        let trits = self.trits(x, zero);
        let ((bytes, _), (halves, _)) = (out.as_chunks_mut::<32>(), trits.as_chunks::<128>());
        for (bytes, half) in bytes.iter_mut().zip(halves) {
            let [a, b, c, d]: &[[i8; 32]; 4] = bytemuck::must_cast_ref(half);
            for ((byte, (a, b)), (c, d)) in bytes.iter_mut().zip(a.iter().zip(b)).zip(c.iter().zip(d)) {
                *byte = (0x55 + a + 4 * b + 16 * c).wrapping_add(d.wrapping_mul(64)) as u8;
            }
        }
    }
}

/// The provided methods.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Scan for Portable {}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use core::arch::x86_64::{__m256, __m256i};

    use pulp::cast;
    use pulp::x86::V3;

    use super::{CHUNK, CUTS, Cells, Few, Scan, Split};

    /// `a >= b`, ordered: false for NaN.
    const GE: i32 = core::arch::x86_64::_CMP_GE_OQ;
    const GT: i32 = core::arch::x86_64::_CMP_GT_OQ;
    const LE: i32 = core::arch::x86_64::_CMP_LE_OQ;

    #[inline(always)]
    fn magnitude(v3: V3, v: [f32; 8]) -> __m256 {
        v3.avx._mm256_and_ps(cast(v), v3.avx._mm256_set1_ps(f32::from_bits(0x7FFF_FFFF)))
    }

    /// Four registers of i32 that fit a byte, as bytes; every four of them are where [`in_order`] expects them.
    #[inline(always)]
    fn narrow(v3: V3, [a, b, c, d]: [__m256i; 4]) -> __m256i {
        v3.avx2._mm256_packs_epi16(v3.avx2._mm256_packs_epi32(a, b), v3.avx2._mm256_packs_epi32(c, d))
    }

    /// Packing works in halves of a register; this puts the result in order.
    #[inline(always)]
    fn in_order(v3: V3, bytes: __m256i) -> __m256i {
        v3.avx2._mm256_permutevar8x32_epi32(bytes, cast([0u32, 4, 1, 5, 2, 6, 3, 7]))
    }

    /// The largest lane, in all lanes.
    #[inline(always)]
    fn largest_lane(v3: V3, x: __m256) -> __m256 {
        let x = v3.avx._mm256_max_ps(x, v3.avx._mm256_permute2f128_ps::<1>(x, x));
        let x = v3.avx._mm256_max_ps(x, v3.avx._mm256_permute_ps::<0b01_00_11_10>(x));
        v3.avx._mm256_max_ps(x, v3.avx._mm256_permute_ps::<0b10_11_00_01>(x))
    }

    #[inline(always)]
    fn eight_trits(v3: V3, x: [f32; 8], zero: __m256, minus: __m256) -> __m256i {
        let above = v3.avx._mm256_cmp_ps::<GE>(cast(x), zero);
        let below = v3.avx._mm256_cmp_ps::<LE>(cast(x), minus);
        v3.avx2._mm256_sub_epi32(cast(below), cast(above))
    }

    #[inline(always)]
    fn eight_steps(v3: V3, x: [f32; 8], per_step: __m256) -> __m256i {
        v3.avx._mm256_cvtps_epi32(v3.avx._mm256_mul_ps(magnitude(v3, x), per_step))
    }

    #[inline(always)]
    fn add_pairs(v3: V3, a: __m256i, b: __m256i) -> __m256i {
        v3.avx2._mm256_hadd_epi32(a, b)
    }

    /// Heights at four cuts, not added up yet: four cuts and four sums stay in registers.
    #[inline(always)]
    fn four_heights(v3: V3, steps: &[u16; CHUNK], [a, b, c, d]: [u16; 4]) -> [__m256i; 4] {
        let low_halves: __m256i = cast([0xFFFFu32; 8]);
        let splat = [a as i16, b as i16, c as i16, d as i16];
        let mut at: [__m256i; 4] = cast([0u8; 128]);
        for (at, cut) in at.iter_mut().zip(splat) {
            *at = v3.avx._mm256_set1_epi16(cut);
        }
        let mut totals: [__m256i; 4] = cast([0u8; 128]);
        let (halves, _) = steps.as_chunks::<128>();
        for half in halves {
            // 8 steps of at most 8191 fit a lane.
            let [mut s0, mut s1, mut s2, mut s3]: [__m256i; 4] = cast([0u8; 128]);
            let [a0, a1, a2, a3] = at;
            let groups: &[[u16; 16]; 8] = bytemuck::must_cast_ref(half);
            for group in groups {
                let steps: __m256i = cast(*group);
                s0 = v3.avx2._mm256_add_epi16(s0, v3.avx2._mm256_subs_epu16(steps, a0));
                s1 = v3.avx2._mm256_add_epi16(s1, v3.avx2._mm256_subs_epu16(steps, a1));
                s2 = v3.avx2._mm256_add_epi16(s2, v3.avx2._mm256_subs_epu16(steps, a2));
                s3 = v3.avx2._mm256_add_epi16(s3, v3.avx2._mm256_subs_epu16(steps, a3));
            }
            for (total, lane) in totals.iter_mut().zip([s0, s1, s2, s3]) {
                let (even, odd) =
                    (v3.avx2._mm256_and_si256(lane, low_halves), v3.avx2._mm256_srli_epi32::<16>(lane));
                *total = v3.avx2._mm256_add_epi32(*total, v3.avx2._mm256_add_epi32(even, odd));
            }
        }
        totals
    }

    /// 32 trits in the order of [`narrow`].
    #[inline(always)]
    fn trits(v3: V3, x: &[f32; 32], zero: __m256, minus: __m256) -> __m256i {
        let parts: [[f32; 8]; 4] = cast(*x);
        let [a, b, c, d] = parts;
        narrow(
            v3,
            [
                eight_trits(v3, a, zero, minus),
                eight_trits(v3, b, zero, minus),
                eight_trits(v3, c, zero, minus),
                eight_trits(v3, d, zero, minus),
            ],
        )
    }

    impl Scan for V3 {
        #[inline(always)]
        fn largest_bits(self, x: &[f32]) -> u32 {
            let mask: __m256i = cast([0x7FFF_FFFFu32; 8]);
            let (groups, rest) = x.as_chunks::<32>();
            let [mut a, mut b, mut c, mut d]: [__m256i; 4] = cast([0u8; 128]);
            for group in groups {
                let [x0, x1, x2, x3]: [__m256i; 4] = cast(*group);
                a = self.avx2._mm256_max_epu32(a, self.avx2._mm256_and_si256(x0, mask));
                b = self.avx2._mm256_max_epu32(b, self.avx2._mm256_and_si256(x1, mask));
                c = self.avx2._mm256_max_epu32(c, self.avx2._mm256_and_si256(x2, mask));
                d = self.avx2._mm256_max_epu32(d, self.avx2._mm256_and_si256(x3, mask));
            }
            let both = (self.avx2._mm256_max_epu32(a, b), self.avx2._mm256_max_epu32(c, d));
            let lanes: [u32; 8] = cast(self.avx2._mm256_max_epu32(both.0, both.1));
            let [a, b, c, d, e, f, g, h] = lanes;
            let largest = a.max(b).max(c.max(d)).max(e.max(f).max(g.max(h)));
            largest.max(super::Portable.largest_bits(rest))
        }

        #[inline(always)]
        fn sums(self, x: &[f32; CHUNK]) -> [f32; 16] {
            let [mut a, mut b]: [__m256; 2] = cast([0f32; 16]);
            for group in x.as_chunks::<16>().0 {
                let [x0, x1]: [[f32; 8]; 2] = cast(*group);
                a = self.avx._mm256_add_ps(a, magnitude(self, x0));
                b = self.avx._mm256_add_ps(b, magnitude(self, x1));
            }
            cast([a, b])
        }

        #[inline(always)]
        fn largest_and_sums(self, x: &[f32; CHUNK]) -> (u32, [f32; 16]) {
            let [mut a, mut b]: [__m256; 2] = cast([0f32; 16]);
            let [mut c, mut d]: [__m256i; 2] = cast([0u32; 16]);
            for group in x.as_chunks::<16>().0 {
                let [x0, x1]: [[f32; 8]; 2] = cast(*group);
                let (m0, m1) = (magnitude(self, x0), magnitude(self, x1));
                (a, b) = (self.avx._mm256_add_ps(a, m0), self.avx._mm256_add_ps(b, m1));
                c = self.avx2._mm256_max_epu32(c, cast(m0));
                d = self.avx2._mm256_max_epu32(d, cast(m1));
            }
            // Magnitudes have no sign bit: their order as signed numbers is the same.
            let both = self.avx2._mm256_max_epi32(c, d);
            let both = self.avx2._mm256_max_epi32(both, self.avx2._mm256_permute2x128_si256::<1>(both, both));
            let both =
                self.avx2._mm256_max_epi32(both, self.avx2._mm256_shuffle_epi32::<0b01_00_11_10>(both));
            let both =
                self.avx2._mm256_max_epi32(both, self.avx2._mm256_shuffle_epi32::<0b10_11_00_01>(both));
            let [largest, ..]: [u32; 8] = cast(both);
            (largest, cast([a, b]))
        }

        #[inline(always)]
        fn sums_from(self, x: &[f32; CHUNK], threshold: f32) -> ([f32; 16], u32) {
            let [mut a, mut b]: [__m256; 2] = cast([0f32; 16]);
            let [mut c, mut d]: [__m256i; 2] = cast([0u32; 16]);
            let threshold = self.avx._mm256_set1_ps(threshold);
            for group in x.as_chunks::<16>().0 {
                let [x0, x1]: [[f32; 8]; 2] = cast(*group);
                let (m0, m1) = (magnitude(self, x0), magnitude(self, x1));
                let r0 = self.avx._mm256_cmp_ps::<GE>(m0, threshold);
                let r1 = self.avx._mm256_cmp_ps::<GE>(m1, threshold);
                a = self.avx._mm256_add_ps(a, self.avx._mm256_and_ps(m0, r0));
                b = self.avx._mm256_add_ps(b, self.avx._mm256_and_ps(m1, r1));
                c = self.avx2._mm256_sub_epi32(c, cast(r0));
                d = self.avx2._mm256_sub_epi32(d, cast(r1));
            }
            let counts: [u32; 8] = cast(self.avx2._mm256_add_epi32(c, d));
            (cast([a, b]), counts.iter().sum())
        }

        #[inline(always)]
        fn total(self, steps: &[u16; CHUNK]) -> u32 {
            let [total, ..] = four_heights(self, steps, [0; 4]);
            let lanes: [u32; 8] = cast(total);
            lanes.iter().sum()
        }

        #[inline(always)]
        fn steps(self, x: &[f32; CHUNK], per_step: f32, steps: &mut [u16; CHUNK]) {
            let factor = self.avx._mm256_set1_ps(per_step);
            let ((groups, _), (steps, _)) = (x.as_chunks::<16>(), steps.as_chunks_mut::<16>());
            for (steps, group) in steps.iter_mut().zip(groups) {
                let [a, b]: [[f32; 8]; 2] = cast(*group);
                *steps = cast(
                    self.avx2._mm256_packus_epi32(eight_steps(self, a, factor), eight_steps(self, b, factor)),
                );
            }
        }

        #[inline(always)]
        fn heights(self, steps: &[u16; CHUNK], cuts: &[u16; CUTS]) -> [f32; CUTS] {
            let [c0, c1, c2, c3, c4, c5, c6, c7] = *cuts;
            let [a, b, c, d] = four_heights(self, steps, [c0, c1, c2, c3]);
            let [e, f, g, h] = four_heights(self, steps, [c4, c5, c6, c7]);
            let first = add_pairs(self, add_pairs(self, a, b), add_pairs(self, c, d));
            let second = add_pairs(self, add_pairs(self, e, f), add_pairs(self, g, h));
            let sums = self.avx2._mm256_add_epi32(
                self.avx2._mm256_permute2x128_si256::<0x20>(first, second),
                self.avx2._mm256_permute2x128_si256::<0x31>(first, second),
            );
            cast(self.avx._mm256_cvtepi32_ps(sums))
        }

        #[inline(always)]
        fn cells(self, left: (f32, f32), cuts: &[u16; CUTS], heights: &[f32; CUTS], slack: f32) -> Cells {
            let avx = self.avx;
            let back = cast([0u32, 0, 1, 2, 3, 4, 5, 6]);
            let b = avx._mm256_cvtepi32_ps(self.avx2._mm256_cvtepu16_epi32(cast(*cuts)));
            let hb: __m256 = cast(*heights);
            let a = self.avx2._mm256_permutevar8x32_ps(b, back);
            let a = avx._mm256_blend_ps::<1>(a, avx._mm256_set1_ps(left.0));
            let ha = self.avx2._mm256_permutevar8x32_ps(hb, back);
            let ha = avx._mm256_blend_ps::<1>(ha, avx._mm256_set1_ps(left.1));

            let width = avx._mm256_max_ps(avx._mm256_sub_ps(b, a), avx._mm256_set1_ps(1.0));
            let slope = avx._mm256_div_ps(avx._mm256_sub_ps(ha, hb), width);
            let v = avx._mm256_add_ps(a, avx._mm256_div_ps(ha, slope));
            let v = avx._mm256_mul_ps(avx._mm256_set1_ps(0.5), v);
            let t = avx._mm256_min_ps(avx._mm256_max_ps(v, a), b);
            let chord = avx._mm256_sub_ps(ha, avx._mm256_mul_ps(slope, avx._mm256_sub_ps(t, a)));
            let bounds = avx._mm256_add_ps(avx._mm256_mul_ps(t, chord), avx._mm256_set1_ps(slack));
            let falls = avx._mm256_cmp_ps::<GT>(slope, cast([0.0f32; 8]));
            let middles = avx._mm256_blendv_ps(avx._mm256_set1_ps(f32::NAN), v, falls);

            let gains = avx._mm256_mul_ps(a, ha);
            let best = avx._mm256_mul_ps(largest_lane(self, gains), avx._mm256_set1_ps(1.0 - 1e-5));
            let kept = avx._mm256_movemask_ps(avx._mm256_cmp_ps::<GE>(bounds, best)) as u32;
            Cells { starts: cast(a), ends: cast(b), middles: cast(middles), kept }
        }

        #[inline(always)]
        fn best_of(self, few: &Few, n: usize, sum: f32, count: f32) -> (f32, f32, f32) {
            let avx = self.avx;
            let [from0, from1]: [__m256; 2] = cast(few.thresholds);
            let (mut s0, mut c0) = (avx._mm256_set1_ps(sum), avx._mm256_set1_ps(count));
            let (mut s1, mut c1) = (s0, c0);
            let one = avx._mm256_set1_ps(1.0);
            // By fours, whose number is easier to foresee; the neutral values change nothing.
            for four in few.values.as_chunks::<4>().0.iter().take(n.div_ceil(4)) {
                for &value in four {
                    let m = avx._mm256_set1_ps(value);
                    let (in0, in1) = (avx._mm256_cmp_ps::<GE>(m, from0), avx._mm256_cmp_ps::<GE>(m, from1));
                    s0 = avx._mm256_add_ps(s0, avx._mm256_and_ps(m, in0));
                    s1 = avx._mm256_add_ps(s1, avx._mm256_and_ps(m, in1));
                    c0 = avx._mm256_add_ps(c0, avx._mm256_and_ps(one, in0));
                    c1 = avx._mm256_add_ps(c1, avx._mm256_and_ps(one, in1));
                }
            }
            let gain0 = avx._mm256_div_ps(avx._mm256_mul_ps(s0, s0), c0);
            let gain1 = avx._mm256_div_ps(avx._mm256_mul_ps(s1, s1), c1);
            let best = largest_lane(self, avx._mm256_max_ps(gain0, gain1));
            // The largest threshold among those with that gain.
            let of0 = avx._mm256_and_ps(from0, avx._mm256_cmp_ps::<GE>(gain0, best));
            let of1 = avx._mm256_and_ps(from1, avx._mm256_cmp_ps::<GE>(gain1, best));
            let from = largest_lane(self, avx._mm256_max_ps(of0, of1));
            let found0 = avx._mm256_movemask_ps(avx._mm256_cmp_ps::<GE>(of0, from)) as u32;
            let found1 = avx._mm256_movemask_ps(avx._mm256_cmp_ps::<GE>(of1, from)) as u32;
            let lane = (found0 | found1 << 8).trailing_zeros() as usize % 16;
            let (sums, counts): ([f32; 16], [f32; 16]) = (cast([s0, s1]), cast([c0, c1]));
            let from: [f32; 8] = cast(from);
            let [from, ..] = from;
            (from, sums.get(lane).copied().unwrap_or(sum), counts.get(lane).copied().unwrap_or(count))
        }

        #[inline(always)]
        fn at_most(self, values: &[f32; CUTS], limit: f32) -> usize {
            let mask = self.avx._mm256_cmp_ps::<LE>(cast(*values), self.avx._mm256_set1_ps(limit));
            self.avx._mm256_movemask_ps(mask).count_ones() as usize
        }

        #[inline(always)]
        fn split(self, x: &[f32; CHUNK], low: f32, high: f32) -> Split {
            let (low, high) = (self.avx._mm256_set1_ps(low), self.avx._mm256_set1_ps(high));
            let mut sums: [__m256; 2] = cast([0f32; 16]);
            let mut counts: __m256i = cast([0u32; 8]);
            let mut between = [0u64; 4];
            let (words, _) = x.as_chunks::<64>();
            for (word, x) in between.iter_mut().zip(words) {
                let halves: [[f32; 32]; 2] = cast(*x);
                for (half, shift) in halves.iter().zip([0, 32]) {
                    let parts: [[f32; 8]; 4] = cast(*half);
                    let mut open: [__m256i; 4] = cast([0u8; 128]);
                    for ((open, &v), lane) in open.iter_mut().zip(&parts).zip([0, 1, 0, 1]) {
                        let m = magnitude(self, v);
                        let above = self.avx._mm256_cmp_ps::<GE>(m, high);
                        let reached = self.avx._mm256_cmp_ps::<GE>(m, low);
                        let [first, second] = &mut sums;
                        let sum = if lane == 0 { first } else { second };
                        *sum = self.avx._mm256_add_ps(*sum, self.avx._mm256_and_ps(m, above));
                        counts = self.avx2._mm256_sub_epi32(counts, cast(above));
                        *open = cast(self.avx._mm256_andnot_ps(above, reached));
                    }
                    let bits = self.avx2._mm256_movemask_epi8(in_order(self, narrow(self, open)));
                    *word |= u64::from(bits as u32) << shift;
                }
            }
            let counts: [u32; 8] = cast(counts);
            Split { sums: cast(sums), count: counts.iter().sum(), between }
        }

        #[inline(always)]
        fn trits(self, x: &[f32; CHUNK], zero: f32) -> [i8; CHUNK] {
            let (zero, minus) = (self.avx._mm256_set1_ps(zero), self.avx._mm256_set1_ps(-zero));
            let mut out = [0; CHUNK];
            let ((planes, _), (to, _)) = (x.as_chunks::<32>(), out.as_chunks_mut::<32>());
            for (to, plane) in to.iter_mut().zip(planes) {
                *to = cast(in_order(self, trits(self, plane, zero, minus)));
            }
            out
        }

        #[inline(always)]
        fn crumbs(self, x: &[f32; CHUNK], zero: f32, out: &mut [u8; CHUNK / 4]) {
            let (zero, minus) = (self.avx._mm256_set1_ps(zero), self.avx._mm256_set1_ps(-zero));
            let ((halves, _), (bytes, _)) = (x.as_chunks::<128>(), out.as_chunks_mut::<32>());
            for (bytes, half) in bytes.iter_mut().zip(halves) {
                let planes: &[[f32; 32]; 4] = bytemuck::must_cast_ref(half);
                let mut all: __m256i = cast([0u8; 32]);
                for plane in planes.iter().rev() {
                    let twice = self.avx2._mm256_add_epi8(all, all);
                    let four = self.avx2._mm256_add_epi8(twice, twice);
                    all = self.avx2._mm256_add_epi8(four, trits(self, plane, zero, minus));
                }
                let digits = self.avx2._mm256_add_epi8(all, self.avx._mm256_set1_epi8(0x55));
                *bytes = cast(in_order(self, digits));
            }
        }
    }
}
