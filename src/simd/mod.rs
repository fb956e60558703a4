//! Tiers: which vector instructions the kernels use, found once at run time, forced by tests and users.
//!
//! On x86-64 the tier is detected at run time, in `no_std` builds too. On aarch64 NEON is part of the
//! architecture; what comes after ARMv8.0 is a choice of the build ([`has_dotprod`]). Every other target has the scalar tier, which is also the reference of all others.
//!
//! A kernel never trusts a [`Tier`] value: it asks for the matching pulp token, whose constructor is
//! the proof that the CPU has the instructions.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) mod codebook;
pub(crate) mod floats;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) mod pairs;
pub(crate) mod scan;
#[cfg(target_arch = "x86_64")]
mod sse42;

use core::sync::atomic::{AtomicU8, Ordering};

use crate::Error;

/// A set of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i32)]
pub enum Tier {
    /// Portable Rust; the reference.
    Scalar = 0,
    /// x86-64-v2: SSE4.2 and SSSE3, 128-bit vectors.
    Sse42 = 1,
    /// x86-64-v3: AVX2, FMA, BMI1/2 and LZCNT, 256-bit vectors. (FMA is not used for results.)
    Avx2 = 2,
    /// aarch64 Advanced SIMD, 128-bit vectors; with dot products of bytes where [`has_dotprod`].
    Neon = 3,
}

impl Tier {
    /// Every tier of every target.
    pub const ALL: [Tier; 4] = [Tier::Scalar, Tier::Sse42, Tier::Avx2, Tier::Neon];

    /// The name used by `HQ_TIER` and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Scalar => "scalar",
            Tier::Sse42 => "sse4.2",
            Tier::Avx2 => "avx2",
            Tier::Neon => "neon",
        }
    }

    /// The tier with that [`name`](Tier::name); `sse42` is accepted for `sse4.2`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Tier> {
        if name.eq_ignore_ascii_case("sse42") {
            return Some(Tier::Sse42);
        }
        Tier::ALL.into_iter().find(|t| t.name().eq_ignore_ascii_case(name))
    }

    /// The tier with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Tier, Error> {
        Tier::ALL.into_iter().find(|&t| t as i32 == value).ok_or(Error::UnknownEnum)
    }

    /// Whether this machine can run it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Tier::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Tier::Sse42 => pulp::x86::V2::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => pulp::x86::V3::try_new().is_some(),
            #[cfg(target_arch = "aarch64")]
            Tier::Neon => pulp::aarch64::Neon::try_new().is_some(),
            _ => false,
        }
    }
}

/// Whether the tier NEON of this build multiplies bytes with `sdot` (FEAT_DotProd): where the compiler may assume the
/// instruction, as with `RUSTFLAGS=-Ctarget-feature=+dotprod` or a `-Ctarget-cpu` that has it. Results are the same bits
/// as without. Such a build does not run on a CPU that lacks it. `false` on every other architecture.
///
/// ```
/// let products = if hybridq::simd::has_dotprod() { "sdot" } else { "without sdot" };
/// println!("tier {}, {products}", hybridq::simd::active().name());
/// ```
#[must_use]
pub const fn has_dotprod() -> bool {
    cfg!(all(target_arch = "aarch64", target_feature = "dotprod"))
}

/// 0 = not looked yet, else tier + 1. Plain loads and stores only, so that Cortex-M0 has it too.
static ACTIVE: AtomicU8 = AtomicU8::new(0);

/// The best tier of this machine, whatever has been forced.
#[must_use]
pub fn detect() -> Tier {
    [Tier::Neon, Tier::Avx2, Tier::Sse42].into_iter().find(|t| t.is_available()).unwrap_or(Tier::Scalar)
}

/// The tier that the kernels use now: the forced one, else (std builds) the one `HQ_TIER` names, else
/// the best of this machine.
///
/// A wrong `HQ_TIER` is reported once on standard error and the detected tier is used; programs that
/// would rather stop call [`init_from_env`] first.
#[must_use]
#[inline]
pub fn active() -> Tier {
    match ACTIVE.load(Ordering::Relaxed) {
        1 => Tier::Scalar,
        2 => Tier::Sse42,
        3 => Tier::Avx2,
        4 => Tier::Neon,
        _ => first_look(),
    }
}

#[cold]
fn first_look() -> Tier {
    #[cfg(feature = "std")]
    if let Err(message) = init_from_env() {
        std::eprintln!("hybridq: {message}; using {}", detect().name());
    }
    let tier = match ACTIVE.load(Ordering::Relaxed) {
        0 => detect(),
        _ => return active(),
    };
    ACTIVE.store(tier as u8 + 1, Ordering::Relaxed);
    tier
}

/// Makes every later call use `tier`, in all threads; `None` goes back to detection. For tests,
/// benchmarks, and machines whose faster tier must not be used.
///
/// Results do not depend on the tier; only speed does.
///
/// # Errors
/// [`Error::TierUnavailable`] if this machine lacks it; nothing changes then.
pub fn force(tier: Option<Tier>) -> Result<(), Error> {
    let tier = tier.unwrap_or_else(detect);
    if !tier.is_available() {
        return Err(Error::TierUnavailable);
    }
    ACTIVE.store(tier as u8 + 1, Ordering::Relaxed);
    Ok(())
}

