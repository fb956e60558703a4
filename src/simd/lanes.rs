//! The few vector operations that the kernels of this library are made of, the same on every vector tier.
//!
//! Kernels are written once over this trait, so a tier is these operations and nothing else. Vectors are 32
//! bytes wide on every tier (two registers where a register has 16).

/// A tier's vector operations. `self` is a pulp token: the proof that the CPU has the instructions.
pub(crate) trait Lanes: Copy {
    /// Tiles of eight rows whose sums fit the registers, for two vectors: 6, 2 or 1.
    const TILES: usize;
    /// Whether [`Lanes::add_products`] is one instruction a register.
    const DOT: bool = false;
    /// Whether instructions take an operand from memory, so that two of them may as well load it twice.
    const FOLDS: bool;
    /// What makes activations unsigned, where the tier multiplies unsigned bytes with signed ones.
    const BIAS: u8;

    /// 32 bytes, signed or unsigned.
    type Bytes: Copy;
    /// Partial sums of products of digits: i16 lanes where two products are added up in one instruction, i32 lanes
    /// where four are.
    type Shorts: Copy;
    /// i32 partial sums.
    type Ints: Copy;
    /// 16 floats.
    type Floats: Copy;
    /// Partial sums of the products of groups of four digits; a group never mixes with another.
    type Quads: Copy;
    /// 16 lanes of two bytes each, one byte of packed digits in each; see [`Lanes::add_digit_sums`].
    type Packs: Copy;
    /// Eight floats: one for each of eight rows.
    type Rows: Copy;
    /// Codes of each of eight rows, as [`Lanes::add_codes`] takes them.
    type Codes: bytemuck::Pod;
    /// As many activations.
    type Acts: bytemuck::Pod;
    /// [`Lanes::Codes`] of four columns.
    type Step: bytemuck::Pod;
    /// [`Lanes::Acts`] of four columns.
    type Four: bytemuck::Pod;
    /// i32 partial sums for each of eight rows.
    type CodeSums: Copy;

