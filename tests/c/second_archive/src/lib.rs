//! A sum on pulp's best vectors, for C.

struct Sum<'a>(&'a [f32]);

impl pulp::WithSimd for Sum<'_> {
    type Output = f32;
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) -> f32 {
        let (vectors, rest) = S::as_simd_f32s(self.0);
        let sum = vectors.iter().fold(simd.splat_f32s(0.0), |sum, &v| simd.add_f32s(sum, v));
        simd.reduce_sum_f32s(sum) + rest.iter().sum::<f32>()
    }
}

/// # Safety
/// `x` is valid for `len` floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn second_sum(x: *const f32, len: usize) -> f32 {
    // SAFETY: the caller vouches for the memory.
    let x = unsafe { std::slice::from_raw_parts(x, len) };
    pulp::Arch::new().dispatch(Sum(x))
}
