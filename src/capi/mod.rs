//! The C ABI: `extern "C"` functions that check pointers, convert, and call the room they belong to.
//!
//! `include/hybridq.h` is generated from these files; their comments become its comments. The conventions
//! that all functions share are in `docs/c-abi.md`.
#![allow(non_camel_case_types, non_upper_case_globals)] // names as C has them
#![allow(clippy::too_many_arguments)] // C has no slices: every array is a pointer and a length

use core::ffi::c_char;

use crate::simd::{self, Tier};
use crate::{Error, selftest};

// In the order of the header.
pub mod quant;

pub mod codes;

pub mod archive;

pub mod mixed;

pub mod linear;

pub mod prepared;

pub mod vector;

pub mod kmeans;

pub mod constrain;

pub mod learn;

mod pointers;

#[cfg(all(hybridq_panic_handler, not(feature = "std")))]
mod panic;

use pointers::status;

/// What a function returns: `HQ_OK`, or one of the negative `HQ_ERROR_*` values.
///
/// Numbers are never changed or reused; later versions may add some, so treat every negative value as an
/// error.
pub type hq_status = i32;

/// Done; the outputs are written.
pub const HQ_OK: hq_status = 0;
/// A pointer is NULL although its length is not zero.
pub const HQ_ERROR_NULL_POINTER: hq_status = -1;
/// The length of an input does not fit the shape given with it.
pub const HQ_ERROR_SHAPE: hq_status = -2;
/// An output buffer is shorter than the shape requires; the size queries say how much it must hold.
pub const HQ_ERROR_OUTPUT_TOO_SMALL: hq_status = -3;
/// The scratch buffer is shorter than the `*_workspace_size` function says.
pub const HQ_ERROR_WORKSPACE_TOO_SMALL: hq_status = -4;
/// The size of a buffer for this shape does not fit `size_t`, or an array would not fit the address space.
pub const HQ_ERROR_SIZE_OVERFLOW: hq_status = -5;
/// An input holds a NaN or an infinity. Clean it, or choose `HQ_NON_FINITE_SATURATE`.
pub const HQ_ERROR_NON_FINITE: hq_status = -6;
/// A parameter is outside its documented range.
pub const HQ_ERROR_INVALID_ARGUMENT: hq_status = -7;
/// A number is not a value of the enum it stands for.
pub const HQ_ERROR_UNKNOWN_ENUM: hq_status = -8;
/// The combination of format, fit and granularity does not exist.
pub const HQ_ERROR_UNSUPPORTED: hq_status = -9;
/// A pointer is not aligned for its element type.
pub const HQ_ERROR_MISALIGNED: hq_status = -10;
/// An output overlaps an input or another output.
pub const HQ_ERROR_OVERLAP: hq_status = -11;
/// A fitted scale exceeds the largest that the format can store (a 16-bit float: 65504). Rescale the input, or choose
/// `HQ_NON_FINITE_SATURATE` where there is that choice.
pub const HQ_ERROR_SCALE_RANGE: hq_status = -12;
/// The tier asked for does not exist on this machine.
pub const HQ_ERROR_TIER_UNAVAILABLE: hq_status = -13;
/// A self-test vector gave a wrong result: do not trust this build on this machine.
pub const HQ_ERROR_SELF_TEST: hq_status = -14;
/// Data are damaged, cut short, or not what they should be: a checksum, a length or a field is wrong.
pub const HQ_ERROR_CORRUPT: hq_status = -15;
/// Data were written by a newer version of this library.
pub const HQ_ERROR_VERSION: hq_status = -16;
/// No choice of formats fits the budget; `hq_mixed_smallest` tells the least that one does.
pub const HQ_ERROR_BUDGET: hq_status = -17;
/// A cluster has no points, and the policy is to refuse that.
pub const HQ_ERROR_EMPTY_CLUSTER: hq_status = -18;
/// No answer meets all bounds at once: the least values add up to too much, the largest to too little, or a least one is
/// above its largest.
pub const HQ_ERROR_INFEASIBLE: hq_status = -19;
/// The rows of a system of equations depend on each other, to the precision of `float`.
pub const HQ_ERROR_RANK_DEFICIENT: hq_status = -20;