/// Reads `HQ_TIER` and forces the tier it names. Does nothing if the variable is unset or empty.
///
/// # Errors
/// A line that says what is wrong with the value, and which values this machine takes.
#[cfg(feature = "std")]
pub fn init_from_env() -> Result<(), std::string::String> {
    let Some(value) = std::env::var_os("HQ_TIER").filter(|v| !v.is_empty()) else { return Ok(()) };
    let here = || {
        let names: std::vec::Vec<_> =
            Tier::ALL.iter().filter(|t| t.is_available()).map(|t| t.name()).collect();
        names.join(", ")
    };
    let tier = value.to_str().and_then(Tier::from_name);
    let Some(tier) = tier else {
        return Err(std::format!("HQ_TIER={} is no tier; this machine has: {}", value.display(), here()));
    };
    force(Some(tier)).map_err(|_| {
        std::format!("HQ_TIER={} is not available on this machine, which has: {}", tier.name(), here())
    })
}

/// Runs `f` compiled for the instructions of `tier`, so that its loops are vectorised for it. The
/// results are the same on every tier as long as `f` fixes its order of float operations.
///
/// `f` must be `#[inline(always)]` all the way down. A tier that this machine lacks runs as scalar.
#[inline(always)]
pub(crate) fn vectorize<R>(tier: Tier, f: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        if tier == Tier::Avx2
            && let Some(token) = pulp::x86::V3::try_new()
        {
            return token.vectorize(Call(f));
        }
        if tier == Tier::Sse42
            && let Some(token) = pulp::x86::V2::try_new()
        {
            return token.vectorize(Call(f));
        }
    }
    let _ = tier;
    f()
}

/// Evaluates an expression with a [`scan::Scan`] of the tier, compiled for the instructions of the tier as by
/// [`vectorize`].
macro_rules! with_scan {
    ($tier:expr, $scan:ident => $body:expr) => {{
        let tier = $tier;
        // Moved out of the closures, so that they can be called once only: for others the compiler adds a
        // function around the closure, which it need not inline, and which lacks the instructions.
        let once = $crate::simd::Once;
        #[cfg(target_arch = "x86_64")]
        let result =
            if let Some($scan) = (tier == $crate::simd::Tier::Avx2).then(pulp::x86::V3::try_new).flatten() {
                $scan.vectorize($crate::simd::Call(
                    #[inline(always)]
                    move || {
                        let _once = once;
                        $body
                    },
                ))
            } else {
                let $scan = $crate::simd::scan::Portable;
                $crate::simd::vectorize(
                    tier,
                    #[inline(always)]
                    move || {
                        let _once = once;
                        $body
                    },
                )
            };
        #[cfg(not(target_arch = "x86_64"))]
        let result = {
            let (_, _) = (tier, once);
            let $scan = $crate::simd::scan::Portable;
            $body
        };
        result
    }};
}
pub(crate) use with_scan;

/// Not `Copy`, see [`with_scan`].
pub(crate) struct Once;

/// [`crate::math::f16_to_f32`] of four values with SSE4.1, which compilers do not find by themselves.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn halves_to_floats(token: pulp::x86::V2, halves: [u16; 4]) -> [f32; 4] {
    use core::arch::x86_64::__m128i;
    let (sse2, sse4) = (token.sse2, token.sse4_1);
    let splat = |x: u32| sse2._mm_set1_epi32(x as i32);
    let h: __m128i = pulp::cast(halves.map(u32::from));
    let sign = sse2._mm_slli_epi32::<16>(sse2._mm_and_si128(h, splat(0x8000)));
    let magnitude = sse2._mm_and_si128(h, splat(0x7FFF));
    let normal = sse2._mm_add_epi32(sse2._mm_slli_epi32::<13>(magnitude), splat((127 - 15) << 23));
    let unit = f32::from_bits((127 - 24) << 23);
    let small = token.sse._mm_mul_ps(sse2._mm_cvtepi32_ps(magnitude), token.sse._mm_set1_ps(unit));
    let special = sse2._mm_add_epi32(normal, splat((127 - 15) << 23));
    let bits =
        sse4._mm_blendv_epi8(normal, pulp::cast(small), sse2._mm_cmplt_epi32(magnitude, splat(0x0400)));
    let bits = sse4._mm_blendv_epi8(bits, special, sse2._mm_cmpgt_epi32(magnitude, splat(0x7BFF)));
    pulp::cast(sse2._mm_or_si128(sign, bits))
}

/// A closure as pulp's `NullaryFnOnce`, whose call must be inlined into the feature-enabled function.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) struct Call<F>(pub(crate) F);

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
impl<R, F: FnOnce() -> R> pulp::NullaryFnOnce for Call<F> {
    type Output = R;
    #[inline(always)]
    fn call(self) -> R {
        (self.0)()
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    #[test]
    fn every_f16_bit_pattern_converts_as_the_portable_code_does() {
        let Some(token) = pulp::x86::V2::try_new() else { return };
        for h in 0..=u16::MAX {
            let four = [h, h ^ 0x8000, 0, h];
            let bits = |floats: [f32; 4]| floats.map(f32::to_bits);
            let expected = crate::math::f16_to_f32(four);
            assert_eq!(bits(super::halves_to_floats(token, four)), bits(expected), "{h:#06x}");
        }
    }
}