    fn load(self, bytes: &[u8; 32]) -> Self::Bytes;
    fn splat(self, byte: u8) -> Self::Bytes;
    /// Wrapping byte sums.
    fn add(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    /// Wrapping byte differences.
    fn sub(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    fn and(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    /// The upper half of every byte in its lower half; what the upper half then holds is unspecified.
    fn upper_halves(self, a: Self::Bytes) -> Self::Bytes;
    /// A quarter of every byte, for bytes that 4 divides.
    fn quarters(self, a: Self::Bytes) -> Self::Bytes;
    /// 0xFF where the unsigned byte `a >= b`, else 0.
    fn at_least(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    /// 0xFF where the signed byte `a > b`, else 0.
    fn above(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;

    fn no_shorts(self) -> Self::Shorts;
    /// Adds the products of digits 0..=127 (unsigned) and activations (signed, -128 included) to lanes. i16 lanes: with
    /// digits up to `d` a lane grows by at most `d * 128 * 2` a call: no more than 127 / d calls (31 for digits up to
    /// 4, 10 for digits up to 12, 4 for digits up to 28) between two `widen`.
    fn add_digits(self, sum: Self::Shorts, digits: Self::Bytes, acts: Self::Bytes) -> Self::Shorts;
    /// `4 a + b`, lane by lane, wrapping.
    fn four_times_plus(self, a: Self::Shorts, b: Self::Shorts) -> Self::Shorts;
    /// `a + b / 4`, lane by lane, where 4 divides `b`; wrapping.
    fn plus_quarter(self, a: Self::Shorts, b: Self::Shorts) -> Self::Shorts;
    /// The sum of all lanes.
    fn widen(self, sum: Self::Shorts) -> i32;
    /// The sums of all lanes of each of eight vectors, in order. An i16 lane is at most 8191 in magnitude, so that four
    /// of them fit an i16.
    fn widen_eight(self, sums: [Self::Shorts; 8]) -> Self::Ints;

    /// Four bytes, eight times.
    fn four_bytes(self, bytes: &[u8; 4]) -> Self::Bytes;
    fn no_quads(self) -> Self::Quads;
    /// Adds the products of digits 0..=12 and activations (signed, -128 included) within each group of four. With
    /// digits up to `d` no more than `32767 / (256 d)` calls before [`Lanes::add_quads`].
    fn add_group_digits(self, sum: Self::Quads, digits: Self::Bytes, acts: Self::Bytes) -> Self::Quads;
    /// `a + b / 4`, where 4 divides every product in `b`; within the same bound.
    fn quads_plus_quarter(self, a: Self::Quads, b: Self::Quads) -> Self::Quads;
    /// [`Lanes::add_quads`] with every sum multiplied by `by`.
    fn add_quads_times(self, sum: Self::Ints, quads: Self::Quads, by: i8) -> Self::Ints;
    /// Adds the products of activations, each with [`Lanes::BIAS`] added, and small codes, within each group of four. No
    /// more than 64 calls with trits (-1, 0, 1), `64 / d` with codes -d..=d, before [`Lanes::add_quads`].
    fn add_group_products(self, sum: Self::Quads, acts: Self::Bytes, trits: Self::Bytes) -> Self::Quads;
    /// Subtracts the sum of group `i` from lane `i`.
    fn sub_quads(self, sum: Self::Ints, quads: Self::Quads) -> Self::Ints;
    /// Adds the sum of group `i` to lane `i`.
    fn add_quads(self, sum: Self::Ints, quads: Self::Quads) -> Self::Ints;
    /// Eight rows of eight groups of four bytes: row `r`, group `g` becomes row `g`, group `r`.
    fn transpose(self, rows: [Self::Bytes; 8]) -> [Self::Bytes; 8];
    fn store(self, bytes: Self::Bytes) -> [u8; 32];

    /// Bit 7 of byte `i` as bit `i`.
    fn top_bits(self, bytes: Self::Bytes) -> u32;
    /// Bytes 0, 2, 4, ...
    fn even_packs(self, bytes: Self::Bytes) -> Self::Packs;
    /// Bytes 1, 3, 5, ...
    fn odd_packs(self, bytes: Self::Bytes) -> Self::Packs;
    /// 16 bytes in order.
    fn packs(self, bytes: &[u8; 16]) -> Self::Packs;
    /// `floor(pack * powers[i] / 256) * coefficients[i]`, added up in pairs of lanes. `pack * powers[i]` fits 16 bits.
    fn add_digit_sums(
        self,
        sum: Self::Ints,
        packs: Self::Packs,
        powers: &[u16; 16],
        coefficients: &[i16; 16],
    ) -> Self::Ints;

    /// The codes of a step, four bytes for each of eight rows.
    fn step(self, bytes: Self::Bytes) -> Self::Step;
    fn four(self, codes: [i8; 4]) -> Self::Four;
    fn no_code_sums(self) -> Self::CodeSums;
    /// Adds to each row the products of its codes with the activations; exact for all bytes. A lane grows by at most
    /// 4 * 2^14 = 2^16 a call.
    fn add_codes(self, sum: Self::CodeSums, acts: &Self::Acts, codes: &Self::Codes) -> Self::CodeSums;
    /// The sums of eight rows.
    fn code_sums(self, sum: Self::CodeSums) -> Self::Ints;

    fn no_ints(self) -> Self::Ints;
    /// The lanes as groups of four bytes, native endian.
    fn ints_to_bytes(self, ints: Self::Ints) -> Self::Bytes;
    fn bytes_to_ints(self, bytes: Self::Bytes) -> Self::Ints;
    /// Adds the lanes of digit sums, multiplied by `by`, in some order.
    fn add_shorts_times(self, sum: Self::Ints, shorts: Self::Shorts, by: i8) -> Self::Ints;
    /// Products of signed bytes as i32 lanes, where no activation is -128 (a code may be): two products fit an i16, at
    /// most 2 * 128 * 127 = 32,512.
    fn code_products(self, codes: Self::Bytes, acts: Self::Bytes) -> Self::Ints;
    /// The sums of all lanes of each of eight vectors, in order.
    fn total_eight(self, sums: [Self::Ints; 8]) -> Self::Ints;
    /// Adds the products of signed bytes to i32 lanes; exact for all bytes. A lane grows by at most
    /// 8 * 2^14 = 2^17 a call.
    fn add_products(self, sum: Self::Ints, a: Self::Bytes, b: Self::Bytes) -> Self::Ints;
    /// `(3 a - b) / 256`, lane by lane, where 256 divides it; `3 a - b` must fit.
    fn trit_sums(self, a: Self::Ints, b: Self::Ints) -> Self::Ints;
    /// The sum of all i32 lanes.
    fn total(self, sum: Self::Ints) -> i32;

    fn load_rows(self, values: &[f32; 8]) -> Self::Rows;
    fn store_rows(self, rows: Self::Rows) -> [f32; 8];
    /// Exact conversion of the bits of eight `f16`.
    fn halves_to_rows(self, halves: &[u16; 8]) -> Self::Rows;
    /// `totals + by * (scales * (sums + offset))`, each operation rounded.
    fn add_scaled(
        self,
        totals: Self::Rows,
        by: f32,
        scales: Self::Rows,
        sums: Self::Ints,
        offset: i32,
    ) -> Self::Rows;

    /// `totals + by * rows`, each operation rounded.
    fn add_times(self, totals: Self::Rows, by: f32, rows: Self::Rows) -> Self::Rows;

    fn no_floats(self) -> Self::Floats;
    fn load_floats(self, values: &[f32; 16]) -> Self::Floats;
    fn codes_to_floats(self, codes: &[i8; 16]) -> Self::Floats;
    /// `sum + a * b`, the product rounded first (no fused operation, so every tier has the same bits).
    fn add_product(self, sum: Self::Floats, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn store_floats(self, a: Self::Floats) -> [f32; 16];
}

/// `[T; 8]::map` that is inlined for certain: vector operations in a closure that is not inlined into the function with
/// the tier's instructions become calls, a hundred times slower.
#[inline(always)]
pub(crate) fn map_eight<T, U>(values: [T; 8], f: impl Fn(T) -> U) -> [U; 8] {
    let [v0, v1, v2, v3, v4, v5, v6, v7] = values;
    [f(v0), f(v1), f(v2), f(v3), f(v4), f(v5), f(v6), f(v7)]
}

/// [`map_eight`] of two.
#[inline(always)]
pub(crate) fn map_two<T, U>(values: [T; 2], f: impl Fn(T) -> U) -> [U; 2] {
    let [v0, v1] = values;
    [f(v0), f(v1)]
}

/// [`map_eight`] of four.
#[inline(always)]
pub(crate) fn map_four<T, U>(values: [T; 4], f: impl Fn(T) -> U) -> [U; 4] {
    let [v0, v1, v2, v3] = values;
    [f(v0), f(v1), f(v2), f(v3)]
}

/// Signed bytes as the unsigned bytes that [`Lanes::load`] takes.
#[inline(always)]
pub(crate) fn unsigned(bytes: &[i8; 32]) -> &[u8; 32] {
    bytemuck::must_cast_ref(bytes)
}