const _: () = {
    assert!(Error::ALL.len() == 20);
    assert!(HQ_ERROR_NULL_POINTER == Error::NullPointer.status());
    assert!(HQ_ERROR_SHAPE == Error::Shape.status());
    assert!(HQ_ERROR_OUTPUT_TOO_SMALL == Error::OutputTooSmall.status());
    assert!(HQ_ERROR_WORKSPACE_TOO_SMALL == Error::WorkspaceTooSmall.status());
    assert!(HQ_ERROR_SIZE_OVERFLOW == Error::SizeOverflow.status());
    assert!(HQ_ERROR_NON_FINITE == Error::NonFinite.status());
    assert!(HQ_ERROR_INVALID_ARGUMENT == Error::InvalidArgument.status());
    assert!(HQ_ERROR_UNKNOWN_ENUM == Error::UnknownEnum.status());
    assert!(HQ_ERROR_UNSUPPORTED == Error::Unsupported.status());
    assert!(HQ_ERROR_MISALIGNED == Error::Misaligned.status());
    assert!(HQ_ERROR_OVERLAP == Error::Overlap.status());
    assert!(HQ_ERROR_SCALE_RANGE == Error::ScaleRange.status());
    assert!(HQ_ERROR_TIER_UNAVAILABLE == Error::TierUnavailable.status());
    assert!(HQ_ERROR_SELF_TEST == Error::SelfTest.status());
    assert!(HQ_ERROR_CORRUPT == Error::Corrupt.status());
    assert!(HQ_ERROR_VERSION == Error::Version.status());
    assert!(HQ_ERROR_BUDGET == Error::Budget.status());
    assert!(HQ_ERROR_EMPTY_CLUSTER == Error::EmptyCluster.status());
    assert!(HQ_ERROR_INFEASIBLE == Error::Infeasible.status());
    assert!(HQ_ERROR_RANK_DEFICIENT == Error::RankDeficient.status());
};

/// Version of this header. `hq_version()` gives that of the linked library.
pub const HQ_VERSION_MAJOR: u32 = 0;
/// Version of this header.
pub const HQ_VERSION_MINOR: u32 = 1;
/// Version of this header.
pub const HQ_VERSION_PATCH: u32 = 0;

const _: () = {
    assert!(HQ_VERSION_MAJOR == decimal(env!("CARGO_PKG_VERSION_MAJOR")));
    assert!(HQ_VERSION_MINOR == decimal(env!("CARGO_PKG_VERSION_MINOR")));
    assert!(HQ_VERSION_PATCH == decimal(env!("CARGO_PKG_VERSION_PATCH")));
};

const fn decimal(text: &str) -> u32 {
    match u32::from_str_radix(text, 10) {
        Ok(value) => value,
        Err(_) => panic!("the package version is not made of numbers"), // at compile time
    }
}

/// For `hq_force_tier`: the best tier of this machine.
pub const HQ_TIER_DETECT: i32 = -1;
/// Portable code; the reference of all others.
pub const HQ_TIER_SCALAR: i32 = 0;
/// x86-64-v2: SSE4.2 and SSSE3.
pub const HQ_TIER_SSE42: i32 = 1;
/// x86-64-v3: AVX2, FMA, BMI1/2 and LZCNT.
pub const HQ_TIER_AVX2: i32 = 2;
/// aarch64 Advanced SIMD.
pub const HQ_TIER_NEON: i32 = 3;

const _: () = {
    assert!(HQ_TIER_SCALAR == Tier::Scalar as i32);
    assert!(HQ_TIER_SSE42 == Tier::Sse42 as i32);
    assert!(HQ_TIER_AVX2 == Tier::Avx2 as i32);
    assert!(HQ_TIER_NEON == Tier::Neon as i32);
};

/// Version of the linked library: major * 65536 + minor * 256 + patch.
///
/// Equal to `HQ_VERSION` when header and library belong together. Callable from any thread.
///
/// ```c
/// assert(hq_version() == HQ_VERSION);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_version() -> u32 {
    HQ_VERSION_MAJOR << 16 | HQ_VERSION_MINOR << 8 | HQ_VERSION_PATCH
}

/// What a status means and how to mend it: one line of English, without a newline, never NULL.
///
/// The text is static and NUL-terminated; do not free it. A number that is no status gives
/// "unknown status". Callable from any thread.
///
/// ```c
/// assert(strcmp(hq_status_string(HQ_OK), "ok") == 0);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_status_string(status: hq_status) -> *const c_char {
    if status == HQ_OK {
        return c"ok".as_ptr();
    }
    match Error::ALL.into_iter().find(|e| e.status() == status) {
        Some(error) => error.message_with_nul().as_ptr().cast(),
        None => c"unknown status".as_ptr(),
    }
}

