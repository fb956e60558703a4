//! The few vector operations that the kernels of this library are made of, the same on every vector tier.
//!
//! Kernels are written once over this trait, so a tier is these operations and nothing else. Vectors are 32
//! bytes wide on every tier (two registers where a register has 16).

/// A tier's vector operations. `self` is a pulp token: the proof that the CPU has the instructions.
pub(crate) trait Lanes: Copy {
    /// 32 bytes, signed or unsigned.
    type Bytes: Copy;
    /// i16 partial sums of products of digits.
    type Shorts: Copy;
    /// i32 partial sums.
    type Ints: Copy;
    /// 16 floats.
    type Floats: Copy;

    fn load(self, bytes: &[u8; 32]) -> Self::Bytes;
    fn splat(self, byte: u8) -> Self::Bytes;
    /// Wrapping byte sums.
    fn add(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    /// Wrapping byte differences.
    fn sub(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    fn and(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    /// The upper half of every byte in its lower half; what the upper half then holds is unspecified.
    fn upper_halves(self, a: Self::Bytes) -> Self::Bytes;
    /// 0xFF where the unsigned byte `a >= b`, else 0.
    fn at_least(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;

    fn no_shorts(self) -> Self::Shorts;
    /// Adds the products of digits 0..=127 (unsigned) and activations (signed, -128 included) to i16 lanes. With
    /// digits up to `d` a lane grows by at most `d * 128 * 2` a call: no more than 127 / d calls (31 for digits up to
    /// 4, 10 for digits up to 12, 4 for digits up to 28) between two `widen`.
    fn add_digits(self, sum: Self::Shorts, digits: Self::Bytes, acts: Self::Bytes) -> Self::Shorts;
    /// `4 a + b`, lane by lane, wrapping.
    fn four_times_plus(self, a: Self::Shorts, b: Self::Shorts) -> Self::Shorts;
    /// The sum of all i16 lanes.
    fn widen(self, sum: Self::Shorts) -> i32;
    /// [`Lanes::widen`] of four at once.
    #[inline(always)]
    fn widen_four(self, sums: [Self::Shorts; 4]) -> [i32; 4] {
        sums.map(
            #[inline(always)]
            |sum| self.widen(sum),
        )
    }

    fn no_ints(self) -> Self::Ints;
    /// Adds the products of signed bytes to i32 lanes; exact for all bytes. A lane grows by at most
    /// 8 * 2^14 = 2^17 a call.
    fn add_products(self, sum: Self::Ints, a: Self::Bytes, b: Self::Bytes) -> Self::Ints;
    /// The sum of all i32 lanes.
    fn total(self, sum: Self::Ints) -> i32;

    /// Exact conversion of the bits of four `f16`.
    #[inline(always)]
    fn halves_to_floats(self, halves: [u16; 4]) -> [f32; 4] {
        crate::math::f16_to_f32(halves)
    }
    fn no_floats(self) -> Self::Floats;
    fn load_floats(self, values: &[f32; 16]) -> Self::Floats;
    fn codes_to_floats(self, codes: &[i8; 16]) -> Self::Floats;
    /// `sum + a * b`, the product rounded first (no fused operation, so every tier has the same bits).
    fn add_product(self, sum: Self::Floats, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn store_floats(self, a: Self::Floats) -> [f32; 16];
}

/// Signed bytes as the unsigned bytes that [`Lanes::load`] takes.
#[inline(always)]
pub(crate) fn unsigned(bytes: &[i8; 32]) -> &[u8; 32] {
    bytemuck::must_cast_ref(bytes)
}