/// Runs golden vectors through every format on the tier in use: quantize, decode, products with int8 and
/// with f32 activations; and int8 points to the nearest centres.
///
/// For start-up checks and for the first boot of a new board. Uses 12 KB of stack on a Cortex-M4. Callable from any
/// thread.
///
/// Returns `HQ_OK`, or `HQ_ERROR_SELF_TEST`: this build gives wrong results on this machine.
///
/// ```c
/// assert(hq_selftest() == HQ_OK);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_selftest() -> hq_status {
    status(selftest::selftest)
}

/// The same for constraint sets and the trust region: a projection onto every kind of set, judged steps, and steps by
/// `hq_steihaug`. For programs that use them: this test brings all of them into the program.
///
/// Uses 16 KB of stack on a Cortex-M4. Callable from any thread. Returns `HQ_OK` or `HQ_ERROR_SELF_TEST`.
///
/// ```c
/// assert(hq_selftest_constrain() == HQ_OK);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_selftest_constrain() -> hq_status {
    status(selftest::selftest_constrain)
}

/// The same for learning: steps of the optimizer with every direction, ternary gradients and error feedback, and of
/// latent-free learning in every format. For programs that use them: this test brings all of them into the program.
///
/// Uses 24 KB of stack on a Cortex-M4. Callable from any thread. Returns `HQ_OK` or `HQ_ERROR_SELF_TEST`.
///
/// ```c
/// assert(hq_selftest_learn() == HQ_OK);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_selftest_learn() -> hq_status {
    status(selftest::selftest_learn)
}

/// The best tier of this machine (`HQ_TIER_*`), whatever has been forced. Callable from any thread.
///
/// ```c
/// assert(hq_tier_detected() >= HQ_TIER_SCALAR);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_tier_detected() -> i32 {
    simd::detect() as i32
}

/// The tier that the kernels use now (`HQ_TIER_*`). Callable from any thread.
///
/// ```c
/// printf("running on %s\n", hq_tier_name(hq_tier_active()));
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_tier_active() -> i32 {
    simd::active() as i32
}

/// The name of a tier: "scalar", "sse4.2", "avx2", "neon"; "unknown" for any other number.
///
/// The text is static; do not free it. Callable from any thread.
///
/// ```c
/// assert(strcmp(hq_tier_name(HQ_TIER_SCALAR), "scalar") == 0);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_tier_name(tier: i32) -> *const c_char {
    match Tier::from_i32(tier) {
        Ok(Tier::Scalar) => c"scalar".as_ptr(),
        Ok(Tier::Sse42) => c"sse4.2".as_ptr(),
        Ok(Tier::Avx2) => c"avx2".as_ptr(),
        Ok(Tier::Neon) => c"neon".as_ptr(),
        Err(_) => c"unknown".as_ptr(),
    }
}

/// Makes every later call of all threads use `tier`; `HQ_TIER_DETECT` goes back to the best one. For tests,
/// benchmarks, and machines whose faster tier must not be used. Results do not depend on the tier.
///
/// Calls that run in other threads at that moment finish on the tier they began with.
///
/// Returns `HQ_OK`, `HQ_ERROR_UNKNOWN_ENUM`, or `HQ_ERROR_TIER_UNAVAILABLE` if this machine lacks the tier;
/// nothing changes then.
///
/// ```c
/// assert(hq_force_tier(HQ_TIER_SCALAR) == HQ_OK);
/// assert(hq_tier_active() == HQ_TIER_SCALAR);
/// assert(hq_force_tier(HQ_TIER_DETECT) == HQ_OK);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_force_tier(tier: i32) -> hq_status {
    status(|| {
        simd::force(match tier {
            HQ_TIER_DETECT => None,
            other => Some(Tier::from_i32(other)?),
        })
    })
}

#[cfg(test)]
mod tests {
    use core::ffi::CStr;

    use super::*;

    #[test]
    fn names_and_messages_agree_with_the_rust_side() {
        // SAFETY: both functions return static NUL-terminated text.
        let text = |p: *const c_char| unsafe { CStr::from_ptr(p) }.to_str().unwrap();
        for tier in Tier::ALL {
            assert_eq!(text(hq_tier_name(tier as i32)), tier.name());
        }
        for error in Error::ALL {
            assert_eq!(text(hq_status_string(error.status())), error.message());
        }
        assert_eq!(text(hq_status_string(0)), "ok");
        assert_eq!(text(hq_status_string(7)), "unknown status");
    }
}
